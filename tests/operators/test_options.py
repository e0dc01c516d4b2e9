"""Every option of an execution, from a DAG to Flyte and back."""

import pytest
from flyteidl.admin import execution_pb2
from flyteidl.core import identifier_pb2
from google.protobuf.json_format import ParseDict

from airflow_flyte_provider.operators.flyte import EXECUTION_NAME_KEY
from tests.dag_runs import run_dag
from tests.local.client import Client

pytestmark = pytest.mark.usefixtures("airflow_db", "flyte_conn")

# Half of the values are made by templates, at every depth.
AS_OBJECT = """
from airflow_flyte_provider.model.options import (
    ExecutionOptions, Notification, OAuth2Client, OAuth2TokenRequest, Secret, SecurityContext
)
client = OAuth2Client("client", Secret("{{ 'oauth' }}", key="secret"))
options = ExecutionOptions(
    labels={"team": "{{ 'sales' }}", "example.com/cost": "7"},
    annotations={"note": "run of {{ ds_nodash[:0] }}today"},
    notifications=[
        Notification(email=["{{ 'ops' }}@example.com"], phases=["{{ 'FAILED' }}", "TIMED_OUT"]),
        Notification(slack=["channel@example.com"], phases="{{ ['SUCCEEDED'] }}"),
        Notification(pager_duty=["pager@example.com"], phases=["ABORTED"]),
    ],
    raw_output_prefix="s3://{{ 'bucket' }}/raw",
    max_parallelism="{{ 1 + 2 }}",
    security_context=SecurityContext(
        k8s_service_account="{{ 'robot' }}",
        iam_role="arn:role",
        oauth2_client=client,
        secrets=[Secret("db", key="password", group_version="2", mount_requirement="{{ 'FILE' }}", env_var="DB")],
        tokens=[OAuth2TokenRequest("token", client, "https://idp.example.com", "https://idp.example.com/t")],
    ),
    overwrite_cache="{{ params.get('fresh', True) }}",
    interruptible=False,
    envs={"MODE": "{{ 'fast' }}"},
    tags="{{ ['nightly', 'paid'] }}",
    cluster_pool="big",
    execution_cluster_label="{{ 'gpu' }}",
    queueing_budget=timedelta(minutes=10),
)
"""
WITH_DISABLED = """
options = {"disable_notifications": "{{ True }}", "quality_of_service": "{{ 'high' }}", "interruptible": "true"}
"""
CLIENT = {"client_id": "client", "client_secret": {"group": "oauth", "key": "secret"}}
EXPECTED = {
    "annotations": {"values": {"note": "run of today"}},
    "notifications": {
        "notifications": [
            {"phases": ["FAILED", "TIMED_OUT"], "email": {"recipients_email": ["ops@example.com"]}},
            {"phases": ["SUCCEEDED"], "slack": {"recipients_email": ["channel@example.com"]}},
            {"phases": ["ABORTED"], "pager_duty": {"recipients_email": ["pager@example.com"]}},
        ]
    },
    "raw_output_data_config": {"output_location_prefix": "s3://bucket/raw"},
    "max_parallelism": 3,
    "security_context": {
        "run_as": {"k8s_service_account": "robot", "iam_role": "arn:role", "oauth2_client": CLIENT},
        "secrets": [
            {
                "group": "db",
                "key": "password",
                "group_version": "2",
                "mount_requirement": "FILE",
                "env_var": "DB",
            }
        ],
        "tokens": [
            {
                "name": "token",
                "client": CLIENT,
                "idp_discovery_endpoint": "https://idp.example.com",
                "token_endpoint": "https://idp.example.com/t",
            }
        ],
    },
    "overwrite_cache": True,
    "interruptible": False,
    "envs": {"values": [{"key": "MODE", "value": "fast"}]},
    "tags": ["nightly", "paid"],
    "cluster_assignment": {"cluster_pool_name": "big"},
    "execution_cluster_label": {"value": "gpu"},
    "quality_of_service": {"spec": {"queueing_budget": "600s"}},
}
EXPECTED_DISABLED = {
    "disable_all": True,
    "quality_of_service": {"tier": "HIGH"},
    "interruptible": True,
    "max_parallelism": 25,
    "security_context": {"run_as": {}},
}
LAUNCH = """
FlyteExecuteOperator(
    task_id="add", launch_plan="demo.add_one", inputs={"a": 1}, options=options, poll_interval=0.1
)
"""


