"""Signed addresses: what they allow, and everything they don't."""

from __future__ import annotations

import base64
import hashlib
import http.client
import tracemalloc
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import grpc
import pytest
from flyteidl.service import dataproxy_pb2
from google.protobuf.duration_pb2 import Duration

from airflow_flyte_provider.local import LocalFlyte
from airflow_flyte_provider.local.files.signing import Signer
from airflow_flyte_provider.local.refusal import Refusal
from airflow_flyte_provider.local.service.dataproxy import _refuse_overwrite
from tests.local.client import Client

MIB = 1024 * 1024
CONTENT = b"some content"
MD5 = hashlib.md5(CONTENT).digest()


def _location(client: Client, **fields) -> dataproxy_pb2.CreateUploadLocationResponse:
    given = {"project": "flytesnacks", "domain": "development", "filename": "a.txt", "content_md5": MD5}
    return client.proxy.CreateUploadLocation(dataproxy_pb2.CreateUploadLocationRequest(**{**given, **fields}))


def _send(url: str, method: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_what_is_put_can_be_got(client: Client) -> None:
    location = _location(client)
    digest = base64.b64encode(MD5).decode()
    assert _send(location.signed_url, "PUT", CONTENT, **{"Content-MD5": digest})[0] == 200
    assert Path(location.native_url.removeprefix("file://")).read_bytes() == CONTENT
    download = client.proxy.CreateDownloadLocation(
        dataproxy_pb2.CreateDownloadLocationRequest(native_url=location.native_url)
    )
    assert _send(download.signed_url, "GET") == (200, CONTENT)


def test_another_content_is_refused(client: Client) -> None:
    location = _location(client, filename="other.txt")
    assert _send(location.signed_url, "PUT", b"another")[0] == 400
    assert not Path(location.native_url.removeprefix("file://")).exists()
    wrong = base64.b64encode(hashlib.md5(b"another").digest()).decode()
    assert _send(location.signed_url, "PUT", b"another", **{"Content-MD5": wrong})[0] == 403


def test_a_file_is_not_overwritten_by_another(client: Client) -> None:
    place = {"filename": "a.txt", "filename_root": "chosen"}
    location = _location(client, **place)
    digest = base64.b64encode(MD5).decode()
    assert _send(location.signed_url, "PUT", CONTENT, **{"Content-MD5": digest})[0] == 200
    assert _location(client, **place).native_url == location.native_url
    with pytest.raises(grpc.RpcError, match="file already exists at location"):
        _location(client, **place, content_md5=hashlib.md5(b"another").digest())


def test_a_large_file_that_is_there_already_is_not_read_into_memory(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as large:
        large.truncate(64 * MIB)
    tracemalloc.start()
    try:
        with pytest.raises(Refusal, match="file already exists"):
            _refuse_overwrite(tmp_path / "large", MD5, "file://large")
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()


def test_an_address_allows_nothing_else(client: Client, flyte: LocalFlyte) -> None:
    url = _location(client, filename="fixed.txt").signed_url
    assert _send(url, "GET")[0] == 403
    assert _send(url.replace("fixed.txt", "else.txt"), "PUT", CONTENT)[0] == 403
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    for change in ({"expires": "9999999999"}, {"method": "GET"}, {"signature": "0" * 64}, {"md5": ""}):
        changed = parts._replace(query=urlencode({**query, **change})).geturl()
        assert _send(changed, "PUT", CONTENT)[0] == 403
    assert _send(f"{flyte.http_url}/../flyte.db", "GET")[0] == 403
    assert _send(flyte.http_url, "GET")[0] == 403


def test_an_address_expires(tmp_path: Path) -> None:
    signer = Signer(b"key", "http://host", tmp_path)
    url = signer.url(tmp_path / "a", "GET", lifetime=-1)
    target = url.removeprefix("http://host")
    assert signer.check(target, "GET") is None
    assert signer.check(signer.url(tmp_path / "a", "GET", 60).removeprefix("http://host"), "GET") is not None


@pytest.mark.parametrize(
    "fields",
    [
        {"filename": "../../../../flyte.db"},
        {"filename": "/etc/passwd"},
        {"filename_root": "../../..", "filename": "x"},
        {"project": "../..", "domain": ".."},
    ],
)
def test_no_upload_leaves_the_folder(client: Client, fields: dict[str, str]) -> None:
    with pytest.raises(grpc.RpcError, match="not stored by this server"):
        _location(client, **fields)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "/etc/passwd", "s3://bucket/key"])
