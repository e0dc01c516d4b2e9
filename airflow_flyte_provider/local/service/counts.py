"""How often each method has been called, as the metrics page tells it."""

from __future__ import annotations

from collections import Counter


class CallCounts:
    """Counts calls by service, method and status, for as long as the process lives."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, method: str, code: str) -> None:
        """Count one call that was answered.

        :param method: as gRPC names it, `/service/method`.
        :param code: name of its status, such as `OK` or `NOT_FOUND`.
        """
        self._counts[method, code] += 1

    def page(self) -> str:
        """Return the counts as Prometheus reads them, under the name that FlyteAdmin's own metrics have."""
        lines = ["# TYPE grpc_server_handled_total counter"]
        for (path, code), number in sorted(self._counts.items()):
            service, _, method = path.strip("/").partition("/")
            labels = f'grpc_code="{code}",grpc_method="{method}",grpc_service="{service}"'
            lines.append(f"grpc_server_handled_total{{{labels}}} {number}")
        return "\n".join([*lines, ""])
