"""What Airflow reads about this provider when it starts."""

from __future__ import annotations

from typing import Any

from airflow_flyte_provider import __version__
from airflow_flyte_provider.hooks.connection_form import CONNECTION_FIELDS, FIELD_BEHAVIOUR


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata in the shape of Airflow's `provider_info.schema.json`.

    Imported by every Airflow process at start-up, so it imports nothing that is heavy. Airflow ≥ 3.2 builds the
    connection form from `conn-fields` and `ui-field-behaviour`; older versions ask the hook class.
    """
    return {
        "package-name": "airflow-flyte-provider",
        "name": "Flyte",
        "description": "Launch, watch and repair [Flyte](https://flyte.org/) executions.",
        "versions": [__version__],
        "connection-types": [
            {
                "connection-type": "flyte",
                "hook-class-name": "airflow_flyte_provider.hooks.flyte.FlyteHook",
                "hook-name": "Flyte",
                "conn-fields": CONNECTION_FIELDS,
                "ui-field-behaviour": FIELD_BEHAVIOUR,
            }
        ],
        "extra-links": [
            "airflow_flyte_provider.links.flyte.FlyteExecutionLink",
            "airflow_flyte_provider.links.flyte.FlyteLogLink",
        ],
        "triggers": [
            {"integration-name": "Flyte", "python-modules": ["airflow_flyte_provider.triggers.flyte"]}
        ],
    }
