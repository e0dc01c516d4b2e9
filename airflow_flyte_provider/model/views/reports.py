"""What an execution's nodes came to, as text for a log: a table at the end, and why it failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from airflow_flyte_provider.model.durations import duration_text
from airflow_flyte_provider.model.phases import NodePhase, TaskPhase
from airflow_flyte_provider.model.redaction import printable, readable, redacted
from airflow_flyte_provider.model.views.nodes import NodeExecution, own, walk
from airflow_flyte_provider.model.web import is_page

if TYPE_CHECKING:
    from airflow_flyte_provider.model.views.attempts import LogLink
    from airflow_flyte_provider.model.views.executions import Execution, ExecutionError

#: Rows of a table at most; beyond them only what did not succeed is shown.
_ROWS = 200
_MESSAGE_CHARACTERS = 4000
_LINKS = 5
_FAILED = (NodePhase.FAILED, NodePhase.TIMED_OUT, NodePhase.FAILING)
_HEADER = ("node", "phase", "took", "attempts", "cache")


def summary_table(execution: Execution) -> str:
    """Return a table of the nodes of an execution: phase, duration, attempts, cache. Ends without a newline.

    With more than 200 nodes, those that succeeded are counted in the last line rather than shown.

    :param execution: with its nodes, as `hook.sync` returns it.
    """
    rows = list(walk(execution.nodes))
    shown = rows if len(rows) <= _ROWS else [row for row in rows if not row[1].is_successful][:_ROWS]
    kept = {node.id for _, node in shown}
    left = [node for _, node in rows if node.id not in kept]
    lines = aligned([_HEADER, *(_row(depth, node) for depth, node in shown)])
    if left:
        lines.append(f"and {len(left)} more: {counts(node.phase for node in left)}")
    return "\n".join(lines)


def failure_report(execution: Execution) -> str:
    """Return why an execution did not succeed, so that nobody needs the console to know it.

    It names the failing node by the path to it, through sub-workflows and child executions, then the error's kind
    and code, the end of its message, and the pages with its log.

    :param execution: one that is over, with its nodes, as `hook.sync` returns it. Without them it tells less.
    """
    path = failing_path(execution)
    lines = [f"Execution {execution.id} of {execution.launch_plan} ended {execution.phase}."]
    if execution.abort_cause:
        lines.append(f"It was terminated: {printable(redacted(execution.abort_cause))}")
    if path:
        lines.append(f"Failing node: {' > '.join(map(_step, path))}")
    error = _error(execution, path)
    if error:
        lines.append(f"{error.kind} error {printable(error.code) or 'without a code'}:")
        lines.append(end_of(readable(redacted(error.message)), _MESSAGE_CHARACTERS))
    if path:
        lines += _elements(path[-1])
        lines += [f"Log: {link(one)}" for one in path[-1].logs[:_LINKS]]
    return "\n".join(lines)


def failing_path(execution: Execution) -> tuple[NodeExecution, ...]:
    """Return the nodes from the outermost to the one that failed first; none when no node failed."""
    path: list[NodeExecution] = []
    nodes = own(execution.nodes)
    while failed := [node for node in nodes if node.phase in _FAILED]:
        first = min(failed, key=lambda node: node.updated_at.timestamp() if node.updated_at else 0.0)
        path.append(first)
        nodes = first.inner
    return tuple(path)


def failing_log(execution: Execution) -> str:
    """Return the address of the first page with the log of the failing node, empty when there is none to link to.

    An address that is signed is none to link to: it would let whoever sees it read the log. Neither is one that a
    browser would not open as a page.

    :param execution: see `failure_report`.
    """
    path = failing_path(execution)
    found = (one.uri for one in path[-1].logs) if path else ()
    pages = (uri for uri in found if is_page(uri) and redacted(uri) == uri)
    return next(pages, "")


def label(node: NodeExecution) -> str:
    """Return what to call a node in a line of text: its id, and in brackets its name where that is another."""
    identifier = node.id.node_id
    return printable(identifier if node.name in (identifier, node.spec_id) else f"{identifier} ({node.name})")


def counts(phases: Iterable[NodePhase]) -> str:
    """Return how many there are of each phase, such as `3 RUNNING, 40 SUCCEEDED`."""
    found = Counter(phases)
    return ", ".join(f"{found[phase]} {phase}" for phase in NodePhase if phase in found)


def took(node: NodeExecution) -> str:
    """Return how long a node took, such as `2.13 s`; empty for one that has not begun."""
    return "" if node.duration is None else duration_text(node.duration)


def link(one: LogLink) -> str:
    """Return a page with a log as text."""
    uri = redacted(one.uri)  # some stores put a signature into it
    return printable(f"{one.name}: {uri}" if one.name else uri)


def end_of(text: str, characters: int) -> str:
    """Return a text, only its end when it is long: an error's message may be a whole log whose end tells the cause.

    :param text: the text.
    :param characters: how many of its characters to return at most.
    """
    stripped = text.strip()
    return stripped if len(stripped) <= characters else f"[...]{stripped[-characters:]}"


def aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """Return rows of cells as lines whose columns stand below each other, and hold nothing that is not to be shown."""
    rows = [tuple(printable(redacted(cell)) for cell in row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _row(depth: int, node: NodeExecution) -> tuple[str, ...]:
    name = "  " * depth + label(node)
    elements = _last_of_each(node)
    if elements:
        name += (
            f" [{sum(phase is TaskPhase.SUCCEEDED for phase in elements.values())}/{len(elements)} elements]"
        )
    cache = node.cache_status.removeprefix("CACHE_").lower().replace("_", " ")
    attempts = str(len(node.tasks)) if node.tasks else ""
    return name, node.phase.value, took(node), attempts, "" if cache == "disabled" else cache


def _step(node: NodeExecution) -> str:
    text = label(node)
    if len(node.tasks) > 1:
        text += f", attempt {len(node.tasks)}"
    return f"{text} > execution {node.launched}" if node.launched else text


def _error(execution: Execution, path: tuple[NodeExecution, ...]) -> ExecutionError | None:
    """Return the innermost error that Flyte tells."""
    for node in reversed(path):
        if node.error:
            return node.error
        if node.tasks and node.tasks[-1].error:
            return node.tasks[-1].error
        if node.execution and node.execution.error:
            return node.execution.error
    return execution.error


def _elements(node: NodeExecution) -> list[str]:
    phases = _last_of_each(node)
    failed = [str(index) for index, phase in phases.items() if phase is TaskPhase.FAILED]
    if not failed:
        return []
    more = ", ..." if len(failed) > _ROWS else ""
    return [f"Failed elements: {len(failed)} of {len(phases)}: {', '.join(failed[:_ROWS])}{more}"]


def _last_of_each(node: NodeExecution) -> dict[int, TaskPhase]:
    """Return the phase of the last attempt at each element of an array node."""
    elements = node.tasks[-1].elements if node.tasks and node.is_array else ()
    return {one.index: one.phase for one in sorted(elements, key=lambda one: (one.index, one.attempt))}
