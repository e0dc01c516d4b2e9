"""What an execution took or gave, read when it is asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, TypeVar, overload

from flyteidl.core.interface_pb2 import VariableMap
from flyteidl.core.literals_pb2 import Literal, LiteralMap
from flyteidl.core.types_pb2 import LiteralType

from airflow_flyte_provider.model.faults import FaultCollector
from airflow_flyte_provider.model.files import FileReference
from airflow_flyte_provider.model.suggestions import nearest
from airflow_flyte_provider.model.values.conversions import converted
from airflow_flyte_provider.model.values.literals import from_literal
from airflow_flyte_provider.model.values.offloading import Fetch
from airflow_flyte_provider.model.values.untold import tells_ints

T = TypeVar("T")


class UnknownOutputError(KeyError):
    """Raised for a name that there is not; its text has all that there are, the nearest first.

    :param name: the name that was asked for.
    :param known: the names there are.
    """

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        self.name = name
        near = nearest(name, known)
        self.known = (*near, *(other for other in sorted(known) if other not in near))
        super().__init__(name, known)

    def __str__(self) -> str:
        return (
            f"there is no {self.name!r}, but: {', '.join(self.known)}"
            if self.known
            else (f"there is no {self.name!r}, nor anything else")
        )


class Outputs(Mapping[str, Any]):
    """The outputs, or inputs, of an execution: native Python values by name, each made when it is asked for.

    :param literals: what GetExecutionData answered, a `flyteidl.core.LiteralMap`.
    :param variables: the declared outputs, which tell ints from floats where the literals alone do not; or what
        returns them, which is called once, and only when there is such a literal.
    :param fetch: returns the bytes at a URI of the store, for values that Flyte has offloaded.
    :param flyte_url: returns the `flyte://v1/…` address of an output by its name, for references to files. A file
        in a list or dict has none: only the whole output has an address.
    :param size: returns the bytes that a file at a URI has, None when that cannot be known cheaply.

    Equals a dict of the same values. Example::

        outputs = hook.get_outputs(execution)
        outputs["rows"]                              # 5
        outputs.get("config", as_type=TrainConfig)   # the dataclass
        outputs.get_literal("rows")                  # the flyteidl Literal, hash and metadata with it
    """

    def __init__(
        self,
        literals: LiteralMap,
        variables: VariableMap | Callable[[], VariableMap] | None = None,
        fetch: Fetch | None = None,
        flyte_url: Callable[[str], str] | None = None,
        size: Callable[[str], int | None] | None = None,
    ) -> None:
        self._literals = literals.literals
        self._declared = variables
        self._fetch = fetch
        self._flyte_url = flyte_url
        self._size = size
        self._values: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            literal = self.get_literal(name)
            is_told = callable(self._declared) and tells_ints(literal)
            declared = None if is_told else self.get_type(name)
            value = from_literal(literal, declared, name, self._fetch)
            self._values[name] = self._referring(value, self._url(name))
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._literals))

    def __len__(self) -> int:
        return len(self._literals)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._literals

    def __repr__(self) -> str:
        return f"Outputs({', '.join(self)})"  # no values: it must not fetch any, nor print what is secret

    @overload
    def get(self, name: str, default: Any = None) -> Any: ...

    @overload
    def get(self, name: str, default: Any = None, *, as_type: type[T]) -> T: ...

    def get(self, name: str, default: Any = None, *, as_type: type[Any] | None = None) -> Any:
        """Return a value, as another type if one is named; the default when there is none of that name.

        :param name: the output's name.
        :param default: what to return when there is no such output. It is not converted.
        :param as_type: a dataclass, a pydantic model, an Enum, `Decimal`, `date`, `str` (moments and durations keep
            their nanoseconds in it), or any class that takes the native value.
        :raises ValueFaults: when the value is offloaded and cannot be fetched, or cannot become `as_type`.
        """
        if name not in self:
            return default
        return self[name] if as_type is None else converted(self[name], self.get_literal(name), as_type, name)

    def get_literal(self, name: str) -> Literal:
        """Return a value as the `flyteidl.core.Literal` that Flyte sent, with its hash and metadata.

        :param name: the output's name.
        :raises UnknownOutputError: when there is none of that name.
        """
        if name not in self._literals:
            raise UnknownOutputError(name, tuple(self._literals))
        return self._literals[name]

    def get_type(self, name: str) -> LiteralType | None:
        """Return the declared type of an output, None when it is not known."""
        variables = self._variables.variables
        return variables[name].type if name in variables else None

    def as_dict(self) -> dict[str, Any]:
        """Return all values by name.

        :raises ValueFaults: naming every value that is offloaded and cannot be fetched.
        """
        values: dict[str, Any] = {}
        collector = FaultCollector()
        for name in self:
            with collector:
                values[name] = self[name]
        collector.raise_any()
        return values

    def reference(self, name: str) -> FileReference | None:
        """Return where an output lies that Flyte has offloaded, without fetching it; None for any other.

        :raises UnknownOutputError: when there is none of that name.
        """
        literal = self.get_literal(name)
        if literal.WhichOneof("value") != "offloaded_metadata":
            return None
        away = literal.offloaded_metadata
        return FileReference(away.uri, "", away.size_bytes or None, self._url(name), "value")

    @cached_property
    def _variables(self) -> VariableMap:
        declared = self._declared() if callable(self._declared) else self._declared
        return declared if declared is not None else VariableMap()

    def _url(self, name: str) -> str:
        return "" if self._flyte_url is None else self._flyte_url(name)

    def _referring(self, value: Any, flyte_url: str = "") -> Any:
        """Return a value with all that is known of the files it points to."""
        if isinstance(value, FileReference):
            size = self._size(value.uri) if self._size is not None and value.kind == "file" else None
            return dataclasses.replace(value, flyte_url=flyte_url, size=size)
        if isinstance(value, list):
            return [self._referring(item) for item in value]
        if isinstance(value, dict):
            return {key: self._referring(item) for key, item in value.items()}
        return value
