"""Links from a task to the Flyte console."""
