"""Faults of a workflow in the words of FlytePropeller's compiler, all in one answer."""

from __future__ import annotations

import pytest
from flyteidl.core import condition_pb2, identifier_pb2, interface_pb2, literals_pb2, tasks_pb2, types_pb2
from flyteidl.core import workflow_pb2 as core_workflow

from airflow_flyte_provider.local.compiler.compile import compile_workflow
from airflow_flyte_provider.local.compiler.errors import CompileFailure
from airflow_flyte_provider.local.compiler.interfaces import Registry
from tests.local.client import INTEGER, STRING, identifier, interface, task_node

LiteralType = types_pb2.LiteralType
FLOAT = LiteralType(simple=types_pb2.FLOAT)
ENUM = LiteralType(enum_type=types_pb2.EnumType(values=["red", "blue"]))
UNION = LiteralType(union_type=types_pb2.UnionType(variants=[INTEGER, FLOAT]))
INTEGERS = LiteralType(collection_type=INTEGER)


def _task(name: str, kind: LiteralType) -> tasks_pb2.TaskTemplate:
    identity = identifier(identifier_pb2.TASK, name)
    return tasks_pb2.TaskTemplate(id=identity, type="echo", interface=interface(a=kind))


TASKS = {name: _task(name, kind) for name, kind in (("int", INTEGER), ("float", FLOAT), ("enum", ENUM))}
TASKS |= {"union": _task("union", UNION), "ints": _task("ints", INTEGERS), "str": _task("str", STRING)}


def _node(node_id: str, task: str, source: tuple[str, str] | None = ("", "a")) -> core_workflow.Node:
    return task_node(node_id, TASKS[task].id, source)


def _bound(node_id: str, task: str, binding: literals_pb2.BindingData) -> core_workflow.Node:
    node = _node(node_id, task, None)
    node.inputs.add(var="a", binding=binding)
    return node


def _value(**value: object) -> literals_pb2.BindingData:
    return literals_pb2.BindingData(scalar=literals_pb2.Scalar(primitive=literals_pb2.Primitive(**value)))


def _faults(*nodes: core_workflow.Node, outputs: interface_pb2.VariableMap | None = None) -> list[str]:
    """Compile a workflow that takes the integer `a`. Returns the lines about its faults."""
    template = core_workflow.WorkflowTemplate(id=identifier(identifier_pb2.WORKFLOW, "wf"), nodes=nodes)
    template.interface.inputs.variables["a"].type.CopyFrom(INTEGER)
    if outputs is not None:
        template.interface.outputs.CopyFrom(outputs)
    try:
        compile_workflow(template, Registry.of(TASKS.values(), [], []), [])
    except CompileFailure as failure:
        first, *lines = str(failure).splitlines()
        assert first == f"Collected Errors: {len(lines)}"
        for number, line in enumerate(lines):
            assert line.startswith(f"\tError {number}: ")
        return [line.partition(": ")[2] for line in lines]
    return []


def _line(code: str, node_id: str, description: str) -> str:
    return f"Code: {code}, Node Id: {node_id}, Description: {description}"


def test_faults_are_sorted_by_code_and_told_once() -> None:
    unbound = _node("n0", "int", None)
    unknown = _node("n1", "int", ("n9", "a"))
    nameless = _node("n2", "int", ("n0", "z"))
    surplus = _node("n3", "int")
    surplus.inputs.add(var="b").binding.promise.var = "a"
    twice = _node("n4", "int")
    twice.inputs.add(var="a").binding.promise.var = "a"
    nothing = _node("n5", "int", None)
    nothing.inputs.add(var="a")
    assert _faults(unbound, unknown, nameless, surplus, twice, nothing) == [
        _line("NodeReferenceNotFound", "n9", "Referenced node [n9] not found."),
        _line("ParameterBoundMoreThanOnce", "n4", "Input [a] is bound more than once."),
        _line("ParameterNotBound", "n0", "Parameter not bound [a]."),
        _line("ParameterNotBound", "n1", "Parameter not bound [a]."),
        _line("ParameterNotBound", "n2", "Parameter not bound [a]."),
        _line("ParameterNotBound", "n5", "Parameter not bound [a]."),
        _line("ValueRequired", "n5", "Value required [Binding]."),
        _line("VariableNameNotFound", "n0", "Variable [z] not found on node [n0]."),
        _line("VariableNameNotFound", "n3", "Variable [b] not found on node [n3]."),
    ]


def test_an_integer_is_no_float_and_outputs_must_be_bound() -> None:
    outputs = interface_pb2.VariableMap(variables={"o0": interface_pb2.Variable(type=INTEGER)})
    assert _faults(_node("n0", "float"), outputs=outputs) == [
        _line(
            "MismatchingTypes",
            "n0",
            "The output variable 'a' has type [simple:INTEGER], but it's assigned to the input variable 'n0.a' "
            "which has type type [simple:FLOAT].",
        ),
        _line("ParameterNotBound", "end-node", "Parameter not bound [o0]."),
    ]


