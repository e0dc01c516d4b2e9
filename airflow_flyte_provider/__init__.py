"""Launch, watch and repair Flyte executions from Apache Airflow."""

__version__ = "0.1.0"
