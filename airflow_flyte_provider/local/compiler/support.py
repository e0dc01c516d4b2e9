"""What the local Flyte can't run, said when it is registered rather than when it fails."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from flyteidl.core import tasks_pb2, workflow_pb2

from airflow_flyte_provider.local.compiler.interfaces import branch_nodes
from airflow_flyte_provider.local.refusal import unimplemented

ECHO = "echo"
_CONTAINER_TYPES = frozenset({"python-task", "container"})


def command_path(command: str) -> str | None:
    """Return the file a task's command starts, None when there is none on this machine.

    Programs beside the running Python come first, so that `pyflyte-execute` is the one of this environment.
    """
    beside = Path(sys.executable).parent / command
    if "/" not in command and beside.is_file():
        return str(beside)
    return shutil.which(command)


def require_runnable_task(template: tasks_pb2.TaskTemplate) -> None:
    """Make sure that a task can run on this machine.

    :raises Refusal: UNIMPLEMENTED with what the task is and why it can't run here.
    """
    name = template.id.name
    if template.type == ECHO:
        return
    if template.WhichOneof("target") != "container":
        raise unimplemented(
            f"task {name} of type {template.type} can't run in the local Flyte: it has no container whose "
            "command could be started on this machine"
        )
    if template.type not in _CONTAINER_TYPES:
        raise unimplemented(
            f"task {name} is of type {template.type}, which needs a plugin; the local Flyte runs "
            "echo, python-task and container tasks"
        )
    words = [*template.container.command, *template.container.args]
    if not words or command_path(words[0]) is None:
        shown = words[0] if words else ""
        raise unimplemented(
            f"task {name} can't run in the local Flyte: its command {shown!r} is not installed on this "
            "machine, and no container is started"
        )


def require_runnable_workflow(template: workflow_pb2.WorkflowTemplate) -> None:
    """Make sure that the engine can run every node of a workflow.

    :raises Refusal: UNIMPLEMENTED for an array node whose elements are not tasks.
    """
    pending = list(template.nodes)
    while pending:
        node = pending.pop()
        is_array = node.WhichOneof("target") == "array_node"
        if is_array and node.array_node.node.WhichOneof("target") != "task_node":
            raise unimplemented(
                f"node {node.id} of workflow {template.id.name} maps over something other than a task; "
                "the local Flyte runs array nodes of tasks only"
            )
        pending.extend(branch_nodes(node))
