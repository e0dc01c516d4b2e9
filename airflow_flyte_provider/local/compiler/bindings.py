"""Checks that each input of a node is bound, once, to something of a fitting type."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flyteidl.core import interface_pb2, literals_pb2, types_pb2, workflow_pb2

from airflow_flyte_provider.local.compiler.errors import Faults, type_text
from airflow_flyte_provider.local.compiler.graph import START, Graph
from airflow_flyte_provider.local.wording import go_text
from airflow_flyte_provider.model.values.attributes import type_of_part
from airflow_flyte_provider.model.values.casting import castable, is_optional, type_of_scalar

# as FlytePropeller looks for it: anywhere in the text, and refused when it is there more than once
_VARIABLE = re.compile(r"(?:\[(\d+)\]\.)?(\w+)", re.ASCII)
_ANY = types_pb2.LiteralType(simple=types_pb2.NONE)  # what FlytePropeller expects where any type will do


@dataclass(frozen=True)
class Edges:
    """Which edges a binding draws: both ways, or only upstream (for nodes inside a branch)."""

    draw: bool = True
    upstream_only: bool = False


BOTH_WAYS = Edges()
UPSTREAM = Edges(upstream_only=True)


class BindingChecker:
    """Checks the bindings of one graph's nodes and draws the edges they make.

    :param graph: the graph; bindings to a workflow input get the start node's id filled in.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def check(
        self,
        node: workflow_pb2.Node,
        parameters: interface_pb2.VariableMap,
        *,
        edges: Edges,
        types_known: bool = True,
    ) -> interface_pb2.VariableMap:
        """Check all bindings of a node against the variables it takes.

        :param node: the node whose `inputs` are checked.
        :param parameters: the variables it takes.
        :param edges: the edges to draw for what it is bound to.
        :param types_known: False for nodes whose inputs are whatever is bound (branches, approvals).
        :return: the types the bound variables turned out to have.
        """
        faults, resolved = self._graph.faults, interface_pb2.VariableMap()
        bound: set[str] = set()
        for binding in node.inputs:
            wanted = parameters.variables.get(binding.var)
            if wanted is None and types_known:
                variable_not_found(faults, node.id, binding.var)
            elif not binding.HasField("binding"):
                faults.add("ValueRequired", node.id, "Value required [Binding].")
            elif binding.var in bound:
                text = f"Input [{binding.var}] is bound more than once."
                faults.add("ParameterBoundMoreThanOnce", node.id, text)
            else:
                bound.add(binding.var)
                expected = wanted.type if wanted is not None and types_known else None
                one = _OneBinding(self._graph, node, binding.var)
                found = one.resolve(binding.binding, expected, faults)
                for before in one.sources:
                    self._graph.connect(before, node.id, upstream_only=edges.upstream_only)
                if found is not None:
                    resolved.variables[binding.var].type.CopyFrom(found)
        for name, variable in parameters.variables.items():
            if name not in bound and not is_optional(variable.type):
                faults.add("ParameterNotBound", node.id, f"Parameter not bound [{name}].")
        return resolved


