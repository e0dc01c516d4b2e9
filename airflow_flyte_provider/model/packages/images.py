"""The container images that the tasks of a package run in, and their replacement."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from flyteidl.admin.task_pb2 import TaskSpec

#: Where flytekit keeps, for tasks that make workflows at run time, the images of the tasks in these:
#: a JSON object, zipped, in base64.
_CONTEXT = "_F_SS_C"
_CONTAINERS = ("containers", "initContainers")


def images(spec: TaskSpec) -> list[str]:
    """Return the images of a task: of its container, or of all containers of its pod."""
    if spec.template.WhichOneof("target") == "container":
        return [spec.template.container.image]
    return [str(container["image"]) for container in containers(spec) if "image" in container]


def containers(spec: TaskSpec) -> Iterator[Any]:
    """Yield the containers of a task's pod, none when it runs in no pod. Each is a Struct."""
    pod = spec.template.k8s_pod.pod_spec
    for kind in _CONTAINERS:
        yield from pod[kind] if kind in pod.fields else ()


def replace_images(spec: TaskSpec, replacement: str | Mapping[str, str]) -> None:
    """Replace the images of a task, also of the tasks that it makes itself when it is a dynamic one.

    :param spec: the task, which is changed in place.
    :param replacement: the new image by the old one, or one image for all: in a pod for the primary container.
    """
    template = spec.template
    if template.WhichOneof("target") == "container":
        container = template.container
        container.image = _new(container.image, replacement)
        for pair in container.env:
            if pair.key == _CONTEXT:
                pair.value = _replace_in_context(pair.value, replacement)
        return
    # flytekit writes the one, other tools the other, which flyteidl has not always had.
    primary = template.config.get("primary_container_name") or getattr(
        template.k8s_pod, "primary_container_name", ""
    )
    for pod_container in containers(spec):
        if isinstance(replacement, str) and pod_container["name"] != primary:
            continue
        if "image" in pod_container:
            pod_container["image"] = _new(str(pod_container["image"]), replacement)
        for pair in pod_container["env"] if "env" in pod_container.fields else ():
            if pair["name"] == _CONTEXT:
                pair["value"] = _replace_in_context(str(pair["value"]), replacement)


def _new(image: str, replacement: str | Mapping[str, str]) -> str:
    return replacement if isinstance(replacement, str) else replacement.get(image, image)


def _replace_in_context(value: str, replacement: str | Mapping[str, str]) -> str:
    """Return flytekit's context with other images; one that cannot be read stays as it is."""
    try:
        context = json.loads(gzip.decompress(base64.b64decode(value)))
        named = context["image_config"]
        for image in [named["default_image"], *(named["images"] or [])]:
            if image is not None:
                _replace_parts(image, replacement)
    except (ValueError, KeyError, TypeError, OSError, EOFError, zlib.error):
        return value
    return base64.b64encode(gzip.compress(json.dumps(context).encode(), mtime=0)).decode()


def _replace_parts(image: dict[str, Any], replacement: str | Mapping[str, str]) -> None:
    """Replace an image that is kept as its name, tag and digest."""
    old = image["fqn"] + (f"@{image['digest']}" if image.get("digest") else f":{image['tag']}")
    new = _new(old, replacement)
    if new == old:
        return
    name, _, digest = new.partition("@")
    fqn, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:  # no tag: the colon is that of a port
        fqn, tag = name, ""
    image.update(fqn=fqn, tag=tag or None, digest=digest or None)
