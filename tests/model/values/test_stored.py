"""Files, directories and tables as literals; variants that cannot be told apart; bytes and errors."""

import logging

import pytest
from flyteidl.core.literals_pb2 import Literal
from flyteidl.core.types_pb2 import LiteralType
from flytekit.types.error.error import FlyteError
from google.protobuf.json_format import MessageToDict, ParseDict

from airflow_flyte_provider.model.faults import ValueFaults
from airflow_flyte_provider.model.files import FileReference, FlyteDirectory, FlyteFile
from airflow_flyte_provider.model.values.literals import from_literal, to_literal


def of_type(**message):
    return ParseDict(message, LiteralType())


CSV, ANY = of_type(blob={"format": "csv"}), of_type(blob={})
FOLDER = of_type(blob={"dimensionality": "MULTIPART"})
COLUMNS = [{"name": "a", "literal_type": {"simple": "INTEGER"}}]
TABLE = of_type(structured_dataset_type={"columns": COLUMNS, "external_schema_type": "arrow"})
REFERENCE = FileReference("s3://b/x", "csv", None, "", "file")


@pytest.mark.parametrize(
    "value", [FlyteFile("s3://b/x"), FlyteFile("s3://b/x", "csv"), REFERENCE, REFERENCE.to_dict()]
)
def test_a_file_in_every_form(value):
    assert from_literal(to_literal(value, CSV)) == REFERENCE


def test_a_format_is_kept_where_the_type_leaves_it_open():
    assert from_literal(to_literal(FlyteFile("s3://b/x", "csv"), ANY)) == REFERENCE
    folder = to_literal(FlyteDirectory("s3://b/x", "png"), FOLDER)
    assert from_literal(folder) == FileReference("s3://b/x", "png", None, "", "directory")


@pytest.mark.parametrize(
    ("value", "literal_type", "hint"),
    [
        (FlyteFile("s3://b/x", "png"), CSV, "its format is png"),
        (FlyteFile("s3://b/x"), FOLDER, "give a directory"),
        (FlyteDirectory("s3://b/x"), ANY, "give a file"),
        (FlyteFile(""), ANY, "give its URI"),
        ({"uri": "s3://b/x"}, ANY, "give its URI"),
    ],
)
def test_what_is_no_such_file_is_refused(value, literal_type, hint):
    with pytest.raises(ValueFaults) as raised:
        to_literal(value, literal_type)
    assert raised.value.faults[0].hint == hint


def test_a_table_keeps_its_columns_and_its_external_schema():
    literal = to_literal(FlyteDirectory("s3://b/t", "parquet"), TABLE)
    told = MessageToDict(literal, preserving_proto_field_name=True)["scalar"]["structured_dataset"]
    declared = MessageToDict(TABLE, preserving_proto_field_name=True)["structured_dataset_type"]
    assert told == {
        "uri": "s3://b/t",
        "metadata": {"structured_dataset_type": {**declared, "format": "parquet"}},
    }
    assert from_literal(literal) == FileReference("s3://b/t", "parquet", None, "", "structured dataset")


def test_a_value_that_fits_two_variants_takes_the_first_and_says_so(caplog):
    lists = [{"collection_type": {"simple": kind}} for kind in ("INTEGER", "STRING")]
    union = of_type(union_type={"variants": lists})
    with caplog.at_level(logging.WARNING):
        assert to_literal([], union, "x").scalar.union.type == of_type(**lists[0])
        assert "x: [] fits list[int] as well as list[str]: the first is taken" in caplog.text
        caplog.clear()
        assert to_literal(["a"], union, "x").scalar.union.type == of_type(**lists[1])
        assert not caplog.text


def test_a_union_tells_the_faults_of_the_variant_that_has_the_shape():
    union = of_type(
        union_type={"variants": [{"simple": "INTEGER"}, {"collection_type": {"simple": "INTEGER"}}]}
    )
    with pytest.raises(ValueFaults) as raised:
        to_literal([1, "x"], union, "x")
    assert [fault.path for fault in raised.value.faults] == ["x[1]"]


def test_a_literal_chooses_its_variant():
    literal = ParseDict({"scalar": {"primitive": {"string_value": "1"}}}, Literal())
    union = of_type(union_type={"variants": [{"simple": "INTEGER"}, {"simple": "STRING"}]})
    assert to_literal(literal, union) is literal


def test_bytes_and_errors():
    binary, error = of_type(simple="BINARY"), of_type(simple="ERROR")
    assert from_literal(to_literal(bytearray(b"\x00\xff"), binary)) == b"\x00\xff"
    assert from_literal(to_literal(ValueError("broken"), error)) == "broken"
    told = to_literal(FlyteError(message="m", failed_node_id="n0"), error)
    assert (told.scalar.error.message, told.scalar.error.failed_node_id) == ("m", "n0")
