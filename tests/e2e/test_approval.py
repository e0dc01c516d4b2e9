"""A person answers the gates of executions on Airflow's page, in a headless Chromium and by REST."""

import re
from datetime import datetime, timezone
from pathlib import Path

import pytest
from flyteidl.core.types_pb2 import EnumType, LiteralType, SimpleType
from playwright.sync_api import expect

from airflow_flyte_provider.model.views.executions import Execution
from scripts.gantt_picture import register
from tests.asking import SIGNAL, register_asking
from tests.conftest import connection
from tests.dag_runs import ASKS
from tests.e2e.gates import executions_of
from tests.gated_flows import approval
from tests.local.client import Client
from tests.running import RunningAirflow
from tests.running.browser import keep_picture, open_page

pytestmark = pytest.mark.skipif(not ASKS, reason="this Airflow has no page on which people are asked")

EXAMPLE = Path(__file__).parents[2] / "example_dags" / "flyte_approval.py"

ASKING = """
from datetime import datetime, timedelta, timezone
from airflow.sdk import DAG
from airflow_flyte_provider.operators.flyte import FlyteApprovalOperator, FlyteExecuteOperator

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
with DAG("gated", schedule=None, start_date=START):
    FlyteExecuteOperator(
        task_id="gated", launch_plan="demo.gated", inputs={"a": 4}, deferrable=True, poll_interval=0.5
    )
for dag_id, limits in (
    ("ask", {}),
    ("ask_in_time", {"response_timeout": 3, "default": "{{ dag_run.conf['default'] }}"}),
    ("ask_once", {"response_timeout": timedelta(seconds=3)}),
):
    with DAG(dag_id, schedule=None, start_date=START) as dag:
        FlyteApprovalOperator(
            task_id="ask",
            execution="{{ dag_run.conf['execution'] }}",
            signal_id="{{ dag_run.conf['signal'] }}",
            body="The **May** report.",
            poll_interval=0.5,
            **limits,
        )
    globals()[dag_id] = dag
"""


@pytest.fixture(scope="module")
def airflow(registered):
    """A real Airflow with `gated`, which executes `demo.gated`, and with DAGs that ask about a gate."""
    env = {"AIRFLOW_CONN_FLYTE_DEFAULT": connection(registered.endpoint, call_timeout=5)}
    with RunningAirflow({"asking.py": ASKING, "flyte_approval.py": EXAMPLE.read_text()}, env) as running:
        yield running


class Asked:
    """A run of one of the DAGs that ask."""

    def __init__(self, airflow, dag_id, run_id, task_id="ask"):
        self.airflow, self.rest, self.dag_id, self.run_id = airflow, airflow.rest, dag_id, run_id
        self.task = (dag_id, run_id, task_id)

    @property
    def question(self):
        return self.rest.question(*self.task)

    def answer(self, option, form=None):
        self.rest.answer(*self.task, option, form)

    def until_deferred(self, workers=1):
        """Wait until the task waits, and Airflow has done with the workers that it has had.

        A task that is resumed before its executor has told of the worker's end is taken for a failed one.
        """

        self.airflow.until(
            lambda: self.rest.task_state(*self.task) == "deferred" and self.workers_done >= workers,
            90,
            "it waits",
            0.3,
        )

    @property
    def workers_done(self):
        """How many of the task's workers Airflow has done with: one more where it had to wait for the gate."""
        told = (self.airflow.home / "scheduler.log").read_text(errors="replace")
        return len(re.findall(rf"Received executor event .* run_id='{self.run_id}'", told))

    def until_asked(self, workers=1):
        """Wait until there is a question without an answer."""
        self.until_deferred(workers)
        assert self.question["response_received"] is False

    @property
    def url(self):
        return f"{self.rest.url}/dags/{self.dag_id}/runs/{self.run_id}/tasks/{self.task[2]}/required_actions"

    def end(self):
        return self.airflow.end_of_run(self.dag_id, self.run_id)

    @property
    def log(self):
        return self.rest.log(*self.task)

    @property
    def result(self):
        return self.rest.xcom(*self.task)


