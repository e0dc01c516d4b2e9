"""Works out what each kind of node takes and gives, and checks branches and their conditions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flyteidl.admin import launch_plan_pb2
from flyteidl.core import condition_pb2, interface_pb2, tasks_pb2, types_pb2, workflow_pb2

from airflow_flyte_provider.local.compiler.bindings import UPSTREAM, BindingChecker, variable_not_found
from airflow_flyte_provider.local.compiler.errors import Faults, type_text
from airflow_flyte_provider.local.compiler.graph import Graph
from airflow_flyte_provider.local.wording import go_text
from airflow_flyte_provider.model.values.casting import type_of_primitive

Interface = interface_pb2.TypedInterface


@dataclass(frozen=True)
class LaunchPlanInterface:
    """What a launch plan takes and gives.

    :param inputs: its expected inputs.
    :param outputs: its expected outputs.
    """

    inputs: interface_pb2.ParameterMap
    outputs: interface_pb2.VariableMap


@dataclass(frozen=True)
class Registry:
    """Everything a workflow refers to, by the text of its identifier (`wording.go_text`)."""

    tasks: Mapping[str, tasks_pb2.TaskTemplate]
    launch_plans: Mapping[str, LaunchPlanInterface]
    sub_workflows: Mapping[str, workflow_pb2.WorkflowTemplate]

    @classmethod
    def of(
        cls,
        tasks: Iterable[tasks_pb2.TaskTemplate],
        plans: Iterable[launch_plan_pb2.LaunchPlan],
        sub_workflows: Iterable[workflow_pb2.WorkflowTemplate],
    ) -> Registry:
        """Return the registry that holds these."""
        interfaces = {
            go_text(plan.id): LaunchPlanInterface(plan.closure.expected_inputs, plan.closure.expected_outputs)
            for plan in plans
        }
        return cls(
            tasks={go_text(task.id): task for task in tasks},
            launch_plans=interfaces,
            sub_workflows={go_text(sub.id): sub for sub in sub_workflows},
        )


class InterfaceFinder:
    """Finds the interfaces of one graph's nodes.

    :param graph: the graph; interfaces found are noted in it.
    :param registry: what the workflow refers to.
    """

    def __init__(self, graph: Graph, registry: Registry) -> None:
        self._graph = graph
        self._registry = registry
        self._bindings = BindingChecker(graph)

    def find(self, node: workflow_pb2.Node) -> Interface | None:
        """Return what a node takes and gives, None when it can't be told because of a fault."""
        before = len(self._graph.faults)
        interface = self._interface(node)
        if interface is not None:
            check_types(self._graph.faults, node.id, interface)
            if len(self._graph.faults) == before:
                self._graph.interfaces[node.id] = interface
                return interface
        return None

    def _interface(self, node: workflow_pb2.Node) -> Interface | None:
        target = node.WhichOneof("target")
        finders = {
            "task_node": self._task,
            "workflow_node": self._workflow,
            "branch_node": self._branch,
            "gate_node": self._gate,
            "array_node": self._array,
        }
        if target not in finders:
            self._graph.faults.add("ValueRequired", node.id, "Value required [Target].")
            return None
        return finders[target](node)

    def _array(self, node: workflow_pb2.Node) -> Interface | None:
        # the client has wrapped what is mapped over in lists already, so the element's interface is the node's
        return self._interface(node.array_node.node)

    def _task(self, node: workflow_pb2.Node) -> Interface | None:
        key = go_text(node.task_node.reference_id)
        task = self._registry.tasks.get(key)
        if task is None:
            self._graph.faults.add("TaskReferenceNotFound", node.id, f"Referenced Task [{key}] not found.")
            return None
        return task.interface

    def _workflow(self, node: workflow_pb2.Node) -> Interface | None:
        kind = node.workflow_node.WhichOneof("reference")
        if kind == "launchplan_ref":
            plan = self._registry.launch_plans.get(go_text(node.workflow_node.launchplan_ref))
            if plan is not None:
                return _plan_interface(plan, node)
        elif kind == "sub_workflow_ref":
            sub = self._registry.sub_workflows.get(go_text(node.workflow_node.sub_workflow_ref))
            if sub is not None:
                return sub.interface
        shown = go_text(getattr(node.workflow_node, kind)) if kind else "<nil>/<nil>"
        text = f"Referenced Workflow [{shown}] not found."
        self._graph.faults.add("WorkflowReferenceNotFound", node.id, text)
        return None

    def _gate(self, node: workflow_pb2.Node) -> Interface | None:
        gate, faults = node.gate_node, self._graph.faults
        kind = gate.WhichOneof("condition")
        if kind == "approve":
            # an approval hands on whatever it was given
            bound = self._bindings.check(node, interface_pb2.VariableMap(), edges=UPSTREAM, types_known=False)
            return Interface(inputs=bound, outputs=bound)
        if kind == "signal":
            if not gate.signal.HasField("type"):
                faults.add("ValueRequired", node.id, "Value required [GateNode.Signal.Type].")
                return None
            if not gate.signal.output_variable_name:
                faults.add("ValueRequired", node.id, "Value required [GateNode.Signal.OutputVariableName].")
                return None
            interface = Interface(inputs=interface_pb2.VariableMap())
            interface.outputs.variables[gate.signal.output_variable_name].type.CopyFrom(gate.signal.type)
            return interface
        if kind == "sleep":
            return Interface()
        faults.add("NoConditionFound", node.id, f"Can't find any condition in gate node [{node.id}].")
        return None

    def _branch(self, node: workflow_pb2.Node) -> Interface | None:
        faults, before = self._graph.faults, len(self._graph.faults)
        missing = _missing_in(node.branch_node)
        if missing:
            faults.add("ValueRequired", node.id, f"Value required [{missing}].")
            return None
        if not all(block.HasField("then_node") for block in node.branch_node.if_else.other):
            faults.add("ValueRequired", node.id, "Value required [IfElse.Case.ThenNode].")
        outputs: dict[str, interface_pb2.Variable] | None = None
        for inner in branch_nodes(node):
            inner.id = f"{node.id}-{inner.id}"
            interface = self.find(inner)
            if interface is None:
                continue
            given = dict(interface.outputs.variables)
            outputs = given if outputs is None else self._common(inner.id, outputs, given)
        bound = self._bindings.check(node, interface_pb2.VariableMap(), edges=UPSTREAM, types_known=False)
        if len(faults) > before:
            return None
        result = Interface(inputs=bound)
        for name, variable in (outputs or {}).items():
            result.outputs.variables[name].CopyFrom(variable)
        return result

    def _common(
        self,
        node_id: str,
        outputs: dict[str, interface_pb2.Variable],
        given: dict[str, interface_pb2.Variable],
    ) -> dict[str, interface_pb2.Variable]:
        shared = {name: variable for name, variable in outputs.items() if name in given}
        for name, variable in shared.items():
            if variable.type != given[name].type:
                mine, theirs = type_text(variable.type), type_text(given[name].type)
                text = f"Variable [{name}] (type [{mine}]) doesn't match expected type [{theirs}]."
                self._graph.faults.add("MismatchingTypes", node_id, text)
        return shared

    def check_branch(self, node: workflow_pb2.Node) -> None:
        """Check that a branch node has conditions, a default, and comparisons of like types."""
        if_else, faults = node.branch_node.if_else, self._graph.faults
        if not if_else.HasField("case"):
            _no_condition(faults, node)
        for block in [*([if_else.case] if if_else.HasField("case") else []), *if_else.other]:
            self._check_condition(node, block, "condition")
            if not block.HasField("then_node"):
                faults.add("BranchNodeIdNotFound", node.id, "BranchNode not assigned")
        if if_else.WhichOneof("default") is None:
            text = "Branch Node must have either the else case set or a default error."
            faults.add("BranchNodeHasNoDefault", node.id, text)

    def _check_condition(self, node: workflow_pb2.Node, holder: Any, field: str) -> None:
        faults = self._graph.faults
        if not holder.HasField(field):
            _no_condition(faults, node)
            return
        expression: condition_pb2.BooleanExpression = getattr(holder, field)
        kind = expression.WhichOneof("expr")
        if kind == "conjunction":
            self._check_condition(node, expression.conjunction, "left_expression")
            self._check_condition(node, expression.conjunction, "right_expression")
        elif kind == "comparison":
            right = self._operand(node, expression.comparison, "RightValue")
            left = self._operand(node, expression.comparison, "LeftValue")
            if right is not None and left is not None and right != left:
                text = (
                    f"Variable [RightValue] (type [{type_text(right)}]) "
                    f"doesn't match expected type [{type_text(left)}]."
                )
                faults.add("MismatchingTypes", node.id, text)
        else:
            faults.add("ValueRequired", node.id, "Value required [Expr].")

    def _operand(
        self, node: workflow_pb2.Node, comparison: condition_pb2.ComparisonExpression, name: str
    ) -> types_pb2.LiteralType | None:
        field = "right_value" if name == "RightValue" else "left_value"
        if not comparison.HasField(field):
            self._graph.faults.add("ValueRequired", node.id, f"Value required [{name}].")
            return None
        operand = getattr(comparison, field)
        kind = operand.WhichOneof("val")
        if kind == "primitive":
            return type_of_primitive(operand.primitive)
        if kind == "var" and operand.var:
            interface = self._graph.interfaces.get(node.id)
            if interface is None:
                self._graph.faults.add("ValueRequired", node.id, f"Value required [{operand.var}].")
            elif operand.var in interface.inputs.variables:
                return interface.inputs.variables[operand.var].type
            elif operand.var not in {binding.var for binding in node.inputs}:
                variable_not_found(self._graph.faults, node.id, operand.var)
            return None
        self._graph.faults.add("ValueRequired", node.id, f"Value required [{name}.Val].")
        return None


