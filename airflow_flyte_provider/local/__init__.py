"""A Flyte on one machine, for demos, tests and CI. Knows the model, never Airflow.

`LocalFlyte` runs one as a process of its own; `python -m airflow_flyte_provider.local` runs one in the
foreground.
"""

from airflow_flyte_provider.local.instance import LocalFlyte, LocalFlyteError

__all__ = ["LocalFlyte", "LocalFlyteError"]