@pytest.fixture
def ask(request, airflow):
    """A function that asks about a gate, and returns once the question is there."""

    def begin(execution, signal, dag_id="ask", *, wait=True, **conf):
        run_id = re.sub(r"\W+", "-", f"{request.node.name}-{signal}-{execution.name}")
        airflow.rest.trigger(dag_id, run_id, {"execution": str(execution), "signal": signal, **conf})
        asked = Asked(airflow, dag_id, run_id)
        if wait:
            asked.until_asked()
        return asked

    return begin


@pytest.fixture
def gated(hook):
    """An execution of `demo.gated`: it asks to approve its input, 4, and then for a title."""
    execution = hook.execute(hook.fetch_launch_plan("demo.gated"), {"a": 4}).id
    yield execution
    hook.terminate(execution, "the test is over")


def launch_gated(airflow, registered, run_id):
    """Start the DAG `gated` and return its execution."""
    airflow.rest.trigger("gated", run_id)
    airflow.until(lambda: executions_of(registered.endpoint, "gated", run_id), 90, "it is launched", 0.3)
    (execution,) = executions_of(registered.endpoint, "gated", run_id)
    return Execution.from_proto(execution).id


@pytest.fixture
def released(registered, tmp_path):
    """The workflow of the example, registered by flytekit."""
    register(registered.endpoint, str(tmp_path))


@pytest.mark.usefixtures("released")
def test_the_example_deploys_what_a_person_has_approved_on_the_page(airflow):
    airflow.rest.trigger("flyte_approval", "may")
    asked = Asked(airflow, "flyte_approval", "may", "approval")
    asked.until_asked()
    with open_page() as page:
        page.goto(asked.url)
        expect(page.get_by_text("Is the model good enough to be deployed?")).to_be_visible()
        expect(page.locator("code", has_text='"accuracy": 0.95')).to_be_visible()
        keep_picture(page, "approval.png")
        page.get_by_role("button", name="Approve", exact=True).click()
        assert asked.end() == "success", asked.log
    assert airflow.rest.xcom("flyte_approval", "may", "deploy") == {
        "o0": "deployed with an accuracy of 95.0%"
    }
    assert "Anonymous (id Anonymous) answered in Airflow: signal 'deploy-model' (bool) = True." in asked.log


def test_a_form_filled_in_on_the_page_gives_the_signal_its_value(hook, gated, ask):
    asked = ask(gated, "title")
    with open_page() as page:
        page.goto(asked.url)
        expect(page.get_by_text(f"Answer 'title' of execution {gated.name}")).to_be_visible()
        page.locator("[name=element_value]").fill("Report of May")
        page.get_by_role("button", name="Submit", exact=True).click()
        assert asked.end() == "success", asked.log
    assert asked.result["value"] == "Report of May"
    assert [one.value for one in hook.list_signals(gated)] == [None, "Report of May"]


def test_a_rejection_fails_the_task_that_launched_and_tells_why(airflow, registered, ask):
    execution = launch_gated(airflow, registered, "rejected")
    asked = ask(execution, "approve-me")
    asked.answer("Reject")
    assert (asked.end(), airflow.end_of_run("gated", "rejected")) == ("failed", "failed")
    assert "ReceivedRejectSignal" in airflow.rest.log("gated", "rejected", "gated")
    assert f"Signal 'approve-me' of execution {execution} was rejected by Anonymous." in asked.log


FORMS = {
    "bool": (LiteralType(simple=SimpleType.BOOLEAN), "No", None, False),
    "int": (LiteralType(simple=SimpleType.INTEGER), "Submit", 7, 7),
    "float": (LiteralType(simple=SimpleType.FLOAT), "Submit", 1.5, 1.5),
    "str": (LiteralType(simple=SimpleType.STRING), "Submit", "5", "5"),
    "enum": (LiteralType(enum_type=EnumType(values=["north", "south"])), "Submit", "south", "south"),
    "date": (
        LiteralType(simple=SimpleType.DATETIME),
        "Submit",
        "2026-05-01T00:00:00Z",
        datetime(2026, 5, 1, tzinfo=timezone.utc),
    ),
}


