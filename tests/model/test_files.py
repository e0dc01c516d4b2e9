"""Files as values: light to import, rendered by Airflow, and JSON in XCom."""

import json
import subprocess
import sys

import pytest

from airflow_flyte_provider.model.files import FileReference, FlyteDirectory, FlyteFile

REFERENCE = FileReference("s3://b/x.csv", "csv", 5, "flyte://v1/p/d/e/n0/o/o0", "file")


def test_the_module_loads_nothing_but_the_standard_library():
    code = (
        "import sys; before = set(sys.modules); import airflow_flyte_provider.model.files;"
        "print([m for m in set(sys.modules) - before if m.partition('.')[0] not in sys.stdlib_module_names])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = [name for name in eval(told) if not name.startswith("airflow_flyte_provider")]
    assert loaded == []


@pytest.mark.parametrize("made", [FlyteFile, FlyteDirectory])
def test_airflow_renders_a_template_inside(made):
    from airflow.providers.standard.operators.empty import EmptyOperator

    task = EmptyOperator(task_id="t")
    rendered = task.render_template({"f": [made("/data/{{ ds }}.csv", "csv")]}, {"ds": "2026-01-01"})
    assert rendered == {"f": [made("/data/2026-01-01.csv", "csv")]}


def test_a_reference_goes_through_json():
    again = FileReference.from_dict(json.loads(json.dumps(REFERENCE.to_dict())))
    assert again == REFERENCE


@pytest.mark.parametrize("content", [{}, {"uri": "x"}, {**REFERENCE.to_dict(), "kind": "else"}])
def test_another_dict_is_no_reference(content):
    with pytest.raises(ValueError, match="no reference"):
        FileReference.from_dict(content)
