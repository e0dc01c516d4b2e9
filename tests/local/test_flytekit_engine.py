"""Real flytekit workflows that use the engine's finer points."""

from __future__ import annotations

import importlib.util
import sys
import urllib.request
from pathlib import Path

import pytest

from airflow_flyte_provider.local import LocalFlyte
from tests.local.client import Client, until

SOURCE = Path(__file__).with_name("engine_flow.py")


@pytest.fixture(scope="module")
def flow(flyte: LocalFlyte, tmp_path_factory):
    """A function that registers a workflow of the module with its code and runs it to its end."""
    from flytekit.configuration import Config, PlatformConfig
    from flytekit.remote import FlyteRemote

    platform = PlatformConfig(endpoint=flyte.endpoint, insecure=True)
    remote = FlyteRemote(
        Config(platform=platform), default_project="flytesnacks", default_domain="development"
    )
    folder = tmp_path_factory.mktemp("code")
    (folder / SOURCE.name).write_text(SOURCE.read_text())

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(folder))
        spec = importlib.util.spec_from_file_location("engine_flow", folder / SOURCE.name)
        module = importlib.util.module_from_spec(spec)
        patch.setitem(sys.modules, "engine_flow", module)
        spec.loader.exec_module(module)

        def run(name: str, **inputs):
            registered = remote.register_script(
                getattr(module, name), source_path=str(folder), module_name="engine_flow", version="engine-1"
            )
            execution = remote.execute(registered, inputs=inputs)
            until(lambda: remote.sync_execution(execution).is_done, 120)
            return remote.sync_execution(execution, sync_nodes=True)

        yield run


def test_a_map_task_with_a_bound_input_and_a_failed_element(flow) -> None:
    execution = flow("mapped", values=[2, 13], factor=5)
    assert execution.error is None
    assert execution.outputs["o0"] == [10, None]


def test_parts_of_dataclasses_lists_and_maps_are_handed_on(flow) -> None:
    execution = flow("promoted")
    assert execution.error is None
    assert execution.outputs["o0"] == "7 y 0.5 ['x', 'y'] 2"


def test_a_failure_handler_gets_the_error(flow, client: Client) -> None:
    execution = flow("handled", a=13, factor=2)
    assert "13 is unlucky" in execution.error.message
    identifier = execution.id.to_flyte_idl()
    phases = client.node_phases(identifier)
    assert phases == {"start-node": "SUCCEEDED", "n0": "FAILED", "fn0": "SUCCEEDED"}
    (attempt,) = client.attempts(identifier, "fn0")
    assert "?" not in attempt.closure.logs[0].uri  # a page of the console, without a signature
    with urllib.request.urlopen(attempt.closure.logs[0].uri) as log:
        assert b"cleaning up 13: " in log.read()
