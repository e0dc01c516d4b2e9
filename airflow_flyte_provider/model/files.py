"""Files and tables as values: what a DAG author gives, and what a task hands on instead of the bytes.

A DAG file may import this module: it loads the standard library and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

Kind = Literal["file", "directory", "structured dataset", "schema", "value"]
"""What a `FileReference` points to; a `value` is one that was too large to be told in place."""

XCOM_LIMIT_BYTES = 1_048_576
"""Bytes of JSON that a task hands on through XCom at most, unless it is told otherwise."""

_KINDS = ("file", "directory", "structured dataset", "schema", "value")


@dataclass
class FlyteFile:
    """One file, as an input. A local one is uploaded when the task runs, a remote one is passed as it is.

    :param source: a path on the worker, or a URI such as `s3://bucket/key`. Jinja templates in it are rendered.
    :param format: what the file is, such as `csv`; empty takes what the Flyte task declares.

    Becomes a `flyteidl.core.Blob` that is SINGLE. Example::

        FlyteExecuteOperator(..., inputs={"report": FlyteFile("/data/{{ ds }}.csv", format="csv")})
    """

    source: str | os.PathLike[str]
    format: str = ""

    template_fields: ClassVar[tuple[str, ...]] = ("source",)


@dataclass
class FlyteDirectory:
    """A directory with all that is in it, as an input; uploaded or passed as a `FlyteFile` is.

    :param source: a path on the worker, or a URI such as `s3://bucket/folder/`. Jinja templates in it are rendered.
    :param format: what the files in it are, such as `csv`; empty takes what the Flyte task declares.

    Becomes a `flyteidl.core.Blob` that is MULTIPART. Example::

        FlyteExecuteOperator(..., inputs={"images": FlyteDirectory("s3://bucket/images/{{ ds }}/")})
    """

    source: str | os.PathLike[str]
    format: str = ""

    template_fields: ClassVar[tuple[str, ...]] = ("source",)


@dataclass(frozen=True)
class FileReference:
    """Where a value lies that is not handed on itself: a file, a table, or a value too large for XCom.

    :param uri: where it lies in the store; empty when only Flyte can tell.
    :param format: what it is, such as `csv` or `parquet`; empty when nobody has said so.
    :param size: bytes, None when unknown. Flyte tells it of a value that it keeps apart, and the disk of a file on this
        machine; a store is not asked.
    :param flyte_url: the `flyte://v1/…` address by which Flyte itself finds it, as `FlyteHook.get` and `download`
        take it. Empty when there is none: for a file inside a list or dict, where only the whole has an address,
        for an input, and for an output whose name has other characters than `a-z A-Z 0-9 _ -`.
    :param kind: what it is.

    Given as an input, it stands for what it points to. Example::

        reference = FileReference("s3://bucket/a.csv", "csv", None, "", "file")
        assert FileReference.from_dict(reference.to_dict()) == reference
    """

    uri: str
    format: str
    size: int | None
    flyte_url: str
    kind: Kind

    def to_dict(self) -> dict[str, Any]:
        """Return the reference as a dict that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> FileReference:
        """Return the reference that `to_dict` has made into a dict.

        :raises ValueError: when the dict is none of those.
        """
        if not cls.is_dict_of_one(content):
            raise ValueError(f"no reference to a file: {content!r:.100}")
        return cls(**content)

    @staticmethod
    def is_dict_of_one(value: object) -> bool:
        """Tell whether a value is what `to_dict` returns, as XCom gives it to the next task."""
        return (
            isinstance(value, Mapping)
            and set(value) == {"uri", "format", "size", "flyte_url", "kind"}
            and value["kind"] in _KINDS
        )