@pytest.mark.parametrize("kind", FORMS)
def test_an_input_of_each_type_is_given(registered, hook, ask, kind):
    literal_type, option, filled, value = FORMS[kind]
    register_asking(registered.endpoint, f"asking.{kind}", literal_type)
    execution = hook.execute(hook.fetch_workflow(f"asking.{kind}")).id
    asked = ask(execution, SIGNAL)
    asked.answer(option, None if filled is None else {"value": filled})
    assert asked.end() == "success", asked.log
    assert hook.wait(execution, timeout=30, poll_interval=0.2).is_successful
    assert hook.get_outputs(execution) == {"o0": value}


def test_an_answer_that_does_not_fit_is_asked_for_again(airflow, registered, hook, ask):
    register_asking(registered.endpoint, "asking.number", LiteralType(simple=SimpleType.INTEGER))
    execution = hook.execute(hook.fetch_workflow("asking.number")).id
    asked = ask(execution, SIGNAL)
    workers = asked.workers_done
    asked.answer("Submit", {"value": "many"})
    asked.until_asked(workers + 1)
    asked.answer("Submit", {"value": "8"})
    assert asked.end() == "success", asked.log
    assert hook.wait(execution, timeout=30, poll_interval=0.2).is_successful
    assert hook.get_outputs(execution) == {"o0": 8}
    assert "The answer cannot be used, and is asked for again" in asked.log
    assert "got str 'many'" in asked.log


def test_the_default_is_taken_when_nobody_answers_in_time(hook, gated, ask):
    asked = ask(gated, "approve-me", "ask_in_time", default="true")
    assert asked.end() == "success", asked.log
    assert asked.result == {
        "signal": "approve-me",
        "value": True,
        "answered_in": "default",
        "answered_by": None,
    }
    assert asked.question["chosen_options"] == ["Approve"]
    assert [signal.value for signal in hook.list_signals(gated) if signal.is_set] == [True]
    assert "Nobody answered in time, and the default was taken" in asked.log


def test_without_a_default_nobody_in_time_is_a_failure(hook, gated, ask):
    asked = ask(gated, "approve-me", "ask_once")
    assert asked.end() == "failed"
    assert "nobody answered within response_timeout=0:00:03. It goes on." in asked.log
    assert not hook.get_execution(gated).is_done


def test_an_answer_in_flyte_closes_the_question_in_airflow(hook, gated, ask):
    approval, title = ask(gated, "approve-me"), ask(gated, "title")
    hook.approve_signal(gated, "approve-me")
    hook.set_signal(gated, "title", "Report of June")
    assert (approval.end(), title.end()) == ("success", "success"), approval.log + title.log
    assert (approval.result["answered_in"], approval.result["answered_by"]) == ("flyte", None)
    closed = approval.question
    assert (closed["response_received"], closed["chosen_options"]) == (True, ["Approve"])
    assert title.question["params_input"] == {"value": "Report of June"}
    assert "Signal 'title' (str) = 'Report of June' was answered in Flyte." in title.log


def test_nobody_is_asked_before_the_gate_is_reached(registered, hook, ask):
    client = Client(registered.endpoint)
    client.workflow("asking.twice", [approval("n0", "first"), approval("n1", "second", after=("n0",))])
    client.close()
    execution = hook.execute(hook.fetch_launch_plan("asking.twice"), {"a": 4}).id
    second = ask(execution, "second", wait=False)
    second.until_deferred()
    assert second.question is None
    hook.approve_signal(execution, "first", timeout=30, poll_interval=0.2)
    second.until_asked(workers=2)
    second.answer("Approve")
    assert second.end() == "success", second.log
    assert hook.wait(execution, timeout=30, poll_interval=0.2).is_successful


def test_an_answer_is_kept_while_flyte_is_away(airflow, registered, hook, gated, ask):
    asked = ask(gated, "title")
    registered.kill()
    try:
        asked.answer("Submit", {"value": "Report of July"})
        airflow.until(lambda: "The answer could not be given yet" in asked.log, 90, "it has tried", 0.5)
    finally:
        registered.restart()
    assert asked.end() == "success", asked.log
    assert [one.value for one in hook.list_signals(gated)] == [None, "Report of July"]


def test_an_execution_that_ends_first_fails_the_task_and_tells_how(hook, gated, ask):
    asked = ask(gated, "approve-me")
    hook.terminate(gated, "the report is not needed")
    assert asked.end() == "failed"
    assert "Signal 'approve-me' got no value, and nothing waits for it any more." in asked.log
    assert "the report is not needed" in asked.log
