"""What was asked of a real Flyte, and what it answered, as messages."""

import json
from pathlib import Path

import flyteidl.service.admin_pb2  # noqa: F401 - so that all of its messages are known
from google.protobuf.json_format import ParseDict
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.symbol_database import Default

RECORDINGS = Path(__file__).parent / "conformance" / "recordings"


def answers(method, *files):
    """Yield request (as a dict) and answer of every recorded call of a method that was answered.

    :param files: names of recordings without `.jsonl`; all when there are none.
    """
    for call in _calls(method, files):
        if "response" in call:
            yield call["request"], _message(call["response_type"], call["response"])


def requests(method, *files):
    """Yield the request of every recorded call of a method; see `answers`."""
    for call in _calls(method, files):
        yield _message(call["request_type"], call["request"])


def _calls(method, files):
    for path in sorted(RECORDINGS.glob("*.jsonl")):
        if not files or path.stem in files:
            calls = map(json.loads, path.read_text().splitlines())
            yield from (call for call in calls if call["method"].endswith(f"/{method}"))


def _message(name, fields):
    return ParseDict(fields, GetMessageClass(Default().pool.FindMessageTypeByName(name))())
