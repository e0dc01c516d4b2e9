"""Files and tables as inputs, uploaded to a real local Flyte."""

import os
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath

from airflow_flyte_provider.exceptions import FlyteInvalidInputsError, FlyteTransferError
from airflow_flyte_provider.hooks import progress
from airflow_flyte_provider.model.files import FlyteDirectory, FlyteFile
from tests.hooks.conftest import CSV, FILE, FILES, FOLDER, MAYBE_FILE, SCHEMA, TABLE, TEXT, tree


def path_of(uri):
    return Path(uri.removeprefix("file://"))


@pytest.fixture
def uploaded(registered):
    """A function that returns all files that were ever uploaded to the local Flyte."""
    return lambda: {str(path) for path in Path(registered.data_dir, "storage/flytesnacks").rglob("*")}


@pytest.mark.parametrize("give", [str, lambda path: f"file://{path}", Path, ObjectStoragePath])
def test_a_local_file_is_uploaded(echo, literals, folder, give):
    source = folder / "sub" / "deep" / "c.bin"
    blob = literals(echo(FILE, FlyteFile(give(str(source)))))["a"].scalar.blob
    assert path_of(blob.uri) != source
    assert path_of(blob.uri).name == "c.bin"
    assert path_of(blob.uri).read_bytes() == source.read_bytes()


def test_a_path_stands_for_the_file_or_folder(echo, literals, folder):
    blob = literals(echo(FILE, folder / "a b.txt"))["a"].scalar.blob
    assert path_of(blob.uri).read_text() == "a"
    blob = literals(echo(FOLDER, folder))["a"].scalar.blob
    assert tree(path_of(blob.uri)) == tree(folder)


def test_a_format_is_told_and_checked(echo, literals, folder):
    assert literals(echo(CSV, FlyteFile(folder / "sub/b.csv")))["a"].scalar.blob.metadata.type.format == "csv"
    with pytest.raises(FlyteInvalidInputsError, match="its format is json"):
        echo(CSV, FlyteFile(folder / "sub/b.csv", format="json"))


@pytest.mark.parametrize(
    "value",
    [
        FlyteFile("s3://bucket/a.csv"),
        "s3://bucket/a.csv",
        FlyteFile(ObjectStoragePath("s3://me@bucket/a.csv")),
    ],
)
def test_a_remote_file_passes_as_it_is(echo, literals, uploaded, value):
    before = uploaded()
    assert literals(echo(FILE, value))["a"].scalar.blob.uri == "s3://bucket/a.csv"
    assert uploaded() == before


def test_a_text_passes_as_it_is(echo, literals, folder):
    source = str(folder / "a b.txt")
    assert literals(echo(FILE, source))["a"].scalar.blob.uri == source


def test_a_folder_keeps_its_shape_and_goes_to_one_place(echo, literals, folder, uploaded):
    first = literals(echo(FOLDER, FlyteDirectory(folder)))["a"].scalar.blob
    assert tree(path_of(first.uri)) == tree(folder)
    before = uploaded()
    again = literals(echo(FOLDER, FlyteDirectory(str(folder))))["a"].scalar.blob
    assert again.uri == first.uri
    assert uploaded() == before


def test_files_inside_lists_dicts_and_unions(echo, literals, folder):
    value = {"x": [FlyteFile(folder / "a b.txt"), "s3://bucket/key"], "y": []}
    entries = literals(echo(FILES, value))["a"].map.literals
    first, second = entries["x"].collection.literals
    assert path_of(first.scalar.blob.uri).read_text() == "a"
    assert second.scalar.blob.uri == "s3://bucket/key"
    union = literals(echo(MAYBE_FILE, FlyteFile(folder / "a b.txt")))["a"].scalar.union
    assert path_of(union.value.scalar.blob.uri).read_text() == "a"
    assert literals(echo(MAYBE_FILE, "text"))["a"].scalar.union.value.scalar.primitive.string_value == "text"


@pytest.mark.parametrize("kind", [TABLE, SCHEMA])
@pytest.mark.parametrize("library", ["pandas", "pyarrow"])
def test_a_table_is_uploaded_as_parquet(echo, literals, library, kind):
    pandas, pyarrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    columns = {"n": [1, 2], "s": ["x", "y"]}
    table = pandas.DataFrame(columns) if library == "pandas" else pyarrow.table(columns)
    scalar = literals(echo(kind, table))["a"].scalar
    stored = scalar.schema if kind is SCHEMA else scalar.structured_dataset
    if kind is TABLE:
        assert stored.metadata.structured_dataset_type.format == "parquet"
    assert [path.name for path in path_of(stored.uri).iterdir()] == ["00000"]  # as flytekit names it
    assert pandas.read_parquet(path_of(stored.uri)).to_dict("list") == columns


