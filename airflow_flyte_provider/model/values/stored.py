"""Values that lie in a store: files, directories, schemas and structured datasets, which a literal only points to."""

from __future__ import annotations

import os

from flyteidl.core.literals_pb2 import (
    Blob,
    BlobMetadata,
    Literal,
    Scalar,
    Schema,
    StructuredDataset,
    StructuredDatasetMetadata,
)
from flyteidl.core.types_pb2 import BlobType, LiteralType, StructuredDatasetType

from airflow_flyte_provider.model.faults import ValueFaults
from airflow_flyte_provider.model.files import FileReference, FlyteDirectory, FlyteFile
from airflow_flyte_provider.model.values.types import describe


def to_stored(value: object, literal_type: LiteralType, path: str) -> Literal:
    """Return the literal that points to what lies in a store, by its URI. Nothing is read or uploaded.

    :param value: a URI, a path, a `FlyteFile`, a `FlyteDirectory`, a `FileReference` or the dict that XCom makes of
        one. A format that it names is kept where the declared type leaves it open.
    :param literal_type: the declared type: a blob, a schema or a structured dataset.
    :param path: where the value stands, for faults.
    :raises ValueFaults: when it is nothing of these, or a directory where a file is declared, or of another format.
    """
    uri, file_format, kind = _told(value)
    if not uri:
        raise ValueFaults.of(path, describe(literal_type), value, "give its URI")
    wanted = _kind(literal_type)
    if {kind, wanted} == {"file", "directory"}:
        raise ValueFaults.of(path, describe(literal_type), value, f"give a {wanted}")
    declared = _format(literal_type)
    if file_format and declared and file_format.lower() != declared.lower():
        raise ValueFaults.of(path, describe(literal_type), value, f"its format is {file_format}")
    return _WRITERS[wanted](uri, literal_type, declared or file_format)


def from_stored(scalar: Scalar) -> FileReference:
    """Return what a blob, a schema or a structured dataset points to.

    :param scalar: a `flyteidl.core.Scalar` that holds one of them.
    """
    kind = scalar.WhichOneof("value")
    if kind == "blob":
        blob_type = scalar.blob.metadata.type
        is_many = blob_type.dimensionality == BlobType.MULTIPART
        return FileReference(scalar.blob.uri, blob_type.format, None, "", "directory" if is_many else "file")
    if kind == "schema":
        return FileReference(scalar.schema.uri, "parquet", None, "", "schema")
    dataset = scalar.structured_dataset
    file_format = dataset.metadata.structured_dataset_type.format
    return FileReference(dataset.uri, file_format, None, "", "structured dataset")


def _told(value: object) -> tuple[str, str, str]:
    """Return the URI, the format and the kind that a value tells, each empty when it does not."""
    if isinstance(value, FileReference):
        return value.uri, value.format, value.kind
    if FileReference.is_dict_of_one(value):
        return _told(FileReference.from_dict(value))  # type: ignore[arg-type]
    if isinstance(value, FlyteFile):
        return str(value.source), value.format, "file"
    if isinstance(value, FlyteDirectory):
        return str(value.source), value.format, "directory"
    return (str(value) if isinstance(value, str | os.PathLike) else ""), "", ""


def _kind(literal_type: LiteralType) -> str:
    kind = literal_type.WhichOneof("type")
    if kind == "blob":
        return "directory" if literal_type.blob.dimensionality == BlobType.MULTIPART else "file"
    return "schema" if kind == "schema" else "structured dataset"


def _format(literal_type: LiteralType) -> str:
    kind = literal_type.WhichOneof("type")
    if kind == "blob":
        return literal_type.blob.format
    return "parquet" if kind == "schema" else literal_type.structured_dataset_type.format


def _blob(uri: str, literal_type: LiteralType, file_format: str) -> Literal:
    blob_type = BlobType(format=file_format, dimensionality=literal_type.blob.dimensionality)
    return Literal(scalar=Scalar(blob=Blob(metadata=BlobMetadata(type=blob_type), uri=uri)))


def _schema(uri: str, literal_type: LiteralType, _: str) -> Literal:
    return Literal(scalar=Scalar(schema=Schema(uri=uri, type=literal_type.schema)))


def _dataset(uri: str, literal_type: LiteralType, file_format: str) -> Literal:
    dataset_type = StructuredDatasetType()
    dataset_type.CopyFrom(literal_type.structured_dataset_type)  # the columns and the external schema with it
    dataset_type.format = file_format
    metadata = StructuredDatasetMetadata(structured_dataset_type=dataset_type)
    return Literal(scalar=Scalar(structured_dataset=StructuredDataset(uri=uri, metadata=metadata)))


_WRITERS = {"file": _blob, "directory": _blob, "schema": _schema, "structured dataset": _dataset}
