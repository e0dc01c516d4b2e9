"""Files out of a real local Flyte."""

import json
import uuid

import pytest
from flyteidl.core import identifier_pb2
from flyteidl.core import workflow_pb2 as core_workflow
from flyteidl.core.literals_pb2 import Literal

from airflow_flyte_provider.admin import dataproxy
from airflow_flyte_provider.exceptions import (
    FlyteIntegrityError,
    FlyteInvalidRequestError,
    FlyteNotFoundError,
    FlyteTransferError,
)
from airflow_flyte_provider.hooks.places import child
from airflow_flyte_provider.model.files import FileReference, FlyteDirectory, FlyteFile
from tests.faulty_store import Answer, store
from tests.hooks.conftest import FILE, FILES, FOLDER, TABLE, TEXT, tree
from tests.local.client import Client, identifier


@pytest.fixture
def stored(echo, literals, folder):
    """The URI of a file that Flyte has, with its execution."""
    execution = echo(FILE, FlyteFile(folder / "sub/deep/c.bin"))
    return literals(execution)["a"].scalar.blob.uri, execution


@pytest.fixture
def elsewhere(stored, registered):
    """The URI of the file as Flyte alone can resolve it, so that it comes over a signed address."""
    return "file://" + stored[0].removeprefix(f"{registered.data_dir}/storage/")


def url(execution, rest):
    return f"flyte://v1/{execution.project}/{execution.domain}/{execution.name}/{rest}"


def node_of(hook, execution):
    from airflow_flyte_provider.admin import nodes

    return next(
        node.id for node in hook.run(nodes.list_nodes(execution)) if not node.id.node_id.endswith("-node")
    )


BYTES = bytes(range(256))


@pytest.mark.parametrize("as_dict", [False, True])
def test_a_reference_from_xcom(hook, stored, tmp_path, as_dict):
    reference = FileReference(stored[0], "", 256, "", "file")
    got = hook.download(reference.to_dict() if as_dict else reference, to=tmp_path / "x.bin")
    assert got == tmp_path / "x.bin"
    assert got.read_bytes() == BYTES


def test_a_file_goes_into_a_folder_under_its_name(hook, stored, tmp_path):
    assert hook.download(stored[0], to=tmp_path) == tmp_path / "c.bin"
    assert hook.download(stored[0], to=f"{tmp_path}/new/") == tmp_path / "new" / "c.bin"
    assert hook.download(f"file://{stored[0]}", to=str(tmp_path / "n.bin")).read_bytes() == BYTES


def test_a_file_over_a_signed_address(hook, elsewhere, tmp_path, capsys):
    assert hook.download(elsewhere, to=tmp_path).read_bytes() == BYTES
    assert "signature" not in capsys.readouterr().out


def test_a_size_that_differs_leaves_nothing(hook, stored, elsewhere, tmp_path):
    for uri in (stored[0], elsewhere):
        with pytest.raises(FlyteIntegrityError, match=r"256 bytes .*instead of 5"):
            hook.download(FileReference(uri, "", 5, "", "file"), to=tmp_path)
    assert not list(tmp_path.glob("*.bin"))
    assert not list(tmp_path.glob(".*"))


def test_a_file_that_flyte_does_not_have(hook, tmp_path):
    with pytest.raises(FlyteTransferError, match="404"):
        hook.download("file://flytesnacks/nowhere", to=tmp_path)
    with pytest.raises(FlyteTransferError, match="There is nothing at /nowhere"):
        hook.download("/nowhere", to=tmp_path)
    with pytest.raises(FlyteTransferError, match="nosuch"):
        hook.download("nosuch://bucket/key", to=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_expired_address_is_told_without_it(hook, tmp_path, monkeypatch, capsys):
    def sign(_):
        yield from ()
        return dataproxy.SignedUrl(from_.url)

    monkeypatch.setattr(dataproxy, "sign_download", sign)
    with store(Answer(403)) as from_, pytest.raises(FlyteTransferError, match=r"403.*expired") as caught:
        hook.download("s3://bucket/key", to=tmp_path)
    assert "s3cr3t" not in str(caught.value) + capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_a_folder_and_its_literal(hook, echo, literals, folder, tmp_path):
    literal = literals(echo(FOLDER, FlyteDirectory(folder)))["a"]
    uri = literal.scalar.blob.uri
    for number, source in enumerate((literal, FileReference(uri, "", None, "", "directory"), uri)):
        got = hook.download(source, to=tmp_path / "got" / str(number))
        assert tree(got) == tree(folder)


def test_a_link_out_of_a_folder_is_not_followed(hook, folder, tmp_path):
    (folder / "passwords").symlink_to("/etc/passwd")
    with pytest.raises(FlyteTransferError, match="leads out of"):
        hook.download(folder, to=tmp_path / "got")
    assert not (tmp_path / "got").exists()


def test_a_link_out_of_the_target_is_not_followed(hook, folder, tmp_path):
    (tmp_path / "got").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "got" / "sub").symlink_to(tmp_path / "outside")
    with pytest.raises(FlyteTransferError, match="leads out of"):
        hook.download(folder, to=tmp_path / "got")
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize("name", ["../../evil", "a/../../evil", "..", "a\\..\\evil"])
def test_names_that_lead_out_of_the_target_are_refused(hook, tmp_path, name):
    evil = tmp_path / "source"
    evil.write_text("evil")
    literal = Literal()
    item = literal.map.literals[name].scalar.blob
    item.uri = str(evil)
    with pytest.raises(FlyteTransferError, match="would lie outside"):
        hook.download(literal, to=tmp_path / "deep" / "got" / "value.json")
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"source"}


