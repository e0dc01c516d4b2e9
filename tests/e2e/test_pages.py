"""The connection and the links on Airflow's own pages, in a headless Chromium and by REST, and nothing secret there."""

import base64
import json
import re
import shutil
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from airflow_flyte_provider.hooks.connection_form import CONNECTION_FIELDS
from airflow_flyte_provider.local import LocalFlyte
from airflow_flyte_provider.model.views.executions import Execution
from tests.conformance.sign_in import token
from tests.conftest import DOMAIN, PROJECT, connection, register_demo
from tests.dag_runs import AIRFLOW_2
from tests.e2e.gates import executions_of, open_gates
from tests.operators.flaky import Flaky
from tests.running import RunningAirflow
from tests.running.browser import keep_picture, open_page

pytestmark = pytest.mark.skipif(AIRFLOW_2, reason="Airflow 2 has other pages")

EXAMPLES = Path(__file__).parents[2] / "example_dags"
PROXY_TOKEN = "pr0xy-t0ken-of-these-pages"

#: `shown` and `gated` run by the connection that the form makes; `failing` by one to a Flyte without sign-in.
DAGS = """
from datetime import datetime, timezone
from airflow.sdk import DAG
from airflow_flyte_provider.operators.flyte import FlyteExecuteOperator, FlyteTerminateOperator
from airflow_flyte_provider.sensors.flyte import FlyteExecutionSensor

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
HOW = {{"deferrable": True, "poll_interval": 0.5}}
with DAG("shown", schedule=None, start_date=START):
    add = FlyteExecuteOperator(task_id="add", launch_plan="demo.add_one", inputs={{"a": "{{{{ 4 + 1 }}}}"}}, **HOW)
    execution = "{{{{ ti.xcom_pull('add', key='flyte_execution_id') }}}}"
    add >> FlyteExecutionSensor(task_id="wait", execution=execution)
    add >> FlyteTerminateOperator(task_id="stop", execution=execution)
    FlyteExecuteOperator.partial(task_id="each", launch_plan="demo.add_one").expand(inputs=[{{"a": 1}}, {{"a": 2}}])
with DAG("failing", schedule=None, start_date=START):
    FlyteExecuteOperator.partial(
        task_id="work", launch_plan={flaky!r}, flyte_conn_id="flyte_open", **HOW
    ).expand(inputs=[{{"a": 7}}])
for dag_id, deferrable in (("running", False), ("deferred", True)):
    with DAG(dag_id, schedule=None, start_date=START) as dag:
        FlyteExecuteOperator(
            task_id="gated",
            launch_plan="demo.gated",
            inputs={{"a": 4}},
            flyte_conn_id="flyte_open",
            deferrable=deferrable,
            poll_interval=0.5,
        )
    globals()[dag_id] = dag
"""


@pytest.fixture(scope="module")
def guarded():
    """A local Flyte that wants a token."""
    with LocalFlyte(auth=True) as flyte:
        register_demo(flyte.endpoint, [("authorization", f"Bearer {token(flyte)}")])
        yield flyte


@pytest.fixture(scope="module")
def airflow(registered, tmp_path_factory):
    """A real `airflow standalone`, in which connections may be tested."""
    flaky = Flaky(registered.endpoint, tmp_path_factory.mktemp("flaky"))
    env = {
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW_CONN_FLYTE_OPEN": connection(registered.endpoint, console_url=registered.http_url),
    }
    with RunningAirflow({"pages.py": DAGS.format(flaky=flaky.name)}, env, standalone=True) as running:
        yield running


class Form:
    """Airflow's form of a connection, open on a page."""

    def __init__(self, page):
        self.dialog = page.get_by_role("dialog")

    def open_extras(self):
        self.dialog.get_by_role("button", name="Extra Fields", exact=True).click()
        expect(self.field("element_project")).to_be_visible()

    def field(self, name):
        return self.dialog.locator(f"[name={name}]")

    def fill(self, **fields):
        for name, text in fields.items():
            self.field(name).fill(text)

    def save(self):
        self.dialog.get_by_role("button", name="Save").click()
        expect(self.dialog).to_be_hidden()


