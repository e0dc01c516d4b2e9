"""The fields of the connection form, described once for every version of Airflow.

Every Airflow process reads this at start-up, by way of the provider's metadata: it imports nothing.
"""

from __future__ import annotations

from typing import Any


def _text(label: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"label": label, "description": description, "schema": {"type": ["string", "null"], **schema}}


def _secret(label: str, description: str) -> dict[str, Any]:
    return _text(label, description, format="password")


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
    "config_file": _text(
        "Configuration file", "Configuration of flytectl on the workers. Fields of this form go before it."
    ),
    "auth_mode": _text(
        "Sign-in",
        "none, client_credentials, token or command. Empty: what the other fields describe.",
        enum=["none", "client_credentials", "token", "command"],
    ),
    "client_secret": _secret("Client secret", "Instead of the password above."),
    "token": _secret("Token", "A token that does not change, for the sign-in by token."),
    "auth_command": _text(
        "Command", 'Prints a token. A JSON list: ["program", "argument"]; no shell reads it.'
    ),
    "proxy_command": _text(
        "Proxy command", "Likewise, for a proxy before Flyte: sent to it as proxy-authorization."
    ),
    "token_url": _text("Token endpoint", "Empty: Flyte tells it.", format="url"),
    "scopes": _text("Scopes", "Scopes to ask for, with spaces between them. Empty: Flyte tells them."),
    "audience": _text("Audience", "Audience to ask for. Empty: Flyte tells it, or none."),
    "authorization_key": _text(
        "Metadata of the token", "Such as flyte-authorization. Empty: Flyte tells it."
    ),
    "insecure": _flag("Insecure", "Speak plaintext gRPC, without TLS. Only for a Flyte on this machine."),
    "insecure_skip_verify": _flag("Skip verification", "Speak TLS with whoever answers. Only for tests."),
    "ca_cert_file": _text(
        "CA certificate file", "PEM file on the workers, trusted instead of the system's roots."
    ),
    "client_cert_file": _text(
        "Client certificate file", "PEM file on the workers, shown to the server (mTLS)."
    ),
    "client_key_file": _text(
        "Client key file", "PEM file on the workers: the key of the client certificate."
    ),
    "authority": _text("Authority", "Name the server must have in its certificate, when not its host's."),
    "keepalive_seconds": _text(
        "Keepalive", "Seconds of quiet after which the connection is tested. Default 120."
    ),
    "compression": _text("Compression", "gzip, or empty.", enum=["gzip", "none"]),
    "max_message_bytes": _text("Largest message", "Bytes one message may have. Default 67108864."),
    "console_url": _text("Console URL", "Base address of the Flyte console, for links.", format="url"),
    "local_files": _text(
        "Local files",
        "true or false: read files that Flyte names from the workers' own disk. Empty: where Flyte is on this machine.",
        enum=["true", "false"],
    ),
    "call_timeout": _text("Call timeout", "Seconds one call may take, retries included. Default 30."),
    "deployment": _text(
        "Deployment",
        "Name of this Airflow, where several of them launch into one Flyte project and domain: without it, "
        "equal DAG, task and run ids of two deployments would be taken for the same work.",
    ),
}

#: Which of Airflow's standard fields the form shows, and under which names.
FIELD_BEHAVIOUR: dict[str, Any] = {
    "hidden-fields": ["schema"],
    "relabeling": {"host": "Admin endpoint", "login": "Client id", "password": "Client secret or token"},
    "placeholders": {
        "host": "flyte.example.com",
        "port": "443 (80 for plaintext)",
        "console_url": "https://flyte.example.com",
        "call_timeout": "30",
    },
}


def form_widgets() -> dict[str, Any]:
    """Return `CONNECTION_FIELDS` as fields of wtforms, for the form of Airflow < 3.2."""
    from flask_appbuilder.fieldwidgets import BS3PasswordFieldWidget, BS3TextFieldWidget
    from wtforms import BooleanField, PasswordField, StringField

    def widget(field: dict[str, Any]) -> Any:
        described = {"label": field["label"], "description": field["description"]}
        if field["schema"].get("format") == "password":
            return PasswordField(widget=BS3PasswordFieldWidget(), **described)
        if "boolean" in field["schema"]["type"]:
            return BooleanField(**described)
        return StringField(widget=BS3TextFieldWidget(), **described)

    return {key: widget(field) for key, field in CONNECTION_FIELDS.items()}
