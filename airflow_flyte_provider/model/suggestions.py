"""What somebody who mistyped a name may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, candidates: Iterable[str], n: int = 3) -> list[str]:
    """Return the names most like a mistyped one, best first.

    :param name: the name as it was given.
    :param candidates: the names there are.
    :param n: how many to return at most.

    >>> nearest("ammount", ["amount", "account", "day"])
    ['amount', 'account']
    """
    by_folded: dict[str, str] = {}
    for candidate in candidates:
        by_folded.setdefault(candidate.casefold(), candidate)
    return [by_folded[folded] for folded in difflib.get_close_matches(name.casefold(), by_folded, n)]


def did_you_mean(name: object, candidates: Iterable[object]) -> str:
    """Return a question for a hint, empty when nothing is like the name.

    >>> did_you_mean("gren", ["red", "green"])
    "did you mean 'green'?"
    """
    near = (
        nearest(name, [text for text in candidates if isinstance(text, str)]) if isinstance(name, str) else []
    )
    return f"did you mean {' or '.join(map(repr, near))}?" if near else ""
