"""A Flyte that means harm: it answers what a test tells it to, where a real one never would."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf.message import Message

#: A message, a status with its text, or what makes one of both from the call's metadata.
Answer = Message | tuple[grpc.StatusCode, str] | Callable[[Mapping[str, Any]], Any]


class HostileFlyte(grpc.GenericRpcHandler):
    """Answers calls over a plaintext socket; what it was told nothing about is UNIMPLEMENTED.

    :param answers: the answer to each method, by its name.
    """

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.answers = answers
        self.calls: list[str] = []
        self._server = grpc.server(ThreadPoolExecutor(4), handlers=[self])
        self.endpoint = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def __enter__(self) -> HostileFlyte:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(None).wait()

    def service(self, details: Any) -> grpc.RpcMethodHandler | None:
        """Return what answers a call."""
        name = details.method.rpartition("/")[2]
        if name not in self.answers:
            return None

        def answer(_: bytes, context: grpc.ServicerContext) -> bytes:
            self.calls.append(name)
            told: Any = self.answers[name]
            if callable(told):
                told = told(dict(context.invocation_metadata()))
            if isinstance(told, tuple):
                context.abort(*told)
            return told.SerializeToString()

        return grpc.unary_unary_rpc_method_handler(answer)
