"""Options as a client sends them and Flyte gives them back."""

import uuid

import pytest
from flyteidl.admin import common_pb2, execution_pb2, launch_plan_pb2
from flyteidl.core import identifier_pb2, security_pb2

from airflow_flyte_provider.admin.options import to_spec
from airflow_flyte_provider.exceptions import FlyteInvalidOptionsError
from airflow_flyte_provider.hooks.options import check_relaunch_options
from airflow_flyte_provider.model.options import ExecutionOptions, Notification
from tests.local.client import identifier

MINE = {"airflow-task": "t"}


@pytest.fixture
def plan(hook, client):
    """A function that registers a launch plan of `demo.add_one` with settings of its own, and fetches it."""

    def register(**settings):
        name = f"plan.{uuid.uuid4().hex[:8]}"
        found = hook.fetch_launch_plan("demo.add_one")
        workflow = identifier(2, "demo.add_one")
        workflow.version = found.workflow.version
        spec = launch_plan_pb2.LaunchPlanSpec(workflow_id=workflow, **settings)
        client.admin.CreateLaunchPlan(
            launch_plan_pb2.LaunchPlanCreateRequest(id=identifier(3, name), spec=spec)
        )
        return hook.fetch_launch_plan(name)

    return register


def test_no_options_set_nothing():
    assert to_spec(ExecutionOptions()) == execution_pb2.ExecutionSpec()


def test_false_is_told_where_flyte_tells_it_from_absent():
    assert to_spec(ExecutionOptions(interruptible=False)).HasField("interruptible")
    assert not to_spec(ExecutionOptions(disable_notifications=False)).WhichOneof("notification_overrides")


def test_labels_of_the_launch_plan_stay_beside_those_of_the_task(hook, client, plan):
    entity = plan(labels=common_pb2.Labels(values={"team": "sales"}))
    launched = hook.execute(entity, {"a": 1}, labels=MINE)
    assert client.execution(to_proto(launched)).spec.labels.values == {"team": "sales", **MINE}


def test_labels_of_the_options_take_their_place(hook, client, plan):
    entity = plan(labels=common_pb2.Labels(values={"team": "sales"}))
    launched = hook.execute(entity, {"a": 1}, labels=MINE, options={"labels": {"cost": "7"}})
    assert client.execution(to_proto(launched)).spec.labels.values == {"cost": "7", **MINE}


@pytest.mark.parametrize("channel", ["email", "slack", "pager_duty"])
def test_notifications_of_the_launch_plan_can_be_given_with_others(hook, client, plan, channel):
    told = common_pb2.Notification(phases=[6, 8], **{channel: {"recipients_email": ["a@x.com", "b@x.com"]}})
    entity = plan(entity_metadata=launch_plan_pb2.LaunchPlanMetadata(notifications=[told]))
    more = Notification(email=["ops@x.com"], phases=["ABORTED"])
    launched = hook.execute(entity, {"a": 1}, options={"notifications": [*entity.notifications, more]})
    sent = client.execution(to_proto(launched)).spec.notifications.notifications
    assert sent[0] == told
    assert (list(sent[1].phases), sent[1].email.recipients_email) == ([7], ["ops@x.com"])


def test_too_many_labels_together_are_told_before_the_launch(hook):
    with pytest.raises(FlyteInvalidOptionsError, match="it would have 17 labels, of which 1 tell"):
        hook.execute(
            hook.fetch_launch_plan("demo.add_one"),
            {"a": 1},
            labels=MINE,
            options={"labels": {f"l{n}": "" for n in range(16)}},
        )


def test_what_is_not_given_stays_as_the_launch_plan_has_it(hook, client, plan):
    robot = security_pb2.SecurityContext(run_as=security_pb2.Identity(k8s_service_account="robot"))
    entity = plan(max_parallelism=2, security_context=robot)
    spec = client.execution(to_proto(hook.execute(entity, {"a": 1}, options={"tags": ["x"]}))).spec
    assert (spec.max_parallelism, spec.security_context) == (2, robot)
    assert not spec.HasField("interruptible")


