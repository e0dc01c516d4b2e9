"""Array nodes: one task run for each element of a list, shown as one task execution."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import count

from flyteidl.core import identifier_pb2, literals_pb2, tasks_pb2, types_pb2, workflow_pb2

from airflow_flyte_provider.local.compiler.support import ECHO
from airflow_flyte_provider.local.engine.elements import ElementReport
from airflow_flyte_provider.local.engine.kept import keep, kept
from airflow_flyte_provider.local.engine.nodes import NodeContext, Result
from airflow_flyte_provider.local.engine.outcome import EngineGaveUp, ExecutionError, NodeFailed, failed
from airflow_flyte_provider.local.engine.promises import NONE
from airflow_flyte_provider.local.engine.retries import Retries
from airflow_flyte_provider.local.engine.runner import Attempt, Outcome
from airflow_flyte_provider.local.engine.task_journal import TaskPhase
from airflow_flyte_provider.local.engine.tasks import attempt_of, described, run_in_time
from airflow_flyte_provider.local.engine.values import LiteralMap
from airflow_flyte_provider.local.files.folder import write_literals

_INDEX_VARIABLE = "FLYTE_K8S_ARRAY_INDEX"
_ELEMENTS_AT_ONCE = 5000  # Flyte sets no limit of its own; this one keeps the event loop usable


async def run_array(context: NodeContext) -> Result:
    """Run the task once for each element. The node gives lists, with nothing in place of what failed.

    :raises NodeFailed: when too many elements failed, or the lists mapped over differ in length.
    :raises EngineGaveUp: when the task could not be run at all.
    """
    if context.task is None:
        raise EngineGaveUp(context.node.id, "the task is not part of the workflow")
    array, template = context.node.array_node, context.task.template
    size = _size(array, context.inputs)
    async with context.slots:
        context.journal.running(context.place)
        report = ElementReport(context.journal.tasks, context.place, template.id, size)
        elements = [_Element(context, template, report, index) for index in range(size)]
        try:
            await _run_all(elements, array, _needed(array, size))
        except asyncio.CancelledError:
            if context.stop_reason():
                report.end(TaskPhase.ABORTED)
            raise
        except NodeFailed as failure:
            report.end(TaskPhase.FAILED, failure.error)
            raise
        except EngineGaveUp as failure:
            report.end(TaskPhase.FAILED, ExecutionError(code="RuntimeExecutionError", message=failure.reason))
            raise
        outputs = _gathered(template, elements)
        path = context.place.outputs_path()
        write_literals(path, outputs)
        report.end(TaskPhase.SUCCEEDED, outputs=context.world.folder.address(path))
        return outputs, 0


def _size(array: workflow_pb2.ArrayNode, inputs: LiteralMap) -> int:
    sizes = [
        len(literal.collection.literals)
        for name, literal in inputs.literals.items()
        if name not in array.bound_inputs and literal.WhichOneof("value") == "collection"
    ]
    if not sizes:
        if len(array.bound_inputs) == len(inputs.literals):
            return 1
        raise failed("InvalidArrayLength", "no input array provided")
    other = next((size for size in sizes if size != sizes[0]), None)
    if other is not None:
        text = f"input arrays have different lengths: expecting '{sizes[0]}' found '{other}'"
        raise failed("InvalidArrayLength", text)
    return sizes[0]


def _needed(array: workflow_pb2.ArrayNode, size: int) -> int:
    """Return how many elements must succeed."""
    criterion = array.WhichOneof("success_criteria")
    if criterion == "min_successes":
        return int(array.min_successes)
    return math.ceil(array.min_success_ratio * size) if criterion == "min_success_ratio" else size


async def _run_all(elements: list[_Element], array: workflow_pb2.ArrayNode, needed: int) -> None:
    """Run the elements until all are over, or so many have failed that the rest can't make up for it."""
    at_once = asyncio.Semaphore(array.parallelism or _ELEMENTS_AT_ONCE)
    running = [asyncio.ensure_future(element.run(at_once)) for element in elements]
    try:
        for one in asyncio.as_completed(running):
            await one
            errors = {element.index: element.error for element in elements if element.error is not None}
            if len(elements) - len(errors) < needed:
                for element in elements:
                    element.given_up = True
                raise NodeFailed(ExecutionError(message=_summary(errors)))
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _summary(errors: dict[int, ExecutionError]) -> str:
    """Return the messages of the elements, each once, after the ranges of elements that it stands for."""
    indices: dict[str, list[int]] = {}
    for index, error in errors.items():
        indices.setdefault(error.message, []).append(index)
    return "".join(f"{_ranges(indices[message])}: {message}\n" for message in sorted(indices))


