"""Signed transfers against a store that fails in every way a store can."""

import logging
import traceback
from base64 import b64encode
from hashlib import md5

import pytest

from airflow_flyte_provider.admin import transfer
from airflow_flyte_provider.admin.dataproxy import SignedUrl
from airflow_flyte_provider.admin.transfer import SignedTransfer, digest
from airflow_flyte_provider.exceptions import FlyteIntegrityError, FlyteTransferError
from tests.faulty_store import SECRET, Answer, store

BODY = b"some content" * 1000


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(transfer, "_FIRST_PAUSE", 0.001)


@pytest.fixture
def log(caplog):
    """All that is logged, also by httpx and httpcore, which Airflow keeps quiet by default."""
    for name in ("", "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, name)
    return caplog


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in" / "a.csv"
    path.parent.mkdir()
    path.write_bytes(BODY)
    return path


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "out" / "b.csv"
    path.parent.mkdir()
    return path


def put(to, path, headers=None):
    with SignedTransfer() as moving:
        moving.upload(path, digest(path), lambda: SignedUrl(to.url, headers or {}))


def get(from_, path, **given):
    with SignedTransfer() as moving:
        moving.download(path, lambda: SignedUrl(from_.url), **given)


def test_flytes_headers_are_sent_with_the_true_length(source):
    headers = {"Content-Length": "24", "Content-MD5": "abc", "x-ms-blob-type": "BlockBlob"}
    with store(Answer()) as to:
        put(to, source, headers)
    sent, body = to.seen[0]
    assert body == BODY
    assert sent["Content-Length"] == str(len(BODY))
    assert (sent["Content-MD5"], sent["x-ms-blob-type"]) == ("abc", "BlockBlob")
    assert "Transfer-Encoding" not in sent


def test_the_md5_is_sent_where_flyte_names_no_header(source):
    with store(Answer()) as to:
        put(to, source)
    assert to.seen[0][0]["Content-MD5"] == b64encode(md5(BODY).digest()).decode()


def test_an_empty_file(source, target):
    source.write_bytes(b"")
    with store(Answer()) as to:
        put(to, source)
        get(to, target)
    assert to.seen[0][0]["Content-Length"] == "0"
    assert target.read_bytes() == b""


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_may_pass_is_tried_again(source, target, status):
    with store(Answer(status), Answer(status), Answer()) as to:
        put(to, source)
    assert [body for _, body in to.seen] == [BODY] * 3
    with store(Answer(status), Answer(body=BODY)) as from_:
        get(from_, target)
    assert target.read_bytes() == BODY


def test_each_try_has_a_new_address(source):
    signed = []
    with store(Answer(500), Answer()) as to, SignedTransfer() as moving:
        moving.upload(source, digest(source), lambda: signed.append(1) or SignedUrl(to.url))
    assert len(signed) == 2


def test_a_refusal_is_told_at_once_and_without_the_address(source, target, log):
    with store(Answer(403, b"<Error>expired</Error>")) as to:
        with pytest.raises(FlyteTransferError, match=r"Uploading a\.csv failed: .*403.*expired") as caught:
            put(to, source)
        with pytest.raises(FlyteTransferError, match=r"Downloading b\.csv failed: .*403") as caught2:
            get(to, target)
        get_error = caught2.value
    assert len(to.seen) == 2
    for fault in (caught.value, get_error):
        assert "s3cr3t" not in "".join(traceback.format_exception(fault))
    assert "s3cr3t" not in log.text
    assert not list(target.parent.iterdir())


def test_no_address_reaches_log_or_error_when_all_tries_fail(source, target, log):
    with store(Answer(500)) as to, pytest.raises(FlyteTransferError, match="5 times: the store answered 500"):
        put(to, source)
    with pytest.raises(FlyteTransferError, match=r"5 times: the store could not be reached") as caught:
        get(to, target)  # it is not there any more
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value)) + log.text
    assert caught.value.__context__ is None
    assert SECRET not in repr(SignedUrl(to.url, {"x": SECRET}))


def test_httpx_logs_again_afterwards(log, target):
    import httpx

    with store(Answer(body=b"x")) as from_:
        get(from_, target)
        assert "HTTP Request" not in log.text
        httpx.get(from_.url)
    assert "HTTP Request" in log.text