def test_faulty_options_are_one_error_and_nothing_is_launched(hook, client):
    with pytest.raises(FlyteInvalidOptionsError) as raised:
        hook.execute(
            hook.fetch_launch_plan("demo.add_one"),
            {"a": 1},
            name="faultyoptions",
            options={"tag": ["x"], "max_parallelism": "many"},
        )
    told = str(raised.value)
    assert "options.tag: expected a known name, got an unknown one (did you mean 'tags'?)" in told
    assert "options.max_parallelism: expected int, got str 'many'" in told
    with pytest.raises(Exception, match="NOT_FOUND"):
        client.execution(to_proto_name("faultyoptions"))


def test_a_relaunch_takes_only_overwrite_cache_and_a_recovery_nothing():
    assert check_relaunch_options({"overwrite_cache": "true"}).overwrite_cache is True
    assert check_relaunch_options(None, "recover") == ExecutionOptions()
    with pytest.raises(FlyteInvalidOptionsError, match=r"options: labels, tags.*only overwrite_cache"):
        check_relaunch_options({"tags": ["x"], "labels": {"a": "b"}, "overwrite_cache": False})
    with pytest.raises(FlyteInvalidOptionsError, match=r"Cannot recover .* options: overwrite_cache"):
        check_relaunch_options({"overwrite_cache": True}, "recover")


def to_proto(launched):
    return to_proto_name(launched.id.name)


def to_proto_name(name):
    return identifier_pb2.WorkflowExecutionIdentifier(project="flytesnacks", domain="development", name=name)


def sent(client, name):
    """Return the options in the spec of an execution, without what every client's spec has or Flyte fills in."""
    spec = client.execution(to_proto_name(name)).spec
    for field in ("metadata", "launch_plan", "auth_role"):
        spec.ClearField(field)
    return spec


def test_flytekit_sends_the_same(hook, client, registered):
    from flytekit import Options
    from flytekit.configuration import Config, PlatformConfig
    from flytekit.models import common as kit
    from flytekit.models.security import Identity, Secret, SecurityContext
    from flytekit.remote import FlyteRemote

    remote = FlyteRemote(
        Config(platform=PlatformConfig(endpoint=registered.endpoint, insecure=True)),
        default_project="flytesnacks",
        default_domain="development",
    )
    options = Options(
        labels=kit.Labels({"team": "sales"}),
        annotations=kit.Annotations({"note": "any text"}),
        raw_output_data_config=kit.RawOutputDataConfig("s3://bucket/raw"),
        security_context=SecurityContext(
            run_as=Identity(iam_role="arn:role", k8s_service_account="robot"),
            secrets=[Secret("db", "password", mount_requirement=Secret.MountType.FILE)],
        ),
        max_parallelism=3,
        disable_notifications=True,  # its notifications themselves never reach the wire
    )
    mine = ExecutionOptions(
        labels={"team": "sales"},
        annotations={"note": "any text"},
        raw_output_prefix="s3://bucket/raw",
        security_context={
            "iam_role": "arn:role",
            "k8s_service_account": "robot",
            "secrets": [{"group": "db", "key": "password", "mount_requirement": "file"}],
        },
        max_parallelism=3,
        disable_notifications=True,
        overwrite_cache=True,
        interruptible=False,
        envs={"MODE": "fast"},
        tags=["nightly"],
        cluster_pool="big",
        execution_cluster_label="gpu",
    )
    theirs = remote.execute(
        remote.fetch_launch_plan(name="demo.add_one"),
        inputs={"a": 1},
        options=options,
        overwrite_cache=True,
        interruptible=False,
        envs={"MODE": "fast"},
        tags=["nightly"],
        cluster_pool="big",
        execution_cluster_label="gpu",
    )
    launched = hook.execute(hook.fetch_launch_plan("demo.add_one"), {"a": 1}, options=mine)
    assert sent(client, launched.id.name) == sent(client, theirs.id.name)
