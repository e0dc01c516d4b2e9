"""A Flyte on one machine, for demos, tests and CI. Knows the model, never Airflow."""