def test_a_value_that_is_no_member_is_told_with_its_type() -> None:
    illegal = "Input [a] on node [n0] is an Enum and expects value to be one of [[red blue]].  Received [{}]"
    assert _faults(_bound("n0", "enum", _value(string_value="red"))) == []
    assert _faults(_bound("n0", "enum", _value(string_value="green"))) == [
        _line("IllegalEnumValue", "n0", illegal.format("green"))
    ]
    faults = _faults(_bound("n0", "enum", _value(integer=1)))
    assert [line.partition(",")[0] for line in faults] == ["Code: IllegalEnumValue", "Code: MismatchingTypes"]
    assert faults[0] == _line("IllegalEnumValue", "n0", illegal.format(""))


def test_lists_and_unions() -> None:
    items = literals_pb2.BindingDataCollection(bindings=[_value(integer=1)])
    listed = literals_pb2.BindingData(collection=items)
    assert _faults(_bound("n0", "ints", listed)) == []
    assert _faults(_bound("n0", "union", _value(integer=1))) == []
    (line,) = _faults(_bound("n0", "int", listed))
    assert "Input [a] on node [n0] expects bindings of type [simple:INTEGER].  Received [bindings:" in line
    (line,) = _faults(_bound("n0", "union", listed))
    assert line.startswith("Code: IncompatibleBindingUnionValue, Node Id: n0, ")
    assert line.endswith("which does not match any of the variants.")
    (line,) = _faults(_node("n0", "int"), _node("n1", "int", ("n0", "[0].a")))
    assert "The output variable 'n0.[0].a' has type [simple:INTEGER]" in line
    assert _faults(_node("n0", "int"), _node("n1", "int", ("n0", "a.b"))) == [
        _line("SyntaxError", "n1", "Failed to parse element [a.b].")
    ]


def test_a_workflow_needs_nodes_and_types() -> None:
    (line,) = _faults()
    assert line.startswith("Code: NoNodesFound, Node Id: resource_type:WORKFLOW")
    assert "Description: Can't find any nodes in workflow [resource_type:WORKFLOW" in line
    template = core_workflow.WorkflowTemplate(nodes=[_node("n0", "int")])
    template.interface.inputs.variables["a"].SetInParent()
    with pytest.raises(
        CompileFailure, match=r"Node Id: start-node, Description: Value required \[param.Type\]"
    ):
        compile_workflow(template, Registry.of(TASKS.values(), [], []), [])
    assert _faults(core_workflow.Node(id="n0")) == [_line("ValueRequired", "n0", "Value required [Target].")]
    empty = core_workflow.Node(id="n0")
    empty.workflow_node.SetInParent()
    assert _faults(empty) == [
        _line("WorkflowReferenceNotFound", "n0", "Referenced Workflow [<nil>/<nil>] not found.")
    ]


def _branch() -> core_workflow.Node:
    condition = condition_pb2.BooleanExpression()
    condition.comparison.left_value.var = "a"
    condition.comparison.right_value.primitive.integer = 1
    node = core_workflow.Node(id="b")
    node.inputs.add(var="a").binding.promise.var = "a"
    if_else = node.branch_node.if_else
    if_else.case.condition.CopyFrom(condition)
    if_else.case.then_node.CopyFrom(_node("n0", "int"))
    if_else.else_node.CopyFrom(_node("n1", "int"))
    return node


def test_branches() -> None:
    assert _faults(_branch()) == []
    node = _branch()
    node.branch_node.if_else.ClearField("default")
    node.branch_node.if_else.case.ClearField("condition")
    # what is bound inside is not looked at then
    node.branch_node.if_else.case.then_node.inputs[0].binding.promise.var = "z"
    no_condition = _line(
        "BranchNodeHasNoCondition", "b", "One of the branches on the node doesn't have a condition."
    )
    no_default = _line(
        "BranchNodeHasNoDefault", "b", "Branch Node must have either the else case set or a default error."
    )
    assert _faults(node) == [no_condition, no_default]
    node = _branch()
    node.branch_node.if_else.case.condition.comparison.right_value.primitive.string_value = "x"
    text = "Variable [RightValue] (type [simple:STRING]) doesn't match expected type [simple:INTEGER]."
    assert _faults(node) == [_line("MismatchingTypes", "b", text)]
    node = _branch()
    node.branch_node.if_else.case.condition.comparison.left_value.var = "z"
    node.branch_node.if_else.case.condition.comparison.ClearField("right_value")
    assert _faults(node) == [
        _line("ValueRequired", "b", "Value required [RightValue]."),
        _line("VariableNameNotFound", "b", "Variable [z] not found on node [b]."),
    ]
    node = _branch()
    node.branch_node.if_else.else_node.CopyFrom(_node("n1", "str", None))
    text = "Variable [a] (type [simple:INTEGER]) doesn't match expected type [simple:STRING]."
    assert _line("MismatchingTypes", "b-n1", text) in _faults(node)
    node = core_workflow.Node(id="b")
    node.branch_node.SetInParent()
    assert _faults(node) == [
        no_condition,
        no_default,
        _line("ValueRequired", "b", "Value required [Branch.IfElse]."),
    ]
