"""A scheduled launch plan whose runs are told in a ledger, and fail for one date until it is mended."""

import sys
import uuid

from flyteidl.admin import launch_plan_pb2, task_pb2
from flyteidl.core import identifier_pb2, types_pb2

from tests.local.client import Client, identifier, task_node

DATETIME = types_pb2.LiteralType(simple=types_pb2.DATETIME)


class Scheduled:
    """A launch plan that runs daily at 2:00 and writes the date that it is about into a ledger.

    :param fails: the day for which it fails, such as `2026-01-08`, until it is mended.
    """

    def __init__(self, endpoint, folder, fails="", kickoff="day"):
        self.name = f"scheduled-{uuid.uuid4().hex[:8]}"
        self.flag = folder / "mended"
        self._ledger = folder / "ledger"
        self._checks = folder / "checks"
        self._ledger.touch()
        self._checks.touch()
        client = Client(endpoint)
        work = self._command(client, f"work-{self.name}", _note(self._ledger))
        check = self._command(
            client,
            f"check-{self.name}",
            f"{_note(self._checks)}; import os; "
            f"sys.exit(day == {fails!r} and not os.path.exists({str(self.flag)!r}))",
        )
        nodes = [task_node("n0", work, ("", "day")), task_node("n1", check, ("", "day"), ["n0"])]
        for node in nodes:
            node.inputs[0].var = "day"
        client.workflow(self.name, nodes, inputs={"day": DATETIME})
        spec = launch_plan_pb2.LaunchPlanSpec(workflow_id=identifier(identifier_pb2.WORKFLOW, self.name))
        spec.entity_metadata.schedule.cron_schedule.schedule = "0 2 * * *"
        spec.entity_metadata.schedule.kickoff_time_input_arg = kickoff
        parameter = spec.default_inputs.parameters["day"]
        parameter.var.type.CopyFrom(DATETIME)
        if kickoff:
            parameter.required = True
        else:
            parameter.default.scalar.primitive.datetime.FromJsonString("2000-01-01T00:00:00Z")
        self.plan = f"{self.name}.daily"
        plan = identifier(identifier_pb2.LAUNCH_PLAN, self.plan)
        client.admin.CreateLaunchPlan(launch_plan_pb2.LaunchPlanCreateRequest(id=plan, spec=spec))
        request = launch_plan_pb2.LaunchPlanUpdateRequest(id=plan, state=launch_plan_pb2.ACTIVE)
        client.admin.UpdateLaunchPlan(request)
        client.close()

    @staticmethod
    def _command(client, name, code):
        """Register a task that runs a line of Python in which `day` is the date, read from the end of its inputs."""
        read = (
            "import sys, time; last = open(sys.argv[1], 'rb').read()[-5:]; "  # the seconds, as protobuf writes them
            "seconds = sum((byte & 127) << 7 * place for place, byte in enumerate(last)); "
            "day = time.strftime('%Y-%m-%d', time.gmtime(seconds)); "
        )
        request = task_pb2.TaskCreateRequest(id=identifier(identifier_pb2.TASK, name))
        template = request.spec.template
        template.type = "python-task"
        template.metadata.SetInParent()
        template.interface.inputs.variables["day"].type.CopyFrom(DATETIME)
        template.container.image = "none"
        template.container.args.extend([sys.executable, "-S", "-c", read + code, "{{.input}}"])
        client.admin.CreateTask(request)
        return request.id

    @property
    def ran(self):
        """The days that it has run for, in the order of the runs."""
        return self._ledger.read_text().splitlines()

    @property
    def checked(self):
        """The days for which its second task has run, the one that fails."""
        return self._checks.read_text().splitlines()


def _note(path):
    return f"open({str(path)!r}, 'a').write(day + chr(10))"
