"""Executes compiled workflows: walks their graphs, runs their tasks, remembers every step."""
