"""The fields of the connection form, described once for every version of Airflow.

Every Airflow process reads this at start-up, by way of the provider's metadata: it imports nothing.
"""

from __future__ import annotations

from typing import Any


def _text(label: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"label": label, "description": description, "schema": {"type": ["string", "null"], **schema}}


def _flag(label: str, description: str) -> dict[str, Any]:
    return {
        "label": label,
        "description": description,
        "schema": {"type": ["boolean", "null"], "default": False},
    }


#: The connection's extra fields, for Airflow's React form.
CONNECTION_FIELDS: dict[str, dict[str, Any]] = {
    "project": _text("Project", "Flyte project used where a task names none."),
    "domain": _text("Domain", "Flyte domain used where a task names none.", default="development"),
    "insecure": _flag("Insecure", "Speak plaintext gRPC, without TLS. Only for a Flyte on this machine."),
    "ca_cert_file": _text(
        "CA certificate file", "PEM file on the workers, trusted instead of the system's roots."
    ),
    "console_url": _text("Console URL", "Base address of the Flyte console, for links.", format="url"),
    "call_timeout": _text("Call timeout", "Seconds one call may take, retries included. Default 30."),
    "deployment": _text(
        "Deployment",
        "Name of this Airflow, where several of them launch into one Flyte project and domain: without it, "
        "equal DAG, task and run ids of two deployments would be taken for the same work.",
    ),
}

#: Which of Airflow's standard fields the form shows, and under which names.
FIELD_BEHAVIOUR: dict[str, Any] = {
    "hidden-fields": ["schema", "login", "password"],
    "relabeling": {"host": "Admin endpoint"},
    "placeholders": {
        "host": "flyte.example.com",
        "port": "443 (80 for plaintext)",
        "console_url": "https://flyte.example.com",
        "call_timeout": "30",
    },
}
