"""The pages of the console, asked for over HTTP."""

import http.client
import urllib.error
import urllib.request

import pytest

from airflow_flyte_provider.admin.client import Client
from airflow_flyte_provider.admin.executions import Launch, create_execution, wait
from airflow_flyte_provider.admin.registry import get_entity
from airflow_flyte_provider.admin.settings import Settings
from airflow_flyte_provider.model.identifiers import EntityId, EntityKind, ExecutionId
from airflow_flyte_provider.model.values.inputs import build_inputs

PROJECT = ("flytesnacks", "development")


@pytest.fixture
def greeting(registered):
    """An execution of `demo.greet` that is over, with an input that is HTML."""
    client = Client(Settings(registered.endpoint, insecure=True))
    plan = client.run(get_entity(EntityId(EntityKind.LAUNCH_PLAN, *PROJECT, "demo.greet")))
    inputs = build_inputs(plan.expected_inputs, plan.fixed_inputs, {"s": "<b>hello</b>"})
    launched = client.run(create_execution(Launch(ExecutionId(*PROJECT, ""), plan.id, inputs)))
    return client.run(wait(launched.id, timeout=30, poll_interval=0.1)).id


def read(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def test_an_execution_is_shown_at_the_address_that_links_lead_to(registered, greeting):
    url = Settings("x:1", console_url=registered.http_url).execution_url(greeting)
    page = read(url)
    for part in (greeting.name, "SUCCEEDED", "demo.greet version v1c", "start-node", "end-node"):
        assert part in page
    assert page.count("&lt;b&gt;hello&lt;/b&gt;") == 2  # as input and as output, and never as HTML
    assert "<b>hello" not in page


def test_the_list_leads_to_the_execution(registered, greeting):
    page = read(f"{registered.http_url}/console/projects/flytesnacks/executions")
    assert f'href="/console/projects/flytesnacks/domains/development/executions/{greeting.name}"' in page


def test_what_does_not_exist_is_not_found(registered):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        read(f"{registered.http_url}/console/projects/flytesnacks/domains/development/executions/nope")


def test_a_page_is_not_given_to_a_web_site_whose_name_leads_here(registered):
    host = registered.http_url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.request("GET", "/console/projects/flytesnacks/executions", headers={"Host": "evil.example"})
    assert connection.getresponse().status == 403
    connection.close()


def test_a_task_log_is_a_page_without_a_signature(registered):
    folder = registered.data_dir / "storage" / "logs" / "flytesnacks-development-shown"
    folder.mkdir(parents=True)
    (folder / "n0-0.log").write_text("<b>hello</b> from the task")
    (folder / "n0-0.txt").write_text("not a log")
    base = f"{registered.http_url}/console/projects/flytesnacks/domains/development/executions/shown/logs"
    page = read(f"{base}/n0-0.log")
    assert "&lt;b&gt;hello&lt;/b&gt; from the task" in page
    (registered.data_dir / "secret.log").write_text("secret")
    for elsewhere in ("n0-0.txt", "nope.log", "..%2f..%2f..%2fsecret.log", "%2e%2e"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            read(f"{base}/{elsewhere}")