def test_a_table_has_no_place_in_a_file_or_a_text(echo):
    pandas = pytest.importorskip("pandas")
    for kind in (FILE, TEXT):
        with pytest.raises(FlyteInvalidInputsError, match=r"a: expected .* got DataFrame"):
            echo(kind, pandas.DataFrame({"n": [1]}))


def test_a_parquet_file_is_a_table(echo, literals, folder):
    stored = literals(echo(TABLE, FlyteFile(folder / "a b.txt", format="parquet")))[
        "a"
    ].scalar.structured_dataset
    assert path_of(stored.uri).name == "a b.txt"
    assert stored.metadata.structured_dataset_type.format == "parquet"


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        (FILE, FlyteFile("/nowhere/a.csv"), "no such file on this worker"),
        (FILE, FlyteFile("/tmp"), "it is a directory, give FlyteDirectory"),
        (FOLDER, FlyteDirectory("/etc/passwd"), "it is a file, give FlyteFile"),
        (FILES, {"x": ["s3://b/k", FlyteFile("/nowhere/b")]}, r"a\.x\[1\]: expected FlyteFile"),
        (TEXT, FlyteFile("/etc/passwd"), "a: expected str, got FlyteFile"),
        (FILE, FlyteDirectory("/tmp"), "give a file"),
    ],
)
def test_a_bad_file_is_told_with_its_place(echo, uploaded, kind, value, told):
    before = uploaded()
    with pytest.raises(FlyteInvalidInputsError, match=told):
        echo(kind, value)
    assert uploaded() == before


def test_nothing_is_uploaded_when_another_input_is_bad(hook, echo, folder, uploaded):
    name = hook.get_execution(echo(FILES, {})).launch_plan.name.removeprefix(".flytegen.")
    task = hook.fetch_task(name, "v1")
    before = uploaded()
    with pytest.raises(FlyteInvalidInputsError, match=r"(?s)2 faulty.*a\.x\[1\]: expected.*b: no such input"):
        hook.execute(task, {"a": {"x": [FlyteFile(folder / "a b.txt"), 5]}, "b": 1})
    assert uploaded() == before


def test_an_empty_folder_and_links_are_refused(echo, tmp_path, folder):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FlyteInvalidInputsError, match="the directory is empty"):
        echo(FOLDER, FlyteDirectory(tmp_path / "empty"))
    (folder / "link").symlink_to("/etc/passwd")
    with pytest.raises(FlyteInvalidInputsError, match="leads out of"):
        echo(FOLDER, FlyteDirectory(folder))
    (folder / "link").unlink()
    (folder / "round").symlink_to(folder)
    with pytest.raises(FlyteInvalidInputsError, match="a link to a folder"):
        echo(FOLDER, FlyteDirectory(folder))


def test_a_failed_upload_launches_nothing(hook, echo, folder, monkeypatch):
    from airflow_flyte_provider.admin import dataproxy
    from tests.faulty_store import Answer, store

    def sign(*_):
        yield from ()
        return dataproxy.UploadLocation(dataproxy.SignedUrl(to.url), "s3://b/k")

    monkeypatch.setattr(dataproxy, "create_upload_location", sign)
    monkeypatch.setattr("airflow_flyte_provider.admin.executions.create_execution", None)
    with store(Answer(403)) as to, pytest.raises(FlyteTransferError, match="403") as caught:
        echo(FILE, FlyteFile(folder / "a b.txt"))
    assert "s3cr3t" not in str(caught.value)


def test_the_progress_of_a_large_file_is_logged(echo, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(progress, "LARGE", 3_000_000)
    large = tmp_path / "large.bin"
    with large.open("wb") as made:
        os.truncate(made.fileno(), 4_000_000)
    echo(FILE, FlyteFile(large))
    said = capsys.readouterr().out
    assert "large.bin: 26 % of 4 MB" in said
    assert "large.bin: 100 % of 4 MB" in said
    assert "signature" not in said
