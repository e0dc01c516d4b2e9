"""Structs with a JSON schema: each wrong value is told by its path, and texts are read as the schema says."""

import dataclasses
import enum
import typing
from datetime import date, datetime, timedelta
from decimal import Decimal

import pydantic
import pytest

from airflow_flyte_provider.model.faults import ValueFaults
from airflow_flyte_provider.model.values.literals import from_literal, to_literal
from tests.model.values.as_flytekit import flytekit_type, flytekit_value


class Unit(enum.Enum):
    METRE = "m"
    SECOND = "s"


@dataclasses.dataclass
class Column:
    name: str
    width: int = 1
    unit: Unit = Unit.METRE


@dataclasses.dataclass
class Table:
    columns: list[Column]
    scale: float
    strict: bool
    made: datetime
    lasts: timedelta
    pair: tuple[int, str] = (1, "a")
    either: typing.Union[int, str] = 1  # noqa: UP007
    note: typing.Optional[str] = None  # noqa: UP045


class Model(pydantic.BaseModel):
    columns: list[int]
    lasts: timedelta
    day: date
    kind: typing.Literal["a", "b"] = "a"


TABLE, MODEL = flytekit_type(Table).to_flyte_idl(), flytekit_type(Model).to_flyte_idl()
GOOD = {
    "columns": [{"name": "a"}],
    "scale": 1.5,
    "strict": True,
    "made": "2026-01-01T00:00:00",
    "lasts": 86400.0,
}


def faults(value, literal_type=TABLE):
    with pytest.raises(ValueFaults) as raised:
        to_literal(value, literal_type, "inputs.table")
    return [str(fault) for fault in raised.value.faults]


def test_each_wrong_value_is_told_by_its_path_and_types():
    columns = [{"name": "a"}, {"name": "b", "width": "x", "unit": "metre"}, {"name": 3, "widht": 1}]
    value = {"columns": columns, "scale": [], "strict": "perhaps", "made": "noon", "pair": [1], "eihter": 1}
    assert faults(value) == [
        "inputs.table.columns[1].width: expected int, got str 'x' (give digits, such as '5')",
        "inputs.table.columns[1].unit: expected Enum('m','s'), got str 'metre'",
        "inputs.table.columns[2].name: expected str, got int 3",
        "inputs.table.columns[2].widht: expected a field of Column, got str 'widht' (did you mean 'width'?)",
        "inputs.table.scale: expected float, got list []",
        "inputs.table.strict: expected bool, got str 'perhaps' (give 'true' or 'false')",
        "inputs.table.made: expected datetime, got str 'noon' (give an ISO 8601 date or time, such as "
        "'2026-01-01' or '2026-01-01T00:00:00+00:00')",
        "inputs.table.pair: expected tuple[int, str], got list [1] (give 2 items)",
        "inputs.table.eihter: expected a field of Table, got str 'eihter' (did you mean 'either'?)",
        "inputs.table.lasts: expected timedelta, got nothing",
    ]


def test_a_wrong_value_inside_an_instance_is_told_too():
    assert faults(Table([Column(3)], 1.0, True, datetime(2026, 1, 1), timedelta(1))) == [
        "inputs.table.columns[0].name: expected str, got int 3"
    ]


def test_texts_of_templates_become_what_the_schema_says():
    rendered = {
        "columns": '[{"name": "a", "width": "5"}]',
        "scale": "2",
        "strict": "true",
        "made": "2026-01-01T00:00:00+00:00",
        "lasts": "P1DT1H",
        "either": "7",
        "note": "None",
    }
    literal = to_literal(rendered, TABLE)
    read = from_literal(literal, TABLE)
    assert read["columns"] == [{"name": "a", "width": 5}]
    assert (read["scale"], read["strict"], read["lasts"]) == (2.0, True, 90_000.0)
    assert read["either"] == "7", "a text where one may be"
    # and flytekit makes the dataclass of it
    made = flytekit_value(literal, Table)
    assert made.columns == [Column("a", 5)]
    assert made.lasts == timedelta(hours=25)


def test_a_pydantic_model_as_a_dict():
    value = {"columns": "[1]", "lasts": timedelta(days=-1), "day": date(2026, 1, 1), "kind": "b"}
    made = flytekit_value(to_literal(value, MODEL), Model)
    assert made == Model(columns=[1], lasts=timedelta(days=-1), day=date(2026, 1, 1), kind="b")
    assert flytekit_value(to_literal({**value, "lasts": "1 day, 2:00:00"}, MODEL), Model).lasts == timedelta(
        hours=26
    )
    assert faults({**value, "kind": "c", "day": "x"}, MODEL) == [
        "inputs.table.day: expected date, got str 'x' (Invalid isoformat string: 'x')",
        "inputs.table.kind: expected Enum('a','b'), got str 'c'",
    ]


def test_a_decimal_is_a_number_where_one_is_wanted():
    assert from_literal(to_literal({**GOOD, "scale": Decimal("0.5")}, TABLE))["scale"] == 0.5


def test_a_class_that_holds_itself():
    class Node(pydantic.BaseModel):
        value: int
        next: "Node | None" = None

    Node.model_rebuild(_types_namespace={"Node": Node})
    from flyteidl.core.types_pb2 import LiteralType, SimpleType

    literal_type = LiteralType(simple=SimpleType.STRUCT)
    literal_type.metadata.update(Node.model_json_schema())
    assert faults({"value": 1, "next": {"value": 2, "next": {"value": "x"}}}, literal_type) == [
        "inputs.table.next.next.value: expected int, got str 'x' (give digits, such as '5')"
    ]
