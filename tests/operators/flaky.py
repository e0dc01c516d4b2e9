"""A workflow that fails until it is mended."""

import uuid

from tests.local.client import Client, task_node


class Flaky:
    """A workflow whose last node fails until it is mended.

    Its nodes: an echo that gives the output, a command that adds a line to a ledger, and one that wants a file.
    """

    def __init__(self, endpoint, folder):
        self.name = f"flaky-{uuid.uuid4().hex[:8]}"
        self.flag = folder / "mended"
        self._ledger = folder / "ledger"
        self._ledger.touch()
        client = Client(endpoint)
        echo = client.task(f"echo-{self.name}")
        work = client.command(f"work-{self.name}", "sh", "-c", f"echo done >> {self._ledger}")
        check = client.command(
            f"check-{self.name}", "sh", "-c", f"test ! -e {folder}/slow || sleep 2; test -e {self.flag}"
        )
        nodes = [
            task_node("n0", echo),
            task_node("n1", work, None, ["n0"]),
            task_node("n2", check, None, ["n1"]),
        ]
        client.workflow(self.name, nodes, output=("n0", "a"))
        client.close()

    def slow(self):
        """Make the last node take two seconds."""
        (self.flag.parent / "slow").touch()

    @property
    def done(self):
        """How often the command with the side effect has run."""
        return len(self._ledger.read_text().splitlines())
