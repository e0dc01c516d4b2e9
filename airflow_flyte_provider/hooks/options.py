"""The options of an execution, read once they are values, and told wrong in one error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from airflow_flyte_provider.exceptions import FlyteInvalidOptionsError
from airflow_flyte_provider.model.faults import ValueFaults
from airflow_flyte_provider.model.labels import MAX_LABELS
from airflow_flyte_provider.model.options import ExecutionOptions
from airflow_flyte_provider.model.views.entities import LaunchPlan, Task

#: What of the options a request to run an execution once more has room for.
_TAKEN_AGAIN = {"relaunch": ("overwrite_cache",), "recover": ()}


def read_options(options: ExecutionOptions | Mapping[str, Any] | str | None, wanted: str) -> ExecutionOptions:
    """Return options with values of the declared types.

    :param options: as a user wrote them: an object, a dict, a text of a dict, or nothing.
    :param wanted: what they are for, such as `"launch <what>"`, for the error.
    :raises FlyteInvalidOptionsError: naming every option that does not fit.
    """
    if options is None:
        return ExecutionOptions()
    try:
        return ExecutionOptions.read(options, "options")
    except ValueFaults as fault:
        lines = "\n".join(f"  {each}" for each in fault.faults)
        raise FlyteInvalidOptionsError(f"Cannot {wanted}, and did not: faulty options:\n{lines}") from None


def options_of(
    entity: LaunchPlan | Task,
    options: ExecutionOptions | Mapping[str, Any] | str | None,
    labels: Mapping[str, str],
) -> ExecutionOptions:
    """Return the options that an execution is launched with.

    FlyteAdmin drops the labels of a launch plan as soon as an execution brings any of its own, and ours always does.
    So those of the launch plan are sent along, unless the options say other ones.

    :param entity: what is to be executed.
    :param options: as a user wrote them.
    :param labels: the provider's own labels, beside those of the options.
    :raises FlyteInvalidOptionsError: naming every option that does not fit.
    """
    told = read_options(options, f"launch {entity.id}")
    if told.labels is None and isinstance(entity, LaunchPlan) and entity.labels and labels:
        told = replace(told, labels=dict(entity.labels))
    own = told.labels or {}
    if len({**own, **labels}) > MAX_LABELS:
        raise FlyteInvalidOptionsError(
            f"Cannot launch {entity.id}, and did not: it would have {len({**own, **labels})} labels, of which "
            f"{len(labels)} tell which task launches it, and Flyte takes {MAX_LABELS}. "
            f"Give fewer in options={{'labels': ...}}; they take the place of the launch plan's."
        )
    return told


def check_relaunch_options(
    options: ExecutionOptions | Mapping[str, Any] | str | None,
    verb: Literal["relaunch", "recover"] = "relaunch",
) -> ExecutionOptions:
    """Return the options for running an execution once more, which Flyte launches with those it had.

    :param options: as a user wrote them.
    :param verb: a relaunch takes `overwrite_cache` (`flyteidl.admin.ExecutionRelaunchRequest`), a recovery nothing.
    :raises FlyteInvalidOptionsError: naming the options that do not fit, or that cannot be given anew.
    """
    told = read_options(options, f"{verb} an execution")
    taken = _TAKEN_AGAIN[verb]
    if refused := [name for name in told.to_dict() if name not in taken]:
        raise FlyteInvalidOptionsError(
            f"Cannot {verb} an execution with other options: {', '.join(refused)}. Flyte gives it those of the "
            f"execution before{f'; only {taken[0]} can be given anew' if taken else ''}. "
            "Leave them out, or launch a new execution."
        )
    return told
