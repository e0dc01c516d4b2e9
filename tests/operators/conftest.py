"""The example DAGs where Airflow finds them, and their workflows registered as a user registers them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import DOMAIN, PROJECT

EXAMPLES = Path(__file__).parents[2] / "example_dags"
WORKFLOWS = EXAMPLES / "flyte_workflows"


@pytest.fixture
def examples():
    """The example DAGs, in Airflow's DAGs folder."""
    folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"], "examples")
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns("__pycache__"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def example_workflows(registered, tmp_path_factory):
    """The workflows of `example_dags/flyte_workflows` on the local Flyte."""
    config = tmp_path_factory.mktemp("flyte") / "config.yaml"
    config.write_text(f"admin:\n  endpoint: dns:///{registered.endpoint}\n  insecure: true\n")
    pyflyte = [Path(sys.executable).with_name("pyflyte"), "--config", config, "register"]
    target = ["--project", PROJECT, "--domain", DOMAIN, "--version", "examples"]
    done = subprocess.run(
        [*pyflyte, *target, WORKFLOWS], cwd=WORKFLOWS.parent, env=os.environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
