"""FlyteHook: an Airflow connection in, the verbs of Flyte out.

This module is imported when a task runs, never when a DAG file is parsed: it loads gRPC and flyteidl.
"""

from __future__ import annotations

from typing import Any

from airflow_flyte_provider.hooks.backfill import BackfillVerbs
from airflow_flyte_provider.hooks.connection_form import FIELD_BEHAVIOUR, form_widgets
from airflow_flyte_provider.hooks.gates import GateVerbs
from airflow_flyte_provider.hooks.metrics import MetricVerbs
from airflow_flyte_provider.hooks.registration import RegistrationVerbs
from airflow_flyte_provider.hooks.signals import SignalVerbs
from airflow_flyte_provider.hooks.values import ValueVerbs


class FlyteHook(BackfillVerbs, GateVerbs, ValueVerbs, MetricVerbs, RegistrationVerbs, SignalVerbs):
    """Speaks to one Flyte, as an Airflow connection of type `flyte` describes it.

    :param flyte_conn_id: the Airflow connection. Host and port are FlyteAdmin's gRPC endpoint; the extra
        fields are described in `airflow_flyte_provider.hooks.connection_form`.
    :param project: Flyte project for everything this hook does; default: the connection's.
    :param domain: Flyte domain, likewise.

    Making a hook makes no call and reads no connection. Every method raises a subclass of
    `airflow_flyte_provider.exceptions.FlyteError` and no other exception. Example::

        hook = FlyteHook(project="flytesnacks", domain="development")
        plan = hook.fetch_launch_plan("demo.add_one")
        launched = hook.execute(plan, {"a": 5})
        done = hook.wait(launched.id, timeout=600)
        print(done.phase, hook.get_outputs(done.id))
    """

    # Airflow < 3.2 looks for these two in the class itself, and not in those that it inherits from.

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return which standard fields the connection form of Airflow < 3.2 shows."""
        return {key.replace("-", "_"): value for key, value in FIELD_BEHAVIOUR.items()}

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the extra fields of the connection form of Airflow < 3.2."""
        return form_widgets()
