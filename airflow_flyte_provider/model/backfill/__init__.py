"""Backfills: the dates of a schedule, the workflow that executes them, and what became of each."""
