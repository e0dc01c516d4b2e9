"""What the local Flyte remembers: entities, executions and signals in one SQL database."""
