"""Dynamic workflows: a Python task that gives a workflow to run, instead of outputs."""

from __future__ import annotations

import secrets
from pathlib import Path

from flyteidl.admin import node_execution_pb2
from flyteidl.core import compiler_pb2, dynamic_job_pb2, identifier_pb2, tasks_pb2, workflow_pb2

from airflow_flyte_provider.local.compiler.compile import compile_workflow, requirements
from airflow_flyte_provider.local.compiler.errors import CompileFailure
from airflow_flyte_provider.local.compiler.interfaces import Registry
from airflow_flyte_provider.local.compiler.support import require_runnable_task, require_runnable_workflow
from airflow_flyte_provider.local.engine.kept import futures_path
from airflow_flyte_provider.local.engine.nodes import NodeContext
from airflow_flyte_provider.local.engine.outcome import failed
from airflow_flyte_provider.local.engine.values import LiteralMap
from airflow_flyte_provider.local.files.folder import DataFolder, write_message
from airflow_flyte_provider.local.refusal import Refusal

_COMPILED = "futures_compiled.pb"

Closure = compiler_pb2.CompiledWorkflowClosure
JobSpec = dynamic_job_pb2.DynamicJobSpec


def compiled_workflow(
    folder: DataFolder, node: node_execution_pb2.NodeExecution
) -> compiler_pb2.CompiledWorkflowClosure | None:
    """Return the workflow that a node made as it ran, None when it made none.

    :param folder: the data directory.
    :param node: the node execution.
    """
    address = node.closure.dynamic_job_spec_uri
    return _read_compiled(folder.path(address)) if address else None


async def run_dynamic(
    context: NodeContext, template: tasks_pb2.TaskTemplate, attempt: int, spec: JobSpec
) -> LiteralMap:
    """Run the workflow that a task gave, inside the task's node. Returns its outputs.

    :param template: the task.
    :param attempt: the attempt that gave the workflow.
    :param spec: the workflow.
    :raises NodeFailed: `DynamicWorkflowBuildFailed` when it can't be compiled, or as its nodes fail.
    """
    futures = futures_path(context.place, attempt)
    closure = _read_compiled(futures)
    if closure is None:
        closure = _compile(context, template, spec)
        write_message(futures.with_name(_COMPILED), closure)
    context.journal.dynamic(context.place, context.world.folder.address(futures))
    return await context.walk_closure(closure, context.place.inside(attempt), LiteralMap())


def _read_compiled(futures: Path) -> Closure | None:
    try:
        return Closure.FromString(futures.with_name(_COMPILED).read_bytes())
    except FileNotFoundError:
        return None


def _compile(context: NodeContext, parent: tasks_pb2.TaskTemplate, spec: JobSpec) -> Closure:
    # What it takes is bound in its nodes already, so it has no inputs of its own.
    template = workflow_pb2.WorkflowTemplate(nodes=spec.nodes, outputs=spec.outputs)
    template.interface.outputs.CopyFrom(parent.interface.outputs)
    template.id.CopyFrom(_identifier(context))
    tasks = {_key(task.id): task for task in spec.tasks}
    try:
        for task in tasks.values():
            require_runnable_task(task)
        for workflow in [template, *spec.subworkflows]:
            require_runnable_workflow(workflow)
        _, plan_ids = requirements(template, spec.subworkflows)
        plans = [context.world.entities.get(plan_id) for plan_id in plan_ids]
        registry = Registry.of(tasks.values(), plans, spec.subworkflows)
        compiled = [compiler_pb2.CompiledTask(template=task) for task in tasks.values()]
        return compile_workflow(template, registry, compiled)
    except (CompileFailure, Refusal) as fault:
        text = fault.details if isinstance(fault, Refusal) else str(fault)
        message = f"malformed dynamic workflow, caused by: {text}"
        raise failed("DynamicWorkflowBuildFailed", message) from None


def _identifier(context: NodeContext) -> identifier_pb2.Identifier:
    execution = context.execution.id
    return identifier_pb2.Identifier(
        resource_type=identifier_pb2.WORKFLOW,
        project=execution.project,
        domain=execution.domain,
        name=f"dynamic_{context.place.node_id}",
        version=secrets.token_hex(5),
    )


def _key(identifier: identifier_pb2.Identifier) -> bytes:
    return identifier.SerializeToString(deterministic=True)