def add_by_form(page, guarded, proxy_command):
    """Add `flyte_default` to a Flyte that wants a token, as a user does."""
    host, _, port = guarded.endpoint.rpartition(":")
    page.get_by_role("button", name="Add Connection").click()
    form = Form(page)
    form.fill(connection_id="flyte_default")
    form.dialog.get_by_role("combobox").click()
    page.keyboard.type("flyte")
    page.keyboard.press("Enter")
    form.fill(host=host, port=port, login=guarded.client_id, password=guarded.client_secret)
    form.open_extras()
    for name, told in CONNECTION_FIELDS.items():
        is_secret = told["schema"].get("format") == "password"
        kind = form.field(f"element_{name}").get_attribute("type")
        assert (kind == "password") is is_secret, name
        assert form.dialog.get_by_text(told["label"], exact=True).count() == 1, name
    form.field("element_insecure").locator("xpath=..").click()
    form.fill(
        element_project=PROJECT,
        element_domain=DOMAIN,
        element_console_url=guarded.http_url,
        element_proxy_command=proxy_command,
    )
    form.field("element_project").scroll_into_view_if_needed()
    keep_picture(page, "connection-form.png", 800)
    form.save()


def press_test(page):
    """Press the button "Test Connection" and return what Airflow tells."""
    page.get_by_role("button", name="Test Connection").click()
    told = page.get_by_role("status").filter(has_text="Test Connection")
    expect(told).to_be_visible()
    return told.inner_text()


@pytest.fixture(scope="module")
def added(airflow, guarded, tmp_path_factory):
    """The connection `flyte_default`, added by the form. Its value is what the test of it told."""
    kept = tmp_path_factory.mktemp("proxy") / "token"
    kept.write_text(PROXY_TOKEN)
    with open_page() as page:
        page.goto(f"{airflow.rest.url}/connections")
        add_by_form(page, guarded, json.dumps(["cat", str(kept)]))
        told = press_test(page)
        keep_picture(page, "connection-test.png", 800)
    return told


@pytest.fixture(scope="module")
def shown(airflow, added):
    """The run of `shown`, which is over."""
    airflow.rest.trigger("shown", "one")
    state = airflow.end_of_run("shown", "one")
    assert state == "success", airflow.rest.log("shown", "one", "add")
    return "shown", "one"


def test_the_connection_made_by_the_form_is_tested(added, guarded):
    assert "Success" in added
    assert (
        f"at {guarded.endpoint} as {guarded.client_id}, with project {PROJECT} and domain {DOMAIN}." in added
    )


def test_an_edit_by_the_form_keeps_the_secrets_it_does_not_show(airflow, added):
    with open_page() as page:
        page.goto(f"{airflow.rest.url}/connections")
        page.get_by_role("button", name="Edit Connection").click()
        form = Form(page)
        assert form.field("password").input_value() == "***"
        form.open_extras()
        assert form.field("element_proxy_command").input_value() == "***"
        form.fill(element_call_timeout="25")
        form.save()
        assert "Success" in press_test(page)
    assert '\\"call_timeout\\": \\"25\\"' in airflow.rest.text("/connections/flyte_default")


def test_every_task_that_is_about_an_execution_has_its_link(airflow, guarded, shown):
    rest = airflow.rest

    def console(task_id, map_index=-1):
        links = rest.links(*shown, task_id, map_index)
        assert not links.get("Failing node's log")
        return links["Flyte Console"]

    base = f"{guarded.http_url}/console/projects/{PROJECT}/domains/{DOMAIN}/executions/"
    add = base + rest.xcom(*shown, "add", "flyte_execution_name")
    assert [console(task_id) for task_id in ("add", "wait", "stop")] == [add] * 3
    mapped = [base + rest.xcom(*shown, "each", "flyte_execution_name", index) for index in (0, 1)]
    assert [console("each", index) for index in (0, 1)] == mapped
    assert len({add, *mapped}) == 3


@pytest.fixture(scope="module")
def examples(airflow, added):
    """The example DAGs. One of them registers what the others execute, by the connection that the form has made."""
    shutil.copytree(EXAMPLES, airflow.dags_folder / EXAMPLES.name)
    airflow.until(lambda: {"flyte_register", "flyte_execute"} <= airflow.rest.dags(), 120, "it knows them")
    airflow.rest.trigger("flyte_register", "one")
    assert airflow.end_of_run("flyte_register", "one", 240) == "success"


