"""FlyteApprovalOperator as far as it needs no running Airflow; the rest is in tests/e2e/test_approval.py."""

from types import SimpleNamespace

import pytest

from airflow_flyte_provider.exceptions import FlyteConfigError
from airflow_flyte_provider.operators import approval
from airflow_flyte_provider.operators.flyte import FlyteApprovalOperator
from tests.dag_runs import ASKS


@pytest.mark.parametrize("version", ["2.11.0", "3.0.6"] if ASKS else [approval.airflow_version])
def test_an_airflow_that_cannot_ask_is_told_when_the_dag_is_parsed(monkeypatch, version):
    monkeypatch.setattr(approval, "airflow_version", version)
    with pytest.raises(
        FlyteConfigError,
        match=rf"'ask': FlyteApprovalOperator needs Airflow 3\.1 or newer, this is {version}",
    ):
        FlyteApprovalOperator(task_id="ask", execution="x", signal_id="title")


@pytest.mark.skipif(not ASKS, reason="this Airflow cannot ask")
@pytest.mark.usefixtures("flyte_conn")
@pytest.mark.parametrize(
    ("event", "ours"),
    [
        ({"chosen_options": ["Approve"]}, True),  # Airflow 3.3 itself tells of the answer, and not of what
        ({"execution": "flytesnacks/development/x", "signal": "title", "question": ""}, True),
        ({"execution": "flytesnacks/development/x", "signal": "title", "question": "ti-1"}, True),
        ({"execution": "flytesnacks/development/x", "signal": "title", "question": "ti-2"}, False),
        ({"execution": "flytesnacks/development/x", "signal": "other", "question": ""}, False),
        ({"execution": "flytesnacks/development/y", "signal": "title", "question": ""}, False),
    ],
)
def test_the_answer_to_another_question_is_not_taken_for_this_ones(event, ours):
    operator = FlyteApprovalOperator(task_id="ask", execution="x", signal_id="title")
    assert operator._is_ours(event, {"ti": SimpleNamespace(id="ti-1")}) is ours
