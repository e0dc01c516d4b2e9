"""What must not stand in a log is taken out, and nothing else."""

import json
import time
from urllib.parse import quote, quote_plus

import pytest

from airflow_flyte_provider.model.redaction import printable, readable, redacted

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOlsiaHR0cCJdfQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            "https://b.s3/k?X-Amz-Expires=60&X-Amz-Signature=1f2e",
            "https://b.s3/k?X-Amz-Expires=60&X-Amz-Signature=***",
        ),
        ("https://b.blob/k?sv=1&sig=a%2Fb&se=2 and more", "https://b.blob/k?sv=1&sig=***&se=2 and more"),
        ("http://h:1/k?method=GET&signature=12ab", "http://h:1/k?method=GET&signature=***"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer ***"),
        (f"token {TOKEN} has expired", "token *** has expired"),
        ("the bearer of bad news", "the bearer of bad news"),
        ("https://logs.example/a?region=eu#x=1", "https://logs.example/a?region=eu#x=1"),
        ("the secret is hunter2!", "the secret is ***!"),
        ("git clone https://me:pa55@host/x", "git clone https://***@host/x"),
        ("https://b.oss/k?x-oss-signature=1f&x=1", "https://b.oss/k?x-oss-signature=***&x=1"),
        ("https://b.cos/k?q-signature=1f", "https://b.cos/k?q-signature=***"),
    ],
)
def test_redacted(text, left):
    assert redacted(text, ["hunter2", ""]) == left


@pytest.mark.parametrize("secret", ["p+q/r ü$^(.*)", 'a"b\\c', "100%!"])
def test_a_secret_is_found_however_it_is_written(secret):
    for written in (
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
    ):
        assert redacted(f"x={written}&y", [secret]) == "x=***&y"


@pytest.mark.parametrize(
    "text",
    [
        "-eyJaaaaaaaa" * 50_000,
        "eyJaaaaaaaa." * 50_000,
        "bearer " * 100_000,
        "?sig=" * 100_000,
        "\33[" * 200_000,
    ],
)
def test_a_long_text_takes_no_longer_than_its_length(text):
    began = time.process_time()
    redacted(text[: len(text) // 10])
    short = time.process_time() - began
    began = time.process_time()
    readable(redacted(text))
    assert time.process_time() - began < max(short, 0.02) * 40  # ten times the text, and far from a hundred


@pytest.mark.parametrize(
    ("text", "left", "on_one_line"),
    [
        ("\33[31mred\33[0m\n\ttab", "red\n\ttab", "?[31mred?[0m??tab"),
        ("\33]0;title\7x\33]8;;https://evil\33\\link", "xlink", "?]0;title?x?]8;;https://evil?\\link"),
        ("a\r\nb\rc", "a\nb\nc", "a??b?c"),
        ("\x9b2J\x1bc\b\0\x7f", "?c???", "?2J?c???"),
        ("user\u202etxt.exe\u2028next", "user?txt.exe?next", "user?txt.exe?next"),
        ("Größe 世界 🎉", "Größe 世界 🎉", "Größe 世界 🎉"),
    ],
)
def test_what_a_terminal_would_obey_is_taken_out(text, left, on_one_line):
    assert readable(text) == left
    assert printable(text) == on_one_line
