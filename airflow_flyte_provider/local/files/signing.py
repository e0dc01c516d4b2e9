"""Addresses that carry their own permission: what may be done, until when, signed with the server's key."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit


@dataclass(frozen=True)
class Permission:
    """What a signed address allows.

    :param method: "GET" or "PUT".
    :param path: the file, relative to the storage folder.
    :param md5: base64 MD5 that the content of a PUT must have, empty for any.
    """

    method: str
    path: str
    md5: str


class Signer:
    """Makes signed addresses and reads them back.

    :param key: the key to sign with.
    :param base_url: address of the HTTP server, without a slash at the end.
    :param storage: the storage folder.
    """

    def __init__(self, key: bytes, base_url: str, storage: Path) -> None:
        self._key = key
        self._base_url = base_url
        self._storage = storage

    def url(self, path: Path, method: str, lifetime: float, md5: str = "") -> str:
        """Return an address that allows `method` on one file.

        :param path: the file, inside the storage folder.
        :param method: "GET" or "PUT".
        :param lifetime: seconds until it expires.
        :param md5: base64 MD5 that the content of a PUT must have, empty for any.
        """
        relative = path.relative_to(self._storage).as_posix()
        expires = str(int(time.time() + lifetime))
        query = {"method": method, "expires": expires, "md5": md5}
        query["signature"] = self._signature(method, relative, expires, md5)
        return f"{self._base_url}/{quote(relative)}?{urlencode(query)}"

    def check(self, target: str, method: str) -> Permission | None:
        """Return what a request may do, None when its address does not allow it (any more).

        :param target: path and query of the request.
        :param method: the HTTP method of the request.
        """
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = unquote(parts.path).lstrip("/")
        expires, md5 = query.get("expires", ""), query.get("md5", "")
        allowed = query.get("method", "")
        expected = self._signature(allowed, path, expires, md5)
        genuine = hmac.compare_digest(expected.encode(), query.get("signature", "").encode())
        if not genuine or method != allowed or int(expires) < time.time():
            return None
        return Permission(method, path, md5)

    def _signature(self, *parts: str) -> str:
        # As JSON, so that no part can take over what belongs to the next: a path may hold any letter.
        return hmac.new(self._key, json.dumps(parts).encode(), hashlib.sha256).hexdigest()
