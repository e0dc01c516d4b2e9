"""A DAG file is parsed again and again: what it imports must be light."""

import subprocess
import sys

import pytest

HEAVY = (
    "grpc",
    "google.protobuf",
    "flyteidl",
    "flytekit",
    "msgpack",
    "pandas",
    "pyarrow",
    "fsspec.implementations",
)
SCRIPT = """
import sys
import airflow.providers.common.compat.sdk as sdk
sdk.BaseOperator, sdk.BaseSensorOperator, sdk.BaseHook
import airflow.triggers.base
before = {name for name in sys.modules}
import %s
heavy = %r
added = sorted(name for name in set(sys.modules) - before if any((name + ".").startswith(h + ".") for h in heavy))
assert "%s" in sys.modules
print("ADDED", added)
"""


@pytest.mark.parametrize(
    "module",
    [
        "operators.flyte",
        "sensors.flyte",
        "triggers.approval",
        "triggers.flyte",
        "links.flyte",
        "model.files",
        "model.metrics.gantt",
        "model.options",
        "model.metrics.totals",
    ],
)
def test_parsing_a_dag_loads_no_grpc_protobuf_or_flytekit(module):
    name = f"airflow_flyte_provider.{module}"
    told = subprocess.run(
        [sys.executable, "-c", SCRIPT % (name, HEAVY, name)], capture_output=True, text=True, check=True
    ).stdout
    assert told.splitlines()[-1] == "ADDED []"
