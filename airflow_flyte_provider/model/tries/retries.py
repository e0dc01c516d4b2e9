"""What a retry does about the execution of the try before: watch it, collect it, repair it, or start anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from airflow_flyte_provider.model.phases import ExecutionPhase
from airflow_flyte_provider.model.tries import causes

if TYPE_CHECKING:
    from airflow_flyte_provider.model.views.executions import Execution


class OnRetry(str, Enum):
    """What a retry does when the execution of the try before has failed.

    RECOVER starts an execution that takes over what succeeded in the failed one; RELAUNCH starts the failed one
    over, with its inputs and version; NEW launches as a first try does.
    """

    RECOVER = "recover"
    RELAUNCH = "relaunch"
    NEW = "new"

    def __str__(self) -> str:
        return self.value


class Step(Enum):
    """What is to be done."""

    LAUNCH = "launch"
    WATCH = "watch"
    RECOVER = "recover"
    RELAUNCH = "relaunch"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a retry does, and why.

    :param step: what to do.
    :param execution: the earlier execution that it is done with; None to launch anew.
    :param why: the reason, as a sentence for the task's log.
    """

    step: Step
    execution: Execution | None
    why: str


def plan_retry(earlier: Sequence[Execution], on_retry: OnRetry) -> Plan:
    """Decide what a retry does.

    :param earlier: the executions of this task instance's tries since it was last cleared, the latest first.
        One that is on its way to a failure (FAILING, ABORTING) has been waited for.
    :param on_retry: what the user wants for a failed one.
    """
    if not earlier:
        return Plan(Step.LAUNCH, None, "No try before has launched an execution.")
    # One that runs comes first: another beside it would do the work twice.
    latest = next((each for each in earlier if not each.is_done), earlier[0])
    told = f"Execution {latest.id.name} of a try before"
    if not latest.is_done:
        return Plan(Step.WATCH, latest, f"{told} is still {latest.phase}: waiting for it.")
    if latest.phase is ExecutionPhase.SUCCEEDED:
        return Plan(Step.WATCH, latest, f"{told} has succeeded, and nobody took its outputs: taking them.")
    if causes.is_stopped(latest.abort_cause):
        return Plan(
            Step.LAUNCH, None, f"{told} was stopped on purpose ({latest.abort_cause}): launching anew."
        )
    if on_retry is OnRetry.NEW:
        return Plan(Step.LAUNCH, None, f"{told} ended {latest.phase}, and on_retry is 'new': launching anew.")
    doing = "recovering" if on_retry is OnRetry.RECOVER else "relaunching"
    return Plan(Step(on_retry.value), latest, f"{told} ended {latest.phase}: {doing} it.")
