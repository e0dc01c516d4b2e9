"""One client with two faces: the verbs are generators, and a client only says how their calls are awaited.

A verb yields `Call`s and `Sleep`s and returns its result, so it is written once:

    def version() -> Verb[str]:
        reply = yield Call("GetVersion", admin.GetVersionRequest(), "asking for the version")
        return reply.control_plane_version.Version

    Client(settings).run(version())            # blocking
    await AsyncClient(settings).run(version()) # on the event loop

A call that fails is thrown into the verb as a `FlyteError`, which it may catch. One that is answered with
UNAUTHENTICATED has had no effect: it is made once more with a new token, when there is one. After one that did not
reach Flyte by TLS the next is made on a new channel.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

import grpc
import grpc.aio
from flyteidl.service.admin_pb2_grpc import AdminServiceStub
from flyteidl.service.dataproxy_pb2_grpc import DataProxyServiceStub
from flyteidl.service.identity_pb2_grpc import IdentityServiceStub
from flyteidl.service.signal_pb2_grpc import SignalServiceStub
from google.protobuf.message import Message

from airflow_flyte_provider.admin.auth.credentials import Credentials, credentials
from airflow_flyte_provider.admin.channel import aio_channel, channel, forget, open_channel
from airflow_flyte_provider.admin.errors import to_flyte_error
from airflow_flyte_provider.admin.settings import Settings
from airflow_flyte_provider.exceptions import FlyteConnectionError, FlyteError

T = TypeVar("T")


class Service(Enum):
    """A gRPC service of FlyteAdmin, by the stub that calls it."""

    ADMIN = AdminServiceStub
    DATA_PROXY = DataProxyServiceStub
    SIGNAL = SignalServiceStub
    IDENTITY = IdentityServiceStub


@dataclass(frozen=True, slots=True)
class Call:
    """One unary call of FlyteAdmin.

    :param method: the method of the service.
    :param request: its request message.
    :param asked: what it is for, as a phrase that an error can begin with.
    :param service: the service that is called.
    """

    method: str
    request: Message
    asked: str
    service: Service = Service.ADMIN


@dataclass(frozen=True, slots=True)
class Sleep:
    """A pause.

    :param seconds: how long.
    """

    seconds: float


Verb = Generator["Call | Sleep", Any, T]


class Client:
    """Runs verbs on the calling thread.

    :param settings: which Flyte, and how to reach it. Making a client makes no call.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def run(self, verb: Verb[T]) -> T:
        """Run `verb` to its end and return its result.

        :raises FlyteError: when a call fails and the verb does not handle it.
        """
        return self._run(verb, lambda: channel(self.settings), credentials(self.settings))

    def run_aside(self, verb: Verb[T], timeout: float) -> T:
        """Run `verb` on a thread and a channel of its own, and wait for it.

        For signal handlers: the code they interrupt may hold locks of the shared channel.

        :param timeout: seconds to wait at most.
        :raises FlyteConnectionError: when the time is over; the verb may still take effect.
        """
        executor = ThreadPoolExecutor(max_workers=1)
        signed = credentials(self.settings).apart()
        with open_channel(self.settings) as own:
            try:
                return executor.submit(self._run, verb, lambda: own, signed).result(timeout)
            except FutureTimeoutError:
                raise FlyteConnectionError(
                    f"Flyte at {self.settings.endpoint} did not answer within {timeout:g} s."
                ) from None
            finally:
                executor.shutdown(wait=False)

    def _run(self, verb: Verb[T], through: Callable[[], grpc.Channel], signed: Credentials) -> T:
        step = _Steps(verb, self.settings, signed)
        stubs: _Stubs | None = None
        while step.next is not None:
            if isinstance(step.next, Sleep):
                time.sleep(step.next.seconds)
                step.answer(None)
                continue
            try:
                stubs = stubs or _Stubs(through())
                reply = self._call(stubs.method(step.next), step.next.request, signed)
            except (grpc.RpcError, FlyteError) as error:
                stubs = _still_usable(stubs, error, self.settings)
                step.fail(error)
            else:
                step.answer(reply)
        return step.result

    def _call(self, method: Any, request: Message, signed: Credentials) -> Message:
        metadata = signed.metadata()
        try:
            return method(request, timeout=self.settings.call_timeout, metadata=metadata)
        except grpc.RpcError as error:
            if not _is_refused(error):
                raise
            renewed = signed.metadata(refused=metadata)
            if renewed == metadata:
                raise
        return method(request, timeout=self.settings.call_timeout, metadata=renewed)


