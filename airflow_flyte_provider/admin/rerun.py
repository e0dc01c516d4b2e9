"""Verbs that run an execution again: relaunch starts it over, recover goes on where it failed."""

from __future__ import annotations

from collections.abc import Mapping

from flyteidl.admin import execution_pb2

from airflow_flyte_provider.admin.client import Call, Verb
from airflow_flyte_provider.admin.executions import Launched, adopt, to_proto
from airflow_flyte_provider.exceptions import FlyteAlreadyExistsError
from airflow_flyte_provider.model.identifiers import ExecutionId


def relaunch(
    execution: ExecutionId, name: str, *, labels: Mapping[str, str], overwrite_cache: bool = False
) -> Verb[Launched]:
    """Start an execution over: a new one with its inputs, version and options.

    :param execution: the one to relaunch, whatever its phase.
    :param name: the new one's name; empty lets Flyte choose one. One that this task try has launched under
        that name already is adopted.
    :param labels: the labels of the Airflow identity, to know the task's own executions by. Flyte gives the
        new one those of the old.
    :param overwrite_cache: run all its tasks, and replace what the cache holds for them.
    :raises FlyteNotFoundError: when there is no such execution.
    :raises FlyteAlreadyExistsError: when the name belongs to something else.
    """
    request = execution_pb2.ExecutionRelaunchRequest(
        id=to_proto(execution), name=name, overwrite_cache=overwrite_cache
    )
    call = Call("RelaunchExecution", request, f"relaunching execution {execution}")
    return (yield from _run_again(call, execution, name, labels))


def recover(execution: ExecutionId, name: str, *, labels: Mapping[str, str]) -> Verb[Launched]:
    """Start an execution that takes over what succeeded in another one, and does the rest.

    Flyte takes one that still runs, too: whoever calls this has looked at the phase.

    :param execution: the one to recover.
    :param name: the new one's name; see `relaunch`.
    :param labels: see `relaunch`.
    :raises FlyteNotFoundError: when there is no such execution.
    :raises FlyteAlreadyExistsError: when the name belongs to something else.
    """
    request = execution_pb2.ExecutionRecoverRequest(id=to_proto(execution), name=name)
    call = Call("RecoverExecution", request, f"recovering execution {execution}")
    return (yield from _run_again(call, execution, name, labels))


def _run_again(call: Call, source: ExecutionId, name: str, labels: Mapping[str, str]) -> Verb[Launched]:
    try:
        reply = yield call
    except FlyteAlreadyExistsError:
        mine = ExecutionId(source.project, source.domain, name)
        yield from adopt(mine, labels, source)
        return Launched(mine, adopted=True)
    return Launched(ExecutionId.from_proto(reply.id), adopted=False)
