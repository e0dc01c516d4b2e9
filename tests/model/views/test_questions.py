"""What a gate's signal is asked as, and what the answers mean."""

import dataclasses
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Optional

import pytest
from flytekit.core.type_engine import TypeEngine
from flytekit.types.file import FlyteFile

from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.model.views.questions import Question
from airflow_flyte_provider.model.views.signals import Signal


class Region(Enum):
    NORTH = "north"
    SOUTH = "south"


@dataclasses.dataclass
class Range:
    low: int
    high: int


def question(python_type, *, approval=False):
    literal_type = TypeEngine.to_literal_type(python_type).to_flyte_idl()
    signal = Signal(ExecutionId("p", "d", "x"), "the-signal", literal_type, False)
    return Question.about(signal, approval=approval)


def field(python_type, suggested=None):
    asked = question(python_type)
    return asked.form(None if suggested is None else asked.read(suggested))["value"]


@pytest.mark.parametrize(
    ("python_type", "schema"),
    [
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (str, {"type": "string"}),
        (datetime, {"type": "string", "format": "date-time"}),
        (timedelta, {"type": "string"}),
        (Region, {"type": "string", "enum": ["north", "south"]}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (dict[str, float], {"type": "object"}),
        (Range, {"type": "object"}),
        (Optional[int], {"type": ["integer", "null"]}),  # noqa: UP045 - as flytekit users write it
        (FlyteFile, {"type": "string"}),
    ],
)
def test_a_form_has_a_field_of_the_signals_type(python_type, schema):
    told = field(python_type)
    assert told["schema"] == {**schema, "title": "the-signal"}
    assert told["value"] is None
    assert told["description"].startswith(question(python_type).signal.type_name)


@pytest.mark.parametrize(
    ("python_type", "given", "shown"),
    [
        (int, "7", 7),
        (datetime, "2026-05-01", "2026-05-01T00:00:00+00:00"),
        (timedelta, "PT90S", "0:01:30"),
        (Region, "south", "south"),
        (list[int], "[1, 2]", [1, 2]),
    ],
)
def test_what_a_form_suggests_is_of_the_type_and_is_read_again_as_it(python_type, given, shown):
    asked = question(python_type)
    value = asked.read(given)
    chosen, filled = asked.answer_of(value)
    assert (chosen, filled) == (["Submit"], {"value": shown})
    assert field(python_type, given)["value"] == shown
    assert asked.read(asked.value_of(chosen, filled)) == value


@pytest.mark.parametrize(("approval", "options"), [(True, ("Approve", "Reject")), (False, ("Yes", "No"))])
def test_a_bool_is_two_buttons_and_no_form(approval, options):
    asked = question(bool, approval=approval)
    assert (asked.options, asked.form(True)) == (options, {})
    for value, option in zip((True, False), options, strict=True):
        assert asked.answer_of(value) == ([option], {})
        assert asked.value_of([option], {}) is value


@pytest.mark.parametrize(
    ("python_type", "chosen", "filled", "why"),
    [
        (bool, ["Submit"], {}, "one of Yes, No is to be chosen, not Submit"),
        (bool, ["Yes", "No"], {}, "not Yes, No"),
        (bool, [], {}, "not none"),
        (int, ["Submit"], {"number": 5}, "the field 'value' is missing"),
    ],
)
def test_what_is_no_answer_is_refused(python_type, chosen, filled, why):
    with pytest.raises(ValueError, match=why):
        question(python_type).value_of(chosen, filled)


def test_a_moment_is_told_with_its_zone():
    assert question(datetime).answer_of(datetime(2026, 5, 1, 8, tzinfo=timezone.utc)) == (
        ["Submit"],
        {"value": "2026-05-01T08:00:00+00:00"},
    )
