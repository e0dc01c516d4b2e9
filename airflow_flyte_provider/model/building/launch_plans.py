"""Launch plans made in Python: a workflow with inputs that have defaults or are settled, and a schedule."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from flyteidl.admin.launch_plan_pb2 import LaunchPlanSpec
from flyteidl.admin.schedule_pb2 import DAY, HOUR, MINUTE, FixedRate, Schedule
from flyteidl.core.interface_pb2 import Parameter, ParameterMap
from flyteidl.core.literals_pb2 import LiteralMap

from airflow_flyte_provider.model.references import to_identifier
from airflow_flyte_provider.model.values.inputs import build_inputs
from airflow_flyte_provider.model.views.entities import Workflow

_UNITS = ((timedelta(days=1), DAY), (timedelta(hours=1), HOUR), (timedelta(minutes=1), MINUTE))


def launch_plan_spec(
    workflow: Workflow, default_inputs: Mapping[str, object], fixed_inputs: Mapping[str, object]
) -> LaunchPlanSpec:
    """Return a launch plan of a workflow, after `flyteidl.admin.LaunchPlanSpec`, as flytekit makes it.

    :param workflow: the workflow.
    :param default_inputs: native values of inputs that an execution may be given.
    :param fixed_inputs: native values of inputs that an execution cannot be given.
    :raises ValueError: when an input is in both.
    :raises InputFaults: naming every input that is unknown or of the wrong type.
    """
    if both := sorted(default_inputs.keys() & fixed_inputs.keys()):
        raise ValueError(f"{', '.join(both)}: given as default and as fixed input")
    variables = workflow.interface.inputs.variables
    # None is required here: which are given is what makes the launch plan.
    optional = {name: Parameter(var=variable, required=False) for name, variable in variables.items()}
    given = build_inputs(
        ParameterMap(parameters=optional), LiteralMap(), {**default_inputs, **fixed_inputs}
    ).literals
    spec = LaunchPlanSpec(workflow_id=to_identifier(workflow.id))
    for name in fixed_inputs:
        spec.fixed_inputs.literals[name].CopyFrom(given[name])
    for name, variable in variables.items():
        if name not in fixed_inputs:
            parameter = spec.default_inputs.parameters[name]
            parameter.var.CopyFrom(variable)
            if name in default_inputs:
                parameter.default.CopyFrom(given[name])
            else:
                parameter.required = True
    return spec


def schedule_of(schedule: str | timedelta, kickoff_time_input: str | None) -> Schedule:
    """Return a schedule, after `flyteidl.admin.Schedule`.

    :param schedule: a cron expression of five fields or an alias such as `@daily`; or the time between two
        executions, in whole minutes.
    :param kickoff_time_input: the input that gets the time for which an execution is begun.
    :raises ValueError: when the time is no positive number of minutes.
    """
    made = Schedule(kickoff_time_input_arg=kickoff_time_input or "")
    if isinstance(schedule, str):
        made.cron_schedule.schedule = schedule
        return made
    for length, unit in _UNITS:
        if schedule > timedelta(0) and not schedule % length:
            made.rate.CopyFrom(FixedRate(value=schedule // length, unit=unit))
            return made
    raise ValueError(f"the schedule {schedule} is no positive number of whole minutes")
