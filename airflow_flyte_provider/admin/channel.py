"""gRPC channels, made once a process and endpoint: connecting is the dear part of a call."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import grpc
import grpc.aio

from airflow_flyte_provider.admin.settings import Settings

#: The codes that say "try again", not "no": gRPC repeats such a call by itself, within the call's deadline.
TRANSIENT_CODES = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.INTERNAL,
)

_SERVICE_CONFIG = {
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.2s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": [code.name for code in TRANSIENT_CODES],
            },
        }
    ]
}

_OPTIONS: list[tuple[str, Any]] = [
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
    ("grpc.enable_retries", 1),
    # A workflow of some thousand nodes is larger than gRPC's 4 MiB.
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.max_send_message_length", 64 * 1024 * 1024),
    # Both bound how long a host that does not answer keeps a call waiting, and how soon one that is
    # back is found again.
    ("grpc.min_reconnect_backoff_ms", 4_000),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # A load balancer drops connections that are quiet for minutes; a wait must notice.
    ("grpc.keepalive_time_ms", 120_000),
    ("grpc.keepalive_timeout_ms", 10_000),
]

_Key = tuple[int, str, bool, "str | None"]
_channels: dict[_Key, grpc.Channel] = {}
_lock = threading.Lock()
_aio_channels: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[_Key, grpc.aio.Channel]] = (
    WeakKeyDictionary()
)


def channel(settings: Settings) -> grpc.Channel:
    """Return this process's channel to the endpoint of `settings`, opening it on the first call."""
    key = _key(settings)
    with _lock:
        if key not in _channels:
            _channels[key] = open_channel(settings)
        return _channels[key]


def open_channel(settings: Settings) -> grpc.Channel:
    """Return a new channel to the endpoint of `settings`, which the caller closes."""
    if settings.insecure:
        return grpc.insecure_channel(settings.endpoint, options=_OPTIONS)
    return grpc.secure_channel(settings.endpoint, _credentials(settings), options=_OPTIONS)


def aio_channel(settings: Settings) -> grpc.aio.Channel:
    """Return the running event loop's channel to the endpoint of `settings`.

    A channel of `grpc.aio` belongs to the loop it was made on, so each loop has its own.
    """
    key = _key(settings)
    channels = _aio_channels.setdefault(asyncio.get_running_loop(), {})
    if key not in channels:
        if settings.insecure:
            channels[key] = grpc.aio.insecure_channel(settings.endpoint, options=_OPTIONS)
        else:
            channels[key] = grpc.aio.secure_channel(
                settings.endpoint, _credentials(settings), options=_OPTIONS
            )
    return channels[key]


def _key(settings: Settings) -> _Key:
    # The process id is in it because a channel does not survive a fork, and Airflow forks its task runners.
    return (os.getpid(), settings.endpoint, settings.insecure, settings.ca_cert_file)


def _credentials(settings: Settings) -> grpc.ChannelCredentials:
    roots = Path(settings.ca_cert_file).read_bytes() if settings.ca_cert_file else None
    return grpc.ssl_channel_credentials(root_certificates=roots)
