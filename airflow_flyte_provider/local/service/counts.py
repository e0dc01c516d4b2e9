"""How often each method has been called, as the metrics page tells it."""

from __future__ import annotations

import threading
from collections import Counter


class CallCounts:
    """Counts calls by service, method and status, for as long as the process lives."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._tokens: Counter[int] = Counter()
        self._lock = threading.Lock()

    def add(self, method: str, code: str) -> None:
        """Count one call that was answered.

        :param method: as gRPC names it, `/service/method`.
        :param code: name of its status, such as `OK` or `NOT_FOUND`.
        """
        self._counts[method, code] += 1

    def add_token_request(self, status: int) -> None:
        """Count one request at the token endpoint, which answers on threads.

        :param status: the HTTP status of its answer.
        """
        with self._lock:
            self._tokens[status] += 1

    def page(self) -> str:
        """Return the counts as Prometheus reads them, under the name that FlyteAdmin's own metrics have."""
        lines = ["# TYPE grpc_server_handled_total counter"]
        for (path, code), number in sorted(self._counts.items()):
            service, _, method = path.strip("/").partition("/")
            labels = f'grpc_code="{code}",grpc_method="{method}",grpc_service="{service}"'
            lines.append(f"grpc_server_handled_total{{{labels}}} {number}")
        with self._lock:
            tokens = sorted(self._tokens.items())
        lines += [f'oauth2_token_requests_total{{code="{status}"}} {number}' for status, number in tokens]
        return "\n".join([*lines, ""])
