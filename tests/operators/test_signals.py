"""Signals in DAGs, run by real Airflow (`dag.test`) against a real local Flyte."""

import dataclasses
import enum
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from airflow_flyte_provider.admin.signals import _wait_for_gate
from airflow_flyte_provider.exceptions import FlyteConfigError
from airflow_flyte_provider.operators.arguments import as_interval, as_limit, as_seconds
from tests.asking import SIGNAL, register_asking
from tests.dag_runs import run_dag, run_file
from tests.e2e.gates import wait_for
from tests.packages import pyflyte

pytestmark = pytest.mark.usefixtures("airflow_db", "flyte_conn")

#: A DAG's part: an execution that waits for `approve-me` and then for `title`.
LAUNCH = """
launched = FlyteExecuteOperator(
    task_id="launch", launch_plan="demo.gated", inputs={"a": 4}, wait_for_completion=False
)
"""


@dataclasses.dataclass
class Size:
    """A value as workflows ask for."""

    rows: int
    scale: float


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


@pytest.fixture
def gated(hook):
    """An execution that waits for `approve-me` and `title`."""
    execution = hook.execute(hook.fetch_launch_plan("demo.gated"), {"a": 4}).id
    yield execution
    hook.terminate(execution, "the test is over")


@pytest.fixture
def asking(hook, registered):
    """A function that launches an execution which asks for a value of a Python type, as flytekit declares it."""
    from flytekit.core.type_engine import TypeEngine

    def launch(kind):
        name = f"asking.{uuid.uuid4().hex[:8]}"
        register_asking(registered.endpoint, name, TypeEngine.to_literal_type(kind).to_flyte_idl())
        return hook.execute(hook.fetch_launch_plan(name)).id

    return launch


def answer(execution, given):
    """Give the value that some Python text is to an execution that asks for one."""
    return run_dag(f"""
    FlyteSetSignalOperator(
        task_id="answer", execution={execution.name!r}, signal_id={SIGNAL!r}, value={given}, poll_interval=0.1
    )
    """)


def test_approved_and_answered_by_tasks():
    run = run_dag(
        LAUNCH
        + """
asked = FlyteSignalSensor(
    task_id="asked", execution=launched.output, signal_id="approve-me", wait_for="waiting", poke_interval=0.2
)
approved = FlyteApproveOperator(task_id="approve", execution=launched.output, signal_id="approve-me")
titled = FlyteSetSignalOperator(
    task_id="title", execution=launched.output, signal_id="title", value="Report of {{ dag.dag_id }}", poll_interval=0.1
)
done = FlyteExecutionSensor(task_id="done", execution=launched.output, poke_interval=0.2)
asked >> approved >> titled >> done
"""
    )
    assert run.state("done") == "success", run.log
    assert run.xcom("done") == {"o0": 4}
    assert run.xcom("approve") is True
    assert run.xcom("title") == f"Report of {run.run.dag_id}"
    assert run.xcom("title", "flyte_console_url") == run.xcom("launch", "flyte_console_url")


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_waiting_task_tells_of_signals_and_fails_when_rejected(hook, registered, deferrable):
    case = uuid.uuid4().hex[:8]
    before = registered.calls().get("ListSignals", 0)

    def reject():
        """Do what a person does who has read the log."""
        wait_for(lambda: registered.calls().get("ListSignals", 0) > before)
        (found,) = hook.list_executions(labels={"case": case})
        return hook.reject_signal(found.id, "approve-me", timeout=30)

    with ThreadPoolExecutor() as executor:
        rejecting = executor.submit(reject)
        run = run_dag(f"""
        FlyteExecuteOperator(
            task_id="wait",
            launch_plan="demo.gated",
            inputs={{"a": 4}},
            deferrable={deferrable},
            poll_interval=0.3,
            options={{"labels": {{"case": {case!r}}}}},
        )
        """)
        rejecting.result(60)
    assert run.state("wait") == "failed"
    assert "waiting for signal 'approve-me' (bool): answer it in the Flyte console, or by Flyte" in run.log
    assert "ReceivedRejectSignal" in run.log
    assert "received a reject signal" in run.log


