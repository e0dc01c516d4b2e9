"""DataProxyService: signed addresses for uploads and downloads, and data behind `flyte://` addresses."""
# ruff: noqa: N802 - the methods are named as the gRPC service names them

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from pathlib import Path
from typing import Any

import grpc
from flyteidl.core import identifier_pb2
from flyteidl.service import dataproxy_pb2, dataproxy_pb2_grpc
from google.protobuf.duration_pb2 import Duration

from airflow_flyte_provider.local import clock
from airflow_flyte_provider.local.files.folder import DataFolder
from airflow_flyte_provider.local.files.signing import Signer
from airflow_flyte_provider.local.refusal import Refusal, already_exists, invalid
from airflow_flyte_provider.local.service.executions import ExecutionCalls
from airflow_flyte_provider.local.store.executions import ExecutionStore
from airflow_flyte_provider.local.wording import go_text

_MAX_LIFETIME = 3600  # seconds
_RANDOM_NAME = 10  # bytes
_CHUNK = 1024 * 1024  # bytes that are read at once
_WORD = "[a-zA-Z0-9_-]+"
_FLYTE_URL = re.compile(
    rf"flyte://v1/({_WORD})/({_WORD})/({_WORD})/({_WORD})(?:/([0-9]+))?/(?:([iod])|([io])/({_WORD}))$"
)


class DataProxyService(dataproxy_pb2_grpc.DataProxyServiceServicer):
    """Flyte's data proxy.

    :param folder: the data directory.
    :param signer: signs addresses.
    :param executions: stored executions.
    :param data: reads inputs and outputs.
    """

    def __init__(
        self, folder: DataFolder, signer: Signer, executions: ExecutionStore, data: ExecutionCalls
    ) -> None:
        self._folder = folder
        self._signer = signer
        self._executions = executions
        self._data = data

    def CreateUploadLocation(self, request: Any, context: Any) -> Any:
        """Return an address that a file may be PUT to."""
        if not request.project or not request.domain:
            raise invalid("project and domain are required parameters")
        if not request.filename_root and not request.content_md5:
            raise invalid("content_md5 or filename_root is a required parameter")
        prefix = request.filename_root or base64.b32encode(request.content_md5).decode()
        filename = request.filename or secrets.token_hex(_RANDOM_NAME)
        path = self._folder.contained(Path(request.project, request.domain, prefix, filename))
        if request.filename and request.filename_root:
            _refuse_overwrite(path, request.content_md5, self._folder.address(path))
        lifetime = _upload_lifetime(request)
        md5 = base64.b64encode(request.content_md5).decode()
        response = dataproxy_pb2.CreateUploadLocationResponse(
            signed_url=self._signer.url(path, "PUT", lifetime, md5),
            # a plain path: flytekit takes a file:// address of a FlyteFile for the name of a local file
            native_url=str(path),
        )
        response.expires_at.FromNanoseconds(clock.nanoseconds(clock.now()) + int(lifetime * 1e9))
        # the length is that of the digest, not of the content: Flyte's own headers say so too
        response.headers.update({"Content-Length": str(len(md5)), "Content-MD5": md5})
        return response

    def CreateDownloadLocation(self, request: Any, context: Any) -> Any:
        """Return an address that a stored file may be had from."""
        lifetime = _download_lifetime(request, "error while validating request: ")
        path = self._folder.path(request.native_url)
        response = dataproxy_pb2.CreateDownloadLocationResponse(
            signed_url=self._signer.url(path, "GET", lifetime)
        )
        response.expires_at.FromNanoseconds(clock.nanoseconds(clock.now()) + int(lifetime * 1e9))
        return response

    def CreateDownloadLink(self, request: Any, context: Any) -> Any:
        """Return an address that an artifact of a node (its deck) may be had from."""
        start = "error while validating request. Error: "
        lifetime = _download_lifetime(request, start)
        if not request.artifact_type:
            raise invalid(f"{start}invalid artifact type [{_artifact_name(request)}]")
        if request.WhichOneof("source") is None:
            raise invalid(f"{start}source is required. Provided nil")
        node_id = request.node_execution_id
        try:
            node = self._executions.node(node_id)
        except Refusal as refusal:
            text = f"failed to find node execution [{go_text(node_id)}]. Error: {refusal.details}"
            raise invalid(text) from None
        if not node.closure.deck_uri:
            text = f"no deckUrl found for request [{go_text(request)}]"
            raise Refusal(grpc.StatusCode.NOT_FOUND, text)
        url = self._signer.url(self._folder.path(node.closure.deck_uri), "GET", lifetime)
        response = dataproxy_pb2.CreateDownloadLinkResponse(signed_url=[url])
        response.expires_at.FromNanoseconds(clock.nanoseconds(clock.now()) + int(lifetime * 1e9))
        response.pre_signed_urls.signed_url.append(url)
        response.pre_signed_urls.expires_at.CopyFrom(response.expires_at)
        return response

    def GetData(self, request: Any, context: Any) -> Any:
        """Return the literals behind a `flyte://` address."""
        start = "failed to validate resolve artifact request. Error: "
        if not request.flyte_url:
            raise invalid(f"{start}source is required. Provided empty string")
        if not request.flyte_url.startswith("flyte://"):
            raise invalid(f"{start}request does not start with the correct prefix")
        match = _FLYTE_URL.search(request.flyte_url)
        if match is None:
            raise invalid(f"failed to parse artifact url Error: failed to parse [{request.flyte_url}]")
        project, domain, name, node, attempt, whole, part, literal = match.groups()
        execution = identifier_pb2.WorkflowExecutionIdentifier(project=project, domain=domain, name=name)
        node_id = identifier_pb2.NodeExecutionIdentifier(node_id=node, execution_id=execution)
        kind = whole or part
        if kind == "d":
            return self._deck(node_id, attempt)
        data = self._data.node_data(node_id) if attempt is None else self._task_data(node_id, int(attempt))
        literals = data.full_inputs if kind == "i" else data.full_outputs
        if literal is None:
            return dataproxy_pb2.GetDataResponse(literal_map=literals)
        if literal not in literals.literals:
            where = "node" if attempt is None else "task"
            raise invalid(f"name [{literal}] not found in {where} execution [{go_text(node_id)}]")
        return dataproxy_pb2.GetDataResponse(literal=literals.literals[literal])

    def _task_data(self, node_id: identifier_pb2.NodeExecutionIdentifier, attempt: int) -> Any:
        for task in self._executions.tasks(node_id):
            if task.id.retry_attempt == attempt:
                return self._data.task_data(task.id)
        raise invalid(f"no task executions were listed [{go_text(node_id)}]. Error: <nil>")

    def _deck(self, node_id: identifier_pb2.NodeExecutionIdentifier, attempt: str | None) -> Any:
        if attempt is not None:
            raise invalid("deck type cannot be specified with a retry attempt, just use the node instead")
        request = dataproxy_pb2.CreateDownloadLinkRequest(
            artifact_type=dataproxy_pb2.ARTIFACT_TYPE_DECK, node_execution_id=node_id
        )
        link = self.CreateDownloadLink(request, None)
        return dataproxy_pb2.GetDataResponse(pre_signed_urls=link.pre_signed_urls)


