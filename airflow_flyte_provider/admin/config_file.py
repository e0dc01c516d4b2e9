"""A configuration file of flytectl or uctl, as the extra fields of a connection."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from airflow_flyte_provider.exceptions import FlyteConfigError

#: Names the file where a connection has no host and no `config_file`, as it does for flytectl.
CONFIG_VARIABLE = "FLYTECTL_CONFIG"

#: What keys of the section `admin` are called in a connection.
_ADMIN = {
    "endpoint": "host",
    "insecure": "insecure",
    "insecureSkipVerify": "insecure_skip_verify",
    "caCertFilePath": "ca_cert_file",
    "authType": "auth_mode",
    "clientId": "client_id",
    "tokenUrl": "token_url",
    "scopes": "scopes",
    "audience": "audience",
    "authorizationHeader": "authorization_key",
    "command": "auth_command",
    "proxyCommand": "proxy_command",
    "maxMessageSizeBytes": "max_message_bytes",
}
#: Likewise of `union.connection` and `union.auth`, where uctl keeps them.
_UNION = {
    "connection": {
        "host": "host",
        "insecure": "insecure",
        "insecureSkipVerify": "insecure_skip_verify",
        "caCertFilePath": "ca_cert_file",
    },
    "auth": {
        "type": "auth_mode",
        "clientId": "client_id",
        "tokenUrl": "token_url",
        "scopes": "scopes",
        "authorizationMetadataKey": "authorization_key",
        "command": "auth_command",
        "externalCommand": "auth_command",
        "proxyCommand": "proxy_command",
    },
}
_SECRET_FILES = ("clientSecretLocation", "clientSecretFile")
_SECRET_VARIABLES = ("clientSecretEnvVar", "clientCredentialsSecretEnvVar")
#: A connection with one of these says itself how to sign in.
_OWN_SIGN_IN = ("auth_mode", "client_secret", "password", "token", "auth_command")
_AUTH_TYPES = frozenset({"clientsecret", "pkce", "externalcommand", "deviceflow"})


def with_config_file(conn_id: str, host: str | None, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return the extra fields of a connection with those of its configuration file below them.

    The file is the one that `config_file` names or, when there is neither that nor a host, FLYTECTL_CONFIG: sign-in
    that was written for one Flyte is never sent to another by accident. Its endpoint is the field `host`.

    :param conn_id: the connection's id, for messages.
    :param host: the connection's host.
    :param extra: the connection's extra fields, which win.
    :raises FlyteConfigError: when the file, or a file that it names, cannot be read, or its authType is unknown.
    """
    path = extra.get("config_file") or (None if host else os.environ.get(CONFIG_VARIABLE))
    if not path:
        return dict(extra)
    if not isinstance(path, str):
        raise FlyteConfigError(
            f"Connection {conn_id!r}: the extra field 'config_file' takes the path of a file."
        )
    given = {key: value for key, value in extra.items() if value not in (None, "")}
    fields = _read(conn_id, path, has_own=any(key in given for key in _OWN_SIGN_IN))
    return {**fields, **given}


def _read(conn_id: str, path: str, *, has_own: bool) -> dict[str, Any]:
    where = f"Connection {conn_id!r}: the configuration file {path}"
    try:
        content = yaml.safe_load(Path(path).expanduser().read_text(encoding="utf-8"))
    except (OSError, RuntimeError) as fault:
        raise FlyteConfigError(
            f"{where} cannot be read: {getattr(fault, 'strerror', None) or fault}."
        ) from None
    except (ValueError, yaml.YAMLError, RecursionError):  # what stands there is not quoted: it may be secret
        raise FlyteConfigError(f"{where} is no YAML that can be read.") from None
    root = _section(content, where)
    admin, union = _section(root.get("admin"), where), _section(root.get("union"), where)
    fields: dict[str, Any] = {}
    for section, names in ((union.get(key), names) for key, names in _UNION.items()):
        fields |= _renamed(_section(section, where), names)
    fields |= _renamed(admin, _ADMIN)
    if has_own:  # never half of one sign-in and half of another
        fields = {key: value for key, value in fields.items() if key not in ("auth_mode", "auth_command")}
    else:
        _check_type(fields, where)
        fields |= _secret({**_section(union.get("auth"), where), **admin}, where)
    if console := _section(root.get("console"), where).get("endpoint"):
        fields["console_url"] = console
    return fields


def _renamed(section: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {field: section[key] for key, field in names.items() if section.get(key) not in (None, "")}


def _check_type(fields: Mapping[str, Any], where: str) -> None:
    told = fields.get("auth_mode")
    if told is not None and str(told).lower() not in _AUTH_TYPES:
        raise FlyteConfigError(
            f"{where} has the authType {told!r:.60}, which is unknown: ClientSecret and ExternalCommand can be used. "
            "The connection's extra field 'auth_mode' goes before it."
        )


def _secret(auth: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the client's secret from where the file says it lies."""
    if str(auth.get("authType") or auth.get("type") or "").lower() != "clientsecret":
        return {}
    for key in _SECRET_VARIABLES:
        if name := auth.get(key):
            if str(name) not in os.environ:
                raise FlyteConfigError(f"{where} names the variable {name} in {key}, which is not set here.")
            return {"client_secret": os.environ[str(name)].strip()}
    for key in _SECRET_FILES:
        if file := auth.get(key):
            try:
                return {"client_secret": Path(str(file)).expanduser().read_text(encoding="utf-8").strip()}
            except (OSError, ValueError, RuntimeError):
                raise FlyteConfigError(
                    f"{where} names the file {file} in {key}, which cannot be read."
                ) from None
    return {}


def _section(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise FlyteConfigError(
            f"{where} is not made of sections, as that of flytectl is: `admin:` and below it keys."
        )
    return value
