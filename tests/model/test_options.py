import json
from datetime import timedelta

import pytest

from airflow_flyte_provider.model.faults import ValueFaults
from airflow_flyte_provider.model.options import (
    ExecutionOptions,
    Notification,
    OAuth2Client,
    OAuth2TokenRequest,
    Secret,
    SecurityContext,
)

CLIENT = OAuth2Client("client", Secret("oauth", key="secret"))
EVERYTHING = ExecutionOptions(
    labels={"team": "sales", "example.com/cost": ""},
    annotations={"note": "any text: 100 %"},
    notifications=[
        Notification(email=["ops@example.com"], phases=["FAILED", "TIMED_OUT"]),
        Notification(slack=["channel@example.com"], phases=["SUCCEEDED"]),
        Notification(pager_duty=["pager@example.com"], phases=["ABORTED"]),
    ],
    raw_output_prefix="s3://bucket/raw",
    max_parallelism=3,
    security_context=SecurityContext(
        k8s_service_account="robot",
        iam_role="arn:role",
        oauth2_client=CLIENT,
        secrets=[Secret("db", key="password", group_version="2", mount_requirement="FILE", env_var="DB")],
        tokens=[OAuth2TokenRequest("token", CLIENT, "https://idp.example.com", "https://idp.example.com/t")],
    ),
    overwrite_cache=True,
    interruptible=False,
    envs={"MODE": "fast"},
    tags=["nightly", "paid"],
    cluster_pool="big",
    execution_cluster_label="gpu",
    queueing_budget=timedelta(minutes=10),
)


def faults_of(options):
    with pytest.raises(ValueFaults) as raised:
        ExecutionOptions.read(options, "options")
    return [str(fault) for fault in raised.value.faults]


def test_objects_and_the_dicts_of_them_are_the_same_options():
    read = ExecutionOptions.read(EVERYTHING, "options")
    assert ExecutionOptions.read(EVERYTHING.to_dict(), "options") == read
    assert json.loads(json.dumps(EVERYTHING.to_dict())) == EVERYTHING.to_dict()
    assert read.to_dict() == EVERYTHING.to_dict()


def as_text(value):
    """What a template makes of a value, however deep it stands."""
    return str(value)


@pytest.mark.parametrize("write", [as_text, json.dumps], ids=["str", "json"])
def test_texts_of_values_are_the_values(write):
    texts = {
        name: value if isinstance(value, str) else write(value)
        for name, value in EVERYTHING.to_dict().items()
    }
    assert set(map(type, texts.values())) == {str}
    assert ExecutionOptions.read(texts, "options") == ExecutionOptions.read(EVERYTHING, "options")
    assert ExecutionOptions.read(write(texts), "options") == ExecutionOptions.read(EVERYTHING, "options")


@pytest.mark.parametrize("given", [600, 600.0, "600", "0:10:00", "PT10M", timedelta(seconds=600)])
def test_a_duration_is_given_in_any_way(given):
    read = ExecutionOptions.read({"queueing_budget": given}, "options")
    assert read.queueing_budget == timedelta(minutes=10)


def test_absent_is_not_false_and_none_is_absent():
    read = ExecutionOptions.read({"interruptible": False, "overwrite_cache": None}, "options")
    assert read.to_dict() == {"interruptible": False}


def test_all_faults_are_told_by_their_paths():
    assert faults_of(
        {
            "lables": {},
            "labels": {"team sales": "x" * 64, "airflow-dag": "mine"},
            "notifications": [
                {"email": ["a@example.com"], "phases": ["FAILED", "FAILD"]},
                {"phases": ["RUNNING"]},
                {"email": [], "phases": ["FAILED"]},
                {"email": ["a@example.com"], "slack": ["b@example.com"], "phases": []},
            ],
            "max_parallelism": "-1",
            "overwrite_cache": "yes",
            "tags": "nightly",
            "envs": {"A=B": "c"},
            "security_context": {"iam_role": "", "secrets": [{"key": "k", "mount_requirement": "EVN_VAR"}]},
            "queueing_budget": "soon",
        }
    ) == [
        "options.lables: expected a known name, got an unknown one (did you mean 'labels'?)",
        "options.labels['team sales']: expected a key that Kubernetes takes, got str 'team sales' (name part must "
        "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
        "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
        "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'))",
        "options.labels['team sales']: expected a value that Kubernetes takes, "
        f"got str '{'x' * 64}' (must be no more than 63 characters)",
        "options.labels['airflow-dag']: expected a label of your own, got str 'airflow-dag' "
        "(labels that begin with airflow- tell which task launched the execution)",
        "options.notifications[0].phases[1]: expected a final phase (SUCCEEDED, FAILED, ABORTED, TIMED_OUT), "
        "got str 'FAILD' (did you mean 'FAILED'?)",
        "options.notifications[1].phases[0]: expected a final phase (SUCCEEDED, FAILED, ABORTED, TIMED_OUT), "
        "got str 'RUNNING'",
        "options.notifications[2].email: expected at least one address, got none",
        "options.notifications[3]: expected exactly one of email, slack and pager_duty, got email and slack",
        "options.max_parallelism: expected a number from 0 to 2147483647, got str '-1'",
        "options.security_context.iam_role: expected a text that is not empty, got str ''",
        "options.security_context.secrets[0].group: expected a value, got nothing",
        "options.security_context.secrets[0].mount_requirement: expected a way to mount (ANY, ENV_VAR, FILE), "
        "got str 'EVN_VAR' (did you mean 'ENV_VAR'?)",
        "options.overwrite_cache: expected bool, got str 'yes' (give 'true' or 'false')",
        "options.envs['A=B']: expected the name of an environment variable, got str",
        "options.tags: expected a list, such as ['a', 'b'], got str 'nightly'",
        "options.queueing_budget: expected a timedelta, or seconds, got str 'soon' "
        "(give a duration, such as 'P1DT2H' or '1 day, 2:00:00')",
    ]


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (
            {"notifications": [{"email": ["a"], "phases": ["FAILED"]}], "disable_notifications": True},
            "options: expected either, got notifications and disable_notifications",
        ),
        (
            {"quality_of_service": "high", "queueing_budget": 5},
            "options: expected either, got quality_of_service and queueing_budget",
        ),
        (
            {"security_context": {"secrets": [{"group": "db"}]}},
            "options.security_context: expected k8s_service_account or iam_role, got neither "
            "(without one, Flyte ignores the whole security context)",
        ),
        ({"labels": {f"l{n}": "" for n in range(17)}}, "options.labels: expected at most 16 labels, got 17"),
        ([], "options: expected ExecutionOptions or a dict, got list []"),
    ],
)
def test_what_only_shows_together_is_told(options, fault):
    assert faults_of(options) == [fault]


def test_a_class_of_another_kind_is_refused():
    assert faults_of({"notifications": [Secret("db")]})[0].startswith(
        "options.notifications[0]: expected Notification, got Secret"
    )


def test_what_may_be_secret_is_not_shown():
    assert "hunter2" not in repr(ExecutionOptions(envs={"PASSWORD": "hunter2"}))
    assert "hunter2" not in "".join(faults_of({"envs": ["hunter2"], "tags": 1}))
