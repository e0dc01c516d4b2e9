"""How fast the local Flyte is: start, 60 echo executions at once, and Python tasks in a row.

Echo tasks take one second each. The Python task adds one to a number; twenty of them run one after the other
in one execution, and the plain command runs the same task as a process of its own, as a container would.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import grpc
from flyteidl.admin import execution_pb2, launch_plan_pb2, task_pb2, workflow_pb2
from flyteidl.core import execution_pb2 as core_execution
from flyteidl.core import identifier_pb2, literals_pb2, tasks_pb2, types_pb2
from flyteidl.core import workflow_pb2 as core_workflow
from flyteidl.service import admin_pb2_grpc

from airflow_flyte_provider.local import LocalFlyte

ECHO_SECONDS, ECHOES, TASKS, PLAIN_RUNS = 1.0, 60, 20, 3
LIMITS = {"echo_60_s": 3.0, "ready_s": 1.5, "python_task_s": 0.3}  # seconds
RESOLVER = "flytekit.core.python_auto_container.default_task_resolver"
MODULE = "from flytekit import task\n\n\n@task\ndef add_one(a: int) -> int:\n    return a + 1\n"
_PHASE = core_execution.WorkflowExecution
_LIMIT = 120.0  # seconds anything may take


def main() -> int:
    """Measure and print. Returns 1 when a limit is passed, 0 otherwise."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder)
        (code / "adding.py").write_text(MODULE)
        begin = time.monotonic()
        with LocalFlyte(arguments=["--echo-seconds", str(ECHO_SECONDS)]) as flyte:
            figures["ready_s"] = time.monotonic() - begin
            with grpc.insecure_channel(flyte.endpoint) as channel:
                admin = admin_pb2_grpc.AdminServiceStub(channel)
                figures["echo_60_s"] = _echoes(admin)
                plan = _chain(admin, "adding", _python_task(code), TASKS)
                figures["first_run_s"] = _together(admin, [plan])
                figures["python_task_s"] = _together(admin, [plan]) / TASKS
        figures["plain_command_s"] = _plain(code)
    for name, seconds in figures.items():
        print(f"{name:16} {seconds:8.3f} s" + (f"   limit {LIMITS[name]:g} s" if name in LIMITS else ""))
    shown = ("echo_60_s", "ready_s", "python_task_s", "plain_command_s")
    print(json.dumps({name: round(figures[name], 3) for name in shown}))
    return int(any(figures[name] > limit for name, limit in LIMITS.items()))


def _echoes(admin: Any) -> float:
    template = tasks_pb2.TaskTemplate(type="echo")
    plan = _chain(admin, "echo", template, 1)
    return _together(admin, [plan] * ECHOES)


def _python_task(code: Path) -> tasks_pb2.TaskTemplate:
    """Return the task as flytekit registers it."""
    template = tasks_pb2.TaskTemplate(type="python-task")
    template.container.image = "none"
    template.container.args.extend(
        _command("{{.input}}", "{{.outputPrefix}}", "{{.rawOutputDataPrefix}}", "{{.checkpointOutputPrefix}}")
    )
    template.container.env.add(key="PYTHONPATH", value=str(code))
    return template


def _command(inputs: str, outputs: str, raw: str, checkpoint: str) -> list[str]:
    options = {
        "--inputs": inputs,
        "--output-prefix": outputs,
        "--raw-output-data-prefix": raw,
        "--checkpoint-path": checkpoint,
        "--prev-checkpoint": '""',
        "--resolver": RESOLVER,
    }
    words = [word for option in options.items() for word in option]
    return ["pyflyte-execute", *words, "--", "task-module", "adding", "task-name", "add_one"]


