"""Task nodes: attempts, retries, timeouts, and what each attempt is told about itself."""

from __future__ import annotations

import asyncio
import hashlib
from itertools import count
from typing import Any

from flyteidl.admin import node_execution_pb2, task_execution_pb2
from flyteidl.core import identifier_pb2, tasks_pb2
from google.protobuf.duration_pb2 import Duration

from airflow_flyte_provider.local import clock
from airflow_flyte_provider.local.compiler.support import ECHO
from airflow_flyte_provider.local.engine.dynamic import run_dynamic
from airflow_flyte_provider.local.engine.kept import keep, kept
from airflow_flyte_provider.local.engine.nodes import NodeContext, Result
from airflow_flyte_provider.local.engine.outcome import (
    SYSTEM_RETRIES,
    USER,
    EngineGaveUp,
    ExecutionError,
    SystemFailure,
)
from airflow_flyte_provider.local.engine.retries import Retries
from airflow_flyte_provider.local.engine.runner import Attempt, Outcome
from airflow_flyte_provider.local.engine.task_journal import TaskPhase
from airflow_flyte_provider.local.engine.values import LiteralMap
from airflow_flyte_provider.local.files.folder import local_folder, log_page

_SHARD_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


async def run_task(context: NodeContext) -> Result:
    """Take a task's outputs from the cache, or run its attempts until one succeeds or none is left.

    :raises NodeFailed: when the task failed for good.
    :raises EngineGaveUp: when it could not be run at all.
    """
    if context.task is None:
        raise EngineGaveUp(context.node.id, "the task is not part of the workflow")
    template = context.task.template
    cached = await context.world.catalog.through(
        template,
        context.inputs,
        lambda: _run_attempts(context, template),
        lambda attempt: identifier_pb2.TaskExecutionIdentifier(
            task_id=template.id, node_execution_id=context.place.identifier, retry_attempt=attempt
        ),
        overwrite=context.execution.spec.overwrite_cache,
    )
    if cached.status:
        context.journal.cache_noted(context.place, cached.status, cached.key)
    return cached.outputs, cached.attempt


async def _run_attempts(context: NodeContext, template: tasks_pb2.TaskTemplate) -> Result:
    retries = Retries(context.node, template)
    former = [_former_outcome(context, task) for task in context.journal.tasks.attempts(context.place)]
    for attempt in count():
        known = former[attempt] if attempt < len(former) else None
        outcome = known or await _one_attempt(context, template, attempt)
        if outcome.outputs is not None:
            return outcome.outputs, attempt
        if outcome.futures is not None:
            return await run_dynamic(context, template, attempt, outcome.futures), attempt
        retries.note(outcome)
    raise AssertionError("attempts have no end of their own")


def _former_outcome(context: NodeContext, task: task_execution_pb2.TaskExecution) -> Outcome | None:
    """Return how an attempt ended before the server was last started, None when it had not.

    :raises EngineGaveUp: when it could not be run at all.
    """
    if task.closure.phase not in (TaskPhase.SUCCEEDED, TaskPhase.FAILED):
        return None
    outcome = kept(context.place, task.id.retry_attempt)
    if outcome is None:  # the task never got to leave anything
        raise EngineGaveUp(context.node.id, task.closure.error.message)
    return outcome


async def _one_attempt(context: NodeContext, template: tasks_pb2.TaskTemplate, attempt: int) -> Outcome:
    async with context.slots:
        checkpoint = context.world.folder.address(_raw_folder(context, attempt) / "_flytecheckpoints")
        metadata = node_execution_pb2.TaskNodeMetadata(checkpoint_uri=checkpoint)
        context.journal.running(context.place, task_node_metadata=metadata)
        work = attempt_of(context, template, attempt)
        task = context.journal.tasks.began(context.place, template.id, attempt, described(context, work))
        try:
            outcome = await run_in_time(context, template, work)
        except asyncio.CancelledError:
            if context.stop_reason():
                context.journal.tasks.ended(task, TaskPhase.ABORTED)
            raise
        except EngineGaveUp as failure:
            error = ExecutionError(code="RuntimeExecutionError", message=failure.reason)
            context.journal.tasks.ended(task, TaskPhase.FAILED, error)
            raise
        _note_end(context, task, outcome, attempt)
        return outcome


def _note_end(
    context: NodeContext, task: task_execution_pb2.TaskExecution, outcome: Outcome, attempt: int
) -> None:
    keep(context.place, attempt, outcome)
    context.journal.decked(context.place, attempt)
    if outcome.error is not None:
        context.journal.tasks.ended(task, TaskPhase.FAILED, outcome.error)
        return
    # those of a dynamic task come from its nodes, and are written there later
    address = context.world.folder.address(context.place.outputs_path(attempt))
    context.journal.tasks.ended(task, TaskPhase.SUCCEEDED, outputs=address)


