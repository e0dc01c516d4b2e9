"""Packages as messages: how ids, references, texts and images in them are changed."""

import io
import tarfile

import pytest
from flyteidl.admin.launch_plan_pb2 import LaunchPlan
from flyteidl.admin.task_pb2 import TaskSpec
from flyteidl.admin.workflow_pb2 import WorkflowSpec
from flyteidl.core.identifier_pb2 import Identifier, ResourceType

from airflow_flyte_provider.model.identifiers import EntityId, EntityKind
from airflow_flyte_provider.model.packages import archives
from airflow_flyte_provider.model.packages.addressing import Target, address, own_version
from airflow_flyte_provider.model.packages.archives import ArchiveError, pack, repack, unpack
from airflow_flyte_provider.model.packages.code import content_version
from airflow_flyte_provider.model.packages.overrides import Overrides
from airflow_flyte_provider.model.packages.reading import PackageError, join, read_files

TARGET = Target("p", "d", "v1")
OPEN = {part: f"{{{{ registration.{part} }}}}" for part in ("project", "domain", "version")}


def named(kind, name, **scope):
    return Identifier(resource_type=ResourceType.Value(kind), name=name, **scope)


def task(name="t", image="i:1", **scope):
    spec = TaskSpec()
    spec.template.id.CopyFrom(named("TASK", name, **scope))
    spec.template.container.image = image
    return spec


def workflow(name, *references, subs=(), **scope):
    spec = WorkflowSpec()
    spec.template.id.CopyFrom(named("WORKFLOW", name, **scope))
    for reference in references:
        node = spec.template.nodes.add()
        if reference.resource_type == ResourceType.TASK:
            node.task_node.reference_id.CopyFrom(reference)
        elif reference.resource_type == ResourceType.LAUNCH_PLAN:
            node.workflow_node.launchplan_ref.CopyFrom(reference)
        else:
            node.workflow_node.sub_workflow_ref.CopyFrom(reference)
    for sub in subs:
        spec.sub_workflows.add().CopyFrom(sub.template)
    return spec


def plan(name, workflow_name):
    message = LaunchPlan(id=named("LAUNCH_PLAN", name))
    message.spec.workflow_id.CopyFrom(named("WORKFLOW", workflow_name))
    return message


def read(*messages):
    return read_files(
        "package", {f"{number}.pb": one.SerializeToString() for number, one in enumerate(messages)}
    )


def pod(*containers):
    spec = task()
    spec.template.k8s_pod.pod_spec.update({"containers": list(containers)})
    spec.template.config["primary_container_name"] = "primary"
    return spec


@pytest.mark.parametrize("scope", [{}, OPEN, {"project": "old", "domain": "old", "version": "v0"}])
def test_own_references_become_the_targets(scope):
    package = read(workflow("w", named("TASK", "t", **scope), **scope), task(**scope))
    found = address(package, TARGET)
    assert [str(one.id) for one in found.entities] == ["task p/d/t version v1", "workflow p/d/w version v1"]
    (node,) = found.entities[1].spec.template.nodes
    assert node.task_node.reference_id == named("TASK", "t", project="p", domain="d", version="v1")
    assert found.entities[1].spec.template.id.version == "v1"
    assert found.outside == {}
    assert package[0].spec.template.id.version == scope.get("version", "")  # what was given is as it was


def test_references_at_every_place_are_found():
    spec = workflow("w")
    block = spec.template.nodes.add().branch_node.if_else
    for node in (
        block.case.then_node,
        block.other.add().then_node,
        block.else_node,
        spec.template.nodes.add().array_node.node,
        spec.template.failure_node,
        spec.sub_workflows.add().nodes.add(),
    ):
        node.task_node.reference_id.CopyFrom(named("TASK", "t"))
    found = address(read(spec, task()), TARGET).entities[1].spec
    assert str(found).count('version: "v1"') == 7
    assert str(found).count("reference_id") == 6


def test_a_reference_to_another_version_stays_and_is_outside():
    old = {"project": "p", "domain": "d", "version": "v0"}
    found = address(read(workflow("w", named("TASK", "t", **old), named("TASK", "u")), task()), TARGET)
    by = EntityId(EntityKind.WORKFLOW, "p", "d", "w", "v1")
    assert found.outside == {
        EntityId(EntityKind.TASK, "p", "d", "t", "v0"): by,
        EntityId(EntityKind.TASK, "p", "d", "u", "v1"): by,
    }


