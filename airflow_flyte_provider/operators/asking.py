"""What a person reads who is asked about a gate, as the Markdown that Airflow's page shows.

Imported wherever a DAG file is parsed: gRPC, protobuf and flyteidl load when a task runs, not here.
"""

from __future__ import annotations

import json
import re
import textwrap
from typing import TYPE_CHECKING

from airflow_flyte_provider.model.redaction import printable, readable

if TYPE_CHECKING:
    from airflow_flyte_provider.hooks.gates import Gate
    from airflow_flyte_provider.model.values.outputs import Outputs
    from airflow_flyte_provider.model.views.executions import Execution
    from airflow_flyte_provider.model.views.signals import Signal

#: Characters of a value that are shown: somebody has to read them.
_SHOWN = 4000


def question_text(
    body: str | None, execution: Execution, signal: Signal, gate: Gate, console_url: str
) -> str:
    """Return what is known about a gate.

    :param body: what the DAG's author says first.
    :param execution: the execution that waits.
    :param signal: the signal that it waits for.
    :param gate: the gate.
    :param console_url: the execution's address.
    """
    parts = [body] if body else []
    if gate.inputs:
        parts += ["To be approved:", *_values(gate.inputs)]
    what = execution.workflow.name if execution.workflow else execution.launch_plan.name
    parts.append(
        f"Execution [{_code(str(execution.id))}]({console_url}) of {_code(what)} waits for {_code(signal.id)}."
    )
    return "\n\n".join(parts)


def _values(inputs: Outputs) -> list[str]:
    from airflow_flyte_provider.model.values.xcom import to_xcom

    try:
        values = to_xcom(inputs, None)
    except ValueError as fault:
        return [f"(the value cannot be shown: {_code(str(fault))})"]
    # Indented, which is code in Markdown: whatever the value holds, it is shown as it is.
    return [textwrap.indent(readable(_shown(value)), "    ") for value in values.values()]


def _code(text: str) -> str:
    """Return a name as code in a line of Markdown: a name that Flyte tells must make no link or picture there."""
    line = printable(text)
    longest = max(map(len, re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {line} {fence}" if longest else f"{fence}{line}{fence}"


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, indent=2, default=str, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text):,} characters)"