@pytest.mark.parametrize(
    ("kind", "given", "told"),
    [
        (bool, "'true'", True),
        (bool, "False", False),
        (int, "'{{ 2 + 3 }}'", 5),
        (int, "5", 5),
        (float, "'2.5'", 2.5),
        (float, "2", 2.0),
        (str, "'{{ 2 + 3 }} rows'", "5 rows"),
        (datetime, "'2026-01-01'", datetime(2026, 1, 1, tzinfo=timezone.utc)),
        (datetime, "datetime(2026, 1, 1, 12)", datetime(2026, 1, 1, 12, tzinfo=timezone.utc)),
        (timedelta, "'P1DT2H'", timedelta(hours=26)),
        (timedelta, "timedelta(hours=26)", timedelta(hours=26)),
        (Colour, "'green'", "green"),
        (list[int], "[1, '{{ 1 + 1 }}']", [1, 2]),
        (list[int], "'[1, 2]'", [1, 2]),
        (dict[str, float], "{'a': 1}", {"a": 1.0}),
        (Size, "{'rows': '5', 'scale': 2}", {"rows": 5, "scale": 2.0}),
        (Size, """'{"rows": 5, "scale": 2}'""", {"rows": 5, "scale": 2.0}),
    ],
)
def test_a_value_of_each_type_arrives(hook, asking, kind, given, told):
    execution = asking(kind)
    run = answer(execution, given)
    assert run.state("answer") == "success", run.log
    assert hook.wait(execution, timeout=30, poll_interval=0.1).is_successful
    assert hook.get_outputs(execution)["o0"] == told
    assert run.xcom("answer") == told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("signal_id='titel', timeout='0'", "It waits for"),
        ("signal_id='approve-me', value='perhaps'", "takes bool and was not set"),
        ("signal_id='title', value=5", "takes str and was not set"),
        ("signal_id='title', timeout='soon'", "timeout is 'soon'"),
        ("signal_id='title', execution='nope'", "FlyteNotFoundError"),
    ],
)
def test_what_cannot_be_set_is_told(hook, gated, arguments, told):
    hook.run(_wait_for_gate(gated, "title", 30, 0.1))
    run = run_dag(f"""
    arguments = {{"value": "x", "execution": {gated.name!r}, **dict({arguments})}}
    FlyteSetSignalOperator(task_id="answer", **arguments)
    """)
    assert run.state("answer") == "failed"
    assert told in run.log
    assert not any(signal.is_set for signal in hook.list_signals(gated))


def test_flyte_takes_no_value_for_a_union(hook, asking):
    """Its check wants the declared type to fit the value's, the wrong way round: no union fits one of its variants."""
    run = answer(asking(int | None), "5")
    assert run.state("answer") == "failed"
    assert "Flyte 1.16 takes no value for a signal of a union type" in run.log


def test_what_was_answered_elsewhere_or_is_over_is_told(hook, gated):
    hook.approve_signal(gated, "approve-me", timeout=30, poll_interval=0.1)
    body = f"FlyteRejectOperator(task_id='reject', execution={str(gated)!r}, signal_id='approve-me')"
    run = run_dag(body)
    assert run.state("reject") == "failed"
    assert "has the value True already" in run.log
    assert run_dag(body.replace("Reject", "Approve")).state("reject") == "success"
    hook.terminate(gated, "not today")
    hook.wait(gated, timeout=30, poll_interval=0.1)
    run = run_dag(body)
    assert run.state("reject") == "failed"
    assert "not today" in run.log


def test_the_example_runs(registered, examples, tmp_path):
    config = tmp_path / "flyte.yaml"
    config.write_text(f"admin:\n  endpoint: dns:///{registered.endpoint}\n  insecure: true\n")
    target = ["--project", "flytesnacks", "--domain", "development", "--version", tmp_path.name]
    pyflyte("--config", str(config), "register", *target, "flyte_workflows", cwd=examples)
    run = run_file(examples / "flyte_signals.py", "flyte_signals")
    assert run.state("published") == "success", run.log
    assert run.xcom("published") == {"o0": "# Report of May"}


def test_seconds_of_an_argument():
    assert [as_seconds("timeout", given) for given in (2, "2.5", timedelta(minutes=1))] == [2.0, 2.5, 60.0]
    for wrong in ("soon", -1, "nan", None, "inf"):
        with pytest.raises(FlyteConfigError, match="timeout is"):
            as_seconds("timeout", wrong)
    assert as_limit("timeout", None) is None
    with pytest.raises(FlyteConfigError, match="more than 0"):
        as_interval("poll_interval", 0)
