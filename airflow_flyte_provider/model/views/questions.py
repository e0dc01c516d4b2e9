"""A gate's signal as a question to a person: what to choose from, the form to fill in, and what the answer means."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flyteidl.core.types_pb2 import LiteralType, SimpleType

from airflow_flyte_provider.model.values.literals import from_literal, to_literal
from airflow_flyte_provider.model.values.types import describe
from airflow_flyte_provider.model.views.signals import Signal

#: The one field of the form.
FIELD = "value"

_APPROVAL = ("Approve", "Reject")
_YES_NO = ("Yes", "No")
_FORM = ("Submit",)

_SIMPLE: dict[int, dict[str, Any]] = {
    SimpleType.INTEGER: {"type": "integer"},
    SimpleType.FLOAT: {"type": "number"},
    SimpleType.BOOLEAN: {"type": "boolean"},
    SimpleType.DATETIME: {"type": "string", "format": "date-time"},
    SimpleType.STRUCT: {"type": "object"},
}
_WAYS = {
    SimpleType.DATETIME: "a date and time; without an offset it is in UTC",
    SimpleType.DURATION: "such as 2:30:00, 1 day, 2:00:00 or PT90S",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked so that a gate opens. A bool is two buttons; everything else a form with one field.

    :param signal: the signal that the gate waits for.
    :param options: what there is to choose from. Of two, the first means True and the second False.
    """

    signal: Signal
    options: tuple[str, ...]

    @classmethod
    def about(cls, signal: Signal, *, approval: bool) -> Question:
        """Return the question for a signal.

        :param approval: whether its gate asks for approval, so that False ends the execution; otherwise for a value.
        """
        if signal.literal_type.simple == SimpleType.BOOLEAN:
            return cls(signal, _APPROVAL if approval else _YES_NO)
        return cls(signal, _FORM)

    @property
    def verb(self) -> str:
        """What a person does by answering, for a headline."""
        return "Approve" if self.options == _APPROVAL else "Answer"

    @property
    def is_choice(self) -> bool:
        """Whether choosing is all there is to do."""
        return len(self.options) > 1

    def form(self, suggested: object = None) -> dict[str, dict[str, Any]]:
        """Return the form's fields in the shape of Airflow's params; none when choosing is all there is to do.

        :param suggested: the value that the field holds at first, None for none.
        """
        if self.is_choice:
            return {}
        kind = self.signal.literal_type
        way = _WAYS.get(kind.simple) if kind.WhichOneof("type") == "simple" else ""
        schema = {**_schema(kind), "title": self.signal.id}
        told = f"{self.signal.type_name}{f', {way}' if way else ''}"
        return {FIELD: {"value": _plain(suggested), "description": told, "schema": schema, "source": "task"}}

    def value_of(self, chosen: Sequence[str], filled: Mapping[str, Any]) -> Any:
        """Return the value that an answer means, as Airflow tells answers.

        :param chosen: what was chosen.
        :param filled: what was filled in, by field.
        :raises ValueError: when it is no answer to this question.
        """
        if len(chosen) != 1 or chosen[0] not in self.options:
            raise ValueError(
                f"one of {', '.join(self.options)} is to be chosen, not {', '.join(chosen) or 'none'}"
            )
        if self.is_choice:
            return chosen[0] == self.options[0]
        if FIELD not in filled:
            raise ValueError(f"the field {FIELD!r} is missing")
        return filled[FIELD]

    def read(self, value: object) -> Any:
        """Return a value as one of the signal's type; a text is read as that type.

        :raises ValueFaults: when it does not fit.
        """
        kind, path = self.signal.literal_type, self.signal.id
        return from_literal(to_literal(value, kind, path), kind, path)

    def answer_of(self, value: object) -> tuple[list[str], dict[str, Any]]:
        """Return the answer that means a value: what is chosen, and what is filled in."""
        if self.is_choice:
            return [self.options[0 if value else 1]], {}
        return [self.options[0]], {FIELD: _plain(value)}


def _schema(kind: LiteralType) -> dict[str, Any]:
    """Return the JSON schema of what a form sends for a type: what JSON has no type for goes as a text."""
    which = kind.WhichOneof("type")
    if which == "simple":
        return dict(_SIMPLE.get(kind.simple, {"type": "string"}))
    if which == "enum_type":
        return {"type": "string", "enum": list(kind.enum_type.values)}
    if which == "collection_type":
        return {"type": "array", "items": _schema(kind.collection_type)}
    if which == "map_value_type":
        return {"type": "object"}
    if which == "union_type":
        variants = [one for one in kind.union_type.variants if describe(one) != "None"]
        if len(variants) == 1:  # an optional
            schema = _schema(variants[0])
            return {**schema, "type": [schema["type"], "null"]}
    return {"type": "string"}


def _plain(value: object) -> Any:
    def text(other: object) -> str:
        return other.isoformat() if isinstance(other, datetime) else str(other)

    return json.loads(json.dumps(value, default=text))
