"""What the gates of an execution wait for, as Flyte told of it at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_flyte_provider.model.faults import shown
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.model.values.literals import from_literal
from airflow_flyte_provider.model.values.types import describe

if TYPE_CHECKING:
    from flyteidl.admin.signal_pb2 import Signal as SignalProto
    from flyteidl.core.types_pb2 import LiteralType


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal that a gate of an execution asks for, after `flyteidl.admin.Signal`.

    There is one from when the execution reaches the gate. Whether the gate asks to be approved or for a value cannot
    be told from it: an approval is a `bool`, and False rejects.

    :param execution: the execution that waits.
    :param id: its name in the workflow, such as the first argument of flytekit's `wait_for_input` and `approve`.
    :param literal_type: the type of value that it takes, a `flyteidl.core.LiteralType`.
    :param is_set: whether it has a value, so that nothing waits for it any more.
    :param value: the value as a native Python value, None as long as it has none.
    """

    execution: ExecutionId
    id: str
    literal_type: LiteralType
    is_set: bool
    value: Any = None

    @property
    def type_name(self) -> str:
        """The type of value that it takes as a Python author would write it, such as `bool` or `list[int]`."""
        return describe(self.literal_type)

    def __str__(self) -> str:
        has = f" = {shown(self.value)}" if self.is_set else ""
        return f"{self.id!r} ({self.type_name}){has}"

    @classmethod
    def from_proto(cls, proto: SignalProto) -> Signal:
        """Return the view of one of what ListSignals answered."""
        is_set = proto.HasField("value")
        return cls(
            execution=ExecutionId.from_proto(proto.id.execution_id),
            id=proto.id.signal_id,
            literal_type=proto.type,
            is_set=is_set,
            value=from_literal(proto.value, proto.type, proto.id.signal_id) if is_set else None,
        )
