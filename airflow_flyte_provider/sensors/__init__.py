"""Tasks that wait for something in Flyte."""
