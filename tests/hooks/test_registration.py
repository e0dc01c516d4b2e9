"""Packages that real `pyflyte` has written, registered on a real local Flyte and executed there."""

import random
import shutil
import zipfile

import pytest
from flyteidl.admin import common_pb2, launch_plan_pb2
from google.protobuf.json_format import MessageToJson

from airflow_flyte_provider.admin.client import Call
from airflow_flyte_provider.exceptions import (
    FlyteAlreadyExistsError,
    FlyteInvalidRequestError,
    FlyteNotFoundError,
    FlytePackageError,
    FlyteTransferError,
)
from airflow_flyte_provider.hooks.flyte import FlyteHook
from airflow_flyte_provider.model.phases import ExecutionPhase
from tests.packages import IMAGE, files_of, pyflyte, write_archive

GET = {"TASK": "GetTask", "WORKFLOW": "GetWorkflow", "LAUNCH_PLAN": "GetLaunchPlan"}


def names(ids):
    return [(one.kind.label, one.name) for one in ids]


def stored(hook, entity):
    """Return an entity as Flyte has it."""
    from airflow_flyte_provider.admin.registry import to_identifier

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


@pytest.fixture
def edited(packages, tmp_path):
    """A function that writes `plain.tgz` with changes to its files: `edited(lambda files: ...)`."""

    def write(change):
        files = files_of(packages / "plain.tgz")
        change(files)
        return write_archive(tmp_path / "edited.tgz", files.items())

    return write


def file_called(files, ending):
    return next(name for name in files if name.endswith(ending))


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
        theirs = hook._fetch(ours.kind, ours.name, "same").id
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


def test_another_structure_under_the_same_version_is_told(hook, packages):
    hook.register(packages / "plain.tgz", version="taken", image="example.org/flows:old")
    with pytest.raises(FlyteAlreadyExistsError) as caught:
        hook.register(packages / "plain.tgz", version="taken")
    told = str(caught.value)
    assert "task flytesnacks/development/flows.making.doubled_often version taken is there already" in told
    assert "register as another version" in told
    assert "Not registered: task flows.making.doubled_often, task flows.sums.double" in told
    assert "Registered:" not in told


def test_on_error_those_that_do_not_need_it_go_on(hook, packages, edited):
    task = file_called(files_of(packages / "plain.tgz"), "flows.sums.total_1.pb")
    only_total = edited(lambda files: [files.pop(name) for name in list(files) if name != task])
    hook.register(only_total, version="partly", image="example.org/flows:old")
    with pytest.raises(FlyteAlreadyExistsError) as caught:
        hook.register(packages / "plain.tgz", version="partly", continue_on_error=True)
    told = str(caught.value)
    missing = (
        "Not registered: task flows.sums.total, workflow flows.sums.outer, launch plan flows.sums.outer."
    )
    assert missing in told
    assert hook.fetch_launch_plan("flows.sums.nightly", "partly")
    with pytest.raises(FlyteNotFoundError):
        hook.fetch_workflow("flows.sums.outer", "partly")


def test_what_flyte_cannot_compile_stops_and_says_what_was_registered(hook, edited):
    from flyteidl.admin.workflow_pb2 import WorkflowSpec

    def unbind(files):
        name = file_called(files, "flows.sums.inner_2.pb")
        spec = WorkflowSpec.FromString(files[name])
        del spec.template.nodes[0].inputs[:]
        files[name] = spec.SerializeToString()

    with pytest.raises(
        FlyteInvalidRequestError, match=r"ParameterNotBound(.|\n)*Registered: task flows"
    ) as caught:
        hook.register(edited(unbind), version="broken")
    assert "workflow flows.sums.inner" in str(caught.value).rpartition("Not registered:")[2]


def test_a_reference_to_something_that_is_not_there_registers_nothing(hook, edited):
    package = edited(lambda files: files.pop(file_called(files, "flows.sums.double_1.pb")))
    with pytest.raises(FlyteNotFoundError) as caught:
        hook.register(package, version="gone")
    told = str(caught.value)
    assert "task flytesnacks/development/flows.sums.double version gone, which is not in the package" in told
    assert "Nothing was registered" in told
    with pytest.raises(FlyteNotFoundError):
        hook.fetch_task("flows.sums.total", "gone")


def test_a_reference_to_something_registered_before_is_kept(hook, packages, edited):
    from flyteidl.admin.workflow_pb2 import WorkflowSpec

    before = hook.register(packages / "plain.tgz", version="before")

    def refer(files):
        files.pop(file_called(files, "flows.sums.double_1.pb"))
        for name in files:
            if name.endswith("_2.pb"):
                spec = WorkflowSpec.FromString(files[name])
                _refer(spec, "before")
                files[name] = spec.SerializeToString()

    def _refer(spec, version):
        from airflow_flyte_provider.model.addressing import _identifiers

        for one in _identifiers(spec):
            if one.name == "flows.sums.double":
                one.project, one.domain, one.version = "flytesnacks", "development", version

    done = hook.register(edited(refer), version="after")
    inner = next(one for one in done.entities if names([one]) == [("workflow", "flows.sums.inner")])
    compiled = stored(hook, inner).closure.compiled_workflow
    assert [task.template.id.version for task in compiled.tasks] == ["before"]
    assert before.version == "before"


@pytest.mark.parametrize("cut", [10, 300, -200, -1])
def test_a_truncated_archive(hook, packages, tmp_path, cut):
    (tmp_path / "cut.tgz").write_bytes((packages / "plain.tgz").read_bytes()[:cut])
    with pytest.raises(FlytePackageError, match="damaged"):
        hook.register(tmp_path / "cut.tgz")


def test_foreign_and_empty_packages(hook, packages, edited, tmp_path):
    with pytest.raises(FlytePackageError, match=r"strange\.pb is no task, workflow or launch plan"):
        hook.register(edited(lambda files: files.update({"strange.pb": b"\x0a\x03abc"})))
    with pytest.raises(FlytePackageError, match=r"no \.pb file"):
        hook.register(write_archive(tmp_path / "empty.tgz", []))
    (tmp_path / "nothing").mkdir()
    with pytest.raises(FlytePackageError, match=r"no \.pb file"):
        hook.register(tmp_path / "nothing")
    with pytest.raises(FlyteTransferError, match="There is nothing at"):
        hook.register(tmp_path / "missing.tgz")
    with pytest.raises(FlytePackageError, match="No package is given"):
        hook.register([])
    with pytest.raises(FlytePackageError, match=r"The code in .* cannot be read"):
        hook.register(edited(lambda files: files.update({"fast1.tar.gz": b"\x1f\x8bxyz"})))


def test_code_that_nobody_takes_and_code_that_is_missing(hook, packages):
    with pytest.raises(FlytePackageError, match="No task takes code"):
        hook.register(packages / "plain.tgz", source=packages / "code")
    files = [one for one in (packages / "serialised").iterdir() if one.suffix == ".pb"]
    with pytest.raises(FlytePackageError, match="neither in its image nor in the package"):
        hook.register(files)


def test_an_image_that_no_task_has(hook, packages):
    with pytest.raises(FlytePackageError, match=r"No task has the image 'example\.org/flow:1': did you mean"):
        hook.register(packages / "plain.tgz", image={"example.org/flow:1": "x"})


def test_a_dry_run_registers_nothing(hook, packages):
    done = hook.register(packages / "plain.tgz", version="dry", dry_run=True, activate_launch_plans=True)
    assert (done.dry_run, len(done.entities), done.registered) == (True, 11, ())
    with pytest.raises(FlyteNotFoundError):
        hook.fetch_task("flows.sums.double", "dry")
