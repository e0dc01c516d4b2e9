"""How things end in the engine: failures as exceptions, and the errors they carry."""

from __future__ import annotations

from flyteidl.core import execution_pb2, identifier_pb2

ExecutionError = execution_pb2.ExecutionError
USER = execution_pb2.ExecutionError.USER
SYSTEM = execution_pb2.ExecutionError.SYSTEM
TIMEOUT_IN_NODE = ExecutionError(code="Timeout", message="Timeout in node", kind=USER)
"""What a workflow fails with when one of its nodes has timed out."""
SYSTEM_RETRIES = 10
"""How often something is tried again after a failure of the engine's side."""


class NodeFailed(Exception):  # noqa: N818 - Flyte's own word for it
    """A node that failed for good.

    :param error: what it failed with.
    """

    def __init__(self, error: ExecutionError) -> None:
        super().__init__(error.message)
        self.error = error


class NodeTimedOut(Exception):  # noqa: N818 - Flyte's own word for it
    """A node that was not over, with all its attempts, at twice its timeout."""


class SystemFailure(Exception):  # noqa: N818 - Flyte's own word for it
    """A failure of the engine's side rather than of the user's code; it is tried again.

    :param message: what went wrong.
    """


class EngineGaveUp(Exception):  # noqa: N818 - the end of a series of system failures
    """A node whose system failures were not cured by trying again; the whole execution fails.

    :param node_id: the node's id in its workflow.
    :param reason: what it failed with last.
    """

    def __init__(self, node_id: str, reason: str) -> None:
        super().__init__(reason)
        self.node_id = node_id
        self.reason = reason


def failed(code: str, message: str, kind: int = USER) -> NodeFailed:
    """Return the failure with this code, message and kind."""
    return NodeFailed(ExecutionError(code=code, message=message, kind=kind))


def given_up(workflow: identifier_pb2.Identifier, failure: EngineGaveUp) -> ExecutionError:
    """Return what an execution fails with when the engine gave one of its nodes up.

    :param workflow: the execution's workflow.
    :param failure: the node, and what it failed with last.
    """
    return ExecutionError(
        code="Workflow abort failed",
        kind=SYSTEM,
        message=(
            f"Workflow[{workflow.project}:{workflow.domain}:{workflow.name}] failed. RuntimeExecutionError: "
            f"max number of system retry attempts [{SYSTEM_RETRIES + 1}/{SYSTEM_RETRIES}] exhausted. "
            f"Last known status message: failed at Node[{failure.node_id}]. RuntimeExecutionError: "
            f"failed during plugin execution, caused by: {failure.reason}"
        ),
    )
