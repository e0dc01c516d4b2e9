"""Values: Flyte's types and literals, Python values as them and back, the inputs and outputs of an execution."""
