"""Airflow hooks: a connection in, the verbs of Flyte out."""
