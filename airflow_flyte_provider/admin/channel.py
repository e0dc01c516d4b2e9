"""gRPC channels, made once a process and endpoint: connecting is the dear part of a call."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import grpc
import grpc.aio

from airflow_flyte_provider.admin.auth.sign_in import SignIn
from airflow_flyte_provider.admin.settings import Settings, host_of
from airflow_flyte_provider.admin.tls import channel_credentials
from airflow_flyte_provider.model.web import is_loopback

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
    # Both bound how long a host that does not answer keeps a call waiting, and how soon one that is
    # back is found again.
    ("grpc.min_reconnect_backoff_ms", 4_000),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    ("grpc.keepalive_timeout_ms", 10_000),
]

_log = logging.getLogger(__name__)
_Key = tuple[int, Settings]
_channels: dict[_Key, grpc.Channel] = {}
_lock = threading.Lock()
_aio_channels: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[_Key, grpc.aio.Channel]] = (
    WeakKeyDictionary()
)
_warned: set[tuple[str, str]] = set()


def channel(settings: Settings) -> grpc.Channel:
    """Return this process's channel to the endpoint of `settings`, opening it on the first call."""
    key = _key(settings)
    with _lock:
        if key not in _channels:
            _channels[key] = open_channel(settings)
        return _channels[key]


def open_channel(settings: Settings) -> grpc.Channel:
    """Return a new channel to the endpoint of `settings`, which the caller closes.

    :raises FlyteConfigError: when a certificate cannot be used.
    """
    how, options, packed = _how(settings)
    if how is None:
        return grpc.insecure_channel(settings.endpoint, options, packed)
    return grpc.secure_channel(settings.endpoint, how, options, packed)


async def aio_channel(settings: Settings) -> grpc.aio.Channel:
    """Return the running event loop's channel to the endpoint of `settings`.

    A channel of `grpc.aio` belongs to the loop it was made on, so each loop has its own.
    """
    key = _key(settings)
    channels = _aio_channels.setdefault(asyncio.get_running_loop(), {})
    if key not in channels:
        # Files are read and, to trust whoever answers, the server is asked: not on the event loop.
        how, options, packed = await asyncio.to_thread(_how, settings)
        if key not in channels:  # nobody else has made it meanwhile
            channels[key] = (
                grpc.aio.insecure_channel(settings.endpoint, options, packed)
                if how is None
                else grpc.aio.secure_channel(settings.endpoint, how, options, packed)
            )
    return channels[key]


def forget(settings: Settings, unusable: grpc.Channel | grpc.aio.Channel) -> None:
    """Have the next call open another channel, for which certificates are read, or asked for, again.

    They may have been renewed since this one was opened, and a triggerer runs for months. A plaintext channel is
    kept: it finds Flyte again by itself. Whoever else has a call under way on this one can end it.

    :param unusable: a channel on which Flyte was not reached.
    """
    if settings.insecure:
        return
    on_loop = isinstance(unusable, grpc.aio.Channel)
    opened: dict[_Key, Any] = _aio_channels[asyncio.get_running_loop()] if on_loop else _channels
    key = _key(settings)
    # No lock: what a signal has interrupted may hold it. At worst one channel more is opened.
    if opened.get(key) is unusable:
        opened.pop(key, None)


def _key(settings: Settings) -> _Key:
    # The process id is in it because a channel does not survive a fork, and Airflow forks its task runners.
    # Who signs in and what calls are about makes no other channel.
    return (os.getpid(), replace(settings.shared(), sign_in=SignIn(), call_timeout=1.0))


def _how(
    settings: Settings,
) -> tuple[grpc.ChannelCredentials | None, list[tuple[str, Any]], grpc.Compression]:
    """Return what a channel is made with: credentials, None for plaintext; options; compression."""
    options = [
        *_OPTIONS,
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", settings.max_message_bytes),
        ("grpc.keepalive_time_ms", int(settings.keepalive_seconds * 1000)),
    ]
    packed = grpc.Compression.Gzip if settings.compression == "gzip" else grpc.Compression.NoCompression
    credentials, name = None, ""
    if settings.insecure:
        _warn_of(settings, "in plaintext: whoever listens reads everything, tokens too")
    else:
        if settings.insecure_skip_verify:
            _warn_of(
                settings, "without verifying its certificate: whoever answers in its place gets everything"
            )
        credentials, name = channel_credentials(settings)
    if settings.authority:
        options.append(("grpc.default_authority", settings.authority))
    if name:
        options.append(("grpc.ssl_target_name_override", name))
    return credentials, options, packed


def _warn_of(settings: Settings, how: str) -> None:
    """Warn of what was asked for, once a process. What stays on this machine needs no warning."""
    if not is_loopback(host_of(settings.endpoint)[0]) and (settings.endpoint, how) not in _warned:
        _warned.add((settings.endpoint, how))
        _log.warning("Flyte at %s is spoken to %s.", settings.endpoint, how)