def test_what_is_needed_comes_first_whatever_the_names():
    inner = workflow("z")
    outer = workflow("a", named("LAUNCH_PLAN", "m"), named("WORKFLOW", "z"), subs=[inner])
    found = address(read(plan("b", "a"), outer, plan("m", "z"), inner), TARGET)
    assert [one.id.name for one in found.entities] == ["z", "m", "a", "b"]


def test_faults_in_references():
    with pytest.raises(PackageError, match=r"uses workflow p/d/z version v1, which is not in that file"):
        address(read(workflow("a", named("WORKFLOW", "z")), workflow("z")), TARGET)
    with pytest.raises(PackageError, match=r"round in a circle: .*workflow p/d/a version v1"):
        address(read(workflow("a", named("LAUNCH_PLAN", "b")), plan("b", "a")), TARGET)


def test_placeholders_in_texts_are_filled():
    spec = task(image="r/{{registration.project}}:{{ registration.version }}")
    spec.template.container.env.add(key="D", value="{{ registration.domain }}")
    spec.template.config["v"] = "is {{ registration.version }}"
    spec.template.custom.update({"list": ["{{ registration.version }}", 1], "none": None})
    template = address(read(spec), TARGET).entities[0].spec.template
    assert template.container.image == "r/p:v1"
    assert template.container.env[0].value == "d"
    assert template.config["v"] == "is v1"
    assert template.custom["list"][0] == "v1"


def test_the_version_that_a_package_carries():
    assert own_version(read(task(version="v0"), task("u"))) == "v0"
    assert own_version(read(task(version=OPEN["version"]))) == ""
    with pytest.raises(PackageError, match="different versions, v0, v1"):
        own_version(read(task(version="v0"), task("u", version="v1")))


def test_two_of_one_name():
    assert len(join(read(task(), task()))) == 1
    with pytest.raises(PackageError, match=r"1\.pb and 0\.pb hold two tasks t that differ"):
        join(read(task(), task(image="other")))


def test_images_of_pods():
    sidecar = {"name": "logs", "image": "logs:1"}
    package = read(pod({"name": "primary", "image": "i:1"}, sidecar))

    def images(image):
        spec = Overrides(image=image).apply(package)[0].spec.template.k8s_pod.pod_spec
        return [container["image"] for container in spec["containers"]]

    assert images("new:2") == ["new:2", "logs:1"]
    assert images({"logs:1": "logs:2"}) == ["i:1", "logs:2"]
    with pytest.raises(PackageError, match="there are i:1, logs:1"):
        images({"unlike": "x"})


def test_code_for_a_task_in_a_pod():
    args = ["--additional-distribution", "{{ .remote_package_path }}", "--dest-dir", "{{ .dest_dir }}"]
    package = read(pod({"name": "primary", "image": "i:1", "args": args}))
    changed = Overrides(destination_dir="/code").apply(package)
    with pytest.raises(PackageError, match="the code of t is neither"):
        content_version(changed)
    for then, expected in ((None, "/code"), ("/srv", "/srv")):
        again = Overrides(destination_dir=then).apply(changed)
        assert list(again[0].spec.template.k8s_pod.pod_spec["containers"][0]["args"])[3] == expected


def test_archives_are_the_same_whenever_they_are_packed():
    def tarred(mtime, names):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for name in names:
                entry = tarfile.TarInfo(f"./{name}")
                entry.mtime, entry.uname, entry.mode, entry.size = mtime, "me", 0o755, 1
                tar.addfile(entry, io.BytesIO(name.encode()))
        return packed.getvalue()

    assert repack(tarred(1, "ab")) == repack(tarred(2, "ba")) == pack({"b": b"b", "a": b"a"})
    assert unpack(pack({"x/y": b"1"})) == {"x/y": b"1"}


def test_an_archive_that_is_too_large_is_not_unpacked(monkeypatch):
    bomb = pack({"zeros": bytes(3_000_000), "more": bytes(3_000_000)})
    assert len(bomb) < 30_000
    monkeypatch.setattr(archives, "MAX_BYTES", 5_000_000)
    for read_archive in (unpack, repack):
        with pytest.raises(ArchiveError, match="more than"):
            read_archive(bomb)
