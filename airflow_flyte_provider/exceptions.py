"""Every error this provider raises: one small tree under `FlyteError`.

Each error says what was asked, of which entity or execution, what Flyte answered, and what to do. None
carries a secret. `FlyteError` is an Airflow exception, so that Airflow fails or retries the task as usual;
the errors that a retry cannot mend derive from `AirflowFailException` too and fail the task at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_flyte_provider.model.redaction import readable, redacted
from airflow_flyte_provider.model.views.reports import failure_report

if TYPE_CHECKING:
    from airflow_flyte_provider.model.views.executions import Execution


class FlyteError(AirflowException):
    """Anything that went wrong with Flyte, or on the way to it.

    Its message may quote what Flyte has said. It is kept without signatures and tokens, and without what a terminal
    that shows a log would obey.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*(readable(redacted(arg)) if isinstance(arg, str) else arg for arg in args))


class FlyteConfigError(FlyteError, AirflowFailException):
    """The Airflow connection or an operator's arguments cannot be used as they are."""


class FlyteConnectionError(FlyteError):
    """Flyte could not be reached, or kept answering with a transient error until the deadline."""


class FlytePermissionError(FlyteError):
    """Flyte refused who is asking: not signed in, or not allowed."""


class FlyteSignInError(FlytePermissionError):
    """Signing in did not work: who signs in was refused, or there is no token to be had. The message says where."""


class FlyteNotFoundError(FlyteError, AirflowFailException):
    """What was named is not registered, or does not exist."""


class FlyteAlreadyExistsError(FlyteError, AirflowFailException):
    """A name is taken by something that is not ours."""


class FlyteInvalidRequestError(FlyteError, AirflowFailException):
    """Flyte, or the check before the call, found the request wrong. Nothing was launched."""


class FlyteInvalidInputsError(FlyteInvalidRequestError):
    """Inputs do not fit the interface. The message names every faulty one; nothing was launched."""


class FlyteInvalidOptionsError(FlyteInvalidRequestError):
    """Options do not fit. The message names every faulty one; nothing was launched."""


class FlytePackageError(FlyteInvalidRequestError):
    """A package of serialised entities cannot be read, or does not hold together. Nothing was registered."""


class FlyteTransferError(FlyteError):
    """A file could not be uploaded or downloaded. Nothing was launched, and no part of a file is left behind."""


class FlyteIntegrityError(FlyteTransferError):
    """What arrived is not what was sent: it is too short, or its hash differs."""


class FlyteForbiddenPlaceError(FlyteTransferError, AirflowFailException):
    """Flyte names a file where none of Flyte's are read: on the worker's disk, or by another way than a store."""


class FlyteOutputsError(FlyteError, AirflowFailException):
    """The outputs of an execution cannot be handed on: too large for XCom, or not to be read."""


class FlyteMetricsError(FlyteError, AirflowFailException):
    """FlyteAdmin cannot work out where the time of an execution went. Asking again does not help."""


class FlyteWaitTimeoutError(FlyteError):
    """A wait took longer than it was given. The execution may still be running."""


class FlyteSignalError(FlyteError):
    """A signal could not be given, or not be waited for. Nothing was changed."""


class FlyteSignalNotReadyError(FlyteSignalError):
    """The execution does not wait for a signal of that name, or not yet: it has not reached the gate."""


class FlyteSignalValueError(FlyteSignalError, AirflowFailException):
    """A value does not fit the type that the signal takes. The message tells both."""


class FlyteSignalAnsweredError(FlyteSignalError, AirflowFailException):
    """The signal has another value already: somebody else was first.

    :param message: what to tell the user.
    :param value: the value that the signal has.
    """

    def __init__(self, message: str, value: object = None) -> None:
        super().__init__(message)
        self.value = value


class FlyteSignalOverError(FlyteSignalError, AirflowFailException):
    """The execution is over, and waits for no signal any more.

    :param message: what to tell the user.
    :param execution: the execution as Flyte last told it.
    """

    def __init__(self, message: str, execution: Execution | None = None) -> None:
        super().__init__(message)
        self.execution = execution


class FlyteRejectedError(FlyteError, AirflowFailException):
    """A gate was rejected: nothing that depends on its approval may go on."""


class FlyteExecutionError(FlyteError):
    """An execution ended, and not with SUCCEEDED.

    :param message: what to tell the user.
    :param execution: the execution as Flyte last told it.
    """

    def __init__(self, message: str, execution: Execution | None = None) -> None:
        super().__init__(message)
        self.execution = execution

    @staticmethod
    def of(execution: Execution, url: str) -> FlyteExecutionError:
        """Return the error that tells how `execution` ended.

        :param execution: one that is over and was not successful; with its nodes, the error names the failing one.
        :param url: its address in the Flyte console.
        """
        kind = _BY_PHASE.get(execution.phase.value, FlyteExecutionError)
        return kind(f"{failure_report(execution)}\nSee {url}", execution)


class FlyteExecutionFailedError(FlyteExecutionError):
    """An execution ended FAILED."""


class FlyteExecutionAbortedError(FlyteExecutionError):
    """An execution ended ABORTED: somebody or something terminated it."""


class FlyteExecutionTimedOutError(FlyteExecutionError):
    """An execution ended TIMED_OUT."""


_BY_PHASE: dict[str, type[FlyteExecutionError]] = {
    "FAILED": FlyteExecutionFailedError,
    "ABORTED": FlyteExecutionAbortedError,
    "TIMED_OUT": FlyteExecutionTimedOutError,
}
