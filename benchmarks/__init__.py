"""Measurements: `python -m benchmarks.NAME` prints what it found, one line of JSON last."""
