"""Views: what Flyte told of executions, nodes, entities, signals and projects, and reports on it as text."""
