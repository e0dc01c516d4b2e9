"""What a person reads who is asked about a gate: names and values of Flyte are shown, and are no markup."""

from dataclasses import replace

import pytest
from flyteidl.admin import execution_pb2
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.core.types_pb2 import LiteralType
from markdown_it import MarkdownIt

from airflow_flyte_provider.hooks.gates import Gate
from airflow_flyte_provider.model.identifiers import EntityId, EntityKind, ExecutionId
from airflow_flyte_provider.model.values.literals import to_literal
from airflow_flyte_provider.model.values.outputs import Outputs
from airflow_flyte_provider.model.views.executions import Execution
from airflow_flyte_provider.model.views.signals import Signal
from airflow_flyte_provider.operators.asking import question_text

TEXT = LiteralType(simple="STRING")
EVIL = [
    "`](javascript:alert(1)) [Approve](https://evil)",
    "``![x](https://evil/pixel.png)``",
    "x\n\n# All checks passed\n\n[Approve](https://evil)",
    "x\r\r[Approve](https://evil)",
    "<img src=x onerror=alert(1)>",
    "https://evil",
]


def kinds(tokens):
    for token in tokens:
        yield token.type, token.attrs.get("href", "")
        yield from kinds(token.children or ())


@pytest.mark.parametrize("evil", EVIL)
def test_names_and_values_of_flyte_are_no_markup(evil):
    proto = execution_pb2.Execution()
    proto.id.name = "x"
    workflow = EntityId(EntityKind.WORKFLOW, "p", "d", evil, "v")
    execution = replace(Execution.from_proto(proto), id=ExecutionId("p", "d", evil), workflow=workflow)
    signal = Signal(execution.id, evil, TEXT, is_set=False)
    values = Outputs(LiteralMap(literals={"o0": to_literal(evil, TEXT)}))
    text = question_text("Please *look*.", execution, signal, Gate("approve", values), "https://console/x")
    found = list(kinds(MarkdownIt("commonmark").parse(text)))
    assert [href for kind, href in found if kind == "link_open"] == ["https://console/x"]
    assert not {"image", "heading_open", "html_inline", "html_block"} & {kind for kind, _ in found}
    assert sum(kind == "code_block" for kind, _ in found) == 1
