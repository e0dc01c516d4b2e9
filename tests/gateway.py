"""What companies put before a Flyte: a proxy that wants a token of its own, or a certificate of the client."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from tests.certificates import Pair


class Gateway(grpc.GenericRpcHandler):
    """Passes calls on to a plaintext Flyte, over a socket of its own.

    :param upstream: the Flyte's endpoint.
    :param proxy_tokens: values of `proxy-authorization` that are let in, in turn; none lets everyone in.
    :param shows: its certificate; None for plaintext.
    :param clients: certificate of the authority that clients must be signed by; None wants none.
    :param port: where it listens; 0 for any that is free.
    """

    def __init__(
        self,
        upstream: str,
        proxy_tokens: list[str] | None = None,
        shows: Pair | None = None,
        clients: Path | None = None,
        port: int = 0,
    ) -> None:
        self.proxy_tokens = proxy_tokens
        self.seen: list[dict[str, Any]] = []
        self._upstream = grpc.insecure_channel(upstream)
        self._server = grpc.server(ThreadPoolExecutor(4), handlers=[self])
        if shows is None:
            port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        else:
            roots = clients.read_bytes() if clients else None
            pair = (shows.key.read_bytes(), shows.certificate.read_bytes())
            credentials = grpc.ssl_server_credentials([pair], roots, require_client_auth=clients is not None)
            port = self._server.add_secure_port(f"127.0.0.1:{port}", credentials)
        self.endpoint = f"127.0.0.1:{port}"

    def __enter__(self) -> Gateway:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(None).wait()
        self._upstream.close()

    def service(self, details: Any) -> grpc.RpcMethodHandler:
        """Return what answers a call."""

        def forward(request: bytes, context: grpc.ServicerContext) -> bytes:
            told = dict(context.invocation_metadata())
            self.seen.append({"method": details.method.rpartition("/")[2], **told})
            if self.proxy_tokens is not None and told.get("proxy-authorization") not in self.proxy_tokens:
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "the proxy does not know you")
            kept = [(key, value) for key, value in told.items() if key.endswith("authorization")]
            try:
                return self._upstream.unary_unary(details.method)(request, timeout=20, metadata=kept)
            except grpc.RpcError as error:
                context.abort(error.code(), error.details())

        return grpc.unary_unary_rpc_method_handler(forward)
