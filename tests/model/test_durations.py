"""Durations as people read them."""

from datetime import timedelta

import pytest

from airflow_flyte_provider.model.durations import duration_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (-1, "0 ms"),
        (0.0284, "28 ms"),
        (0.9996, "1.00 s"),
        (9.996, "10.0 s"),
        (59.96, "1 min"),
        (245, "4 min 5 s"),
        (7500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations_are_told_as_people_read_them(seconds, text):
    assert duration_text(timedelta(seconds=seconds)) == text
