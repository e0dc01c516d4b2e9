"""What must not stand in a log is taken out, and nothing else."""

import pytest

from airflow_flyte_provider.model.redaction import redacted

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
    ],
)
def test_redacted(text, left):
    assert redacted(text, ["hunter2", ""]) == left
