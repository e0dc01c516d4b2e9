"""Files to and from signed addresses: streamed, checked, tried again. Knows HTTP, neither gRPC nor Airflow.

No address appears in an error or a log: whoever reads it could use it. Files are told by their names.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import httpx

from airflow_flyte_provider.admin.tls import trusting
from airflow_flyte_provider.exceptions import FlyteIntegrityError, FlyteTransferError

if TYPE_CHECKING:
    from airflow_flyte_provider.admin.dataproxy import SignedUrl

#: How often a file is tried, the first try included.
TRIES = 5

#: Bytes held in memory at a time.
CHUNK = 1024 * 1024

#: Told after each chunk: bytes done, bytes in all (None when the server does not say).
Progress = Callable[[int, "int | None"], None]

_FIRST_PAUSE = 0.5  # seconds, doubled with each try
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)  # seconds between two signs of life, not for the whole file
#: Where stores keep the MD5 of a file: the header of HTTP, and the metadata that FlyteAdmin signs for.
_MD5_HEADERS = ("content-md5", "x-amz-meta-flytecontentmd5", "x-goog-meta-flytecontentmd5")

#: Headers that say where a request goes and where it ends, which its sender alone knows.
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection"})

_transferring: ContextVar[bool] = ContextVar("transferring", default=False)


class _NoAddresses(logging.Filter):
    """Keeps httpx from logging the addresses of requests made here, and httpcore where they are redirected to."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not _transferring.get()


for _name in ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks"))):
    logging.getLogger(_name).addFilter(_NoAddresses())


def _no_progress(done: int, total: int | None) -> None:
    """Tell nobody."""


class SignedTransfer:
    """Moves files over signed addresses, on one HTTP client.

    :param ca_cert_file: PEM file to trust beside the system's roots.

    Each try asks for a new address, so one that has expired meanwhile does no harm.
    """

    def __init__(self, ca_cert_file: str | None = None) -> None:
        # Store and proxy of a company: HTTPS_PROXY and SSL_CERT_FILE are taken from the environment.
        self._client = httpx.Client(verify=trusting(ca_cert_file), timeout=_TIMEOUT, follow_redirects=False)

    def __enter__(self) -> SignedTransfer:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def upload(
        self, source: Path, md5: bytes, sign: Callable[[], SignedUrl], progress: Progress = _no_progress
    ) -> None:
        """Upload one file.

        :param source: the file.
        :param md5: MD5 digest of its content, see `digest`.
        :param sign: gives the address to PUT it to, with the headers that it was signed for.
        :param progress: told how far it is.
        :raises FlyteTransferError: when it was refused, or every try has failed.
        """

        def put() -> None:
            signed = sign()
            with _opened(source) as content:
                size = os.fstat(content.fileno()).st_size
                headers = _upload_headers(signed, size, md5)
                answer = self._client.put(
                    signed.url, content=_chunks(content, size, progress), headers=headers
                )
            _check(answer)

        _try(put, f"Uploading {source.name}")

    def download(
        self,
        target: Path,
        sign: Callable[[], SignedUrl],
        *,
        size: int | None = None,
        progress: Progress = _no_progress,
    ) -> None:
        """Download one file. It appears under its name when it is whole and checked, or not at all.

        :param target: where to; an existing file is replaced. Its folder exists.
        :param sign: gives the address to GET it from.
        :param size: bytes it must have; None takes what the server announces.
        :param progress: told how far it is.
        :raises FlyteTransferError: when it was refused, or every try has failed.
        :raises FlyteIntegrityError: when it stays too short or its hash differs.
        """

        def get() -> None:
            with (
                whole(target) as draft,
                # Compressed on the way it would have another size and hash than the file.
                self._client.stream("GET", sign().url, headers={"Accept-Encoding": "identity"}) as answer,
            ):
                _check(answer)
                _receive(answer, draft, size, progress)

        _try(get, f"Downloading {target.name}")


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Give a draft beside `target` that takes its place when the block ends well and is removed when not.

    :raises FlyteTransferError: when the draft cannot be written or put in place.
    """
    draft = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        yield draft
        os.replace(draft, target)
    except OSError as fault:
        raise FlyteTransferError(f"{target} could not be written: {fault.strerror or fault}.") from None
    finally:
        draft.unlink(missing_ok=True)


def digest(source: Path) -> bytes:
    """Return the MD5 digest of a file, reading it bit by bit.

    :raises FlyteTransferError: when it cannot be read.
    """
    md5 = hashlib.md5(usedforsecurity=False)
    with _opened(source) as content:
        while chunk := content.read(CHUNK):
            md5.update(chunk)
    return md5.digest()


@contextmanager
def _opened(source: Path) -> Iterator[BinaryIO]:
    try:
        with source.open("rb") as content:
            yield content
    except OSError as fault:
        raise FlyteTransferError(f"{source} could not be read: {fault.strerror or fault}.") from None


class _TransientError(Exception):
    """A try that failed and is worth another one.

    :param fault: what to raise when there is no other.
    """

    def __init__(self, fault: FlyteTransferError) -> None:
        self.fault = fault


def _try(once: Callable[[], None], what: str) -> None:
    """Call `once` until it succeeds, with growing pauses, and raise the last fault with `what` before it."""
    for number in range(TRIES):
        if number:
            time.sleep(_FIRST_PAUSE * 2 ** (number - 1))
        try:
            _quietly(once)
        except _TransientError as error:
            fault = error.fault
        except FlyteTransferError as error:
            raise type(error)(f"{what} failed: {error}") from None
        else:
            return
    # Outside of any handler: what httpx raised stays behind, and with it the address.
    raise type(fault)(f"{what} failed, {TRIES} times: {fault}")


def _quietly(once: Callable[[], None]) -> None:
    """Call `once` without httpx logging addresses, and turn its errors into ones that hold none."""
    quiet = _transferring.set(True)
    try:
        once()
        return
    except httpx.RemoteProtocolError:
        fault: FlyteTransferError = FlyteIntegrityError("the connection ended before the file did.")
    except httpx.TransportError as error:
        fault = FlyteTransferError(f"the store could not be reached ({type(error).__name__}).")
    except UnicodeError:
        fault = FlyteTransferError("Flyte tells headers that no request can have.")
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        fault = FlyteTransferError(f"the store's answer could not be read ({type(error).__name__}).")
    finally:
        _transferring.reset(quiet)
    raise _TransientError(fault)


def _chunks(content: BinaryIO, size: int, progress: Progress) -> Iterator[bytes]:
    """Yield the first `size` bytes: a file that grows meanwhile must not outrun its announced length."""
    done = 0
    while done < size and (chunk := content.read(min(CHUNK, size - done))):
        yield chunk
        done += len(chunk)
        progress(done, size)
    if done < size:
        raise FlyteIntegrityError("the file became shorter while it was read.")


def _upload_headers(signed: SignedUrl, size: int, md5: bytes) -> dict[str, str]:
    """Return Flyte's headers with the true length: FlyteAdmin tells the length of the digest instead."""
    headers = {name: value for name, value in signed.headers.items() if name.lower() not in _OURS}
    if not any(name.lower() == "content-md5" for name in headers):
        headers["Content-MD5"] = b64encode(md5).decode()
    return {**headers, "Content-Length": str(size)}


