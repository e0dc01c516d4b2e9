"""What Flyte names is read from a store, and from the worker's own disk only where the connection says so."""

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath
from flyteidl.core.literals_pb2 import Literal

from airflow_flyte_provider.admin.settings import Settings
from airflow_flyte_provider.exceptions import FlyteForbiddenPlaceError
from airflow_flyte_provider.hooks.flyte import FlyteHook
from airflow_flyte_provider.model.files import FileReference, FlyteDirectory, FlyteFile
from tests.conftest import connection
from tests.hooks.conftest import FILE, FOLDER, tree


@pytest.fixture
def distant(registered, monkeypatch):
    """A hook on a Flyte that is not trusted with the worker's disk."""
    monkeypatch.setenv("AIRFLOW_CONN_DISTANT", connection(registered.endpoint, local_files=False))
    return FlyteHook("distant")


@pytest.mark.parametrize("start", ["", "file://", "FILE://", "local://", "file://localhost", "memory:/"])
@pytest.mark.parametrize("kind", ["file", "directory", "value", "text", "literal", "folder", "fetched"])
def test_flyte_does_not_get_the_worker_to_read_its_own_disk(distant, tmp_path, start, kind):
    secret = tmp_path / "secret"
    secret.write_text("s3cr3t")
    uri = f"{start}{secret}"
    literal = Literal()
    literal.collection.literals.add().scalar.blob.uri = uri
    source = {
        "text": uri,
        "folder": f"{start}{tmp_path}/",
        "literal": literal,
        "fetched": None,
    }.get(kind, FileReference(uri, "", None, "", kind).to_dict())
    with pytest.raises(FlyteForbiddenPlaceError, match="'local_files' of the Airflow connection"):
        distant.fetch(uri) if kind == "fetched" else distant.download(source, to=tmp_path / "got")
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_nor_tell_whether_a_file_is_there(distant, hook, echo, folder, tmp_path):
    with pytest.raises(FlyteForbiddenPlaceError):
        distant.download("/nowhere", to=tmp_path / "got")
    execution = echo(FILE, FlyteFile(folder / "sub/b.csv"))
    assert hook.get_outputs(execution)["a"].size == 1
    assert distant.get_outputs(execution)["a"].size is None
    assert distant.get_xcom(execution, None)["a"]["size"] is None


def test_an_execution_that_names_local_files_is_not_downloaded(distant, echo, folder, tmp_path):
    execution = echo(FOLDER, FlyteDirectory(folder))
    with pytest.raises(FlyteForbiddenPlaceError):
        distant.download_execution(execution, to=tmp_path / "got")
    assert not (tmp_path / "got").exists()


def test_what_the_author_names_is_read_all_the_same(distant, folder, tmp_path):
    assert distant.download(folder / "sub/b.csv", to=tmp_path / "b").read_text() == "b"
    here = ObjectStoragePath(f"file://{folder}/sub/b.csv")
    assert distant.download(here, to=tmp_path / "c").read_text() == "b"
    assert tree(distant.download(folder, to=tmp_path / "d")) == tree(folder)


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize(
    "uri",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:1/x",
        "ftp://host/x",
        "ssh://host/x",
        "sftp://host/x",
        "smb://host/x",
        "github://owner:repo@/x",
        "data://,abc",
        "simplecache::file:///etc/passwd",
        "filecache::s3://bucket/x",
        "zip://x::file:///etc/passwd",
        "s3://bucket/x.zip::file:///etc/passwd",
    ],
)
def test_other_schemes_and_chained_urls_are_refused(hook, distant, tmp_path, uri, trusted):
    asked = hook if trusted else distant
    for source in (uri, FileReference(uri, "", None, "", "directory")):
        with pytest.raises(FlyteForbiddenPlaceError, match=r"no file in an object store \(s3, "):
            asked.download(source, to=tmp_path / "got")
    assert list(tmp_path.iterdir()) == []


def test_flyte_does_not_choose_an_airflow_connection(hook, tmp_path):
    with pytest.raises(FlyteForbiddenPlaceError, match="names an Airflow connection"):
        hook.download(FileReference("s3://admins_aws@bucket/x", "", None, "", "file"), to=tmp_path / "got")


@pytest.mark.parametrize(
    ("host", "extra", "allowed"),
    [
        ("127.0.0.1", {}, True),
        ("127.8.0.1:30080", {}, True),
        ("localhost", {}, True),
        ("::1", {}, True),
        ("flyte.example.com", {}, False),
        ("127.0.0.1.example.com", {}, False),
        ("localhost.example.com", {}, False),
        ("10.0.0.1", {}, False),
        ("0.0.0.0", {}, False),
        ("localhost", {"local_files": False}, False),
        ("localhost", {"local_files": "false"}, False),
        ("flyte.example.com", {"local_files": True}, True),
        ("flyte.example.com", {"local_files": "true"}, True),
        ("flyte.example.com", {"local_files": ""}, False),
    ],
)
def test_only_a_flyte_on_this_machine_has_its_disk_by_default(host, extra, allowed):
    settings = Settings.from_fields(conn_id="c", host=host, port=None, extra=extra)
    assert settings.local_files is allowed
