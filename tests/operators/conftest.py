"""The example DAGs, where Airflow finds them."""

import os
import shutil
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "example_dags"


@pytest.fixture
def examples():
    """The example DAGs, in Airflow's DAGs folder."""
    folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"], "examples")
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns("__pycache__"))
    yield folder
    shutil.rmtree(folder)