class AsyncClient:
    """Runs verbs on the running event loop, without ever blocking it.

    :param settings: which Flyte, and how to reach it.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    async def run(self, verb: Verb[T]) -> T:
        """Run `verb` to its end and return its result; see `Client.run`."""
        signed = credentials(self.settings)
        step = _Steps(verb, self.settings, signed)
        stubs: _Stubs | None = None
        while step.next is not None:
            if isinstance(step.next, Sleep):
                await asyncio.sleep(step.next.seconds)
                step.answer(None)
                continue
            try:
                stubs = stubs or _Stubs(await aio_channel(self.settings))
                reply = await self._call(stubs.method(step.next), step.next.request, signed)
            except (grpc.RpcError, FlyteError) as error:
                stubs = _still_usable(stubs, error, self.settings)
                step.fail(error)
            else:
                step.answer(reply)
        return step.result

    async def _call(self, method: Any, request: Message, signed: Credentials) -> Message:
        metadata = await signed.ametadata()
        try:
            return await method(request, timeout=self.settings.call_timeout, metadata=metadata)
        except grpc.RpcError as error:
            if not _is_refused(error):
                raise
            renewed = await signed.ametadata(refused=metadata)
            if renewed == metadata:
                raise
        return await method(request, timeout=self.settings.call_timeout, metadata=renewed)


def _is_refused(error: grpc.RpcError) -> bool:
    return error.code() is grpc.StatusCode.UNAUTHENTICATED


class _Stubs:
    """The services' stubs on one channel, each made when it is first called."""

    def __init__(self, through: grpc.Channel | grpc.aio.Channel) -> None:
        self.through = through
        self._made: dict[Service, Any] = {}

    def method(self, call: Call) -> Any:
        if call.service not in self._made:
            self._made[call.service] = call.service.value(self.through)
        return getattr(self._made[call.service], call.method)


def _still_usable(
    stubs: _Stubs | None, error: grpc.RpcError | FlyteError, settings: Settings
) -> _Stubs | None:
    """Return the stubs to go on with after a call has failed; None for those of a new channel."""
    if stubs and isinstance(error, grpc.RpcError) and error.code() is grpc.StatusCode.UNAVAILABLE:
        forget(settings, stubs.through)
        return None
    return stubs


class _Steps:
    """A verb under way: what it asks for next, until it has returned."""

    def __init__(self, verb: Verb[Any], settings: Settings, signed: Credentials) -> None:
        self.next: Call | Sleep | None = None
        self.result: Any = None
        self._verb = verb
        self._settings = settings
        self._signed = signed
        self._advance(lambda: next(verb))

    def answer(self, reply: Message | None) -> None:
        self._advance(lambda: self._verb.send(reply))

    def fail(self, error: grpc.RpcError | FlyteError) -> None:
        assert isinstance(self.next, Call)  # noqa: S101 - only a call fails
        fault = (
            error
            if isinstance(error, FlyteError)
            else to_flyte_error(error, self.next.asked, self._settings, self._signed.tokens)
        )
        # gRPC's own exception repeats the message with its debug text; it helps nobody in a task log.
        fault.__suppress_context__ = True
        self._advance(lambda: self._verb.throw(fault))

    def _advance(self, step: Any) -> None:
        try:
            self.next = step()
        except StopIteration as end:
            self.next, self.result = None, end.value
