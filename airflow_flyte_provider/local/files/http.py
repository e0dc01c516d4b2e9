"""The HTTP server: uploads, downloads and task logs behind signed addresses, the console's pages, sign-in.

No file is given out or taken without a signature.
"""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import os
import secrets
import shutil
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_flyte_provider.local.files.folder import DataFolder
from airflow_flyte_provider.local.files.signing import Permission, Signer
from airflow_flyte_provider.local.refusal import Refusal
from airflow_flyte_provider.model.web import is_loopback

if TYPE_CHECKING:
    from airflow_flyte_provider.local.auth.endpoints import Endpoints

_CHUNK = 1024 * 1024
_MAX_FORM = 64 * 1024  # bytes of a request for a token
_DIGITS = 19  # of a length, fewer
_OAUTH = "/oauth2/"
_JSON = "application/json; charset=utf-8"
#: A task may have written a page among the files: what runs in it must not read the console, under the same name.
_APART = "sandbox allow-scripts allow-popups"
_CONSOLE = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_HTML = "text/html; charset=utf-8"


class FileServer:
    """Serves the storage folder on a thread of its own.

    :param host: address to listen on.
    :param port: port to listen on, 0 for a free one.
    :param folder: the data directory.
    :raises OSError: when the port is in use.
    """

    def __init__(self, host: str, port: int, folder: DataFolder) -> None:
        self._server = (_Server6 if ":" in host else _Server)((host, port), _Handler)
        self._server.folder = folder
        self._thread = threading.Thread(target=self._server.serve_forever, name="files", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def start(
        self,
        signer: Signer,
        console: Callable[[str], str | None],
        metrics: Callable[[], str],
        oauth: Endpoints | None,
    ) -> None:
        """Begin to answer requests.

        :param signer: what must have signed the addresses of files.
        :param console: gives the page at a path that begins with `/console`, None when there is none.
        :param metrics: gives the page at `/metrics`.
        :param oauth: answers for the authorisation server, None when there is no sign-in.
        """
        self._server.oauth = oauth
        self._server.signer = signer
        self._server.console = console
        self._server.metrics = metrics
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and close the port."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    folder: DataFolder
    oauth: Endpoints | None
    signer: Signer
    console: Callable[[str], str | None]
    metrics: Callable[[], str]


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    server: _Server

    def do_PUT(self) -> None:
        """Store the body of a signed PUT."""
        allowed = self._allowed("PUT")
        if allowed is None:
            return
        permission, path = allowed
        length = self._length()
        if length is None:
            self._say(HTTPStatus.LENGTH_REQUIRED, "Content-Length is required")
            return
        asked = self.headers.get("Content-MD5", permission.md5)
        if permission.md5 and asked != permission.md5:
            self._say(HTTPStatus.FORBIDDEN, "Content-MD5 is not the one this address was signed for")
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            digest = self._receive(draft, length)
            if digest is None:
                self._say(HTTPStatus.BAD_REQUEST, "the body ended early")
            elif asked and digest != asked:
                self._say(HTTPStatus.BAD_REQUEST, "the body's MD5 is not the one that was announced")
            else:
                os.replace(draft, path)
                self._say(HTTPStatus.OK, "")
        finally:
            draft.unlink(missing_ok=True)

    def do_GET(self) -> None:
        """Give out the file of a signed GET, a page, or what the authorisation server tells."""
        if self.path.startswith(_OAUTH) and self.server.oauth is not None:
            answer = self.server.oauth.get(urlsplit(self.path).path)
            self._say(answer.status, answer.body, _JSON)
        elif self.path.startswith("/console"):
            self._send_page()
        elif self.path == "/metrics":
            if self._is_for_us():
                self._say(HTTPStatus.OK, self.server.metrics())
        else:
            self._send_file(with_body=True)

    def do_POST(self) -> None:
        """Give out a token."""
        oauth = self.server.oauth
        if oauth is None or not self.path.startswith(_OAUTH):
            self._say(HTTPStatus.NOT_FOUND, "nothing is taken by POST here")
            return
        length = self._length()
        if length is None or length > _MAX_FORM:
            self._say(HTTPStatus.BAD_REQUEST, "a short form with its Content-Length is wanted")
            return
        form = self.rfile.read(length).decode(errors="replace")
        authorization = self.headers.get("Authorization", "")
        answer = oauth.post(urlsplit(self.path).path, authorization, form)
        self._say(answer.status, answer.body, _JSON)

    def do_HEAD(self) -> None:
        """Tell the length of the file of a signed GET."""
        self._send_file(with_body=False)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's signature
        """Log nothing: addresses carry signatures."""

    def _signed_in(self) -> bool:
        """Tell whether a browser gave the client's id and secret, or needs none; else it is asked."""
        if self.server.oauth is None:
            return True
        if self.server.oauth.is_client(self.headers.get("Authorization", "")):
            return True
        self._say(HTTPStatus.UNAUTHORIZED, "sign in with the client id and secret")
        return False

    def _is_for_us(self) -> bool:
        """Tell whether this machine was asked for by its own name, or refuse.

        Pages carry no signature: a web site that has its own name lead here must not read them.
        """
        try:
            asked = urlsplit(f"//{self.headers.get('Host', '')}").hostname or ""
        except ValueError:
            asked = ""
        if is_loopback(asked) or asked == self.server.server_address[0]:
            return True
        self._say(HTTPStatus.FORBIDDEN, "this page is for this machine")
        return False

    def _length(self) -> int | None:
        """Return how many bytes the body has, None when that is not told as a number."""
        told = self.headers.get("Content-Length", "")
        return int(told) if told.isdecimal() and len(told) < _DIGITS else None

    def _send_page(self) -> None:
        if not self._is_for_us() or not self._signed_in():
            return
        page = self.server.console(self.path)
        if page is None:
            self._say(HTTPStatus.NOT_FOUND, "no such execution or page")
        else:
            self._say(HTTPStatus.OK, page, _HTML)

    def _send_file(self, *, with_body: bool) -> None:
        allowed = self._allowed("GET")
        if allowed is None:
            return
        path = allowed[1]
        try:
            source = path.open("rb")
        except (FileNotFoundError, IsADirectoryError):
            self._say(HTTPStatus.NOT_FOUND, "no such file")
            return
        with source:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Length", str(os.fstat(source.fileno()).st_size))
            self.send_header("Content-Type", _content_type(path))
            self.send_header("Content-Security-Policy", _APART)
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            if with_body:
                shutil.copyfileobj(source, self.wfile, _CHUNK)

    def _allowed(self, method: str) -> tuple[Permission, Path] | None:
        permission = self.server.signer.check(self.path, method)
        if permission is not None:
            try:
                return permission, self.server.folder.contained(Path(permission.path))
            except Refusal:
                pass
        self._say(HTTPStatus.FORBIDDEN, "the address is not signed for this, or has expired")
        return None

    def _receive(self, draft: Path, length: int) -> str | None:
        """Write the body to a file. Returns its base64 MD5, None when it ended early."""
        digest = hashlib.md5(usedforsecurity=False)
        left = length
        with draft.open("wb") as target:
            while left:
                chunk = self.rfile.read(min(left, _CHUNK))
                if not chunk:
                    return None
                digest.update(chunk)
                target.write(chunk)
                left -= len(chunk)
        return base64.b64encode(digest.digest()).decode()

    def _say(self, status: HTTPStatus, text: str, kind: str = "text/plain; charset=utf-8") -> None:
        body = text.encode()
        if status != HTTPStatus.OK:
            self.close_connection = True  # an unread body would be taken for the next request
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", kind)
        if kind == _HTML:
            self.send_header("Content-Security-Policy", _CONSOLE)
        if status == HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", 'Basic realm="local Flyte"')
        if kind == _JSON:
            self.send_header("Cache-Control", "no-store")  # it may be a token
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _content_type(path: Path) -> str:
    if path.suffix == ".log":
        return "text/plain; charset=utf-8"
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"
