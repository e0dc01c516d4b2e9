"""Echo tasks that take and return files, on the local Flyte."""

import uuid

import fsspec
import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath
from flyteidl.core.types_pb2 import BlobType, LiteralType, SchemaType, StructuredDatasetType, UnionType

from airflow_flyte_provider.admin import transfer
from airflow_flyte_provider.model.phases import ExecutionPhase
from tests.local.client import Client
from tests.packages import files_of, write_archive

FILE = LiteralType(blob=BlobType(dimensionality=BlobType.SINGLE))
CSV = LiteralType(blob=BlobType(dimensionality=BlobType.SINGLE, format="csv"))
FOLDER = LiteralType(blob=BlobType(dimensionality=BlobType.MULTIPART))
TABLE = LiteralType(structured_dataset_type=StructuredDatasetType())
SCHEMA = LiteralType(schema=SchemaType())
TEXT = LiteralType(simple="STRING")
FILES = LiteralType(map_value_type=LiteralType(collection_type=FILE))
MAYBE_FILE = LiteralType(union_type=UnionType(variants=[TEXT, FILE]))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(transfer, "_FIRST_PAUSE", 0.001)


@pytest.fixture
def client(registered):
    """Raw calls on the local Flyte."""
    made = Client(registered.endpoint)
    yield made
    made.close()


@pytest.fixture
def echo(hook, registered):
    """A function that runs a value through Flyte: `echo(type, value)` returns the execution."""

    def run(literal_type, value):
        name = f"echo.{uuid.uuid4().hex[:8]}"
        client = Client(registered.endpoint)
        client.task(name, literal_type)
        client.close()
        launched = hook.execute(hook.fetch_task(name, "v1"), {"a": value})
        done = hook.wait(launched.id, timeout=30, poll_interval=0.05)
        assert done.phase is ExecutionPhase.SUCCEEDED, done
        return launched.id

    return run


@pytest.fixture
def literals(hook):
    """A function that returns the outputs of an execution as literals."""
    from airflow_flyte_provider.admin import executions

    return lambda execution: hook.run(executions.get_data(execution))[1].literals


@pytest.fixture
def bucket():
    """An object store that Airflow knows: `memory://bucket`."""
    try:
        from airflow.sdk.io import attach
    except ImportError:
        from airflow.io.store import attach

    files = fsspec.filesystem("memory")
    attach("memory", fs=files)
    yield ObjectStoragePath("memory://bucket/in")
    files.store.clear()
    files.pseudo_dirs[:] = [""]


@pytest.fixture
def edited(packages, tmp_path):
    """A function that writes `plain.tgz` with changes to its files: `edited(lambda files: ...)`."""

    def write(change):
        files = files_of(packages / "plain.tgz")
        change(files)
        return write_archive(tmp_path / "edited.tgz", files.items())

    return write


@pytest.fixture
def folder(tmp_path):
    """A folder with files at two depths."""
    root = tmp_path / "given"
    (root / "sub" / "deep").mkdir(parents=True)
    (root / "a b.txt").write_text("a")
    (root / "sub" / "b.csv").write_text("b")
    (root / "sub" / "deep" / "c.bin").write_bytes(bytes(range(256)))
    return root


def tree(root):
    """Return the files below a folder with their content."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }
