"""A page to look at: the executions of this Flyte, and one execution with its nodes, values and logs.

The addresses are those of the real Flyte console, so that the links which clients make lead here.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from string import Template
from typing import Any
from urllib.parse import unquote

from flyteidl.admin import common_pb2
from flyteidl.core import execution_pb2 as core_execution
from flyteidl.core import identifier_pb2, literals_pb2
from google.protobuf.json_format import MessageToJson

from airflow_flyte_provider.local.files.folder import DataFolder, read_literals
from airflow_flyte_provider.local.refusal import Refusal
from airflow_flyte_provider.local.store.executions import ExecutionStore
from airflow_flyte_provider.local.store.listing import Page

_LIST = re.compile(r"/console/projects/(?P<project>[^/]+)/(?:domains/(?P<domain>[^/]+)/)?executions/?")
_ONE = re.compile(
    r"/console/projects/(?P<project>[^/]+)/domains/(?P<domain>[^/]+)/executions/(?P<name>[^/]+)(/nodeId/[^/]+/nodes)?/?"
)
_LOG = re.compile(
    r"/console/projects/(?P<project>[^/]+)/domains/(?P<domain>[^/]+)/executions/(?P<name>[^/]+)/logs/(?P<file>[^/]+)"
)
_SHOWN = 100  # executions in the list, characters of a value in a row
_COLOURS = {"SUCCEEDED": "#1a7f37", "RECOVERED": "#1a7f37", "FAILED": "#cf222e", "ABORTED": "#9a6700"}

_PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>$title</title>$refresh<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1f2328 }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #d1d9e0; vertical-align: top }
th { color: #59636e; font-weight: 500 } pre { background: #f6f8fa; padding: 1rem; white-space: pre-wrap }
.phase { color: #fff; border-radius: .3rem; padding: .1rem .5rem; font-size: .85rem }
</style></head><body>$body</body></html>""")


