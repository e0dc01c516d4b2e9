"""The state each recording began with, made by replaying what came before it.

The recorded Flyte was not empty: earlier versions of the demo workflows had been registered and run on it.
"""

from __future__ import annotations

import time
from typing import Any

from flyteidl.admin import execution_pb2
from google.protobuf.json_format import MessageToJson, Parse

from tests.conformance.replay import RECORDINGS, Call, Replay, read

_ADMIN = "/flyteidl.service.AdminService/"
_VERSION = "v1c"
_EARLIER = ("v1", "v1b")
_PATIENCE = 20.0


def prepare(replay: Replay, name: str) -> None:
    """Bring a fresh Flyte into the state that the recording of this name began with."""
    if name in ("register", "engine"):
        return
    listed = next(call for call in read(RECORDINGS / "list.jsonl") if call.case == "list/limit-too-big")
    executions = sorted(listed.answer.executions, key=lambda one: one.closure.created_at.ToNanoseconds())
    for version in (*_EARLIER, _VERSION):
        _register(replay, version)
        if version in _EARLIER:
            own = [one for one in executions if one.spec.launch_plan.version == version]
            _launch(replay, own)
    if name in ("misc", "create"):
        return
    _launch(replay, [one for one in executions if one.spec.launch_plan.version == _VERSION])
    if name == "rerun":
        _launch_and_reject(replay)


def _register(replay: Replay, version: str) -> None:
    for call in read(RECORDINGS / "register.jsonl"):
        if call.verb.startswith("Create") and call.answer is not None:
            replay.make(call.method, _renamed(call.request, version), type(call.answer))


def _renamed(request: Any, version: str) -> Any:
    return Parse(MessageToJson(request).replace(f'"{_VERSION}"', f'"{version}"'), type(request)())


def _launch(replay: Replay, executions: list[execution_pb2.Execution]) -> None:
    """Launch executions one after the other, each by the name and with the spec it was listed with."""
    inputs = {call.request.name: call.request.inputs for call in _creations()}
    given = {one.rsplit("v1c", 1)[0]: value for one, value in inputs.items()}
    for execution in executions:
        request = execution_pb2.ExecutionCreateRequest(
            project=execution.id.project,
            domain=execution.id.domain,
            name=execution.id.name,
            spec=execution.spec,
        )
        stem = execution.id.name.removesuffix(execution.spec.launch_plan.version)
        if stem in given:
            request.inputs.CopyFrom(given[stem])
        else:
            request.inputs.literals["a"].scalar.primitive.integer = 5
        replay.make(_ADMIN + "CreateExecution", request, execution_pb2.ExecutionCreateResponse)
        await_end(replay, execution.id)


def _creations() -> list[Call]:
    return [one for one in read(RECORDINGS / "create.jsonl") if one.answer is not None]


def _launch_and_reject(replay: Replay) -> None:
    for result in replay.play("reject"):
        if result.call.case == "reject/nodes":
            return


def await_end(replay: Replay, execution_id: Any) -> None:
    """Wait until an execution has ended."""
    request = execution_pb2.WorkflowExecutionGetRequest(id=execution_id)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        found, _, _ = replay.make(_ADMIN + "GetExecution", request, execution_pb2.Execution)
        if found is not None and found.closure.HasField("duration"):
            return
        time.sleep(0.01)
