"""Measurements of the local Flyte: `python -m benchmarks.NAME`, the last line is JSON with the figures."""
