"""The ideas of Flyte as plain values. Pure: no network, no Airflow."""
