"""A workflow that asks for a value of any type, and returns it."""

from __future__ import annotations

from flyteidl.core import identifier_pb2, types_pb2
from flyteidl.core import workflow_pb2 as core_workflow

from tests.local.client import Client, identifier

#: What it asks for.
SIGNAL = "answer"


def register_asking(endpoint: str, name: str, literal_type: types_pb2.LiteralType) -> None:
    """Register a workflow without inputs whose one gate asks for `answer`; its output `o0` is the answer."""
    gate = core_workflow.Node(id="n0")
    gate.metadata.name = "ask"
    gate.gate_node.signal.signal_id = SIGNAL
    gate.gate_node.signal.type.CopyFrom(literal_type)
    gate.gate_node.signal.output_variable_name = "o0"
    template = core_workflow.WorkflowTemplate(id=identifier(identifier_pb2.WORKFLOW, name), nodes=[gate])
    template.interface.outputs.variables["o0"].type.CopyFrom(literal_type)
    promise = template.outputs.add(var="o0").binding.promise
    promise.node_id, promise.var = "n0", "o0"
    client = Client(endpoint)
    client.register_workflow(template)
    client.close()
