"""Real flytekit against the local Flyte: register, execute, read back."""

from __future__ import annotations

import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest

from airflow_flyte_provider.local import LocalFlyte
from tests.local.client import until

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def remote(flyte: LocalFlyte):
    from flytekit.configuration import Config, PlatformConfig
    from flytekit.remote import FlyteRemote

    platform = PlatformConfig(endpoint=flyte.endpoint, insecure=True)
    return FlyteRemote(Config(platform=platform), default_project="flytesnacks", default_domain="development")


@pytest.fixture(scope="module")
def workflow(remote, tmp_path_factory, monkeypatch_module):
    """The demo workflow, registered with its code (fast registration)."""
    import importlib.util
    import sys

    folder = tmp_path_factory.mktemp("code")
    (folder / "demo_flow.py").write_text((HERE / "demo_flow.py").read_text())
    monkeypatch_module.chdir(folder)
    monkeypatch_module.syspath_prepend(str(folder))
    spec = importlib.util.spec_from_file_location("demo_flow", folder / "demo_flow.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["demo_flow"] = module
    spec.loader.exec_module(module)
    yield remote.register_script(
        module.doubled, source_path=str(folder), module_name="demo_flow", version="script-1"
    )
    del sys.modules["demo_flow"]


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def _finished(remote, execution):
    until(lambda: remote.sync_execution(execution).is_done, 90)
    return remote.sync_execution(execution, sync_nodes=True)


def test_a_workflow_of_python_tasks_runs(remote, workflow) -> None:
    execution = _finished(remote, remote.execute(workflow, inputs={"a": 3}))
    assert execution.outputs == {"o0": 6}
    attempt = execution.node_executions["n1"].task_executions[0]
    with urllib.request.urlopen(attempt.closure.logs[0].uri) as log:
        assert b"doubling 3" in log.read()
    assert attempt.closure.duration > timedelta(0)


def test_a_task_that_raises_fails_the_execution(remote, workflow) -> None:
    execution = _finished(remote, remote.execute(workflow, inputs={"a": 9}))
    assert "9 is too much" in execution.error.message
    assert "n1" not in execution.node_executions
    assert execution.node_executions["n0"].closure.error.message == execution.error.message
