"""Inputs and outputs of executions on a real local Flyte, read by their declared types and found by their addresses."""

import json
import uuid

import pytest
from flyteidl.admin import launch_plan_pb2
from flyteidl.core import identifier_pb2, workflow_pb2
from flyteidl.core.types_pb2 import LiteralType
from google.protobuf.json_format import ParseDict

from airflow_flyte_provider.exceptions import FlyteOutputsError
from airflow_flyte_provider.model.files import FileReference, FlyteDirectory, FlyteFile
from airflow_flyte_provider.model.phases import ExecutionPhase
from airflow_flyte_provider.model.values.literals import to_literal
from tests.hooks.conftest import CSV, FILE, FILES, FOLDER, MAYBE_FILE, TABLE, TEXT, tree
from tests.local.client import identifier, task_node

# As flytekit before 1.14 registers a dataclass: without the word for MessagePack, so a protobuf Struct is sent.
CONFIG = ParseDict(
    {
        "simple": "STRUCT",
        "metadata": {
            "type": "object",
            "properties": {
                "rows": {"type": "integer"},
                "scale": {"type": "number"},
                "sizes": {"type": "array", "items": {"type": "integer"}},
            },
        },
    },
    LiteralType(),
)
FLOAT = LiteralType(simple="FLOAT")
INTEGERS = LiteralType(collection_type=LiteralType(simple="INTEGER"))
CONFIGS = LiteralType(collection_type=CONFIG)
GIVEN = {"rows": 5, "scale": 2.0, "sizes": [1, 2]}


def as_it_is(value):
    """Return a value with its floats told from its ints, which are equal to Python."""
    return repr(sorted(value.items()))


@pytest.fixture
def asked(hook, monkeypatch):
    """The names of the verbs that the hook has run."""
    verbs, run = [], hook.run

    def noted(verb):
        verbs.append(verb.__name__)
        return run(verb)

    monkeypatch.setattr(hook, "run", noted)
    return verbs


# -- ints are ints --------------------------------------------------------------------------------------------


def test_ints_of_a_struct_are_ints(hook, echo):
    execution = echo(CONFIG, GIVEN)
    assert as_it_is(hook.get_outputs(execution)["a"]) == as_it_is(GIVEN)
    assert as_it_is(hook.get_inputs(execution)["a"]) == as_it_is(GIVEN)
    assert as_it_is(hook.get_xcom(execution, None)["a"]) == as_it_is(GIVEN)
    assert as_it_is(hook.get_outputs(echo(CONFIGS, [GIVEN])).as_dict()["a"][0]) == as_it_is(GIVEN)


def test_an_output_cannot_make_an_object_of_airflows_in_the_next_task(hook, echo):
    evil = {
        "__type": "airflow.sdk.definitions.connection.Connection",
        "__var": {"conn_id": "x", "conn_type": "y"},
    }
    execution = echo(LiteralType(simple="STRUCT"), {"inner": evil})
    with pytest.raises(FlyteOutputsError, match=f"{execution}: .*'__type'"):
        hook.get_xcom(execution, None)


def test_types_are_asked_for_once_and_only_where_they_are_needed(hook, echo, asked):
    plain, half, struct = echo(TEXT, "x"), echo(FLOAT, 0.5), echo(CONFIG, GIVEN)
    for execution in (plain, half):
        asked.clear()
        hook.get_outputs(execution).as_dict()
        assert asked == ["get_data"]
    asked.clear()
    outputs = hook.get_outputs(struct)
    assert asked == ["get_data"]
    assert outputs["a"] == outputs["a"]
    assert asked == ["get_data", "get_execution"], (
        "what was launched is known in the process that launched it"
    )


def test_what_was_launched_elsewhere_is_fetched(hook, echo, asked, monkeypatch):
    execution = echo(CONFIG, GIVEN)
    monkeypatch.setattr("airflow_flyte_provider.hooks.registry._entities", {})
    asked.clear()
    assert as_it_is(hook.get_outputs(execution)["a"]) == as_it_is(GIVEN)
    assert hook.get_outputs(execution).as_dict()
    assert asked == ["get_data", "get_execution", "get_entity", "get_data", "get_execution"]


def test_an_input_that_the_launch_plan_has_fixed(hook, client):
    name = f"fixed.{uuid.uuid4().hex[:8]}"
    task = client.task(name, CONFIG)
    workflow_of(client, name, [task_node("n0", task)], CONFIG, ("n0", "a"))
    request = launch_plan_pb2.LaunchPlanCreateRequest(id=identifier(identifier_pb2.LAUNCH_PLAN, f"{name}.lp"))
    request.spec.workflow_id.CopyFrom(identifier(identifier_pb2.WORKFLOW, name))
    ParseDict(GIVEN, request.spec.fixed_inputs.literals["a"].scalar.generic)
    client.admin.CreateLaunchPlan(request)
    execution = ended(hook, hook.execute(hook.fetch_launch_plan(f"{name}.lp"), {}).id)
    assert as_it_is(hook.get_inputs(execution)["a"]) == as_it_is(GIVEN)
    assert as_it_is(hook.get_outputs(execution)["o0"]) == as_it_is(GIVEN)


