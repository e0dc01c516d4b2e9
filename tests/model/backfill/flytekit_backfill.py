"""Backfills as flytekit makes them, from a launch plan as Flyte tells it."""

from collections import OrderedDict

from flyteidl.admin.launch_plan_pb2 import LaunchPlan
from flyteidl.core.types_pb2 import SimpleType
from flytekit.configuration import ImageConfig, SerializationSettings
from flytekit.core.workflow import WorkflowFailurePolicy
from flytekit.models.interface import TypedInterface
from flytekit.models.launch_plan import LaunchPlan as LaunchPlanModel
from flytekit.remote.backfill import create_backfill_workflow
from flytekit.remote.entities import FlyteLaunchPlan
from flytekit.tools.translator import get_serializable

from tests.conftest import DOMAIN, PROJECT, VERSION


def launch_plan_proto(name, version, cron, kickoff, more=None):
    """Return a launch plan with a cron schedule and a required input that gets the time.

    :param more: other required inputs: names of simple types by name.
    """
    proto = LaunchPlan()
    proto.id.resource_type = 3
    proto.id.project, proto.id.domain, proto.id.name, proto.id.version = PROJECT, DOMAIN, name, version
    proto.spec.workflow_id.CopyFrom(proto.id)
    proto.spec.workflow_id.resource_type = 2
    proto.spec.entity_metadata.schedule.cron_schedule.schedule = cron
    proto.spec.entity_metadata.schedule.kickoff_time_input_arg = kickoff
    for variable, kind in {kickoff: "DATETIME", **(more or {})}.items():
        for inputs in (proto.spec.default_inputs, proto.closure.expected_inputs):
            inputs.parameters[variable].var.type.simple = SimpleType.Value(kind)
            inputs.parameters[variable].required = True
    proto.closure.expected_outputs.SetInParent()
    return proto


def flytekit_plan(proto):
    """Return flytekit's view of a launch plan, as FlyteRemote fetches it."""
    model = LaunchPlanModel.from_flyte_idl(proto)
    plan = FlyteLaunchPlan.promote_from_model(model.id, model.spec)
    inputs = {name: parameter.var for name, parameter in model.closure.expected_inputs.parameters.items()}
    plan._interface = TypedInterface(inputs, {})
    return plan


def flytekit_spec(proto, start, end, parallel=False, timeout=None, retries=0, policy="FAIL_IMMEDIATELY"):
    """Return the `flyteidl.admin.WorkflowSpec` of flytekit's backfill."""
    workflow, _, _ = create_backfill_workflow(
        start,
        end,
        flytekit_plan(proto),
        parallel=parallel,
        per_node_timeout=timeout,
        per_node_retries=retries,
        failure_policy=WorkflowFailurePolicy[policy],
    )
    where = SerializationSettings(
        image_config=ImageConfig.auto(), project=PROJECT, domain=DOMAIN, version=VERSION
    )
    return get_serializable(OrderedDict(), where, workflow).to_flyte_idl()