class _OneBinding:
    """The check of one binding: its type, and the nodes it takes its value from."""

    def __init__(self, graph: Graph, node: workflow_pb2.Node, var: str) -> None:
        self._graph = graph
        self._node = node
        self._var = var
        self.sources: list[str] = []

    def resolve(
        self, binding: literals_pb2.BindingData, expected: types_pb2.LiteralType | None, faults: Faults
    ) -> types_pb2.LiteralType | None:
        """Return the type a binding has, None when it is at fault. `expected` is None when any will do."""
        kind = binding.WhichOneof("value")
        if kind == "promise":
            return self._promise(binding.promise, expected, faults)
        if kind == "scalar":
            return self._scalar(binding.scalar, expected, faults)
        expected = _ANY if expected is None else expected
        if expected.WhichOneof("type") == "union_type":
            return self._union(binding, expected, faults)
        if kind == "collection":
            bindings = list(binding.collection.bindings)
            return self._container("collection_type", bindings, expected, faults, go_text(binding.collection))
        if kind == "map":
            bindings = [binding.map.bindings[key] for key in sorted(binding.map.bindings)]
            return self._container("map_value_type", bindings, expected, faults, go_text(binding.map))
        self._mismatching(expected, "", faults)
        return None

    def _promise(
        self,
        promise: types_pb2.OutputReference,
        expected: types_pb2.LiteralType | None,
        faults: Faults,
    ) -> types_pb2.LiteralType | None:
        source_id = promise.node_id or START
        source = self._graph.nodes.get(source_id)
        if source is None:
            faults.add("NodeReferenceNotFound", source_id, f"Referenced node [{source_id}] not found.")
            self._not_bound(faults)
            return None
        outputs = self._graph.interfaces.get(source_id, interface_pb2.TypedInterface()).outputs.variables
        parsed = _VARIABLE.findall(promise.var)
        if len(parsed) != 1:
            faults.add("SyntaxError", self._node.id, f"Failed to parse element [{promise.var}].")
            return None
        index, name = parsed[0]
        if name not in outputs:
            variable_not_found(faults, source_id, name)
            self._not_bound(faults)
            return None
        whole = part = outputs[name].type
        if index and whole.WhichOneof("type") != "collection_type":
            self._mismatching_variables(source, promise.var, whole, expected or _ANY, faults)
        elif index:
            part = whole.collection_type
        for step in promise.attr_path:
            inner = type_of_part(part, step.int_value if step.HasField("int_value") else step.string_value)
            if inner is None:
                text = f"Variable [{promise.var}] (type [{go_text(part)}]) doesn't have field [{step.string_value}]."
                faults.add("FieldNotFound", self._node.id, text)
                return None
            part = inner
        if expected is not None and not castable(part, expected):
            self._mismatching_variables(source, promise.var, part, expected, faults)
            return None
        promise.node_id = source_id
        self.sources.append(source_id)
        return whole

    def _union(
        self, binding: literals_pb2.BindingData, expected: types_pb2.LiteralType, faults: Faults
    ) -> types_pb2.LiteralType | None:
        fitting: list[tuple[types_pb2.LiteralType, types_pb2.LiteralType]] = []
        for variant in expected.union_type.variants:
            aside = Faults()
            sources = len(self.sources)
            found = self.resolve(binding, variant, aside)
            if found is not None and not aside:
                fitting.append((variant, found))
            else:
                del self.sources[sources:]
        if len(fitting) == 1:
            return fitting[0][1]
        start = f"Input [{self._var}] on node [{self._node.id}] expects bindings of union type [{go_text(expected)}]."
        if not fitting:
            text = f"{start}  Received [{go_text(binding)}] which does not match any of the variants."
            faults.add("IncompatibleBindingUnionValue", self._node.id, text)
        else:
            first, second = (go_text(variant) for variant, _ in fitting[:2])
            text = (
                f"{start}  Received [{go_text(binding)}] which is ambiguous "
                f"as both variants [{first}] and [{second}] match."
            )
            faults.add("AmbiguousBindingUnionValue", self._node.id, text)
        return None

    def _scalar(
        self, scalar: literals_pb2.Scalar, expected: types_pb2.LiteralType | None, faults: Faults
    ) -> types_pb2.LiteralType | None:
        found, before = type_of_scalar(scalar), len(faults)
        if found is None:
            shown = (scalar.WhichOneof("value") or "").title()
            faults.add("UnrecognizedValue", self._node.id, f"Unrecognized value [*core.Scalar_{shown}].")
        elif expected is not None and not castable(found, expected):
            shown, wanted = type_text(found), type_text(expected)
            text = f"Variable [{self._var}] (type [{shown}]) doesn't match expected type [{wanted}]."
            faults.add("MismatchingTypes", self._node.id, text)
        is_enum = expected is not None and expected.WhichOneof("type") == "enum_type"
        allowed = list(expected.enum_type.values) if expected is not None else []
        value = scalar.primitive.string_value
        if is_enum and value not in allowed:
            text = (
                f"Input [{self._var}] on node [{self._node.id}] is an Enum and expects value to be one of "
                f"[[{' '.join(allowed)}]].  Received [{value}]"
            )
            faults.add("IllegalEnumValue", self._node.id, text)
        return found if len(faults) == before else None

    def _container(
        self,
        kind: str,
        bindings: list[literals_pb2.BindingData],
        expected: types_pb2.LiteralType,
        faults: Faults,
        shown: str,
    ) -> types_pb2.LiteralType | None:
        if expected.WhichOneof("type") != kind:
            self._mismatching(expected, shown, faults)
            return None
        inner, before = getattr(expected, kind), len(faults)
        types = [self.resolve(binding, inner, faults) for binding in bindings]
        if len(faults) > before:
            return None
        result = types_pb2.LiteralType()
        part = getattr(result, kind)
        part.SetInParent()
        if types and types[-1] is not None:
            part.CopyFrom(types[-1])
        return result

    def _mismatching_variables(
        self,
        source: workflow_pb2.Node,
        var: str,
        given: types_pb2.LiteralType,
        expected: types_pb2.LiteralType,
        faults: Faults,
    ) -> None:
        text = (
            f"The output variable '{_qualified(source, var)}' has type [{type_text(given)}], but it's assigned to "
            f"the input variable '{_qualified(self._node, self._var)}' which has type type [{type_text(expected)}]."
        )
        faults.add("MismatchingTypes", self._node.id, text)

    def _mismatching(self, expected: types_pb2.LiteralType, shown: str, faults: Faults) -> None:
        wanted = go_text(expected)
        text = f"Input [{self._var}] on node [{self._node.id}] expects bindings of type [{wanted}].  Received [{shown}]"
        faults.add("MismatchingBindings", self._node.id, text)

    def _not_bound(self, faults: Faults) -> None:
        faults.add("ParameterNotBound", self._node.id, f"Parameter not bound [{self._var}].")


def variable_not_found(faults: Faults, node_id: str, name: str) -> None:
    """Note that a node has no variable of this name."""
    faults.add("VariableNameNotFound", node_id, f"Variable [{name}] not found on node [{node_id}].")


def _qualified(node: workflow_pb2.Node, var: str) -> str:
    return f"{node.metadata.name}.{var}" if node.HasField("metadata") else var