def _missing_in(branch: workflow_pb2.BranchNode) -> str:
    """Return what a branch node has none of, empty when its first case is whole."""
    if not branch.HasField("if_else"):
        return "Branch.IfElse"
    if not branch.if_else.HasField("case"):
        return "Branch.IfElse.Case"
    return "" if branch.if_else.case.HasField("then_node") else "Branch.IfElse.Case.ThenNode"


def _no_condition(faults: Faults, node: workflow_pb2.Node) -> None:
    text = "One of the branches on the node doesn't have a condition."
    faults.add("BranchNodeHasNoCondition", node.id, text)


def branch_nodes(node: workflow_pb2.Node) -> Iterator[workflow_pb2.Node]:
    """Return the nodes a branch node chooses among."""
    if_else = node.branch_node.if_else
    for block in [if_else.case, *if_else.other]:
        if block.HasField("then_node"):
            yield block.then_node
    if if_else.HasField("else_node"):
        yield if_else.else_node


def check_types(faults: Faults, node_id: str, interface: Interface) -> None:
    """Note variables of an interface that have no name or no type."""
    for variables in (interface.inputs.variables, interface.outputs.variables):
        for name in variables:
            if not name:
                faults.add("ValueRequired", node_id, "Value required [paramName].")
            if not variables[name].HasField("type"):
                faults.add("ValueRequired", node_id, "Value required [param.Type].")


def _plan_interface(plan: LaunchPlanInterface, node: workflow_pb2.Node) -> Interface:
    """Return what a launch plan takes here: what it requires, and of the rest what the node binds."""
    bound = {binding.var for binding in node.inputs}
    interface = Interface(outputs=plan.outputs)
    interface.inputs.SetInParent()
    for name, parameter in plan.inputs.parameters.items():
        if parameter.required or name in bound:
            interface.inputs.variables[name].CopyFrom(parameter.var)
    return interface
