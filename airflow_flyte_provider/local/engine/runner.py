"""Running one attempt of one task: what a runner is given, what it answers, and the echo task."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from flyteidl.core import dynamic_job_pb2, execution_pb2, literals_pb2, tasks_pb2

from airflow_flyte_provider.local.engine.outcome import SystemFailure


@dataclass(frozen=True)
class Attempt:
    """One attempt to run a task.

    :param name: name of the attempt, unique among those of all executions.
    :param template: the task.
    :param inputs: its inputs.
    :param raw_output: folder for what the task's own code writes.
    :param log: file for what it prints.
    :param deck: file for its deck, an HTML page that a task may leave.
    :param environment: environment variables beside those of the server.
    """

    name: str
    template: tasks_pb2.TaskTemplate
    inputs: literals_pb2.LiteralMap
    raw_output: Path
    log: Path
    deck: Path
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended.

    :param outputs: what the task gave, None when it failed or is dynamic.
    :param futures: the workflow that a dynamic task gave instead of outputs.
    :param error: why it failed.
    :param recoverable: whether another attempt may do better.
    """

    outputs: literals_pb2.LiteralMap | None = None
    futures: dynamic_job_pb2.DynamicJobSpec | None = None
    error: execution_pb2.ExecutionError | None = None
    recoverable: bool = False


class TaskRunner(Protocol):
    """Something that can run attempts of tasks."""

    async def run(self, attempt: Attempt) -> Outcome:
        """Run an attempt to its end. When cancelled, end it first.

        :raises SystemFailure: when the fault isn't the task's.
        """


class EchoRunner:
    """Runs tasks of type echo: the one input becomes the one output.

    :param seconds: how long each takes.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def run(self, attempt: Attempt) -> Outcome:
        """Copy the input to the output.

        :raises SystemFailure: for a task with more than one input, which Flyte's echo does not take either.
        """
        inputs = attempt.template.interface.inputs.variables
        outputs = attempt.template.interface.outputs.variables
        if len(inputs) != len(outputs):
            raise SystemFailure(
                f"the number of input [{len(inputs)}] and output [{len(outputs)}] variables does not match"
            )
        if len(inputs) > 1:
            raise SystemFailure("this plugin does not currently support more than one input variable")
        await asyncio.sleep(self._seconds)
        result = literals_pb2.LiteralMap()
        for taken, given in zip(inputs, outputs, strict=True):
            result.literals[given].CopyFrom(attempt.inputs.literals[taken])
        return Outcome(outputs=result)