@pytest.mark.usefixtures("examples")
def test_the_example_is_run_by_the_page_and_leads_to_the_console(airflow, guarded):
    # The local Flyte's console asks for what its clients sign in with.
    who = {"username": guarded.client_id, "password": guarded.client_secret, "origin": guarded.http_url}
    with open_page(who) as page:
        page.goto(f"{airflow.rest.url}/dags/flyte_execute")
        page.get_by_role("button", name="Trigger Dag").click()
        page.get_by_role("dialog").get_by_role("button", name="Trigger", exact=True).click()
        airflow.until(lambda: airflow.rest.run_states("flyte_execute"), 60, "it runs", 0.3)
        (run_id,) = airflow.rest.run_states("flyte_execute")
        assert airflow.end_of_run("flyte_execute", run_id) == "success"
        page.goto(f"{airflow.rest.url}/dags/flyte_execute/runs/{quote(run_id)}/tasks/sales_report")
        expect(page.get_by_text("n1 (best_day)")).to_be_visible()
        keep_picture(page, "example-log.png", 640)
        page.get_by_role("link", name="Details", exact=True).click()
        with page.expect_popup() as opened:
            page.get_by_role("link", name="Flyte Console").click()
        console = opened.value
        name = airflow.rest.xcom("flyte_execute", run_id, "sales_report", "flyte_execution_name")
        assert console.url.startswith(f"{guarded.http_url}/console/projects/{PROJECT}/domains/{DOMAIN}/")
        for shown in (name, "SUCCEEDED", "best_day"):
            expect(console.get_by_text(shown).first).to_be_visible()
        keep_picture(console, "example-console.png", 380)


def test_a_failed_task_shows_its_execution_and_the_log_of_the_failing_node(airflow, registered):
    rest, task = airflow.rest, ("failing", "one", "work")
    rest.trigger("failing", "one")
    assert airflow.end_of_run("failing", "one") == "failed"
    # Airflow stores the links of a task once more when it has ended
    airflow.until(lambda: all(rest.links(*task, 0).values()), 30, "it has its links", 0.3)
    name = rest.xcom(*task, "flyte_execution_name", 0)
    console = f"{registered.http_url}/console/projects/{PROJECT}/domains/{DOMAIN}/executions/{name}"
    links = rest.links(*task, 0)
    assert links["Flyte Console"] == console
    assert links["Failing node's log"].startswith(f"{console}/logs/n2-")
    with open_page() as page:
        page.goto("{}/dags/{}/runs/{}/tasks/{}/mapped/0/details".format(rest.url, *task))
        for link, shown in (("Flyte Console", name), ("Failing node's log", "n2-")):
            button = page.get_by_role("link", name=link)
            expect(button).to_be_visible()
            with page.expect_popup() as opened:
                button.click()
            expect(opened.value.get_by_text(shown).first).to_be_visible()
        keep_picture(page, "task-links.png")


@pytest.mark.parametrize("mode", ["running", "deferred"])
def test_the_link_is_there_while_the_task_waits_and_after(airflow, registered, mode):
    rest, task = airflow.rest, (mode, "one", "gated")
    rest.trigger(mode, "one")
    airflow.until(
        lambda: rest.task_state(*task) == mode and rest.links(*task)["Flyte Console"], 90, "it waits", 0.3
    )
    (execution,) = executions_of(registered.endpoint, mode, "one")
    link = rest.links(*task)["Flyte Console"]
    assert link.endswith(f"/executions/{Execution.from_proto(execution).id.name}")
    open_gates(registered.endpoint, execution)
    assert airflow.end_of_run(mode, "one") == "success"
    assert rest.links(*task)["Flyte Console"] == link


def everything_told(airflow, dag_id, run_id):
    """Return all that Airflow tells of a run and its connection: pages of the API, and the files it has kept."""
    rest = airflow.rest
    yield rest.text("/connections")
    yield rest.text("/connections/flyte_default")
    run = f"/dags/{dag_id}/dagRuns/{run_id}"
    for one in rest.task_instances(dag_id, run_id):
        task = f"{run}/taskInstances/{one.task_id}"
        mapped = f"{task}/{one.map_index}" if one.map_index >= 0 else task
        yield rest.text(mapped)  # with its rendered templates
        yield rest.text(f"{task}/links", map_index=one.map_index)
        yield rest.text(f"{task}/logs/1", map_index=one.map_index, full_content="true")
        entries = json.loads(rest.text(f"{task}/xcomEntries", map_index=one.map_index))["xcom_entries"]
        for entry in entries:
            yield rest.text(f"{task}/xcomEntries/{entry['key']}", map_index=one.map_index)
    for path in airflow.home.rglob("*"):
        if path.is_file():
            yield path.read_bytes().decode(errors="replace")


def audiences(text):
    """Return whom the tokens (JWT) in a text are for."""
    for claims in re.findall(r"eyJ[\w-]{8,}\.(eyJ[\w-]{8,})\.", text):
        yield json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))).get("aud")


def test_nothing_secret_is_told_of_a_run(airflow, guarded, shown):
    told = list(everything_told(airflow, *shown))
    assert any("demo.add_one" in text and "rendered_fields" in text for text in told)  # the right places
    assert any('"password":"***"' in text for text in told)
    (ours,) = audiences(token(guarded))
    assert ours
    for text in told:
        assert guarded.client_secret not in text
        assert PROXY_TOKEN not in text
        assert ours not in audiences(text)