def test_a_name_that_looks_like_a_root_stays_inside(hook, folder, tmp_path):
    literal = Literal()
    literal.map.literals["/etc/evil"].scalar.blob.uri = str(folder / "a b.txt")
    got = hook.download(literal, to=tmp_path / "got/value.json")
    assert json.loads(got.read_text()) == {"/etc/evil": "value/etc/evil/a b.txt"}
    with pytest.raises(FlyteTransferError, match="would lie outside"):
        child(tmp_path, "/etc/evil")


def test_names_of_a_store_that_lead_out_are_refused(hook, bucket, tmp_path):
    bucket.fs.pipe("/bucket/in/../../evil", b"evil")
    bucket.fs.pipe("/bucket/in/good", b"good")
    bucket.fs.find = lambda *_: ["/bucket/in/good", "/bucket/in/../../evil"]
    try:
        with pytest.raises(FlyteTransferError, match="would lie outside"):
            hook.download(bucket, to=tmp_path / "got")
    finally:
        del bucket.fs.find
    assert not (tmp_path / "got").exists()


def test_to_and_from_an_object_store(hook, stored, folder, bucket, tmp_path):
    got = hook.download(stored[0], to=bucket / "c.bin")
    assert got.read_bytes() == BYTES
    assert hook.download(folder, to="memory://bucket/in/folder").exists()
    assert hook.download(bucket / "c.bin", to=tmp_path / "c.bin").read_bytes() == BYTES
    # Flyte does not sign for this store, so Airflow reads it.
    assert hook.download("memory://bucket/in/c.bin", to=tmp_path / "d.bin").read_bytes() == BYTES
    back = hook.download("memory://bucket/in/folder/", to=tmp_path / "back")
    assert tree(back) == tree(folder)


def test_a_failed_write_to_a_store_leaves_nothing(hook, stored, bucket, monkeypatch):
    monkeypatch.setattr("airflow_flyte_provider.hooks.places.shutil.copyfileobj", lambda *_: 1 / 0)
    with pytest.raises(FlyteTransferError, match="ZeroDivisionError"):
        hook.download(FileReference(stored[0], "", 256, "", "file"), to=bucket / "c.bin")
    assert not (bucket / "c.bin").exists()


def test_get_returns_values(hook, echo):
    execution = echo(TEXT, "hello")
    node = node_of(hook, execution).node_id
    assert hook.get(url(execution, f"{node}/o")) == {"a": "hello"}
    assert hook.get(url(execution, f"{node}/i/a")) == "hello"
    assert hook.get(url(execution, f"{node}/0/o")) == {"a": "hello"}
    with pytest.raises(FlyteInvalidRequestError, match="failed to parse"):
        hook.get("flyte://v1/flytesnacks")
    with pytest.raises(FlyteNotFoundError):
        hook.get("flyte://v1/flytesnacks/development/nope/n0/o")


def test_flyte_addresses_are_downloaded(hook, echo, stored, tmp_path):
    execution = stored[1]
    node = node_of(hook, execution).node_id
    assert hook.download(url(execution, f"{node}/o/a"), to=tmp_path).read_bytes() == BYTES
    assert hook.download(url(execution, f"{node}/o"), to=tmp_path / "all") == tmp_path / "all"
    assert json.loads((tmp_path / "all/outputs.json").read_text()) == {"a": "outputs/a/c.bin"}
    assert (tmp_path / "all/outputs/a/c.bin").read_bytes() == BYTES
    text = echo(TEXT, "hello")
    got = hook.download(url(text, f"{node_of(hook, text).node_id}/o/a"), to=tmp_path)
    assert (got.name, json.loads(got.read_text())) == ("a.json", "hello")
    reference = FileReference("", "", None, url(text, f"{node_of(hook, text).node_id}/o/a"), "value")
    assert json.loads(hook.download(reference, to=tmp_path / "v.json").read_text()) == "hello"


