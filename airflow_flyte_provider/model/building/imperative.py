"""ImperativeWorkflow: a workflow put together in Python from what is registered, without flytekit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flyteidl.admin.workflow_pb2 import WorkflowSpec
from flyteidl.core.literals_pb2 import Binding
from flyteidl.core.types_pb2 import LiteralType
from flyteidl.core.workflow_pb2 import WorkflowMetadata

from airflow_flyte_provider.model.building.bindings import sources, to_binding, type_of_bound
from airflow_flyte_provider.model.building.branches import Branch
from airflow_flyte_provider.model.building.drafts import FAILURE_NODE, Draft, FailurePolicy
from airflow_flyte_provider.model.building.errors import BuildError
from airflow_flyte_provider.model.building.gates import approval_node, signal_node, sleep_node
from airflow_flyte_provider.model.building.nodes import Entity, Node, NodeOptions, entity_node
from airflow_flyte_provider.model.building.promises import Promise
from airflow_flyte_provider.model.faults import ValueFaults
from airflow_flyte_provider.model.identifiers import EntityId, EntityKind
from airflow_flyte_provider.model.values.casting import is_optional

__all__ = ["BuildError", "FailurePolicy", "ImperativeWorkflow", "Node", "NodeOptions", "Promise"]

_ERROR_INPUT = "err"
_VERSION_LENGTH = 20


class ImperativeWorkflow:
    """A workflow put together from registered tasks, workflows and launch plans.

    Types are checked as it is built, and every fault names the node and the variable. It comes to a
    `flyteidl.admin.WorkflowSpec`, the same one whenever it is built in the same way.

    :param name: the workflow's name, such as `sales.report`.
    :param failure_policy: whether a failed node ends the workflow at once, or when nothing else can run.
    :param interruptible: whether its nodes may run on machines that can be taken away, where they do not tell.

    Example::

        flow = ImperativeWorkflow("sales.report")
        day = flow.add_input("day", datetime)
        orders = flow.add_node(hook.fetch_task("sales.orders"), day=day)
        total = flow.add_node(hook.fetch_task("sales.total"), retries=2, orders=orders.outputs["o0"])
        flow.add_output("total", total.outputs["o0"])
        hook.register_workflow(flow)
    """

    def __init__(
        self,
        name: str,
        *,
        failure_policy: FailurePolicy | str = FailurePolicy.FAIL_IMMEDIATELY,
        interruptible: bool = False,
    ) -> None:
        self.name = name
        self.failure_policy = FailurePolicy(failure_policy)
        self.interruptible = interruptible
        self._draft = Draft(name)

    @property
    def inputs(self) -> Mapping[str, Promise]:
        """Its inputs as promises by name."""
        return dict(self._draft.inputs)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Its nodes in the order they were added."""
        return tuple(self._draft.nodes.values())

    def add_input(self, name: str, type: Any) -> Promise:  # noqa: A002 - what it is called everywhere
        """Declare an input, and return the promise of it.

        :param name: the input's name.
        :param type: a Python type such as `int` or `list[str]`, a `flyteidl.core.LiteralType` or a `SimpleType`.
        :raises BuildError: when there is such an input already, or Flyte knows no such type.
        """
        if name in self._draft.inputs:
            raise BuildError(self.name, f"input {name!r} is there already")
        self._draft.inputs[name] = Promise(
            self._draft.scope, self._draft.type_of(type, f"input {name!r}"), name
        )
        return self._draft.inputs[name]

    def add_node(
        self,
        entity: Entity,
        *,
        node_id: str | None = None,
        name: str | None = None,
        timeout: timedelta | None = None,
        retries: int | None = None,
        interruptible: bool | None = None,
        cacheable: bool | None = None,
        cache_version: str | None = None,
        cache_serializable: bool | None = None,
        inputs: Mapping[str, object] | None = None,
        **bound: object,
    ) -> Node:
        """Add a node that runs a task, workflow or launch plan. See `NodeOptions` for the rest.

        A workflow becomes part of this one, a launch plan starts an execution of its own.

        :param entity: what to run, as `hook.fetch_task`, `fetch_workflow` (with a version) or `fetch_launch_plan`
            returns it.
        :param node_id: its id; None takes `n0`, `n1`, …
        :param name: what the console calls it; None takes the last part of the entity's name.
        :param inputs: like `**bound`, for inputs that are called as a parameter here.
        :param bound: what each input is bound to: a promise, a constant, or lists and dicts of them.
        :raises BuildError: naming every input that is unknown, missing, fixed or of the wrong type.
        """
        options = NodeOptions(
            name=name,
            timeout=timeout,
            retries=retries,
            interruptible=interruptible,
            cacheable=cacheable,
            cache_version=cache_version,
            cache_serializable=cache_serializable,
        )
        values = {**(inputs or {}), **bound}
        return self._draft.add(
            entity_node(self._draft.scope, self._draft.new_id(node_id), entity, options, values)
        )

    def add_approval(
        self,
        promise: Promise,
        name: str | None = None,
        *,
        timeout: timedelta | None = None,
        node_id: str | None = None,
    ) -> Node:
        """Add a node that hands on a value when somebody has approved of it; a rejection fails the workflow.

        :param promise: the value, which the node gives by the same name.
        :param name: the signal's id, unique in the workflow, and what the console calls the node; None takes the
            node's id.
        :param timeout: how long to wait for the approval; None leaves it to Flyte.
        """
        new_id = self._draft.new_id(node_id)
        return self._draft.add(approval_node(self._draft.scope, new_id, promise, name or new_id, timeout))

    def add_signal(
        self,
        name: str,
        type: Any,  # noqa: A002 - what it is called everywhere
        *,
        timeout: timedelta | None = None,
        node_id: str | None = None,
    ) -> Node:
        """Add a node that waits for a value from outside, and gives it as `o0`.

        :param name: the signal's id, unique in the workflow, and what the console calls the node.
        :param type: the value's type; see `add_input`.
        :param timeout: how long to wait for it; None leaves it to Flyte.
        """
        new_id, kind = self._draft.new_id(node_id), self._draft.type_of(type, f"signal {name!r}")
        return self._draft.add(signal_node(self._draft.scope, new_id, name, kind, timeout))

    def add_sleep(self, duration: timedelta, *, name: str = "sleep", node_id: str | None = None) -> Node:
        """Add a node that waits for some time.

        :param duration: how long.
        :param name: what the console calls the node.
        """
        return self._draft.add(sleep_node(self._draft.scope, self._draft.new_id(node_id), duration, name))

    def add_branch(self, name: str, *, node_id: str | None = None) -> Branch:
        """Begin a node that chooses what to run. It is added when `otherwise` or `otherwise_fail` is called.

        :param name: what the console calls the node.

        Example::

            size = (
                flow.add_branch("size")
                .when((count > 10) & (count < 100), some, n=count)
                .when(count >= 100, many, n=count)
                .otherwise_fail("too few")
            )
            flow.add_output("size", size.outputs["o0"])
        """
        new_id = self._draft.new_id(node_id)
        self._draft.promised.add(new_id)
        return Branch(self._draft.scope, new_id, name, self._draft.add)

    def add_output(self, name: str, value: object, type: Any = None) -> None:  # noqa: A002 - as above
        """Declare an output.

        :param name: the output's name.
        :param value: a promise, or lists and dicts of promises and constants.
        :param type: its type; see `add_input`. None takes that of the promises, which must be one.
        :raises BuildError: when there is such an output already, or the value does not fit the type.
        """
        if name in self._draft.outputs:
            raise BuildError(self.name, f"output {name!r} is there already")
        sources(self._draft.scope, value)
        try:
            kind = (
                type_of_bound(value, name) if type is None else self._draft.type_of(type, f"output {name!r}")
            )
            self._draft.outputs[name] = kind, Binding(var=name, binding=to_binding(value, kind, name))
        except ValueFaults as faults:
            raise BuildError(self.name, f"output {faults}") from None

    def on_failure(
        self,
        entity: Entity,
        *,
        options: NodeOptions | None = None,
        inputs: Mapping[str, object] | None = None,
        **bound: object,
    ) -> Node:
        """Run something when the workflow fails. An input `err` that may be None is given the error by Flyte.

        :param entity: what to run, such as a task that cleans up.
        :param options: how it is run.
        :param inputs: promises of the workflow's inputs, and constants, by input name, like `**bound`.
        :raises BuildError: naming every input that does not fit, or is bound to what a node gives.
        """
        values = {**(inputs or {}), **bound}
        types = entity.signature.types if isinstance(entity, Entity) else {}
        if is_optional(types.get(_ERROR_INPUT, LiteralType())):
            values.setdefault(
                _ERROR_INPUT, None
            )  # Flyte tells the error only where something is bound already
        node = entity_node(self._draft.scope, FAILURE_NODE, entity, options or NodeOptions(), values)
        if node.upstream:
            told = ", ".join(sorted(node.upstream))
            problem = (
                f"it is bound to what {told} gives, which may never run: bind it to inputs of the workflow"
            )
            raise BuildError(self.name, problem, node.id)
        self._draft.failure_node = node
        return node

    def compile(self, entity: EntityId | None = None) -> WorkflowSpec:
        """Return it as a `flyteidl.admin.WorkflowSpec`.

        :param entity: the id to register it under; None leaves project, domain and version empty.
        :raises BuildError: when it has no nodes, or nodes wait for one another.
        """
        spec = self._draft.compile(entity or EntityId(EntityKind.WORKFLOW, "", "", self.name))
        spec.template.metadata.on_failure = WorkflowMetadata.OnFailurePolicy.Value(self.failure_policy.value)
        spec.template.metadata_defaults.interruptible = self.interruptible
        return spec

    @property
    def digest(self) -> str:
        """A hash of what it comes to, the same for two that were built in the same way: 64 hexadecimal digits."""
        return hashlib.sha256(self.compile().SerializeToString(deterministic=True)).hexdigest()

    def version(self) -> str:
        """Return the version that it is registered under where none is given: the beginning of its digest."""
        return self.digest[:_VERSION_LENGTH]
