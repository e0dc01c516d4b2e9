"""Python tasks without the wait for flytekit: a process that has imported it forks one for each attempt."""
