"""The connection in Airflow 2's form, in a headless Chromium: added, tested, edited."""

import pytest
from playwright.sync_api import expect

from airflow_flyte_provider.hooks.connection_form import CONNECTION_FIELDS, FIELD_BEHAVIOUR
from airflow_flyte_provider.local import LocalFlyte
from tests.conftest import DOMAIN, PROJECT
from tests.dag_runs import AIRFLOW_2
from tests.running import RunningAirflow
from tests.running.browser import open_page

pytestmark = pytest.mark.skipif(not AIRFLOW_2, reason="the form of Airflow 3 is tested with its other pages")


@pytest.fixture(scope="module")
def guarded(authority):
    """A local Flyte that speaks TLS and wants a token."""
    with LocalFlyte(auth=True, arguments=authority.sign("flyte", "127.0.0.1").arguments) as flyte:
        yield flyte


@pytest.fixture(scope="module")
def airflow():
    """A real `airflow standalone`, in which connections may be tested."""
    with RunningAirflow({}, {"AIRFLOW__CORE__TEST_CONNECTION": "Enabled"}, standalone=True) as running:
        yield running


def field(page, name):
    return page.locator(f"#extra__flyte__{name}")


def press_test(page):
    """Press the button "Test" and return what Airflow tells."""
    page.evaluate("document.querySelectorAll('.alert').forEach(told => told.remove())")
    page.locator("#test-connection").click()
    told = page.locator(".alert")
    expect(told).to_be_visible()
    return told.inner_text()


def test_every_setting_is_a_labelled_field_and_secrets_are_hidden(airflow):
    with open_page() as page:
        page.goto(f"{airflow.rest.url}/connection/add")
        page.locator("#conn_type").select_option("flyte", force=True)
        for name, told in CONNECTION_FIELDS.items():
            kind = "checkbox" if "boolean" in told["schema"]["type"] else "text"
            kind = "password" if told["schema"].get("format") == "password" else kind
            expect(field(page, name)).to_be_visible()
            assert field(page, name).get_attribute("type") == kind, name
            assert page.locator(f"label[for=extra__flyte__{name}]").inner_text().strip() == told["label"]
        for name, label in FIELD_BEHAVIOUR["relabeling"].items():
            assert page.locator(f"label[for={name}]").inner_text().strip() == label
        expect(page.locator("#schema")).to_be_hidden()


def test_a_connection_is_added_tested_and_edited(airflow, guarded, authority):
    host, _, port = guarded.endpoint.rpartition(":")
    with open_page() as page:
        page.goto(f"{airflow.rest.url}/connection/add")
        page.locator("#conn_type").select_option("flyte", force=True)
        of_it = {"conn_id": "flyte_default", "host": host, "port": port, "login": guarded.client_id}
        for name, text in {**of_it, "password": "wr0ng"}.items():
            page.locator(f"#{name}").fill(text)
        for name, text in {"project": PROJECT, "domain": DOMAIN}.items():
            field(page, name).fill(text)
        assert "comes from an authority that is not trusted. Set ca_cert_file" in press_test(page)
        field(page, "ca_cert_file").fill(str(authority.certificate))
        assert f"refused the client '{guarded.client_id}': invalid_client" in press_test(page)
        page.locator("#password").fill(guarded.client_secret)
        reached = f"at {guarded.endpoint} as {guarded.client_id}, with project {PROJECT} and domain {DOMAIN}."
        assert press_test(page).endswith(reached)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Added Row")).to_be_visible()
        page.goto(f"{airflow.rest.url}/connection/list/")
        row = page.get_by_role("row").filter(has_text="flyte_default")
        form = airflow.rest.url + row.locator("a[href*='/connection/edit/']").first.get_attribute("href")
        page.goto(form)
        expect(field(page, "ca_cert_file")).to_have_value(str(authority.certificate))
        assert guarded.client_secret not in page.content()
        field(page, "call_timeout").fill("25")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Changed Row")).to_be_visible()
        page.goto(form)
        expect(field(page, "call_timeout")).to_have_value("25")
        page.locator("#password").fill(guarded.client_secret)  # Airflow 2 tests what the form holds
        assert press_test(page).endswith(reached)
    told = airflow.rest.text("/connections/flyte_default")
    assert guarded.client_secret not in told
    assert str(authority.certificate) in told
