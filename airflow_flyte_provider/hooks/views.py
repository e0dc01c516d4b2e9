"""What FlyteHook does to look at what Flyte knows: nodes of an execution, and lists of everything."""

from __future__ import annotations

from typing import Any

from airflow_flyte_provider.admin import lists, nodes, syncing
from airflow_flyte_provider.hooks.files import FileVerbs
from airflow_flyte_provider.model.identifiers import (
    EntityId,
    EntityKind,
    ExecutionId,
    NodeExecutionId,
    TaskExecutionId,
)
from airflow_flyte_provider.model.values.outputs import Outputs
from airflow_flyte_provider.model.views.attempts import TaskExecution
from airflow_flyte_provider.model.views.entities import LaunchPlan, Task, Workflow
from airflow_flyte_provider.model.views.executions import Execution
from airflow_flyte_provider.model.views.nodes import NodeExecution
from airflow_flyte_provider.model.views.projects import NamedEntity, Project


class ViewVerbs(FileVerbs):
    """The part of FlyteHook that looks at executions in full, and lists what there is."""

    # -- what is in an execution -------------------------------------------------------------------------

    def sync(self, execution: ExecutionId, *, nodes: bool = True) -> Execution:
        """Fetch an execution with its nodes to any depth, the attempts at their tasks and the pages with their logs.

        :param nodes: False fetches the execution alone.
        :raises FlyteNotFoundError: when there is none of that name.

        Example::

            done = hook.sync(launched.id)
            print(summary_table(done) if done.is_successful else failure_report(done))
        """
        return self.run(syncing.sync(execution, nodes=nodes))

    def look_back(self, done: Execution) -> Execution:
        """Fetch what a report needs of the nodes of an execution that is over: all of them, within reason.

        :param done: the execution. Of one that did not succeed, only the nodes that failed are looked into.
        """
        return self.run(syncing.look_back(done))

    def get_nodes(self, execution: ExecutionId, parent: str = "") -> list[NodeExecution]:
        """Fetch one level of the nodes of an execution.

        :param parent: id of the node whose inner nodes are wanted; empty for the outermost.
        """
        return self.run(nodes.list_nodes(execution, parent))

    def get_node(self, execution: ExecutionId, node_id: str) -> NodeExecution:
        """Fetch one node of an execution, at any depth.

        :param node_id: its id, such as `n0` or `n0-0-n1`.
        :raises FlyteNotFoundError: when there is none of that id, or it has not begun.
        """
        return self.run(nodes.get_node(NodeExecutionId(execution, node_id)))

    def get_tasks(self, node: NodeExecutionId) -> list[TaskExecution]:
        """Fetch the attempts at a node's task, first to last."""
        return self.run(nodes.list_tasks(node))

    def get_node_inputs(self, node: NodeExecutionId) -> Outputs:
        """Fetch the inputs of a node: native Python values by name, each made when it is asked for."""
        return Outputs(self.run(nodes.get_node_data(node))[0], fetch=self.fetch)

    def get_node_outputs(self, node: NodeExecutionId) -> Outputs:
        """Fetch the outputs of a node, as `get_node_inputs` does; empty before it has succeeded."""
        return Outputs(self.run(nodes.get_node_data(node))[1], fetch=self.fetch)

    def get_task_inputs(self, task: TaskExecutionId) -> Outputs:
        """Fetch the inputs of an attempt at a task, as `get_node_inputs` does."""
        return Outputs(self.run(nodes.get_task_data(task))[0], fetch=self.fetch)

    def get_task_outputs(self, task: TaskExecutionId) -> Outputs:
        """Fetch the outputs of an attempt at a task, as `get_node_inputs` does; empty before it has succeeded."""
        return Outputs(self.run(nodes.get_task_data(task))[1], fetch=self.fetch)

    # -- lists -------------------------------------------------------------------------------------------

    def list_executions(
        self,
        *,
        limit: int | None = None,
        sort_by: str = "created_at",
        ascending: bool = False,
        **filters: Any,
    ) -> list[Execution]:
        """List executions of this hook's project and domain, the newest first, without their nodes.

        :param limit: how many at most; None for all.
        :param sort_by: `created_at`, `started_at`, `updated_at`, `duration`, `phase`, `name`, or another column of
            FlyteAdmin's.
        :param ascending: the smallest first.
        :param filters: all must hold; one that is None does not count.

            - `name`, `phase`, `launch_plan`, `launch_plan_version`, `workflow`, `workflow_version`, `task`,
              `task_version`, `mode`, `principal`, `cluster`, `error_kind`, `error_code`, `tag`: a text, or several
              of which one must be it.
            - `name_contains`: a part of the name.
            - `created_after`, `created_before`, `started_after`, `started_before`, `updated_after`,
              `updated_before`: a datetime; the first moment counts, the last does not.
            - `longer_than`, `shorter_than`: a timedelta, or seconds; 0 as long as an execution runs.
            - `labels`: a dict. Flyte finds no labels of executions of a task alone.
            - `archived`: True for those that are archived alone, `"all"` for them too.
        :raises FlyteInvalidRequestError: for a filter that there is not, or a value that Flyte cannot filter by.

        Example::

            hook.list_executions(workflow="demo.add_one", phase=["FAILED", "ABORTED"], limit=20)
        """
        verb = lists.list_executions(
            self.project, self.domain, filters, limit=limit, sort_by=sort_by, ascending=ascending
        )
        return self.run(verb)

    def list_launch_plans(
        self, name: str = "", *, limit: int | None = None, **filters: Any
    ) -> list[LaunchPlan]:
        """List versions of launch plans, the newest first.

        :param name: the launch plan; empty lists those of all.
        :param limit: how many at most; None for all.
        :param filters: `version` and `version_contains`, `created_after` and `created_before`, `active`, `workflow`
            and `workflow_version`; see `list_executions`.
        """
        return self._versions(EntityKind.LAUNCH_PLAN, name, limit, filters)

    def list_workflows(self, name: str = "", *, limit: int | None = None, **filters: Any) -> list[Workflow]:
        """List versions of workflows, the newest first and without their nodes; see `list_launch_plans`.

        :param filters: `version` and `version_contains`, `created_after` and `created_before`.
        """
        return self._versions(EntityKind.WORKFLOW, name, limit, filters)

    def list_tasks(self, name: str = "", *, limit: int | None = None, **filters: Any) -> list[Task]:
        """List versions of tasks, the newest first; see `list_launch_plans`.

        :param filters: `version` and `version_contains`, `created_after` and `created_before`, `type`.
        """
        return self._versions(EntityKind.TASK, name, limit, filters)

    def list_names(self, kind: EntityKind, *, limit: int | None = None, **filters: Any) -> list[NamedEntity]:
        """List the names of what is registered by the alphabet, each once, however many versions it has.

        :param kind: launch plans, workflows or tasks.
        :param limit: how many at most; None for all.
        :param filters: `name`, `name_contains`, `archived`; see `list_executions`.
        """
        return self.run(lists.list_names(kind, self.project, self.domain, filters, limit=limit))

    def list_active_launch_plans(self, *, limit: int | None = None) -> list[LaunchPlan]:
        """List the active launch plans by name: those whose schedules run.

        :param limit: how many at most; None for all.
        """
        return self.run(lists.list_active_launch_plans(self.project, self.domain, limit=limit))

    def list_projects(self, *, limit: int | None = None) -> list[Project]:
        """List the active projects with their domains, by id.

        :param limit: how many at most; None for all.
        """
        return self.run(lists.list_projects(limit=limit))

    def _versions(self, kind: EntityKind, name: str, limit: int | None, filters: dict[str, Any]) -> list[Any]:
        of = EntityId(kind, self.project, self.domain, name)
        return self.run(lists.list_versions(of, filters, limit=limit))