def test_a_whole_execution(hook, echo, folder, tmp_path):
    execution = echo(FILES, {"x": [FlyteFile(folder / "a b.txt"), FlyteFile(folder / "sub/b.csv")]})
    node = node_of(hook, execution)
    got = hook.download_execution(execution, to=tmp_path / "all")
    files = tree(got)
    own = f"nodes/{node.node_id}"
    values = {name: json.loads(content) for name, content in files.items() if name.endswith(".json")}
    where = {"a": {"x": ["inputs/a/x/0/a b.txt", "inputs/a/x/1/b.csv"]}}
    # A file that is in several places lies where it was first.
    parts = ("inputs", "outputs", f"{own}/inputs", f"{own}/outputs")
    parts += (f"{own}/attempts/0/inputs", f"{own}/attempts/0/outputs")
    assert values == {f"{part}.json": where for part in parts}
    assert files["inputs/a/x/1/b.csv"] == b"b"
    assert len(files) == 8
    outer = hook.download_execution(execution, to=tmp_path / "outer", nodes=False)
    assert {path.name for path in outer.iterdir()} == {"inputs", "inputs.json", "outputs.json"}


def test_a_deck_that_a_task_has_left(hook, registered, tmp_path):
    client = Client(registered.endpoint)
    script = "echo '<h1>deck</h1>' > {{.outputPrefix}}/deck.html"
    task = client.command(f"deck.{uuid.uuid4().hex[:8]}", "sh", "-c", script, generates_deck=True)
    client.close()
    execution = hook.execute(hook.fetch_task(task.name, "v1"), {}).id
    assert hook.wait(execution, timeout=30, poll_interval=0.05).is_successful
    node = node_of(hook, execution).node_id
    got = tree(hook.download_execution(execution, to=tmp_path / "all"))
    assert got == {f"nodes/{node}/deck.html": b"<h1>deck</h1>\n"}
    assert tree(hook.download_execution(execution, to=tmp_path / "none", decks=False)) == {}
    deck = url(execution, f"{node}/d")
    assert hook.download(deck, to=tmp_path).read_text() == "<h1>deck</h1>\n"
    with pytest.raises(FlyteInvalidRequestError, match="is a file"):
        hook.get(deck)


def test_an_execution_into_an_object_store(hook, echo, bucket):
    execution = echo(TEXT, "hello")
    got = hook.download_execution(execution, to=bucket)
    assert json.loads((got / "outputs.json").read_text()) == {"a": "hello"}


def test_inner_nodes(hook, tmp_path):
    launched = hook.execute(hook.fetch_launch_plan("demo.nested"), {"a": 4})
    hook.wait(launched.id, timeout=30, poll_interval=0.1)
    files = tree(hook.download_execution(launched.id, to=tmp_path))
    assert "nodes/n0/nodes/n0-0-n0/attempts/0/outputs.json" in files
    assert not any("start-node" in name for name in files)


def test_an_execution_within_an_execution(hook, registered, tmp_path):
    client = Client(registered.endpoint)
    node = core_workflow.Node(id="n0")
    node.workflow_node.launchplan_ref.CopyFrom(identifier(identifier_pb2.LAUNCH_PLAN, "demo.add_one"))
    node.workflow_node.launchplan_ref.version = "v1c"
    promise = node.inputs.add(var="a").binding.promise
    promise.node_id, promise.var = "", "a"
    client.workflow("outer.files", [node], output=("n0", "o0"))
    launched = client.launch("outer.files", a=4)
    assert client.end(launched) == "SUCCEEDED"
    client.close()
    files = tree(hook.download_execution(hook.execution_id(launched.name), to=tmp_path))
    assert json.loads(files["nodes/n0/execution/outputs.json"]) == {"o0": 4}
    assert "nodes/n0/execution/nodes/n0/attempts/0/outputs.json" in files


def test_a_table_comes_back(hook, echo, literals, tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    table = pandas.DataFrame({"n": [1, 2]})
    literal = literals(echo(TABLE, table))["a"]
    reference = FileReference(
        literal.scalar.structured_dataset.uri, "parquet", None, "", "structured dataset"
    )
    assert pandas.read_parquet(hook.download(reference, to=tmp_path / "table")).equals(table)
    one = f"{reference.uri}/00000"
    got = hook.download(FileReference(one, "parquet", None, "", "structured dataset"), to=tmp_path / "one")
    assert [path.name for path in got.iterdir()] == ["00000"]


def test_what_is_no_reference(hook, tmp_path):
    with pytest.raises(FlyteInvalidRequestError, match="no reference to a file"):
        hook.download({"uri": "s3://b/k"}, to=tmp_path)
