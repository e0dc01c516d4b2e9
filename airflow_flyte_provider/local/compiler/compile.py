"""Compiling a workflow: requirements first, then nodes, edges, bindings and reachability."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flyteidl.core import compiler_pb2, identifier_pb2, interface_pb2, workflow_pb2

from airflow_flyte_provider.local.compiler.bindings import BOTH_WAYS, UPSTREAM, BindingChecker
from airflow_flyte_provider.local.compiler.errors import CompileFailure, Faults
from airflow_flyte_provider.local.compiler.graph import END, START, Graph
from airflow_flyte_provider.local.compiler.interfaces import (
    InterfaceFinder,
    Registry,
    branch_nodes,
    check_types,
)
from airflow_flyte_provider.local.wording import go_text


def requirements(
    template: workflow_pb2.WorkflowTemplate, sub_workflows: Iterable[workflow_pb2.WorkflowTemplate]
) -> tuple[list[identifier_pb2.Identifier], list[identifier_pb2.Identifier]]:
    """Return the ids of the tasks and of the launch plans that a workflow needs, each sorted by its text.

    :param template: the workflow.
    :param sub_workflows: the templates sent with it, for its sub-workflow nodes.
    :raises CompileFailure: when a sub-workflow it refers to isn't among them, or is sent twice.
    """
    faults = Faults()
    subs: dict[str, workflow_pb2.WorkflowTemplate] = {}
    for sub in sub_workflows:
        if subs.setdefault(go_text(sub.id), sub) is not sub:
            faults.add("DuplicateId", go_text(sub.id), "Trying to insert two nodes with the same id.")
    tasks: dict[str, identifier_pb2.Identifier] = {}
    plans: dict[str, identifier_pb2.Identifier] = {}
    for node in _all_nodes(template, subs, faults, ()):
        if node.WhichOneof("target") == "task_node":
            tasks[go_text(node.task_node.reference_id)] = node.task_node.reference_id
        elif node.workflow_node.WhichOneof("reference") == "launchplan_ref":
            plans[go_text(node.workflow_node.launchplan_ref)] = node.workflow_node.launchplan_ref
    if faults:
        raise CompileFailure(faults)
    return [tasks[key] for key in sorted(tasks)], [plans[key] for key in sorted(plans)]


def _all_nodes(
    template: workflow_pb2.WorkflowTemplate,
    subs: dict[str, workflow_pb2.WorkflowTemplate],
    faults: Faults,
    inside: tuple[str, ...],
) -> Iterator[workflow_pb2.Node]:
    pending = list(template.nodes)
    if template.HasField("failure_node"):
        pending.append(template.failure_node)
    while pending:
        node = pending.pop()
        yield node
        pending.extend(branch_nodes(node))
        if node.WhichOneof("target") == "array_node":
            pending.append(node.array_node.node)
        if node.workflow_node.WhichOneof("reference") != "sub_workflow_ref":
            continue
        key = go_text(node.workflow_node.sub_workflow_ref)
        if key not in subs:
            faults.add("WorkflowReferenceNotFound", node.id, f"Referenced Workflow [{key}] not found.")
        elif key in inside:
            text = f"A cycle has been detected while traversing the Workflow [{'>'.join([*inside, key])}]."
            faults.add("CycleDetected", node.id, text)
        else:
            yield from _all_nodes(subs[key], subs, faults, (*inside, key))


def compile_workflow(
    template: workflow_pb2.WorkflowTemplate,
    registry: Registry,
    tasks: Iterable[compiler_pb2.CompiledTask],
) -> compiler_pb2.CompiledWorkflowClosure:
    """Return the compiled closure of a workflow, as `GetWorkflow` answers it.

    :param template: the workflow; it is not changed.
    :param registry: what it refers to.
    :param tasks: its compiled tasks, in the order to store them.
    :raises CompileFailure: with every fault that was found.
    """
    faults = Faults()
    closure = compiler_pb2.CompiledWorkflowClosure()
    compiled_subs: dict[str, compiler_pb2.CompiledWorkflow] = {}
    primary = _compile_one(template, registry, compiled_subs, faults)
    if faults:
        raise CompileFailure(faults)
    closure.primary.CopyFrom(primary)
    for key in registry.sub_workflows:
        sub = compiled_subs.get(key)
        if sub is None:
            sub = compiler_pb2.CompiledWorkflow(template=registry.sub_workflows[key])
        closure.sub_workflows.append(sub)
    closure.tasks.extend(tasks)
    return closure


def _compile_one(
    template: workflow_pb2.WorkflowTemplate,
    registry: Registry,
    compiled_subs: dict[str, compiler_pb2.CompiledWorkflow],
    faults: Faults,
) -> compiler_pb2.CompiledWorkflow:
    result = compiler_pb2.CompiledWorkflow(template=template)
    if not template.nodes:
        shown = go_text(template.id)
        faults.add("NoNodesFound", shown, f"Can't find any nodes in workflow [{shown}].")
        return result
    compilation = _Compilation(result, registry, compiled_subs, faults)
    compilation.run()
    return result


class _Compilation:
    """The compilation of one workflow, whose result is changed in place."""

    def __init__(
        self,
        result: compiler_pb2.CompiledWorkflow,
        registry: Registry,
        compiled_subs: dict[str, compiler_pb2.CompiledWorkflow],
        faults: Faults,
    ) -> None:
        self._result = result
        self._registry = registry
        self._compiled_subs = compiled_subs
        self._graph = Graph(faults)
        self._finder = InterfaceFinder(self._graph, registry)
        self._bindings = BindingChecker(self._graph)

    def run(self) -> None:
        """Check everything and write nodes and connections into the result."""
        before = len(self._graph.faults)
        check_types(self._graph.faults, START, self._result.template.interface)
        if len(self._graph.faults) > before:
            return
        own = []
        for node in self._without_nodes():
            if node.id in self._graph.nodes:
                continue  # FlyteAdmin 1.16 keeps the first node of an id and drops the others without a word
            own.append(self._add(node))
            # at once: what is bound inside a branch must come before it in the list
            self._check_node(own[-1])
        for node_id in sorted(set(self._graph.nodes) - {START}):
            self._bind(self._graph.nodes[node_id], upstream_only=False)
        if self._result.template.HasField("failure_node"):
            # not part of the graph: nothing leads to it but a failure
            self._check_node(self._result.template.failure_node)
            self._bind(self._result.template.failure_node, upstream_only=True)
        for node in sorted(own, key=lambda one: one.id):
            if not self._graph.upstream.get(node.id):
                self._graph.connect(START, node.id)
            if not self._graph.downstream.get(node.id):
                self._graph.connect(node.id, END)
        self._graph.check_reachable()
        self._result.connections.CopyFrom(self._graph.connections())

    def _without_nodes(self) -> list[workflow_pb2.Node]:
        """Put start and end node in place of the workflow's own nodes. Returns the latter."""
        template = self._result.template
        interface = template.interface
        interface.inputs.SetInParent()
        interface.outputs.SetInParent()
        given = list(template.nodes)
        del template.nodes[:]
        start = template.nodes.add(id=START)
        end = template.nodes.add(id=END, inputs=template.outputs)
        self._graph.nodes.update({START: start, END: end})
        self._graph.interfaces[START] = interface_pb2.TypedInterface(outputs=interface.inputs)
        self._graph.interfaces[END] = interface_pb2.TypedInterface(inputs=interface.outputs)
        return given

    def _add(self, node: workflow_pb2.Node) -> workflow_pb2.Node:
        added = self._result.template.nodes.add()
        added.CopyFrom(node)
        self._graph.nodes[added.id] = added
        return added

    def _check_node(self, node: workflow_pb2.Node) -> None:
        """Work out the node's interface, and check what is inside it."""
        if not node.id:
            self._graph.faults.add("ValueRequired", "<node>", "Value required [Id].")
        if node.id not in self._graph.interfaces:  # nodes of a branch are looked at with the branch first
            self._finder.find(node)
        self._check_inside(node)

    def _check_inside(self, node: workflow_pb2.Node) -> None:
        upstream = sorted(node.upstream_node_ids)
        del node.upstream_node_ids[:]
        node.upstream_node_ids.extend(upstream)
        target = node.WhichOneof("target")
        if target == "branch_node":
            before = len(self._graph.faults)
            self._finder.check_branch(node)
            for inner in branch_nodes(node):
                self._check_node(inner)
            if len(self._graph.faults) == before:  # what is bound inside a branch at fault is not looked at
                for inner in branch_nodes(node):
                    self._bind(inner, upstream_only=True)
        elif target == "workflow_node" and node.workflow_node.HasField("sub_workflow_ref"):
            key = go_text(node.workflow_node.sub_workflow_ref)
            sub = self._registry.sub_workflows.get(key)
            if sub is not None and key not in self._compiled_subs:
                self._compiled_subs[key] = _compile_one(
                    sub, self._registry, self._compiled_subs, self._graph.faults
                )

    def _bind(self, node: workflow_pb2.Node, *, upstream_only: bool) -> None:
        interface = self._graph.interfaces.get(node.id)
        if interface is None:
            return
        if not upstream_only:
            for before in node.upstream_node_ids:
                self._graph.connect(before, node.id)
        edges = UPSTREAM if upstream_only else BOTH_WAYS
        self._bindings.check(node, interface.inputs, edges=edges)
