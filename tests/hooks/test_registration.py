"""Packages that real `pyflyte` has written, registered on a real local Flyte and executed there."""

import random
import shutil
import zipfile
from dataclasses import replace

import pytest
from flyteidl.admin import common_pb2, launch_plan_pb2
from flyteidl.admin.workflow_pb2 import WorkflowSpec
from google.protobuf.json_format import MessageToJson

from airflow_flyte_provider.admin.client import Call
from airflow_flyte_provider.exceptions import FlyteNotFoundError, FlytePackageError
from airflow_flyte_provider.hooks.flyte import FlyteHook
from airflow_flyte_provider.model.phases import ExecutionPhase
from tests.packages import IMAGE, file_called, files_of, pyflyte, write_archive

GET = {"TASK": "GetTask", "WORKFLOW": "GetWorkflow", "LAUNCH_PLAN": "GetLaunchPlan"}


def names(ids):
    return [(one.kind.label, one.name) for one in ids]


def stored(hook, entity):
    """Return an entity as Flyte has it."""
    from airflow_flyte_provider.model.references import to_identifier

    def get():
        return (
            yield Call(GET[entity.kind.value], common_pb2.ObjectGetRequest(id=to_identifier(entity)), "-")
        )

    return hook.run(get())


def outcome(hook, name, version, inputs):
    launched = hook.execute(hook.fetch_launch_plan(name, version), inputs)
    done = hook.wait(launched.id, timeout=120, poll_interval=0.1)
    assert done.phase is ExecutionPhase.SUCCEEDED, done.error
    return hook.get_outputs(done.id)["o0"]


def test_a_package_is_registered_in_the_order_that_it_needs_and_runs_its_own_code(hook, packages):
    done = hook.register(packages / "fast.tgz")
    assert len(done.registered) == len(done.entities) == 11
    order = names(done.registered)
    for first, then in [
        (("task", "flows.sums.total"), ("workflow", "flows.sums.outer")),
        (("workflow", "flows.sums.inner"), ("launch plan", "flows.sums.nightly")),
        (("launch plan", "flows.sums.nightly"), ("workflow", "flows.sums.outer")),
        (("workflow", "flows.sums.outer"), ("launch plan", "flows.sums.outer")),
    ]:
        assert order.index(first) < order.index(then)
    assert outcome(hook, "flows.sums.outer", done.version, {"a": 2}) == 12
    assert outcome(hook, "flows.making.often", done.version, {"a": 3, "times": 2}) == 12


def test_the_same_again_is_there_already(hook, packages):
    first = hook.register(packages / "fast.tgz")
    again = hook.register(packages / "fast.tgz")
    assert again.version == first.version
    assert again.registered == ()
    assert again.already_there == first.entities


def test_what_is_registered_is_what_flytekit_registers(hook, packages):
    by_us = FlyteHook(domain="staging").register(packages / "plain.tgz", version="same")
    where = ("--project", "flytesnacks", "--domain", "development", "--version", "same")
    endpoint = hook.settings.endpoint
    (packages / "flyte.yaml").write_text(f"admin:\n  endpoint: dns:///{endpoint}\n  insecure: true\n")
    register = ("--config", str(packages / "flyte.yaml"), "register", "--copy", "none", "--image", IMAGE)
    pyflyte(*register, *where, "flows", cwd=packages / "code")
    compared = 0
    for ours in by_us.entities:
        if "making" in ours.name:
            continue  # flytekit puts its own settings, with project and version, into a dynamic task
        theirs = replace(ours, domain="development")
        pair = [stored(hook, one) for one in (ours, theirs)]
        for message in pair:
            message.closure.ClearField("created_at")
            if isinstance(message, launch_plan_pb2.LaunchPlan):
                message.closure.ClearField("updated_at")
        found, expected = (MessageToJson(message, sort_keys=True) for message in pair)
        assert found.replace('"staging"', '"development"') == expected
        compared += 1
    assert compared == 8


def test_a_package_may_be_a_folder_a_zip_or_a_list(hook, packages, tmp_path):
    archive = hook.register(packages / "fast.tgz", dry_run=True)
    assert names(hook.register(packages / "serialised", dry_run=True).entities) == names(archive.entities)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped:
        for name, content in files_of(packages / "fast.tgz").items():
            zipped.writestr(name, content)
    assert hook.register(tmp_path / "a.zip", dry_run=True) == archive
    parts = sorted((packages / "serialised").glob("*.pb"), reverse=True)
    by_files = hook.register([str(part) for part in parts], source=packages / "code", dry_run=True)
    assert names(by_files.entities) == names(archive.entities)


def test_package_and_code_may_lie_in_an_object_store(hook, packages, bucket):
    for file in [
        packages / "plain.tgz",
        *packages.glob("serialised/*.pb"),
        *packages.glob("code/flows/*.py"),
    ]:
        (bucket / file.relative_to(packages).as_posix()).write_bytes(file.read_bytes())
    archive = hook.register(packages / "plain.tgz", dry_run=True)
    assert hook.register(bucket / "plain.tgz", dry_run=True) == archive
    assert hook.register("memory://bucket/in/plain.tgz", dry_run=True) == archive
    away = hook.register(bucket / "serialised", source=bucket / "code", dry_run=True)
    here = hook.register(packages / "serialised", source=packages / "code", dry_run=True)
    assert away == here