def _chain(admin: Any, name: str, template: tasks_pb2.TaskTemplate, length: int) -> identifier_pb2.Identifier:
    """Register a task, a workflow that runs it again and again on its own result, and a launch plan."""
    kind = types_pb2.LiteralType(simple=types_pb2.INTEGER)
    task = task_pb2.TaskCreateRequest(id=_identifier(identifier_pb2.TASK, name))
    task.spec.template.CopyFrom(template)
    task.spec.template.metadata.SetInParent()
    task.spec.template.interface.inputs.variables["a"].type.CopyFrom(kind)
    task.spec.template.interface.outputs.variables["o0"].type.CopyFrom(kind)
    admin.CreateTask(task)
    workflow = workflow_pb2.WorkflowCreateRequest(id=_identifier(identifier_pb2.WORKFLOW, name))
    workflow.spec.template.id.CopyFrom(workflow.id)
    workflow.spec.template.interface.inputs.variables["a"].type.CopyFrom(kind)
    workflow.spec.template.interface.outputs.SetInParent()
    for number in range(length):
        node = core_workflow.Node(id=f"n{number}")
        node.task_node.reference_id.CopyFrom(task.id)
        promise = node.inputs.add(var="a").binding.promise
        promise.node_id, promise.var = (f"n{number - 1}", "o0") if number else ("", "a")
        workflow.spec.template.nodes.append(node)
    admin.CreateWorkflow(workflow)
    plan = launch_plan_pb2.LaunchPlanCreateRequest(id=_identifier(identifier_pb2.LAUNCH_PLAN, name))
    plan.spec.workflow_id.CopyFrom(workflow.id)
    admin.CreateLaunchPlan(plan)
    return plan.id


def _identifier(kind: int, name: str) -> identifier_pb2.Identifier:
    return identifier_pb2.Identifier(
        resource_type=kind, project="flytesnacks", domain="development", name=name, version="v1"
    )


def _together(admin: Any, plans: list[identifier_pb2.Identifier]) -> float:
    """Launch all at once. Returns the seconds until the last has ended.

    :raises RuntimeError: when one does not succeed.
    """
    begin = time.monotonic()
    waiting = []
    for plan in plans:
        request = execution_pb2.ExecutionCreateRequest(project="flytesnacks", domain="development")
        request.spec.launch_plan.CopyFrom(plan)
        request.inputs.CopyFrom(_inputs())
        waiting.append(admin.CreateExecution(request).id)
    while waiting and time.monotonic() < begin + _LIMIT:
        request = execution_pb2.WorkflowExecutionGetRequest(id=waiting[-1])
        phase = admin.GetExecution(request).closure.phase
        if phase == _PHASE.SUCCEEDED:
            waiting.pop()
        elif phase in (_PHASE.FAILED, _PHASE.ABORTED):
            raise RuntimeError(f"{waiting[-1].name} did not succeed")
        else:
            time.sleep(0.02)
    if waiting:
        raise RuntimeError(f"{len(waiting)} executions have not ended after {_LIMIT:g} s")
    return time.monotonic() - begin


def _inputs() -> literals_pb2.LiteralMap:
    inputs = literals_pb2.LiteralMap()
    inputs.literals["a"].scalar.primitive.integer = 1
    return inputs


def _plain(code: Path) -> float:
    """Return the seconds that the plain command takes for the same task, as a mean."""
    (code / "inputs.pb").write_bytes(_inputs().SerializeToString())
    program, *words = _command(*(str(code / name) for name in ("inputs.pb", "out", "raw", "checkpoint")))
    path, environment = str(Path(sys.executable).with_name(program)), _plain_environment(code)
    begin = time.monotonic()
    for _ in range(PLAIN_RUNS):
        subprocess.run([path, *words], env=environment, check=True, capture_output=True, cwd=code)
    taken = time.monotonic() - begin
    outputs = literals_pb2.LiteralMap.FromString((code / "out" / "outputs.pb").read_bytes())
    if outputs.literals["o0"].scalar.primitive.integer != 2:
        raise RuntimeError("the plain command did not add one")
    return taken / PLAIN_RUNS


def _plain_environment(code: Path) -> dict[str, str]:
    names = ("EXECUTION_PROJECT", "EXECUTION_DOMAIN", "EXECUTION_ID", "EXECUTION_WORKFLOW")
    names += ("EXECUTION_LAUNCHPLAN", "TASK_PROJECT", "TASK_DOMAIN", "TASK_NAME", "TASK_VERSION")
    return {**os.environ, "PYTHONPATH": str(code), **{f"FLYTE_INTERNAL_{name}": "plain" for name in names}}


if __name__ == "__main__":
    sys.exit(main())