# -- where files lie ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [FILE, CSV, MAYBE_FILE])
def test_a_file_among_outputs_is_found_by_its_address(hook, echo, tmp_path, kind):
    (tmp_path / "b.csv").write_text("a,b")
    execution = echo(kind, FlyteFile(tmp_path / "b.csv"))
    found = hook.get_outputs(execution)["a"]
    assert found == FileReference.from_dict(hook.get_xcom(execution, None)["a"])
    assert (found.size, found.kind) == (3, "file")
    assert found.flyte_url == f"flyte://v1/{execution}/end-node/i/a"
    assert hook.get(found.flyte_url) == found
    assert hook.get(f"flyte://v1/{execution}/end-node/i")["a"] == found
    got = hook.download(FileReference("", "", None, found.flyte_url, "file"), to=tmp_path / "got.csv")
    assert got.read_text() == "a,b"


def test_a_directory_and_a_table_are_found_too(hook, echo, folder, tmp_path):
    given = hook.get_outputs(echo(FOLDER, FlyteDirectory(folder)))["a"]
    table = hook.get_outputs(echo(TABLE, FlyteDirectory(folder)))["a"]
    for number, found in enumerate((given, table)):
        assert found.size is None
        assert hook.get(found.flyte_url) == found
        assert tree(hook.download(found.flyte_url, to=tmp_path / str(number))) == tree(folder)


def test_files_in_a_dict_have_a_size_and_no_address(hook, echo, folder):
    given = {"x": [FlyteFile(folder / "a b.txt"), FlyteFile(folder / "sub/b.csv")]}
    execution = echo(FILES, given)
    found = hook.get_outputs(execution)["a"]["x"]
    assert [(one.size, one.flyte_url) for one in found] == [(1, ""), (1, "")]
    assert hook.get(f"flyte://v1/{execution}/end-node/i/a")["x"][0].uri == found[0].uri


def test_a_file_elsewhere_has_an_address_and_no_size(hook, echo, asked):
    execution = echo(FILE, FlyteFile("s3://bucket/key"))
    asked.clear()
    found = hook.get_outputs(execution)["a"]
    assert (found.uri, found.size) == ("s3://bucket/key", None)
    assert asked == ["get_data"]
    assert hook.get(found.flyte_url) == found


def test_a_value_that_flyte_keeps_apart(hook, echo, tmp_path):
    """A reference to it goes from one execution to the next, and is found by its address."""
    content = to_literal([1, 2], INTEGERS).SerializeToString()
    (tmp_path / "big.pb").write_bytes(content)
    given = FileReference(str(tmp_path / "big.pb"), "", len(content), "", "value")
    for _ in range(2):
        execution = echo(INTEGERS, given)
        assert hook.get_outputs(execution) == {"a": [1, 2]}
        given = hook.get_xcom(execution, None)["a"]
        url = f"flyte://v1/{execution}/end-node/i/a"
        assert given == FileReference(str(tmp_path / "big.pb"), "", len(content), url, "value").to_dict()
        assert hook.get(url) == [1, 2]
        assert json.loads(hook.download(given, to=tmp_path / "got.json").read_text()) == [1, 2]


@pytest.mark.parametrize("source", ["task", "input", "several", "inner", "launched"])
def test_wherever_an_output_comes_from_it_is_found(hook, client, tmp_path, source):
    """From a task's node, an input, several nodes in one list, a workflow inside, and another execution."""
    (tmp_path / "f").write_text("abc")
    name = f"{source}.{uuid.uuid4().hex[:8]}"
    task = client.task(f"{name}.task", FILE)
    node = task_node("n0", task)
    output, kind, subs = ("n0", "a"), FILE, []
    if source == "input":
        output = ("", "a")
    elif source == "several":
        kind = LiteralType(collection_type=FILE)
    elif source in ("inner", "launched"):
        inner = workflow_of(client, f"{name}.inner", [node], FILE, ("n0", "a"))
        node = workflow_pb2.Node(id="n0")
        promise = node.inputs.add(var="a").binding.promise
        promise.node_id, promise.var = "", "a"
        if source == "inner":
            node.workflow_node.sub_workflow_ref.CopyFrom(inner.id)
            subs = [inner]
        else:
            node.workflow_node.launchplan_ref.CopyFrom(identifier(identifier_pb2.LAUNCH_PLAN, inner.id.name))
        output = ("n0", "o0")
    workflow_of(client, name, [node], FILE, output, kind, subs)
    plan = hook.fetch_launch_plan(name, "v1")
    execution = ended(hook, hook.execute(plan, {"a": FlyteFile(tmp_path / "f")}).id)
    url = f"flyte://v1/{execution}/end-node/i/o0"
    found = hook.get_outputs(execution)["o0"]
    assert hook.get(url) == found
    if source == "several":
        assert [(one.flyte_url, one.size) for one in found] == [("", 3), ("", 3)]
    else:
        assert (found.flyte_url, found.size) == (url, 3)
        assert hook.download(url, to=tmp_path / "got").read_text() == "abc"


def ended(hook, execution):
    done = hook.wait(execution, timeout=30, poll_interval=0.05)
    assert done.phase is ExecutionPhase.SUCCEEDED, done
    return execution


def workflow_of(client, name, nodes, kind, output, output_kind=None, subs=()):
    """Register a workflow of `a`, of a kind, and its launch plan; a list takes its output twice."""
    template = workflow_pb2.WorkflowTemplate(id=identifier(identifier_pb2.WORKFLOW, name), nodes=nodes)
    template.interface.inputs.variables["a"].type.CopyFrom(kind)
    template.interface.outputs.variables["o0"].type.CopyFrom(output_kind or kind)
    binding = template.outputs.add(var="o0").binding
    is_list = output_kind is not None and output_kind.HasField("collection_type")
    parts = [binding.collection.bindings.add() for _ in range(2)] if is_list else [binding]
    for part in parts:
        part.promise.node_id, part.promise.var = output
    client.register_workflow(template, subs)
    return template