async def run_in_time(context: NodeContext, template: tasks_pb2.TaskTemplate, work: Attempt) -> Outcome:
    """Run an attempt within the node's timeout; one that takes longer may be tried again.

    :raises EngineGaveUp: when it could not be run at all.
    """
    limit = _timeout(context, template)
    seconds = clock.duration_nanoseconds(limit) / 1e9 or None
    try:
        return await asyncio.wait_for(_patiently(context, work), seconds)
    except asyncio.TimeoutError:
        text = f"task execution timeout [{clock.go_duration(limit)}] expired"
        return Outcome(error=ExecutionError(code="TimeoutExpired", message=text, kind=USER), recoverable=True)


async def _patiently(context: NodeContext, work: Attempt) -> Outcome:
    """Run an attempt, again and again while the fault is the engine's own."""
    is_echo = work.template.type == ECHO
    runner = context.world.echo if is_echo else context.world.processes
    failures = 0
    while True:
        try:
            return await runner.run(work)
        except SystemFailure as failure:
            failures += 1
            if failures > SYSTEM_RETRIES:
                plugin = _plugin(work.template)
                text = f"failed to execute handle for plugin [{plugin}]: {failure}"
                raise EngineGaveUp(context.node.id, text) from None
        await asyncio.sleep(context.world.pace.system_retry)


def attempt_of(context: NodeContext, template: tasks_pb2.TaskTemplate, attempt: int) -> Attempt:
    """Return an attempt at a task as a runner takes it.

    :param context: the node; its place gives the attempt its name and its folders.
    :param template: the task.
    :param attempt: number of the attempt, from 0.
    """
    name = context.place.generated_name(attempt)
    execution = context.execution.id
    logs = context.world.folder.logs(execution.project, execution.domain, execution.name)
    inputs = LiteralMap()
    inputs.CopyFrom(context.inputs)
    return Attempt(
        name=name,
        template=template,
        inputs=inputs,
        raw_output=_raw_folder(context, attempt),
        log=logs / f"{context.place.node_id}-{attempt}.log",
        deck=context.place.deck_path(attempt),
        environment=_environment(context, template, attempt),
    )


def described(context: NodeContext, work: Attempt) -> dict[str, str]:
    """Return what a task execution tells of an attempt, as `TaskJournal.began` takes it."""
    description = {"task_type": work.template.type, "plugin": _plugin(work.template)}
    if context.is_interruptible:
        description["instance_class"] = "INTERRUPTIBLE"
    if work.template.type != ECHO:
        work.log.parent.mkdir(parents=True, exist_ok=True)
        work.log.touch()
        description["log"] = log_page(context.world.http_url, context.execution.id, work.log)
    return description


def _plugin(template: tasks_pb2.TaskTemplate) -> str:
    return ECHO if template.type == ECHO else "container"


def _raw_folder(context: NodeContext, attempt: int) -> Any:
    """Return the folder for an attempt's own files, in one of many shards as Flyte spreads them.

    It lies below the execution's raw output prefix when that is a folder of this machine, else in the store.
    """
    name = context.place.generated_name(attempt)
    digest = hashlib.sha256(name.encode()).digest()
    shard = "".join(_SHARD_LETTERS[byte % len(_SHARD_LETTERS)] for byte in digest[:2])
    prefix = context.execution.spec.raw_output_data_config.output_location_prefix
    root = local_folder(prefix) or context.world.folder.storage / "data"
    return root / shard / name


def _timeout(context: NodeContext, template: tasks_pb2.TaskTemplate) -> Duration:
    own = context.node.metadata.timeout
    return own if clock.duration_nanoseconds(own) else template.metadata.timeout


def _environment(context: NodeContext, template: tasks_pb2.TaskTemplate, attempt: int) -> dict[str, str]:
    """Return the variables that flytekit reads to know which execution it is in, after the user's own."""
    execution, task = context.execution, template.id
    workflow, plan = execution.closure.workflow_id, execution.spec.launch_plan
    chosen = {pair.key: pair.value for pair in template.container.env}
    chosen.update({pair.key: pair.value for pair in execution.spec.envs.values})
    return {
        **chosen,
        "FLYTE_INTERNAL_EXECUTION_PROJECT": execution.id.project,
        "FLYTE_INTERNAL_EXECUTION_DOMAIN": execution.id.domain,
        "FLYTE_INTERNAL_EXECUTION_ID": execution.id.name,
        "FLYTE_INTERNAL_EXECUTION_WORKFLOW": f"{workflow.project}:{workflow.domain}:{workflow.name}",
        "FLYTE_INTERNAL_EXECUTION_LAUNCHPLAN": f"{plan.project}:{plan.domain}:{plan.name}",
        "FLYTE_INTERNAL_TASK_PROJECT": task.project,
        "FLYTE_INTERNAL_TASK_DOMAIN": task.domain,
        "FLYTE_INTERNAL_TASK_NAME": task.name,
        "FLYTE_INTERNAL_TASK_VERSION": task.version,
        "FLYTE_INTERNAL_PROJECT": task.project,
        "FLYTE_INTERNAL_DOMAIN": task.domain,
        "FLYTE_INTERNAL_NAME": task.name,
        "FLYTE_INTERNAL_VERSION": task.version,
        "FLYTE_ATTEMPT_NUMBER": str(attempt),
    }
