import dataclasses
import typing
from datetime import date, datetime, timedelta
from enum import Enum

import pydantic
import pytest
from flyteidl.core.interface_pb2 import ParameterMap, VariableMap
from flyteidl.core.types_pb2 import LiteralType
from flytekit.core.type_engine import TypeEngine
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from flytekit.types.schema import FlyteSchema
from flytekit.types.structured import StructuredDataset
from google.protobuf.json_format import ParseDict

from airflow_flyte_provider.model.values.signatures import TypedInterface
from airflow_flyte_provider.model.values.types import describe


@dataclasses.dataclass
class Point:
    x: int


class Model(pydantic.BaseModel):
    n: int


class Colour(Enum):
    RED = "red"
    GREEN = "green"


@pytest.mark.parametrize(
    ("python_type", "text"),
    [
        (int, "int"),
        (float, "float"),
        (str, "str"),
        (bool, "bool"),
        (datetime, "datetime"),
        (date, "datetime"),  # flytekit has no type for a date of its own
        (timedelta, "timedelta"),
        (type(None), "None"),
        (list[int], "list[int]"),
        (dict[str, list[str]], "dict[str, list[str]]"),
        (int | str, "int | str"),
        (str | None, "str | None"),
        (list[int | None], "list[int | None]"),
        (Colour, "Enum('red','green')"),
        (dict, "struct"),
        (dict[int, str], "struct"),
        (Point, "Point"),
        (Model, "Model"),
        (FlyteFile, "FlyteFile"),
        (FlyteFile["csv"], "FlyteFile[csv]"),
        (FlyteDirectory, "FlyteDirectory"),
        (FlyteSchema, "FlyteSchema"),
        (StructuredDataset, "StructuredDataset"),
        (object, "pickle"),
        (typing.Literal["a", "b"], "Literal['a', 'b']"),
        (typing.Literal[1, 2], "Literal[1, 2]"),
    ],
    ids=str,
)
def test_a_type_reads_as_its_author_wrote_it(python_type, text):
    assert describe(TypeEngine.to_literal_type(python_type).to_flyte_idl()) == text


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({}, "unknown type"),
        ({"union_type": {}}, "Union[()]"),
        ({"simple": "BINARY"}, "bytes"),
        ({"simple": "ERROR"}, "error"),
        ({"simple": 77}, "simple type 77"),
        ({"simple": "STRUCT", "metadata": {"$ref": "#/definitions/Old"}}, "Old"),
        ({"structured_dataset_type": {"format": "parquet"}}, "StructuredDataset[parquet]"),
        ({"blob": {"dimensionality": "MULTIPART", "format": "png"}}, "FlyteDirectory[png]"),
    ],
)
def test_any_other_type_has_words_too(message, text):
    assert describe(ParseDict(message, LiteralType())) == text


def test_the_signature_of_a_launch_plan_puts_what_is_required_first():
    offloaded = {"offloaded_metadata": {"uri": "s3://x"}}
    parameters = {
        "a": {"var": {"type": {"simple": "INTEGER"}}, "default": {"scalar": {"primitive": {"integer": "3"}}}},
        "o": {"var": {"type": {"simple": "NONE"}}, "default": {"scalar": {"none_type": {}}}},
        "q": {"var": {"type": {"simple": "FLOAT"}}, "artifact_query": {}},
        "r": {"var": {"type": {"simple": "FLOAT"}}, "default": offloaded},
        "s": {"var": {"type": {"simple": "STRING"}}, "required": True},
    }
    inputs = ParseDict({"parameters": parameters}, ParameterMap())
    outputs = ParseDict({"variables": {"o0": {"type": {"simple": "INTEGER"}}}}, VariableMap())
    text = "(s: str, a: int = 3, o: None = None, q: float = ..., r: float = ...)"
    assert str(TypedInterface(inputs)) == text
    assert str(TypedInterface(inputs, outputs)) == f"{text} -> (o0: int)"
    assert str(TypedInterface(outputs, VariableMap())) == "(o0: int) -> ()"
    fixed = TypedInterface(inputs, fixed=frozenset("a"))
    assert str(fixed) == "(s: str, o: None = None, q: float = ..., r: float = ...)"
    assert (fixed.required, set(fixed.types)) == ({"s"}, set("aoqrs"))


def test_a_file_as_a_default_is_told_by_its_uri():
    parameters = {"f": {"var": {"type": {"blob": {}}}, "default": {"scalar": {"blob": {"uri": "s3://b/x"}}}}}
    assert (
        str(TypedInterface(ParseDict({"parameters": parameters}, ParameterMap())))
        == "(f: FlyteFile = 's3://b/x')"
    )
