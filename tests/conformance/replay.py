"""Replays recordings of a real Flyte against another one and compares the answers.

A recording is a file of gRPC calls in the order they were made. Ids, codes, texts and values must be the same;
times, lengths of time, places of storage and generated names need only have the same shape.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from flyteidl.admin import execution_pb2
from flyteidl.admin import signal_pb2 as signal_pb2_messages
from flyteidl.core import execution_pb2 as core_execution
from flyteidl.core import identifier_pb2
from flyteidl.service import (
    admin_pb2,
    auth_pb2,
    dataproxy_pb2,
    identity_pb2,
    signal_pb2,
)
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message

from tests.conformance.difference import GENERATED, difference, order

RECORDINGS = Path(__file__).with_name("recordings")
_LOADED = (admin_pb2, auth_pb2, dataproxy_pb2, identity_pb2, signal_pb2)
_PATIENCE = 20.0  # seconds to wait for a recorded phase
_PHASES = core_execution.WorkflowExecution.Phase
_FINAL = {"SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT"}


@dataclass(frozen=True)
class Call:
    """One recorded call: `answer` is None for one that was refused with `code` and `details`."""

    case: str
    method: str
    request: Message
    answer: Message | None
    code: str
    details: str

    @property
    def verb(self) -> str:
        return self.method.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Result:
    """The comparison of one call: `difference` is empty when the answers match."""

    call: Call
    difference: str


@dataclass
class Replay:
    """A replay in progress.

    :param endpoint: host and port of the Flyte to ask.
    :param authorization: metadata of the cases that were not recorded without any.
    :param substitutes: texts of the recordings and what stands for them here, such as generated names.
    """

    endpoint: str
    authorization: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    substitutes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._channel = grpc.insecure_channel(self.endpoint)

    def close(self) -> None:
        self._channel.close()

    def play(self, name: str) -> list[Result]:
        """Replay a recording and return the comparison of every call in it."""
        return [self.compare(call) for call in read(RECORDINGS / f"{name}.jsonl")]

    def compare(self, call: Call) -> Result:
        """Make one call and compare its answer with the recorded one."""
        request = self._here(call.request)
        self._await_state(call)
        metadata = [self.authorization[call.case]] if call.case in self.authorization else []
        answer, code, details = self.make(call.method, request, _answer_type(call), metadata)
        if call.answer is None:
            told, wanted = f"{code} {details}", f"{call.code} {self._text_here(call.details)}"
            return Result(call, "" if told == wanted else f"refused with\n  {told}\ninstead of\n  {wanted}")
        if answer is None:
            return Result(call, f"refused with {code} {details}")
        self._learn(call.answer, answer)
        order(request, answer)
        wanted_answer = self._here(call.answer)
        order(request, wanted_answer)
        return Result(call, difference(wanted_answer, answer, call.verb))

    def make(
        self,
        method: str,
        request: Message,
        answer_type: Any,
        metadata: Sequence[tuple[str, str]] = (),
    ) -> tuple[Message | None, str, str]:
        """Make a call. Returns the answer, or None with the code and text of the refusal."""
        stub = self._channel.unary_unary(
            method,
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer_type.FromString,
        )
        try:
            return stub(request, timeout=30, metadata=tuple(metadata)), "OK", ""
        except grpc.RpcError as error:
            return None, error.code().name, error.details()

    def _here(self, message: Message) -> Any:
        """Return a recorded message with the substitutes put in."""
        as_json = json.dumps(MessageToDict(message, preserving_proto_field_name=True))
        return ParseDict(json.loads(self._text_here(as_json)), type(message)())

    def _text_here(self, text: str) -> str:
        for recorded, here in self.substitutes.items():
            text = text.replace(recorded, here)
        return text

    def _learn(self, recorded: Message, here: Message) -> None:
        """Note which name was generated here for one that was generated in the recording."""
        if isinstance(recorded, execution_pb2.ExecutionCreateResponse):
            names = recorded.id.name, here.id.name
            if names[0] != names[1] and all(GENERATED.fullmatch(name) for name in names):
                self.substitutes[names[0]] = names[1]

    def _await_state(self, call: Call) -> None:
        """Wait until the executions that the recorded answer shows have the phases it shows.

        Recordings were made by a client that waited between calls too.
        """
        for execution_id, phase in _expected_phases(call):
            here = self._here(execution_id)
            request = execution_pb2.WorkflowExecutionGetRequest(id=here)
            deadline = time.monotonic() + _PATIENCE
            while time.monotonic() < deadline:
                found, code, _ = self.make(
                    "/flyteidl.service.AdminService/GetExecution", request, execution_pb2.Execution
                )
                if found is None and code == "NOT_FOUND" and call.answer is None:
                    break
                if found is not None and _reached(_PHASES.Name(found.closure.phase), phase):
                    break
                time.sleep(0.02)
        if call.verb == "ListSignals" and call.answer is not None:
            self._await_signals(call.request.workflow_execution_id, len(call.answer.signals))
        if call.verb == "SetSignal" and call.answer is not None:
            self._await_signals(call.request.id.execution_id, 1)

    def _await_signals(self, execution_id: Any, count: int) -> None:
        """Wait until the engine has reached so many gates."""
        request = signal_pb2_messages.SignalListRequest(
            workflow_execution_id=self._here(execution_id), limit=100
        )
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            method = "/flyteidl.service.SignalService/ListSignals"
            answer, _, _ = self.make(method, request, signal_pb2_messages.SignalList)
            if answer is not None and len(answer.signals) >= count:
                return
            time.sleep(0.02)


def read(path: Path) -> Iterator[Call]:
    """Return the calls of a recording."""
    for line in path.read_text().splitlines():
        record = json.loads(line)
        request = ParseDict(record["request"], _type(record["request_type"])())
        answer = None
        if "response_type" in record:
            answer = ParseDict(record["response"], _type(record["response_type"])())
        yield Call(
            record["case"],
            record["method"],
            request,
            answer,
            record.get("code", "OK"),
            record.get("details", ""),
        )


def shows_new_executions(name: str) -> bool:
    """Tell whether a recording shows executions that had no phase yet."""
    return any(
        phase == "UNDEFINED"
        for call in read(RECORDINGS / f"{name}.jsonl")
        for _, phase in _expected_phases(call)
    )


def _type(name: str) -> Any:
    return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(name))


def _answer_type(call: Call) -> Any:
    if call.answer is not None:
        return type(call.answer)
    service, verb = call.method.lstrip("/").split("/")
    for module in _LOADED:
        found = module.DESCRIPTOR.services_by_name.get(service.rsplit(".", 1)[-1])
        if found is not None:
            return _type(found.methods_by_name[verb].output_type.full_name)
    raise LookupError(call.method)


def _expected_phases(call: Call) -> Iterator[tuple[identifier_pb2.WorkflowExecutionIdentifier, str]]:
    """Return the executions a call is about and the phases they had, as far as the recording tells."""
    answer = call.answer
    if isinstance(answer, execution_pb2.Execution):
        yield answer.id, _PHASES.Name(answer.closure.phase)
    elif isinstance(answer, execution_pb2.ExecutionList):
        for execution in answer.executions:
            yield execution.id, _PHASES.Name(execution.closure.phase)
    elif call.verb == "GetExecutionData" and answer is not None and answer.full_outputs.literals:
        yield call.request.id, "SUCCEEDED"
    elif (call.verb in ("GetExecutionMetrics", "GetData") and answer is not None) or call.verb in (
        "ListNodeExecutions",
        "GetNodeExecutionData",
        "ListTaskExecutions",
        "GetTaskExecutionData",
    ):
        yield _execution_of(call), "final"
    elif call.verb == "TerminateExecution" and call.code == "FAILED_PRECONDITION":
        yield call.request.id, "final"
    elif call.verb == "RecoverExecution":
        yield call.request.id, "started"


def _execution_of(call: Call) -> identifier_pb2.WorkflowExecutionIdentifier:
    request = call.request
    if call.verb == "GetData":
        project, domain, name = (request.flyte_url.split("/") + [""] * 6)[3:6]
        return identifier_pb2.WorkflowExecutionIdentifier(project=project, domain=domain, name=name)
    if call.verb == "GetExecutionMetrics":
        return request.id
    if call.verb == "ListNodeExecutions":
        return request.workflow_execution_id
    if call.verb == "ListTaskExecutions":
        return request.node_execution_id.execution_id
    if call.verb == "GetTaskExecutionData":
        return request.id.node_execution_id.execution_id
    return request.id.execution_id


def _reached(found: str, wanted: str) -> bool:
    if wanted == "final":
        return found in _FINAL
    if wanted == "started":
        return found != "UNDEFINED"
    return found == wanted or found in _FINAL