def test_no_download_leaves_the_folder(client: Client, flyte: LocalFlyte, url: str) -> None:
    for native_url in (url, f"file://{flyte.data_dir}/storage/../flyte.db"):
        with pytest.raises(grpc.RpcError, match="not stored by this server"):
            client.proxy.CreateDownloadLocation(
                dataproxy_pb2.CreateDownloadLocationRequest(native_url=native_url)
            )


def test_a_name_with_line_ends_is_signed_for_itself_alone(tmp_path: Path) -> None:
    """Else what is signed for a file of that name, until soon, would do for another file, for ever."""
    signer = Signer(b"key", "http://host", tmp_path)
    url = signer.url(tmp_path / "secret\n9999999999\n", "GET", 60)
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    forged = {**query, "expires": "9999999999", "md5": f"\n{query['expires']}\n"}
    assert signer.check(f"/secret?{urlencode(forged)}", "GET") is None
    assert signer.check(url.removeprefix("http://host"), "GET") is not None


@pytest.mark.parametrize(
    "path", ["%2e%2e/flyte.db", "..%2fflyte.db", "//etc/passwd", "a/../../flyte.db", "a%00b"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
def test_no_path_leads_out_of_the_folder_even_when_it_is_signed(
    client: Client, flyte: LocalFlyte, path: str, method: str
) -> None:
    assert ask(flyte, method, f"/{path}")[0] == 403
    assert ask(flyte, method, f"/{path}?method={method}&expires=9999999999&md5=&signature=0")[0] == 403


def ask(flyte: LocalFlyte, method: str, target: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Send a request whose path is left as it is."""
    connection = http.client.HTTPConnection(flyte.http_url.removeprefix("http://"), timeout=5)
    connection.putrequest(method, target, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, dict(answer.headers), answer.read()
    connection.close()
    return found


def test_a_link_in_the_folder_is_not_followed_out_of_it(
    client: Client, flyte: LocalFlyte, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret")
    (flyte.data_dir / "storage" / "link").symlink_to(tmp_path)
    native_url = f"file://{flyte.data_dir}/storage/link/secret"
    with pytest.raises(grpc.RpcError, match="not stored by this server"):
        client.proxy.CreateDownloadLocation(
            dataproxy_pb2.CreateDownloadLocationRequest(native_url=native_url)
        )


@pytest.mark.parametrize("length", ["-1", "1_0", "+5", " ", "0x5", "9" * 5000])
def test_a_length_that_is_none_is_refused_at_once(client: Client, flyte: LocalFlyte, length: str) -> None:
    target = urlsplit(_location(client, filename="length.txt").signed_url)
    status = ask(flyte, "PUT", f"{target.path}?{target.query}", Content_Length=length)[0]
    assert status in (400, 411, 413)


def test_a_page_among_the_files_runs_apart_from_the_console(client: Client, flyte: LocalFlyte) -> None:
    """A task has written it: what it runs must not read the console, which is served under the same name."""
    page = flyte.data_dir / "storage" / "deck.html"
    page.write_text("<script>fetch('/console/')</script>")
    asked = dataproxy_pb2.CreateDownloadLocationRequest(native_url=f"file://{page}")
    target = urlsplit(client.proxy.CreateDownloadLocation(asked).signed_url)
    status, headers, _ = ask(flyte, "GET", f"{target.path}?{target.query}")
    assert status == 200
    assert "sandbox" in headers["Content-Security-Policy"]
    assert "allow-same-origin" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/console/projects/flytesnacks/executions", "/metrics"])
@pytest.mark.parametrize(
    "host", ["evil.example", "[", "[::1", "127.0.0.1.evil.example", "a@127.0.0.1@evil", ""]
)
def test_nothing_is_shown_to_a_web_site_whose_name_leads_here(
    flyte: LocalFlyte, path: str, host: str
) -> None:
    assert ask(flyte, "GET", path, Host=host)[0] == 403
    assert ask(flyte, "GET", path)[0] == 200


def test_a_console_page_runs_nothing_and_is_in_no_frame(flyte: LocalFlyte) -> None:
    headers = ask(flyte, "GET", "/console/projects/flytesnacks/executions")[1]
    assert (
        headers["Content-Security-Policy"]
        == "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    )


def test_the_data_directory_is_for_its_owner_alone(tmp_path: Path) -> None:
    """The key that signs addresses lies in its database."""
    with LocalFlyte(tmp_path / "deep" / "data") as flyte:
        assert flyte.data_dir.stat().st_mode & 0o077 == 0


def test_an_address_lives_an_hour_at_most(client: Client) -> None:
    with pytest.raises(grpc.RpcError, match="cannot exceed max allowed expiration"):
        _location(client, expires_in=Duration(seconds=3601))
