"""Verbs of Flyte's data proxy: signed addresses for files, and what lies behind `flyte://` addresses.

A signed address is a permission: whoever reads it may use it. It is kept out of every `repr`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flyteidl.service import dataproxy_pb2

from airflow_flyte_provider.admin.client import Call, Service, Verb
from airflow_flyte_provider.admin.nodes import to_node_proto
from airflow_flyte_provider.exceptions import FlyteNotFoundError
from airflow_flyte_provider.model.identifiers import NodeExecutionId


@dataclass(frozen=True, slots=True)
class SignedUrl:
    """An address that carries its own permission to read or write one file.

    :param url: the address.
    :param headers: headers that a PUT to it must have.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class UploadLocation:
    """Where a file may be uploaded to.

    :param signed: the address to PUT it to.
    :param native_url: where the file lies then, as a Flyte task takes it.
    """

    signed: SignedUrl
    native_url: str


def create_upload_location(
    project: str, domain: str, filename: str, md5: bytes, root: str = ""
) -> Verb[UploadLocation]:
    """Ask for a place to upload one file to.

    :param filename: its name, which may have folders in it where `root` is given.
    :param md5: MD5 digest of its content, which the store checks.
    :param root: the folder to put it in; empty takes one named by the digest, so that the same content goes
        to the same place.
    """
    request = dataproxy_pb2.CreateUploadLocationRequest(
        project=project,
        domain=domain,
        filename=filename,
        content_md5=md5,
        filename_root=root,
        add_content_md5_metadata=True,  # else Flyte refuses to write the same file there again, in a retry
    )
    reply = yield _call("CreateUploadLocation", request, f"asking where to upload {filename} to")
    return UploadLocation(SignedUrl(reply.signed_url, dict(reply.headers)), reply.native_url)


def sign_download(native_url: str) -> Verb[SignedUrl]:
    """Ask for a signed address of a file in Flyte's store.

    :param native_url: where it lies, as in `s3://bucket/key`.
    :raises FlyteError: when Flyte does not sign for it; not for a file that does not exist.
    """
    request = dataproxy_pb2.CreateDownloadLocationRequest(native_url=native_url)
    reply = yield _call("CreateDownloadLocation", request, f"asking for a download of {native_url}")
    return SignedUrl(reply.signed_url)


def sign_deck(node: NodeExecutionId) -> Verb[SignedUrl]:
    """Ask for a signed address of the deck (an HTML page) of a node execution.

    :raises FlyteNotFoundError: when the node has none.
    """
    request = dataproxy_pb2.CreateDownloadLinkRequest(
        artifact_type=dataproxy_pb2.ARTIFACT_TYPE_DECK, node_execution_id=to_node_proto(node)
    )
    asked = f"asking for the deck of {node}"
    reply = yield _call("CreateDownloadLink", request, asked)
    # FlyteAdmin before 1.10 knows only the field that newer ones call deprecated.
    return _first([*reply.pre_signed_urls.signed_url, *reply.signed_url], asked)


def get_data(flyte_url: str) -> Verb[dataproxy_pb2.GetDataResponse]:
    """Fetch what lies behind a `flyte://v1/…` address: a literal, a map of them, or signed addresses.

    :raises FlyteError: when there is nothing, or the address is none.
    """
    request = dataproxy_pb2.GetDataRequest(flyte_url=flyte_url)
    return (yield _call("GetData", request, f"fetching {flyte_url}"))


def sign_flyte_url(flyte_url: str) -> Verb[SignedUrl]:
    """Ask anew for the signed address behind a `flyte://v1/…` address of an artifact, such as a deck."""
    reply = yield from get_data(flyte_url)
    return _first(reply.pre_signed_urls.signed_url, f"fetching {flyte_url}")


def _first(urls: Any, asked: str) -> SignedUrl:
    if not urls:
        raise FlyteNotFoundError(f"{asked.capitalize()} failed: Flyte answered without an address.")
    return SignedUrl(urls[0])


def _call(method: str, request: Any, asked: str) -> Call:
    return Call(method, request, asked, Service.DATA_PROXY)
