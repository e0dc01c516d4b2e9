"""An object store that answers as a test wants: what a good one does wrong at times cannot be had otherwise."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = "X-Amz-Signature=s3cr3t"


@dataclass
class Answer:
    """One answer.

    :param status: the HTTP status.
    :param body: what is sent.
    :param headers: sent as they are; Content-Length is that of the body unless it is among them; None leaves one out.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str | None] = field(default_factory=dict)


@dataclass
class Store:
    """A running store.

    :param url: a signed address of it.
    :param answers: what it answers next; the last one again and again.
    :param seen: headers and body of each request.
    """

    url: str
    answers: list[Answer]
    seen: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def store(*answers: Answer) -> Iterator[Store]:
    """Run a store that gives `answers`, one after the other."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            length = int(self.headers.get("Content-Length", 0))
            running.seen.append((dict(self.headers), self.rfile.read(length)))
            answer = running.answers.pop(0) if len(running.answers) > 1 else running.answers[0]
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                if value is not None:
                    self.send_header(name, value)
            self.end_headers()
            with suppress(ConnectionError):  # the other side has read enough
                self.wfile.write(answer.body)

        def do_PUT(self):
            self.do_GET()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running = Store(f"http://127.0.0.1:{server.server_port}/bucket/key?{SECRET}", list(answers))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