def _artifact_name(request: Any) -> str:
    return str(dataproxy_pb2.ArtifactType.Name(request.artifact_type))


def _refuse_overwrite(path: Path, md5: bytes, address: str) -> None:
    """Refuse to overwrite a file with another one at a place that the client chose."""
    if path.is_file() and _md5(path) != md5:
        raise already_exists(
            f"file already exists at location [{address}], specify a matching hash if you wish to rewrite"
        )


def _md5(path: Path) -> bytes:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as content:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()


def _upload_lifetime(request: Any) -> float:
    seconds = _seconds(request)
    if seconds > _MAX_LIFETIME:
        limit = clock.go_duration(Duration(seconds=_MAX_LIFETIME))
        shown = clock.go_duration(request.expires_in)
        raise invalid(f"expiresIn [{shown}] cannot exceed max allowed expiration [{limit}]")
    return seconds


def _download_lifetime(request: Any, start: str) -> float:
    seconds = _seconds(request)
    if 0 <= seconds <= _MAX_LIFETIME:
        return seconds
    shown = clock.go_duration(request.expires_in)
    limit = clock.go_duration(Duration(seconds=_MAX_LIFETIME))
    rule = "should not less than 0" if seconds < 0 else f"cannot exceed max allowed expiration [{limit}]"
    raise invalid(f"{start}expiresIn is invalid. Error: input duration [{shown}] {rule}")


def _seconds(request: Any) -> float:
    """Return how long an address is to live: as asked, or as long as may be."""
    if not request.HasField("expires_in"):
        return float(_MAX_LIFETIME)
    return clock.duration_nanoseconds(request.expires_in) / 1e9