class Console:
    """Makes the pages.

    :param executions: where executions are stored.
    :param folder: the data directory, which holds their outputs.
    """

    def __init__(self, executions: ExecutionStore, folder: DataFolder) -> None:
        self._executions = executions
        self._folder = folder

    def page(self, path: str) -> str | None:
        """Return the HTML page at an address, None when there is none.

        :param path: the path of the address, as in `/console/projects/p/domains/d/executions/name`.
        """
        path = path.partition("?")[0]
        if found := _LOG.fullmatch(path):
            return self._log(**{key: unquote(value) for key, value in found.groupdict().items()})
        if found := _ONE.fullmatch(path):
            parts = {key: unquote(value) for key, value in found.groupdict().items()}
            try:
                return self._one(identifier_pb2.WorkflowExecutionIdentifier(**parts))
            except Refusal:
                return None
        if found := _LIST.fullmatch(path):
            return self._list(unquote(found["project"]), unquote(found["domain"] or "development"))
        return None

    def _list(self, project: str, domain: str) -> str:
        conditions = self._executions.conditions(project, domain)
        newest_first = common_pb2.Sort(key="created_at", direction=common_pb2.Sort.DESCENDING)
        page = Page(
            limit=_SHOWN,
            token="",
            filters="",
            sort=newest_first,
            call="ListExecutions",
            conditions=conditions,
        )
        found, _ = self._executions.list(page)
        rows = [
            (
                f'<a href="/console/projects/{project}/domains/{domain}/executions/{each.id.name}">'
                f"{_text(each.id.name)}</a>",
                _text(each.spec.launch_plan.name),
                _phase(core_execution.WorkflowExecution.Phase.Name(each.closure.phase)),
                _time(each.closure.created_at),
                _duration(each.closure),
            )
            for each in found
        ]
        head = ("execution", "launch plan", "phase", "created", "duration")
        title = f"Executions of {_text(project)}/{_text(domain)}"
        return _page(title, f"<h1>{title}</h1>{_table(head, rows)}", refresh=True)

    def _one(self, identifier: identifier_pb2.WorkflowExecutionIdentifier) -> str:
        execution = self._executions.get(identifier)
        closure, plan = execution.closure, execution.spec.launch_plan
        phase = core_execution.WorkflowExecution.Phase.Name(closure.phase)
        facts = [
            ("launch plan", _text(f"{plan.name} version {plan.version}")),
            ("created", _time(closure.created_at)),
            ("duration", _duration(closure)),
            *((_text(key), _text(value)) for key, value in sorted(execution.spec.labels.values.items())),
        ]
        if closure.abort_metadata.cause:
            facts.append(("terminated", _text(closure.abort_metadata.cause)))
        outputs = self._values(closure.outputs.uri)
        body = [
            f"<h1>{_text(identifier.name)} {_phase(phase)}</h1>",
            _table(("", ""), facts),
            f"<h2>Inputs</h2>{_values_table(self._executions.inputs(identifier))}",
            f"<h2>Outputs</h2>{_values_table(outputs)}",
            f"<h2>Nodes</h2>{self._nodes(identifier)}",
        ]
        if closure.HasField("error"):
            kind = core_execution.ExecutionError.ErrorKind.Name(closure.error.kind)
            body.insert(
                1, f"<pre>{_text(f'{kind} {closure.error.code}')}\n{_text(closure.error.message)}</pre>"
            )
        return _page(_text(identifier.name), "".join(body), refresh=not closure.HasField("duration"))

    def _log(self, project: str, domain: str, name: str, file: str) -> str | None:
        if "/" in f"{project}{domain}{name}{file}" or not file.endswith(".log"):
            return None
        try:
            path = self._folder.contained(self._folder.logs(project, domain, name) / file)
            text = path.read_text(errors="replace")
        except (Refusal, OSError, ValueError):
            return None
        title = f"{_text(name)}: {_text(file)}"
        return _page(title, f"<h1>{title}</h1><pre>{_text(text)}</pre>", refresh=False)

    def _nodes(self, identifier: identifier_pb2.WorkflowExecutionIdentifier) -> str:
        rows = []
        nodes = self._executions.nodes(identifier)
        for node in sorted(
            nodes, key=lambda each: (each.closure.created_at.ToNanoseconds(), each.id.node_id)
        ):
            attempts = self._executions.tasks(node.id)
            logs = [log for attempt in attempts for log in attempt.closure.logs]
            rows.append(
                (
                    _text(node.id.node_id),
                    _phase(core_execution.NodeExecution.Phase.Name(node.closure.phase)),
                    _time(node.closure.created_at),
                    _duration(node.closure),
                    " ".join(f'<a href="{_text(log.uri)}">{_text(log.name)}</a>' for log in logs),
                    _text(node.closure.error.message[-_SHOWN:]),
                )
            )
        return _table(("node", "phase", "created", "duration", "log", "error"), rows)

    def _values(self, address: str) -> literals_pb2.LiteralMap:
        return read_literals(self._folder.path(address)) if address else literals_pb2.LiteralMap()


def _values_table(values: literals_pb2.LiteralMap) -> str:
    rows = []
    for name, literal in sorted(values.literals.items()):
        try:
            # loads what reads dates, which the start of the server need not wait for
            from airflow_flyte_provider.model.values.literals import from_literal

            shown = repr(from_literal(literal))
        except ValueError:  # a kind of literal that has no native value yet
            shown = MessageToJson(literal, indent=None)
        rows.append((_text(name), f"<code>{_text(shown[: 10 * _SHOWN])}</code>"))
    return _table(("name", "value"), rows) if rows else "<p>None.</p>"


def _page(title: str, body: str, *, refresh: bool) -> str:
    seconds = '<meta http-equiv="refresh" content="2">' if refresh else ""
    return _PAGE.substitute(title=title, body=body, refresh=seconds)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table; its cells are HTML already."""
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def _phase(name: str) -> str:
    return f'<span class="phase" style="background: {_COLOURS.get(name, "#0969da")}">{_text(name)}</span>'


def _time(moment: Any) -> str:
    return f"{moment.ToDatetime():%Y-%m-%d %H:%M:%S} UTC" if moment.ByteSize() else ""


def _duration(closure: Any) -> str:
    return f"{closure.duration.ToTimedelta().total_seconds():.2f} s" if closure.HasField("duration") else ""


def _text(value: str) -> str:
    return html.escape(value)
