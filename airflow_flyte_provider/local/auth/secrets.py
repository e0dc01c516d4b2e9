"""Secrets that a data directory keeps: the client's secret and the key that signs tokens."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from airflow_flyte_provider.local.settings import CLIENT_SECRET_FILE

_KEY_FILE = "token-key.pem"
_KEY_BITS = 2048


def client_secret(root: Path) -> str:
    """Return the secret of the one client, made when first asked for.

    :param root: the data directory.
    """
    return _kept(root / CLIENT_SECRET_FILE, lambda: secrets.token_urlsafe(32).encode()).decode()


def signing_key(root: Path) -> rsa.RSAPrivateKey:
    """Return the key that signs tokens, made when first asked for, so that tokens outlive a restart.

    :param root: the data directory.
    """
    key = serialization.load_pem_private_key(_kept(root / _KEY_FILE, _new_key), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError(f"{root / _KEY_FILE} holds no RSA key")
    return key


def _new_key() -> bytes:
    return rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _kept(path: Path, make: Callable[[], bytes]) -> bytes:
    """Return what a file holds; one that isn't there is written, all or nothing, for its owner alone."""
    if path.exists():
        return path.read_bytes()
    value = make()
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        target.write(value)
    os.replace(draft, path)
    return value
