"""What a launch plan expects: its defaults, and those of the workflow's inputs that it leaves open."""

from __future__ import annotations

from croniter import croniter
from flyteidl.admin import launch_plan_pb2
from flyteidl.core import interface_pb2, types_pb2

from airflow_flyte_provider.local.refusal import invalid
from airflow_flyte_provider.local.service.checks import known_type
from airflow_flyte_provider.local.wording import go_text
from airflow_flyte_provider.model.values.casting import castable

_ALIASES = frozenset({"@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@annually", "@midnight"})


def expected_inputs(
    spec: launch_plan_pb2.LaunchPlanSpec, workflow_inputs: interface_pb2.VariableMap
) -> interface_pb2.ParameterMap:
    """Return the inputs that executions of a launch plan may and must be given.

    :param spec: the launch plan.
    :param workflow_inputs: what its workflow takes.
    :raises Refusal: INVALID_ARGUMENT when defaults, fixed inputs or schedule do not fit the workflow.
    """
    _check_defaults(spec.default_inputs)
    _check_against_workflow(spec, workflow_inputs)
    result = interface_pb2.ParameterMap()
    for name, variable in workflow_inputs.variables.items():
        if name in spec.default_inputs.parameters:
            result.parameters[name].CopyFrom(spec.default_inputs.parameters[name])
        elif name not in spec.fixed_inputs.literals:
            parameter = interface_pb2.Parameter(required=True)
            parameter.var.type.CopyFrom(variable.type)
            parameter.var.description = variable.description
            result.parameters[name].CopyFrom(parameter)
    _check_schedule(spec.entity_metadata.schedule, result)
    return result


def _check_defaults(defaults: interface_pb2.ParameterMap) -> None:
    for name in sorted(defaults.parameters):
        parameter = defaults.parameters[name]
        if not name:
            raise invalid("missing key in default_inputs")
        if parameter.var.type.WhichOneof("type") is None:
            raise invalid(
                f"The Variable component of the Parameter {name} in default_inputs "
                "either is missing, or has a missing Type"
            )
        behavior = parameter.WhichOneof("behavior")
        if behavior is None or (behavior == "required" and not parameter.required):
            raise invalid(
                f"Invalid variable {name} in default_inputs - variable has neither default, nor is required. "
                "One must be specified"
            )
        if behavior == "default":
            found = known_type(name, parameter.default)
            if not castable(found, parameter.var.type):
                raise invalid(
                    f"Type mismatch for Parameter {name} in default_inputs "
                    f"has type {go_text(parameter.var.type)}, expected {go_text(found)}"
                )


def _check_against_workflow(
    spec: launch_plan_pb2.LaunchPlanSpec, workflow_inputs: interface_pb2.VariableMap
) -> None:
    defaults, fixed = spec.default_inputs.parameters, spec.fixed_inputs.literals
    variables = workflow_inputs.variables
    if not variables:
        for kind, given in (("default", defaults), ("fixed", fixed)):
            if given:
                raise invalid(f"invalid launch plan {kind} inputs, expected none but found {len(given)}")
    for name in sorted(defaults):
        if name not in variables:
            raise invalid(f"unexpected default_input {name}")
        mine, wanted = defaults[name].var.type, variables[name].type
        if not castable(mine, wanted):
            raise invalid(
                f"invalid default_input wrong type {name}, "
                f"expected {go_text(mine)}, got {go_text(wanted)} instead"
            )
    for name in sorted(fixed):
        if name not in variables:
            raise invalid(f"unexpected fixed_input {name}")
        found, wanted = known_type(name, fixed[name]), variables[name].type
        if not castable(found, wanted):
            raise invalid(
                f"invalid fixed_input wrong type {name}, "
                f"expected {go_text(wanted)}, got {go_text(found)} instead"
            )


def _check_schedule(
    schedule: launch_plan_pb2.schedule__pb2.Schedule, expected: interface_pb2.ParameterMap
) -> None:
    kind = schedule.WhichOneof("ScheduleExpression")
    if kind is None:
        return
    kickoff = schedule.kickoff_time_input_arg
    for name in sorted(expected.parameters):
        if expected.parameters[name].required and name != kickoff:
            raise invalid(
                "Cannot create a launch plan with a schedule if there is an unbound required input. "
                f"[{name}] is required"
            )
    if kickoff and kickoff not in expected.parameters:
        raise invalid(
            "Cannot create a schedule with a KickoffTimeInputArg that does not point to a free input. "
            f"[{kickoff}] is not free or does not exist."
        )
    if kickoff and expected.parameters[kickoff].var.type.simple != types_pb2.DATETIME:
        shown = go_text(expected.parameters[kickoff].var.type)
        raise invalid(f"KickoffTimeInputArg must reference a datetime input. [{kickoff}] is a [{shown}]")
    cron = schedule.cron_expression or schedule.cron_schedule.schedule
    if cron and cron not in _ALIASES and not cron.startswith("@every ") and not croniter.is_valid(cron):
        raise invalid(f"Invalid cron expression: {cron}")