def execution_of(name, endpoint):
    client = Client(endpoint)
    try:
        return client.execution(
            identifier_pb2.WorkflowExecutionIdentifier(project="flytesnacks", domain="development", name=name)
        )
    finally:
        client.close()


@pytest.mark.parametrize(
    ("options", "expected", "own_labels"),
    [
        (AS_OBJECT, EXPECTED, {"team": "sales", "example.com/cost": "7"}),
        (AS_OBJECT + "options = options.to_dict()", EXPECTED, {"team": "sales", "example.com/cost": "7"}),
        (
            AS_OBJECT + "options = str(options.to_dict())",
            EXPECTED,
            {"team": "sales", "example.com/cost": "7"},
        ),
        (WITH_DISABLED, EXPECTED_DISABLED, {}),
    ],
    ids=["object", "dict", "text", "disabled"],
)
def test_every_option_reaches_flyte(registered, options, expected, own_labels):
    run = run_dag(options + LAUNCH)
    assert run.state("add") == "success", run.log
    found = execution_of(run.xcom("add", EXECUTION_NAME_KEY), registered.endpoint)
    labels = dict(found.spec.labels.values)
    assert {key: value for key, value in labels.items() if not key.startswith("airflow-")} == own_labels
    assert labels["airflow-task"] == "add"
    for field in ("metadata", "launch_plan", "labels"):
        found.spec.ClearField(field)
    assert found.spec == ParseDict(expected, execution_pb2.ExecutionSpec())
    assert list(found.closure.notifications) == list(found.spec.notifications.notifications)


def test_rendering_for_one_mapped_task_does_not_show_in_another(registered):
    run = run_dag("""
    from airflow_flyte_provider.model.options import ExecutionOptions

    FlyteExecuteOperator.partial(
        task_id="add",
        launch_plan="demo.add_one",
        options=ExecutionOptions(labels={"index": "{{ ti.map_index }}"}),
        poll_interval=0.1,
        wait_for_completion=False,
    ).expand(inputs=[{"a": 1}, {"a": 2}])
    """)
    ti = run.run.get_task_instances()[0]
    names = ti.xcom_pull(task_ids="add", map_indexes=[0, 1], key=EXECUTION_NAME_KEY)
    labels = [execution_of(name, registered.endpoint).spec.labels.values["index"] for name in names]
    assert labels == ["0", "1"]


def test_faulty_options_fail_the_task_at_once_and_launch_nothing(registered):
    run = run_dag("""
    FlyteExecuteOperator(
        task_id="add", launch_plan="demo.add_one", inputs={"a": 1}, retries=3,
        options={"overwrite_cache": "{{ 'yes' }}", "notification": []},
    )
    """)
    assert run.state("add") == "failed"
    assert "options.overwrite_cache: expected bool, got str 'yes' (give 'true' or 'false')" in run.log
    assert "options.notification: expected a known name" in run.log
    assert run.xcom("add", EXECUTION_NAME_KEY) is None


def test_a_dag_with_options_is_serialised_as_plain_json_that_stays_the_same():
    import json

    from airflow.providers.common.compat.sdk import DAG

    from airflow_flyte_provider.model.options import ExecutionOptions, Notification
    from airflow_flyte_provider.operators.flyte import FlyteExecuteOperator

    try:
        from airflow.serialization.serialized_objects import DagSerialization as Serialized
    except ImportError:
        from airflow.serialization.serialized_objects import SerializedDAG as Serialized

    def serialised():
        with DAG("with_options", schedule=None) as dag:
            FlyteExecuteOperator(
                task_id="add",
                launch_plan="demo.add_one",
                options=ExecutionOptions(
                    labels={"a": "{{ ds }}"}, notifications=[Notification(email=["a"], phases=["FAILED"])]
                ),
            )
        return json.dumps(Serialized.to_dict(dag), sort_keys=True)

    assert serialised() == serialised()
    assert '"labels": {"a": "{{ ds }}"}' in serialised()
