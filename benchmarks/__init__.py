"""Figures, each by `python -m benchmarks.NAME`; the last line is JSON."""
