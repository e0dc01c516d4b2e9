"""What an execution is really run with: its own settings, and its launch plan's where it has none."""

from __future__ import annotations

from flyteidl.admin import execution_pb2
from flyteidl.core import identifier_pb2

from airflow_flyte_provider.local.engine.world import World

DEFAULT_PARALLELISM = 25


def effective(world: World, execution: execution_pb2.Execution) -> execution_pb2.Execution:
    """Return a copy of an execution with the spec that FlyteAdmin hands to the engine.

    A map that the execution brings takes the place of the launch plan's whole; `overwrite_cache` is set when either
    sets it. Clients go on seeing the spec as it was sent.

    :param world: where launch plans are found.
    :param execution: the execution as stored.
    """
    result = execution_pb2.Execution()
    result.CopyFrom(execution)
    spec = result.spec
    if spec.launch_plan.resource_type == identifier_pb2.LAUNCH_PLAN:
        plan = world.entities.get(spec.launch_plan).spec
        for field in ("labels", "annotations", "envs"):
            if not getattr(spec, field).values:
                getattr(spec, field).CopyFrom(getattr(plan, field))
        prefix = plan.raw_output_data_config.output_location_prefix
        if prefix and not spec.raw_output_data_config.output_location_prefix:
            spec.raw_output_data_config.output_location_prefix = prefix
        if not spec.HasField("interruptible") and plan.HasField("interruptible"):
            spec.interruptible.CopyFrom(plan.interruptible)
        spec.overwrite_cache = spec.overwrite_cache or plan.overwrite_cache
        if spec.max_parallelism <= 0:
            spec.max_parallelism = plan.max_parallelism
    if spec.max_parallelism <= 0:
        spec.max_parallelism = DEFAULT_PARALLELISM
    return result
