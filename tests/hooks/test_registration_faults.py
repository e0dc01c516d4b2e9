"""What is wrong with a package is told, and how much of it was registered: mostly nothing."""

import pytest
from flyteidl.admin.workflow_pb2 import WorkflowSpec

from airflow_flyte_provider.exceptions import (
    FlyteAlreadyExistsError,
    FlyteInvalidRequestError,
    FlyteNotFoundError,
    FlytePackageError,
    FlyteTransferError,
)
from tests.packages import file_called, files_of, write_archive


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
