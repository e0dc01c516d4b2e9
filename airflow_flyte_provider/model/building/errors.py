"""What is told of a workflow that does not hold together."""

from __future__ import annotations


class BuildError(ValueError):
    """A workflow cannot be built like this. Its text names the workflow, the node and the variable.

    :param workflow: the workflow's name.
    :param problem: what is wrong, and what to do.
    :param node: the node's id, empty when it is not about one.
    """

    def __init__(self, workflow: str, problem: str, node: str = "") -> None:
        self.workflow = workflow
        self.problem = problem
        self.node = node
        super().__init__(f"Workflow {workflow}{f', node {node}' if node else ''}: {problem}")

    def __reduce__(self) -> tuple[type[BuildError], tuple[str, str, str]]:
        return type(self), (self.workflow, self.problem, self.node)
