"""Turns what the services raise into gRPC statuses, for every call alike."""

from __future__ import annotations

import logging
from typing import Any

import grpc

from airflow_flyte_provider.local.refusal import Refusal
from airflow_flyte_provider.local.service.counts import CallCounts

_log = logging.getLogger(__name__)


class Statuses(grpc.aio.ServerInterceptor):
    """Runs the services' plain functions in the event loop and answers refusals with their status.

    :param counts: where the calls are counted.
    """

    def __init__(self, counts: CallCounts) -> None:
        self._counts = counts

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Return the handler of a call, wrapped."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler
        method = handler_call_details.method

        async def answer(request: Any, context: grpc.aio.ServicerContext) -> Any:
            try:
                answered = handler.unary_unary(request, context)
                answered = await answered if hasattr(answered, "__await__") else answered
                self._counts.add(method, "OK")
                return answered
            except Refusal as refusal:
                self._counts.add(method, refusal.code.name)
                await context.abort(refusal.code, refusal.details)
            except NotImplementedError:
                name = method.rsplit("/", 1)[-1]
                text = f"{name} is not part of the local Flyte"
                await context.abort(grpc.StatusCode.UNIMPLEMENTED, text)
            except grpc.aio.AbortError:
                raise
            except Exception as fault:
                _log.exception("%s broke", method)
                await context.abort(grpc.StatusCode.INTERNAL, f"{type(fault).__name__}: {fault}")

        return grpc.unary_unary_rpc_method_handler(
            answer,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )
