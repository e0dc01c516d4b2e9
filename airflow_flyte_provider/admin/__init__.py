"""The wire: settings, channel, errors and the verbs of FlyteAdmin. Knows gRPC, never Airflow."""