@pytest.mark.parametrize(
    ("answer", "given", "told"),
    [
        (Answer(body=BODY, headers={"Content-Length": "99999"}), {}, "ended before the file did"),
        (Answer(body=BODY), {"size": 5}, f"{len(BODY)} bytes arrived instead of 5"),
        (Answer(body=BODY, headers={"Content-MD5": b64encode(b"0" * 16).decode()}), {}, "another MD5"),
        (Answer(body=BODY, headers={"x-amz-meta-flytecontentmd5": b64encode(b"0" * 16).decode()}), {}, "MD5"),
    ],
)
def test_what_arrives_broken_leaves_nothing(target, answer, given, told):
    with store(answer) as from_, pytest.raises(FlyteIntegrityError, match=told):
        get(from_, target, **given)
    assert len(from_.seen) == transfer.TRIES
    assert not list(target.parent.iterdir())


def test_a_broken_try_is_mended_by_the_next_and_keeps_the_old_file_till_then(target):
    target.write_text("old")
    broken = Answer(body=b"half", headers={"Content-Length": "99999"})
    good = Answer(body=BODY, headers={"Content-MD5": b64encode(md5(BODY).digest()).decode()})
    with store(broken, good) as from_:
        get(from_, target)
    assert target.read_bytes() == BODY
    with store(broken) as from_, pytest.raises(FlyteIntegrityError):
        get(from_, target)
    assert target.read_bytes() == BODY
    assert list(target.parent.iterdir()) == [target]


def test_a_file_that_is_gone(source):
    with (
        SignedTransfer() as moving,
        pytest.raises(FlyteTransferError, match="could not be read: No such file"),
    ):
        moving.upload(source.with_name("gone"), b"", lambda: SignedUrl("http://127.0.0.1:1/"))


def test_a_folder_that_cannot_be_written(target):
    with store(Answer(body=BODY)) as from_, pytest.raises(FlyteTransferError, match="could not be written"):
        get(from_, target.parent / "missing" / "b.csv")


def test_progress_is_told(source):
    told = []
    with store(Answer()) as to, SignedTransfer() as moving:
        moving.upload(source, digest(source), lambda: SignedUrl(to.url), lambda *at: told.append(at))
    assert told == [(len(BODY), len(BODY))]


def test_a_redirect_is_not_followed_and_its_address_not_logged(source, target, log):
    headers = {"Location": f"http://elsewhere/?{SECRET}", "Set-Cookie": "session=c00kie"}
    with store(Answer(302, headers=headers)) as from_:
        for move in (lambda: get(from_, target), lambda: put(from_, source)):
            with pytest.raises(FlyteTransferError, match="302") as caught:
                move()
            assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))
    assert len(from_.seen) == 2
    assert "s3cr3t" not in log.text
    assert "c00kie" not in log.text


def test_more_than_the_known_size_is_not_written_to_the_disk(target):
    written = []
    endless = Answer(body=bytes(20_000_000), headers={"Content-Length": None})
    with store(endless) as from_, pytest.raises(FlyteIntegrityError, match="more than 10 bytes"):
        get(from_, target, size=10, progress=lambda done, _: written.append(done))
    assert max(written, default=0) <= transfer.CHUNK
    assert not list(target.parent.iterdir())


@pytest.mark.parametrize(
    "headers", [{"ü": "x"}, {"x": "s3cr3t ü"}, {"x": "s3cr3t\r\nEvil: yes"}, {"a b": "s3cr3t"}]
)
def test_headers_that_no_request_can_have_are_told_without_them(source, headers):
    with store(Answer()) as to, pytest.raises(FlyteTransferError, match=r"Uploading a\.csv failed") as caught:
        put(to, source, headers)
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))
    assert not to.seen


def test_flyte_chooses_no_host_and_no_framing_of_a_request(source):
    with store(Answer()) as to:
        put(
            to,
            source,
            {"Host": "inside.example", "Transfer-Encoding": "chunked", "connection": "close", "x-a": "1"},
        )
    headers, body = to.seen[0]
    assert headers["Host"].startswith("127.0.0.1:")
    assert "Transfer-Encoding" not in headers
    assert headers["x-a"] == "1"
    assert body == BODY
    assert not {"Authorization", "Proxy-Authorization", "Cookie"} & set(headers)
