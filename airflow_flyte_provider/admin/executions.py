"""Verbs about executions: create, watch, read, terminate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from flyteidl.admin import common_pb2, execution_pb2
from flyteidl.core import identifier_pb2, literals_pb2

from airflow_flyte_provider.admin.client import Call, Sleep, Verb
from airflow_flyte_provider.admin.options import to_spec
from airflow_flyte_provider.exceptions import (
    FlyteAlreadyExistsError,
    FlyteConnectionError,
    FlyteError,
    FlyteNotFoundError,
    FlyteWaitTimeoutError,
)
from airflow_flyte_provider.model.identifiers import EntityId, ExecutionId
from airflow_flyte_provider.model.options import ExecutionOptions
from airflow_flyte_provider.model.phases import ExecutionPhase
from airflow_flyte_provider.model.references import to_identifier
from airflow_flyte_provider.model.tries.identity import are_ours
from airflow_flyte_provider.model.views.executions import Execution

#: The longest pause, in seconds, between two polls that Flyte does not answer.
MAX_BACKOFF = 60.0

#: FlyteAdmin takes 1,000 names in one filter; half of that keeps the request far below its size limit.
_NAMES_A_CALL = 500


@dataclass(frozen=True, slots=True)
class Launch:
    """One execution to be created.

    :param id: project, domain and name it is to have. An empty name lets Flyte choose one.
    :param entity: the launch plan or task to execute.
    :param inputs: its inputs, already literals.
    :param labels: labels of the Airflow identity, which make it ours; they come beside those of the options.
    :param options: what else it is told; read already.
    """

    id: ExecutionId
    entity: EntityId
    inputs: literals_pb2.LiteralMap
    labels: Mapping[str, str] = field(default_factory=dict)
    options: ExecutionOptions = field(default_factory=ExecutionOptions)


@dataclass(frozen=True, slots=True)
class Launched:
    """What became of a `Launch`.

    :param id: the execution.
    :param adopted: True when it had been created before, by the same task try.
    """

    id: ExecutionId
    adopted: bool


def create_execution(launch: Launch) -> Verb[Launched]:
    """Create an execution, or adopt the one that the same task try has created already.

    A name in use is looked at: with our labels it is ours, from before a crash or from a call whose answer
    was lost, and is adopted. So calling this twice launches once.

    :raises FlyteAlreadyExistsError: when the name belongs to an execution that is not ours.
    """
    request = execution_pb2.ExecutionCreateRequest(
        project=launch.id.project,
        domain=launch.id.domain,
        name=launch.id.name,
        inputs=launch.inputs,
        spec=to_spec(launch.options),
    )
    request.spec.launch_plan.CopyFrom(to_identifier(launch.entity))
    request.spec.metadata.mode = execution_pb2.ExecutionMetadata.MANUAL
    request.spec.labels.values.update(launch.labels)
    try:
        reply = yield Call("CreateExecution", request, f"launching {launch.entity} as execution {launch.id}")
    except FlyteAlreadyExistsError:
        yield from adopt(launch.id, launch.labels)
        return Launched(launch.id, adopted=True)
    return Launched(ExecutionId.from_proto(reply.id), adopted=False)


def adopt(execution: ExecutionId, labels: Mapping[str, str], source: ExecutionId | None = None) -> Verb[None]:
    """Raise unless the execution that has a name already is the one that the same task try launched.

    :param execution: the name in use.
    :param labels: the labels of the Airflow identity; none adopt nothing.
    :param source: the execution that the try relaunched or recovered, whose labels the new one carries.
    :raises FlyteAlreadyExistsError: when it is somebody else's.
    """
    found = yield from get_execution(execution)
    if are_ours(found.labels, labels) or (source and found.reference_execution == source):
        return
    raise FlyteAlreadyExistsError(
        f"Execution {execution} exists already, and this task did not launch it: it runs "
        f"{found.launch_plan}, its labels are {dict(found.labels) or 'none'}. Nothing was launched."
    ) from None


def get_execution(execution: ExecutionId) -> Verb[Execution]:
    """Fetch one execution.

    :raises FlyteNotFoundError: when there is none of that name.
    """
    request = execution_pb2.WorkflowExecutionGetRequest(id=to_proto(execution))
    return Execution.from_proto((yield Call("GetExecution", request, f"fetching execution {execution}")))


def get_data(execution: ExecutionId) -> Verb[tuple[literals_pb2.LiteralMap, literals_pb2.LiteralMap]]:
    """Fetch the inputs and the outputs of an execution; the outputs are empty before it has succeeded."""
    request = execution_pb2.WorkflowExecutionGetDataRequest(id=to_proto(execution))
    reply = yield Call("GetExecutionData", request, f"fetching the data of execution {execution}")
    return reply.full_inputs, reply.full_outputs


def list_phases(executions: Iterable[ExecutionId]) -> Verb[dict[ExecutionId, ExecutionPhase]]:
    """Fetch the phases of many executions of one project and domain, by as few calls as can be.

    Archived executions are not in Flyte's list, and neither are those that never were: each one missing is
    asked for by itself before it is called lost, and one that is lost is missing from the answer.
    """
    wanted = list(executions)
    protos = yield from _list_by_name(wanted)
    found = {
        ExecutionId.from_proto(each.id): ExecutionPhase.from_number(each.closure.phase) for each in protos
    }
    for missing in [each for each in wanted if each not in found]:
        try:
            found[missing] = (yield from get_execution(missing)).phase
        except FlyteNotFoundError:
            continue
    return found


def find_executions(executions: Iterable[ExecutionId]) -> Verb[dict[ExecutionId, Execution]]:
    """Fetch those of many executions of one project and domain that there are; archived ones are not."""
    views = map(Execution.from_proto, (yield from _list_by_name(list(executions))))
    return {view.id: view for view in views}


def _list_by_name(wanted: Sequence[ExecutionId]) -> Verb[list[execution_pb2.Execution]]:
    found: list[execution_pb2.Execution] = []
    for start in range(0, len(wanted), _NAMES_A_CALL):
        chunk = wanted[start : start + _NAMES_A_CALL]
        request = common_pb2.ResourceListRequest(
            id=common_pb2.NamedEntityIdentifier(project=chunk[0].project, domain=chunk[0].domain),
            filters=f"value_in(execution_name,{';'.join(each.name for each in chunk)})",
            limit=len(chunk),
        )
        found += (yield Call("ListExecutions", request, f"looking for {len(chunk)} executions")).executions
    return found


def terminate(execution: ExecutionId, cause: str) -> Verb[bool]:
    """Terminate an execution. It becomes ABORTING at once and ABORTED some seconds later.

    :param cause: why, for those who find it aborted.
    :returns: False when it was over already, which is no error.
    :raises FlyteNotFoundError: when there is none of that name.
    """
    request = execution_pb2.ExecutionTerminateRequest(id=to_proto(execution), cause=cause)
    try:
        yield Call("TerminateExecution", request, f"terminating execution {execution}")
    except FlyteNotFoundError:
        raise
    except FlyteError:
        # Flyte refuses one that has ended. Asking is surer than reading the refusal's text.
        if (yield from get_execution(execution)).is_done:
            return False
        raise
    return True


def wait(
    execution: ExecutionId,
    *,
    timeout: float | None,
    poll_interval: float,
    observe: Callable[[], Verb[None]] | None = None,
) -> Verb[Execution]:
    """Poll an execution until its phase is final.

    A poll that fails is not an execution that failed: while Flyte cannot be reached it is asked again, with
    growing pauses, so that a wait outlives a restart of FlyteAdmin.

    :param timeout: seconds to wait at most; None waits for ever.
    :param poll_interval: seconds between two polls.
    :param observe: a verb to run after each poll that found the execution not over.
    :raises FlyteWaitTimeoutError: when the time is over. The execution goes on.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    pause = poll_interval
    trouble: FlyteError | None = None
    while True:
        try:
            found = yield from get_execution(execution)
        except FlyteConnectionError as error:
            trouble, pause = error, min(max(pause * 2, 1.0), max(MAX_BACKOFF, poll_interval))
        else:
            if found.is_done:
                return found
            if observe:
                yield from observe()
            trouble, pause = None, poll_interval
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            why = f" The last poll failed: {trouble}" if trouble else ""
            raise FlyteWaitTimeoutError(
                f"Execution {execution} did not end within {timeout:g} s of waiting; it may still run.{why}"
            )
        yield Sleep(pause if left is None else min(pause, left))


def to_proto(execution: ExecutionId) -> identifier_pb2.WorkflowExecutionIdentifier:
    """Return the `flyteidl.core.WorkflowExecutionIdentifier` of an execution."""
    return identifier_pb2.WorkflowExecutionIdentifier(
        project=execution.project, domain=execution.domain, name=execution.name
    )