def _ranges(indices: Iterable[int]) -> str:
    ranges: list[list[int]] = []
    for index in sorted(indices):
        if ranges and ranges[-1][1] == index - 1:
            ranges[-1][1] = index
        else:
            ranges.append([index, index])
    return "".join(f"[{first}]" if first == last else f"[{first}-{last}]" for first, last in ranges)


def _gathered(template: tasks_pb2.TaskTemplate, elements: list[_Element]) -> LiteralMap:
    result = LiteralMap()
    for name in template.interface.outputs.variables:
        parts = [NONE if one.outputs is None else one.outputs.literals[name] for one in elements]
        result.literals[name].collection.CopyFrom(literals_pb2.LiteralCollection(literals=parts))
    return result


class _Element:
    """One element of an array node, with its attempts.

    After a restart of the server, attempts that were over are read from their folders.
    """

    def __init__(
        self, context: NodeContext, template: tasks_pb2.TaskTemplate, report: ElementReport, index: int
    ) -> None:
        self.index = index
        self.outputs: LiteralMap | None = None
        self.error: ExecutionError | None = None
        self.given_up = False
        self._context = replace(
            context, node=context.node.array_node.node, place=context.place.element(index)
        )
        self._template = template
        self._report = report
        self._bound = set(context.node.array_node.bound_inputs)

    async def run(self, at_once: asyncio.Semaphore) -> None:
        """Run attempts until one succeeds or none is left; either outcome is kept."""
        async with at_once:
            context, template = self._context, self._single()
            try:
                cached = await context.world.catalog.through(
                    template,
                    self._own_inputs(),
                    self._attempts,
                    self._source,
                    overwrite=context.execution.spec.overwrite_cache,
                )
            except NodeFailed as failure:
                self.error = failure.error
                return
            self.outputs = cached.outputs
            if cached.status:
                self._report.cached(self.index, cached.attempt, cached.status)

    async def _attempts(self) -> Result:
        retries = Retries(self._context.node, self._template)
        for attempt in count():
            outcome = kept(self._context.place, attempt) or await self._try(attempt)
            if outcome.outputs is not None:
                return outcome.outputs, attempt
            retries.note(outcome)
        raise AssertionError("attempts have no end of their own")

    def _single(self) -> tasks_pb2.TaskTemplate:
        """Return the task with the outputs of one element, which is what the cache keeps."""
        template = tasks_pb2.TaskTemplate()
        template.CopyFrom(self._template)
        for variable in template.interface.outputs.variables.values():
            if variable.type.WhichOneof("type") == "collection_type":
                inner = types_pb2.LiteralType()
                inner.CopyFrom(variable.type.collection_type)
                variable.type.CopyFrom(inner)
        return template

    def _source(self, attempt: int) -> identifier_pb2.TaskExecutionIdentifier:
        return identifier_pb2.TaskExecutionIdentifier(
            task_id=self._template.id,
            node_execution_id=self._context.place.identifier,
            retry_attempt=attempt,
        )

    async def _try(self, attempt: int) -> Outcome:
        work = self._work(attempt)
        log = described(self._context, work).get("log", "")
        self._report.note(self.index, attempt, TaskPhase.RUNNING, work.name, log)
        try:
            outcome = await run_in_time(self._context, self._template, work)
        except asyncio.CancelledError:
            if self._context.stop_reason() or self.given_up:
                self._report.note(self.index, attempt, TaskPhase.ABORTED, work.name, log)
            raise
        keep(self._context.place, attempt, outcome)
        phase = TaskPhase.FAILED if outcome.outputs is None else TaskPhase.SUCCEEDED
        self._report.note(self.index, attempt, phase, work.name, log)
        return outcome

    def _work(self, attempt: int) -> Attempt:
        work = attempt_of(self._context, self._template, attempt)
        environment = {
            **work.environment,
            "BATCH_JOB_ARRAY_INDEX_VAR_NAME": _INDEX_VARIABLE,
            _INDEX_VARIABLE: str(self.index),
        }
        # a task with a container reads all the lists and picks its elements by the index itself
        inputs = self._own_inputs() if self._template.type == ECHO else work.inputs
        return replace(work, environment=environment, inputs=inputs)

    def _own_inputs(self) -> LiteralMap:
        result = LiteralMap()
        for name, literal in self._context.inputs.literals.items():
            is_mapped = name not in self._bound and literal.WhichOneof("value") == "collection"
            result.literals[name].CopyFrom(literal.collection.literals[self.index] if is_mapped else literal)
        return result