def _check(answer: httpx.Response) -> None:
    """Raise unless the store has done what was asked."""
    code = answer.status_code
    if code in (200, 201, 204):
        return
    fault = FlyteTransferError(f"the store answered {code} {answer.reason_phrase}.")
    if code in (408, 429) or code >= 500:
        raise _TransientError(fault)
    if code in (401, 403):
        fault = FlyteTransferError(
            f"the store answered {code} {answer.reason_phrase}: the signed address has expired or does not "
            "allow this. Check the clocks, and what FlyteAdmin may do in its bucket."
        )
    raise fault


def _receive(answer: httpx.Response, draft: Path, size: int | None, progress: Progress) -> None:
    """Write an answer's body to a file and check its length and, where it is known, its hash."""
    announced = answer.headers.get("content-length", "")
    total = int(announced) if announced.isdigit() else size
    if size is not None and total != size:
        raise _TransientError(FlyteIntegrityError(f"{total} bytes arrived instead of {size}."))
    md5, done = hashlib.md5(usedforsecurity=False), 0
    with draft.open("wb") as target:
        for chunk in answer.iter_raw(CHUNK):
            if size is not None and done + len(chunk) > size:
                raise _TransientError(FlyteIntegrityError(f"more than {size} bytes arrived."))
            target.write(chunk)
            md5.update(chunk)
            done += len(chunk)
            progress(done, total)
    if total is not None and done != total:
        raise _TransientError(FlyteIntegrityError(f"{done} bytes arrived instead of {total}."))
    for name in _MD5_HEADERS:
        if name in answer.headers and not _same(answer.headers[name], md5.digest()):
            raise _TransientError(
                FlyteIntegrityError(f"what arrived has another MD5 hash than {name} tells.")
            )


def _same(told: str, found: bytes) -> bool:
    try:
        return b64decode(told, validate=True) == found
    except ValueError:
        return told == found.hex()
