"""Metrics: where the time of an execution went, as spans, totals, a table and a Gantt chart."""
