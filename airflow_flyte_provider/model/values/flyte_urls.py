"""Addresses by which FlyteAdmin finds inputs and outputs: `flyte://v1/project/domain/execution/node/…`."""

from __future__ import annotations

import re

from airflow_flyte_provider.model.identifiers import ExecutionId

_WORD = "[a-zA-Z0-9_-]+"
_LITERAL = re.compile(rf"flyte://v1/{_WORD}/{_WORD}/{_WORD}/{_WORD}(/[0-9]+)?/[io]/{_WORD}")


def output_url(execution: ExecutionId, name: str) -> str:
    """Return the address of one output of an execution, empty when FlyteAdmin could not read it.

    Every workflow's outputs are the inputs of its end-node, wherever they come from: a task, a branch, another
    execution, or several nodes together. So is the output of a task that is executed alone.

    :param execution: an execution that has succeeded: before that nothing is there.
    :param name: the output's name.

    >>> output_url(ExecutionId("p", "development", "a1"), "o0")
    'flyte://v1/p/development/a1/end-node/i/o0'
    """
    return literal_url(f"flyte://v1/{execution}/end-node/i", name)


def literal_url(all_of_them: str, name: str) -> str:
    """Return the address of one input or output, empty when FlyteAdmin could not read it.

    :param all_of_them: the address of all inputs or outputs, which ends with `i` or `o`.
    :param name: the name of the one.
    """
    url = f"{all_of_them}/{name}"
    return url if _LITERAL.fullmatch(url) else ""
