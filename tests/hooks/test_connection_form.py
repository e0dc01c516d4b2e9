"""The form of the connection, as Airflow 2 makes it; that of Airflow 3 is seen in `tests/e2e/test_pages.py`."""

import pytest

from airflow_flyte_provider.hooks.connection_form import CONNECTION_FIELDS
from tests.dag_runs import AIRFLOW_2


@pytest.mark.skipif(not AIRFLOW_2, reason="the form of Airflow 2")
def test_airflow_2_shows_every_field_and_hides_secrets():
    from airflow.providers_manager import ProvidersManager
    from wtforms import Form

    shown = {
        name: found.field
        for name, found in ProvidersManager().connection_form_widgets.items()
        if name.startswith("extra__flyte__")
    }
    assert [name.removeprefix("extra__flyte__") for name in shown] == list(CONNECTION_FIELDS)
    assert ProvidersManager().field_behaviours["flyte"]["relabeling"]["host"] == "Admin endpoint"
    form = type(Form)("Shown", (Form,), shown)()
    for name, described in CONNECTION_FIELDS.items():
        field = form[f"extra__flyte__{name}"]
        assert (field.label.text, field.description) == (described["label"], described["description"])
        assert (field.type == "PasswordField") is (described["schema"].get("format") == "password")


def test_secrets_have_names_that_airflow_masks():
    if AIRFLOW_2:
        from airflow.utils.log.secrets_masker import should_hide_value_for_key
    else:
        try:
            from airflow._shared.secrets_masker import should_hide_value_for_key
        except ImportError:  # Airflow 3.0
            from airflow.sdk.execution_time.secrets_masker import should_hide_value_for_key
    secret = [
        name for name, field in CONNECTION_FIELDS.items() if field["schema"].get("format") == "password"
    ]
    assert secret == ["client_secret", "token"]
    assert all(map(should_hide_value_for_key, secret))
