"""The example workflows, registered as a user registers them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import DOMAIN, PROJECT

WORKFLOWS = Path(__file__).parents[2] / "example_dags" / "flyte_workflows"


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