def test_the_version_is_a_function_of_the_content(hook, packages, tmp_path):
    files = files_of(packages / "fast.tgz")
    version = hook.register(packages / "fast.tgz", dry_run=True).version
    shuffled = [(f"x{number}_{name}", files[name]) for number, name in enumerate(files)]
    shuffled = [(name if name.endswith(".pb") else name[2:], content) for name, content in shuffled]
    random.Random(1).shuffle(shuffled)
    other = write_archive(tmp_path / "other.tgz", shuffled)
    assert hook.register(other, dry_run=True).version == version
    assert hook.register(other, dry_run=True, image="example.org/flows:2").version != version
    assert FlyteHook(domain="staging").register(other, dry_run=True).version == version
    shutil.copytree(packages / "code", tmp_path / "code")
    with (tmp_path / "code" / "flows" / "sums.py").open("a") as code:
        code.write("\n# changed\n")
    changed, same = (
        hook.register(other, source=code, dry_run=True).version
        for code in (tmp_path / "code", packages / "code")
    )
    assert len({version, changed}) == 2
    assert same == hook.register(other, source=packages / "code", dry_run=True).version


def test_code_is_uploaded_for_a_package_that_has_none(hook, packages, tmp_path):
    shutil.copytree(packages / "code", tmp_path / "code")
    sums = tmp_path / "code" / "flows" / "sums.py"
    sums.write_text(sums.read_text().replace("return a * 2", "return a * 5"))
    (tmp_path / "code" / ".env").write_text("PASSWORD=secret")
    tasks = [one for one in (packages / "serialised").iterdir() if one.suffix == ".pb"]
    done = hook.register(tasks, source=tmp_path / "code")
    assert outcome(hook, "flows.sums.inner", done.version, {"a": 3}) == 15
    task = next(one for one in done.entities if one.name == "flows.sums.double")
    args = list(stored(hook, task).closure.compiled_task.template.container.args)
    uploaded = hook.fetch(args[args.index("--additional-distribution") + 1])
    (tmp_path / "up.tgz").write_bytes(uploaded)
    assert sorted(files_of(tmp_path / "up.tgz")) == ["flows/__init__.py", "flows/making.py", "flows/sums.py"]
    assert args[args.index("--dest-dir") + 1] == "."


def test_images_roles_and_labels_are_replaced(hook, packages):
    done = hook.register(
        packages / "fast.tgz",
        version="patched",
        image={IMAGE: "registry:5000/flows:7"},
        destination_dir="/srv/code",
        service_account="runner",
        iam_role="arn:role",
        raw_output_prefix="s3://out/here",
        labels={"team": "data"},
        annotations={"note": "x"},
    )
    specs = {one.name: stored(hook, one) for one in done.entities if one.kind.value == "TASK"}
    for task in specs.values():
        container = task.closure.compiled_task.template.container
        assert container.image == "registry:5000/flows:7"
        args = list(container.args)
        assert args[args.index("--dest-dir") + 1] == "/srv/code"
    from flytekit.configuration import SerializationSettings

    (env,) = specs["flows.making.doubled_often"].closure.compiled_task.template.container.env
    image = SerializationSettings.from_transport(env.value).image_config.default_image
    assert (image.fqn, image.tag) == ("registry:5000/flows", "7")
    spec = stored(hook, next(one for one in done.entities if one.name == "flows.sums.nightly")).spec
    assert spec.security_context.run_as.k8s_service_account == "runner"
    assert spec.security_context.run_as.iam_role == "arn:role"
    assert spec.raw_output_data_config.output_location_prefix == "s3://out/here"
    assert (dict(spec.labels.values), dict(spec.annotations.values)) == ({"team": "data"}, {"note": "x"})


def test_launch_plans_with_a_schedule_are_activated(hook, packages):
    first = hook.register(packages / "plain.tgz", version="active-1", activate_launch_plans=True)
    assert names(first.activated) == [("launch plan", "flows.sums.nightly")]
    assert hook.get_active_launch_plan("flows.sums.nightly").id.version == "active-1"
    second = hook.register(
        packages / "plain.tgz", version="active-2", activate_launch_plans=["flows.sums.outer"]
    )
    assert names(second.activated) == [("launch plan", "flows.sums.outer")]
    assert hook.get_active_launch_plan("flows.sums.nightly").id.version == "active-1"
    with pytest.raises(FlytePackageError, match=r"no launch plan 'flows\.sums\.nightl'.*did you mean"):
        hook.register(packages / "plain.tgz", activate_launch_plans=["flows.sums.nightl"])


def test_a_reference_to_something_registered_before_is_kept(hook, packages, edited):
    before = hook.register(packages / "plain.tgz", version="before")

    def refer(files):
        inner = file_called(files, "flows.sums.inner_2.pb")
        spec = WorkflowSpec.FromString(files[inner])
        used = spec.template.nodes[0].task_node.reference_id
        used.project, used.domain, used.version = "flytesnacks", "development", before.version
        files.clear()
        files[inner] = spec.SerializeToString()

    done = hook.register(edited(refer), version="after")
    (inner,) = done.registered
    compiled = stored(hook, inner).closure.compiled_workflow
    assert [task.template.id.version for task in compiled.tasks] == ["before"]


def test_a_dry_run_registers_nothing(hook, packages):
    done = hook.register(packages / "plain.tgz", version="dry", dry_run=True, activate_launch_plans=True)
    assert (done.dry_run, len(done.entities), done.registered) == (True, 11, ())
    with pytest.raises(FlyteNotFoundError):
        hook.fetch_task("flows.sums.double", "dry")
