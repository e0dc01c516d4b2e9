"""Writes the workflows of `tests.local.graphs` as Flyte's messages, runs them and answers their gates."""

from __future__ import annotations

import time
from collections.abc import Sequence

from flyteidl.admin import signal_pb2, workflow_pb2
from flyteidl.core import condition_pb2, identifier_pb2, literals_pb2, types_pb2
from flyteidl.core import workflow_pb2 as core_workflow

from tests.local.client import FINAL, INTEGER, Client, identifier
from tests.local.graphs import INPUT, Branch, Each, Echo, Ending, Failure, Gate, Graph, Step, Sub

Promise = types_pb2.OutputReference
INTEGERS = types_pb2.LiteralType(collection_type=INTEGER)
_PATIENCE = 30.0
_SLEEP = 20_000_000  # nanoseconds


class Writer:
    """Writes one workflow with all the workflows inside it.

    :param name: the workflow's name; those inside it get names that begin with it.
    :param task: the echo task.
    :param each: the echo task as array nodes take it, of lists.
    """

    def __init__(self, name: str, task: identifier_pb2.Identifier, each: identifier_pb2.Identifier) -> None:
        self._task = task
        self._each = each
        self._name = name
        self.subs: list[core_workflow.WorkflowTemplate] = []
        self.answers: dict[str, literals_pb2.Literal] = {}

    def template(self, graph: Graph, path: str = "") -> core_workflow.WorkflowTemplate:
        """Return a graph as a workflow from `a` to `a`.

        :param path: where the graph sits in the outermost one, which makes names unique.
        """
        whole = core_workflow.WorkflowTemplate(id=identifier(identifier_pb2.WORKFLOW, self._name + path))
        whole.interface.inputs.variables["a"].type.CopyFrom(INTEGER)
        whole.interface.outputs.variables["a"].type.CopyFrom(INTEGER)
        for position, step in enumerate(graph.steps):
            node = whole.nodes.add(id=f"n{position}")
            self._write(node, step.does, _giver(graph, step.source), f"{path}-{position}")
            waits_for = {step.source, *step.after} - {INPUT}
            node.upstream_node_ids.extend(f"n{one}" for one in sorted(waits_for))
        _promise(whole.outputs.add(), _giver(graph, graph.output))
        return whole

    def _write(
        self, node: core_workflow.Node, does: Echo | Each | Branch | Gate | Sub, giver: Promise, path: str
    ) -> None:
        node.metadata.name = node.id
        if isinstance(does, Each):
            self._array(node, does, giver)
            return
        if isinstance(does, Gate):
            self._gate(node, does, giver, path)
            return
        if isinstance(does, Echo) and does.constant is not None:
            node.inputs.add(var="a").binding.scalar.primitive.integer = does.constant
        else:
            _promise(node.inputs.add(), giver)
        if isinstance(does, Echo):
            node.task_node.reference_id.CopyFrom(self._task)
        elif isinstance(does, Sub):
            sub = self.template(does.graph, path)
            self.subs.append(sub)
            node.workflow_node.sub_workflow_ref.CopyFrom(sub.id)
        else:
            self._branch(node, does, giver, path)

    def _array(self, node: core_workflow.Node, each: Each, giver: Promise) -> None:
        node.array_node.node.id = node.id
        node.array_node.node.task_node.reference_id.CopyFrom(self._each)
        bindings = node.inputs.add(var="a").binding.collection.bindings
        for number in each.numbers:
            if number is None:
                bindings.add().promise.CopyFrom(giver)
            else:
                bindings.add().scalar.primitive.integer = number

    def _branch(self, node: core_workflow.Node, branch: Branch, giver: Promise, path: str) -> None:
        if_else = node.branch_node.if_else
        for position, (name, other, then) in enumerate(branch.cases):
            block = if_else.other.add() if position else if_else.case
            comparison = block.condition.comparison
            comparison.operator = condition_pb2.ComparisonExpression.Operator.Value(name)
            comparison.left_value.var = "a"
            comparison.right_value.primitive.integer = other
            block.then_node.id = f"c{position}"
            self._write(block.then_node, then, giver, f"{path}-c{position}")
        if isinstance(branch.otherwise, Failure):
            if_else.error.message, if_else.error.failed_node_id = branch.otherwise.message, node.id
        else:
            if_else.else_node.id = "other"
            self._write(if_else.else_node, branch.otherwise, giver, f"{path}-other")

    def _gate(self, node: core_workflow.Node, gate: Gate, giver: Promise, path: str) -> None:
        if gate.answer is None:
            node.gate_node.sleep.duration.nanos = _SLEEP
            return
        answer = self.answers.setdefault(f"s{path}", literals_pb2.Literal()).scalar.primitive
        if isinstance(gate.answer, bool):
            _promise(node.inputs.add(), giver)
            node.gate_node.approve.signal_id = f"s{path}"
            answer.boolean = gate.answer
        else:
            node.gate_node.signal.signal_id, node.gate_node.signal.output_variable_name = f"s{path}", "a"
            node.gate_node.signal.type.CopyFrom(INTEGER)
            answer.integer = gate.answer


