"""What all tests share: an Airflow home of their own, and a local Flyte with entities registered."""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

# Airflow reads its home when it is imported, and a test must never read or write the one of whoever runs it.
_home = tempfile.mkdtemp(prefix="airflow-home-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ.update(
    AIRFLOW_HOME=_home,
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__DAGS_FOLDER=str(Path(_home, "dags")),
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{_home}/airflow.db",
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
)
Path(_home, "dags").mkdir()
for _name in [name for name in os.environ if name.startswith("AIRFLOW_CONN_")]:
    del os.environ[_name]

RECORDINGS = Path(__file__).parent / "conformance" / "recordings"
PROJECT, DOMAIN, VERSION = "flytesnacks", "development", "v1c"


def register_demo(endpoint, metadata=()):
    """Register what the recording `register` registers: `demo.add_one`, `demo.greet`, `demo.gated` and others.

    :param metadata: what the calls carry, where the Flyte asks for a token.
    """
    import grpc
    from flyteidl.admin import launch_plan_pb2, task_pb2, workflow_pb2
    from flyteidl.service.admin_pb2_grpc import AdminServiceStub
    from google.protobuf.json_format import ParseDict

    requests = {
        "CreateTask": task_pb2.TaskCreateRequest,
        "CreateWorkflow": workflow_pb2.WorkflowCreateRequest,
        "CreateLaunchPlan": launch_plan_pb2.LaunchPlanCreateRequest,
    }
    with grpc.insecure_channel(endpoint) as channel:
        stub = AdminServiceStub(channel)
        for line in (RECORDINGS / "register.jsonl").read_text().splitlines():
            call = json.loads(line)
            method = call["method"].rpartition("/")[2]
            if method in requests and "response" in call:
                request = ParseDict(call["request"], requests[method]())
                getattr(stub, method)(request, metadata=metadata)


@pytest.fixture(scope="session")
def registered(local_flyte):
    """The local Flyte, with the entities of `register_demo`."""
    register_demo(local_flyte.endpoint)
    return local_flyte


def connection(endpoint, **extra):
    """Return an Airflow connection to a plaintext Flyte, as the JSON of an AIRFLOW_CONN_ variable."""
    host, _, port = endpoint.rpartition(":")
    fields = {"project": PROJECT, "domain": DOMAIN, "insecure": True, **extra}
    return json.dumps({"conn_type": "flyte", "host": host, "port": int(port), "extra": fields})


@pytest.fixture
def flyte_conn(registered, monkeypatch):
    """The Airflow connection `flyte_default` to the local Flyte."""
    monkeypatch.setenv("AIRFLOW_CONN_FLYTE_DEFAULT", connection(registered.endpoint))
    return registered


@pytest.fixture
def hook(flyte_conn):
    """A hook on the local Flyte."""
    from airflow_flyte_provider.hooks.flyte import FlyteHook

    return FlyteHook()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """An authority that signs certificates."""
    from tests.certificates import CertificateAuthority

    return CertificateAuthority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def airflow_db():
    """Airflow's database, made once for all tests of this process that run DAGs."""
    airflow = Path(sys.executable).with_name("airflow")
    subprocess.run([airflow, "db", "migrate"], check=True, capture_output=True)
    return Path(_home)


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    """A folder with the packages of `tests.packages.write_packages`."""
    from tests.packages import write_packages

    folder = tmp_path_factory.mktemp("packages")
    write_packages(folder)
    return folder
