"""The extra fields of one connection, read with errors that name the connection and the field."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow_flyte_provider.exceptions import FlyteConfigError

_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off", ""})
#: Their values are not quoted in errors. Commands are among them: people put secrets into arguments.
_SECRET = frozenset({"client_secret", "password", "token", "auth_command", "proxy_command"})


class Fields:
    """Reads extra fields. A field of a connection URI is text, whatever it stands for.

    :param conn_id: the connection's id, for messages.
    :param extra: the extra fields by name.
    """

    def __init__(self, conn_id: str, extra: Mapping[str, Any]) -> None:
        self.conn_id = conn_id
        self.extra = extra

    def wrong(self, key: str, takes: str) -> FlyteConfigError:
        """Return the error for a field that cannot be used.

        :param key: the field.
        :param takes: what it takes, as a phrase.
        """
        shown = "not usable" if key in _SECRET else f"{self.extra.get(key)!r:.100}"
        return FlyteConfigError(
            f"Connection {self.conn_id!r}: the extra field {key!r} is {shown}; it takes {takes}."
        )

    def text(self, key: str) -> str | None:
        """Return a text without spaces around it; None when there is none."""
        value = self.extra.get(key)
        if value is not None and (not isinstance(value, str) or "\0" in value):
            raise self.wrong(key, "a text")
        return value.strip() or None if value else None

    def file(self, key: str) -> str | None:
        """Return the path of a file that exists."""
        path = self.text(key)
        try:
            found = not path or Path(path).is_file()
        except (OSError, ValueError):  # no path at all, such as one too long
            found = False
        if not found:
            raise self.wrong(key, "the path of a file that this worker can read")
        return path

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Return a truth, the default when it is not given."""
        value = self.extra.get(key)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        text = str(value).strip().lower()
        if text not in _TRUE | _FALSE:
            raise self.wrong(key, "true or false")
        return text in _TRUE

    def number(self, key: str, default: float, unit: str) -> float:
        """Return a number above 0.

        :param unit: what it counts, for the message.
        """
        value = self.extra.get(key)
        if value is None or value == "":
            return default
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not 0 < number < math.inf:
            raise self.wrong(key, f"a number of {unit} above 0")
        return number

    def words(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, given as one, as JSON, or as text with commas or spaces between them."""
        value = self.extra.get(key)
        if isinstance(value, str) and not value.lstrip().startswith("["):
            return tuple(value.replace(",", " ").split())
        return self._texts(key, "a list of texts")

    def command(self, key: str) -> tuple[str, ...]:
        """Return a program and its arguments, given as a list or as a list in JSON; no shell ever reads them."""
        found = self._texts(key, 'a list of a program and its arguments, as in ["program", "argument"]')
        if found and not found[0].strip():
            raise self.wrong(key, "a list that begins with a program")
        return found

    def _texts(self, key: str, takes: str) -> tuple[str, ...]:
        value = self.extra.get(key)
        if isinstance(value, str) and value.strip():
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                raise self.wrong(key, takes) from None
        if value is None or value == "":
            return ()
        if not isinstance(value, list | tuple) or not all(
            isinstance(one, str) and "\0" not in one for one in value
        ):
            raise self.wrong(key, takes)
        return tuple(value)
