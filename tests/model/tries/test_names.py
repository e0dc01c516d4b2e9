import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_flyte_provider.model.tries.names import check_execution_name, execution_name

BASE = {"dag_id": "etl", "task_id": "daily.load", "run_id": "manual__1", "map_index": -1, "try_number": 1}
PARTS = st.fixed_dictionaries(
    {
        "dag_id": st.text(max_size=30),
        "task_id": st.text(max_size=30),
        "run_id": st.text(max_size=30),
        "map_index": st.integers(-1, 10_000),
        "try_number": st.integers(1, 100),
    }
)


def test_the_name_is_pinned():
    # Another name for the same try would make a running Airflow launch everything twice after an upgrade.
    assert execution_name(**BASE) == "daily-load-hbx3o2jyang356dsuyri"


@given(PARTS)
def test_flyte_takes_every_name(parts):
    name = execution_name(**parts)
    assert check_execution_name(name) is None
    assert len(name) <= 41
    assert re.fullmatch(r"[a-z][a-z0-9-]*-[a-z2-7]{20}", name)
    assert "--" not in name
    assert name == execution_name(**parts)


@given(PARTS, PARTS)
def test_different_tries_have_different_names(one, other):
    assert (execution_name(**one) == execution_name(**other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"dag_id": "a", "task_id": "bc"}, {"dag_id": "ab", "task_id": "c"}),
        ({"dag_id": "a.b", "task_id": "c"}, {"dag_id": "a", "task_id": "b.c"}),
        ({"task_id": "a-b"}, {"task_id": "a.b"}),
        ({"task_id": "a", "run_id": "b|c"}, {"task_id": "a|b", "run_id": "c"}),
        ({"dag_id": 'a", "b', "task_id": "c"}, {"dag_id": "a", "task_id": 'b", "c'}),
        ({"map_index": 1, "try_number": 11}, {"map_index": 11, "try_number": 1}),
        ({"map_index": -1, "try_number": 1}, {"map_index": 1, "try_number": 1}),
        ({"task_id": "Load"}, {"task_id": "load"}),
    ],
)
def test_parts_that_join_to_the_same_text_have_different_names(one, other):
    assert execution_name(**BASE | one) != execution_name(**BASE | other)


@pytest.mark.parametrize(
    ("task_id", "slug"),
    [
        ("load", "load"),
        ("Group.Load_It", "group-load-it"),
        ("1st", "st"),
        ("123", "task"),
        ("日本", "task"),
        ("a" * 19 + "--b", "a" * 19),
        ("x" * 250, "x" * 20),
    ],
)
def test_the_name_begins_with_a_readable_slug(task_id, slug):
    assert execution_name(**BASE | {"task_id": task_id}).rpartition("-")[0] == slug


@pytest.mark.parametrize("name", ["a", "a-1-", "nightly-2026", "x" * 63])
def test_good_names(name):
    assert check_execution_name(name) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "empty"),
        ("1a", "begin"),
        ("-a", "begin"),
        ("A", "lower"),
        ("a_b", "hold only"),
        ("a\n", "hold only"),
    ],
)
def test_bad_names_are_told_why(name, reason):
    assert reason in check_execution_name(name)


def test_a_long_name_is_told_its_length():
    assert "64 characters" in check_execution_name("x" * 64)