def outcomes(client: Client, name: str, graph: Graph, values: Sequence[int]) -> list[Ending]:
    """Register a graph as a workflow of this name and return how its executions end, one for each of `values`."""
    writer = Writer(name, client.task(f"{name}-echo"), client.task(f"{name}-each", INTEGERS))
    template = writer.template(graph)
    for position in range(len(graph.steps)):  # so that no step's value goes unseen
        template.interface.outputs.variables[f"s{position}"].type.CopyFrom(INTEGER)
        _promise(template.outputs.add(), _giver(graph, position), f"s{position}")
    spec = workflow_pb2.WorkflowSpec(template=template, sub_workflows=writer.subs)
    client.admin.CreateWorkflow(workflow_pb2.WorkflowCreateRequest(id=template.id, spec=spec))
    client.launch_plan(name, template.id)
    executions = [client.launch(name, a=value) for value in values]
    running, deadline = executions, time.monotonic() + _PATIENCE
    while running:
        assert time.monotonic() < deadline, f"{name} has not ended"
        time.sleep(0.02)
        for execution in running if writer.answers else ():
            _answer(client, execution, writer.answers)
        running = [one for one in running if client.phase(one) not in FINAL]
    return [_ending(client, one, len(graph.steps)) for one in executions]


def _ending(client: Client, execution: identifier_pb2.WorkflowExecutionIdentifier, steps: int) -> Ending:
    closure = client.execution(execution).closure
    if closure.HasField("error"):
        return Ending(None, frozenset({closure.error.code}))
    given = {name: one.scalar.primitive.integer for name, one in client.outputs(execution).literals.items()}
    return Ending(given.pop("a"), steps=tuple(given[f"s{position}"] for position in range(steps)))


def _answer(
    client: Client,
    execution: identifier_pb2.WorkflowExecutionIdentifier,
    answers: dict[str, literals_pb2.Literal],
) -> None:
    asked = signal_pb2.SignalListRequest(workflow_execution_id=execution, limit=100)
    for signal in client.signals.ListSignals(asked).signals:
        if signal.value.WhichOneof("value") is None:
            request = signal_pb2.SignalSetRequest(id=signal.id, value=answers[signal.id.signal_id])
            client.signals.SetSignal(request)


def _giver(graph: Graph, step: int) -> Promise:
    """Return the promise of a step's value: a sleep gives nothing, so the value comes from before it."""
    while step != INPUT and _is_sleep(graph.steps[step]):
        step = graph.steps[step].source
    if step == INPUT:
        return Promise(var="a")
    promise = Promise(node_id=f"n{step}", var="a")
    does = graph.steps[step].does
    if isinstance(does, Each):
        promise.attr_path.add().int_value = does.pick
    return promise


def _is_sleep(step: Step) -> bool:
    return isinstance(step.does, Gate) and step.does.answer is None


def _promise(binding: literals_pb2.Binding, giver: Promise, var: str = "a") -> None:
    binding.var = var
    binding.binding.promise.CopyFrom(giver)
