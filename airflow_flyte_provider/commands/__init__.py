"""What `python -m airflow_flyte_provider` does, a module for each command."""
