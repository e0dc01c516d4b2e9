"""`python -m airflow_flyte_provider`, as somebody types it."""

import subprocess
import sys

import pytest

from tests.operators.scheduled import Scheduled


def run(*words):
    return subprocess.run(
        [sys.executable, "-m", "airflow_flyte_provider", *words], capture_output=True, text=True, timeout=120
    )


@pytest.fixture
def where(registered):
    return [
        "--endpoint",
        registered.endpoint,
        "--insecure",
        "--project",
        "flytesnacks",
        "--domain",
        "development",
    ]


WINDOW = ["--start", "2026-01-01", "--end", "2026-01-03T03:00:00+01:00"]


def test_a_dry_run_shows_the_dates_and_changes_nothing(hook, registered, where, tmp_path):
    scheduled = Scheduled(registered.endpoint, tmp_path)
    done = run("backfill", scheduled.plan, *WINDOW, *where)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"Backfill of launch plan flytesnacks/development/{scheduled.plan} version v1 "
        "(cron 0 2 * * *, day is the time), times in UTC",
        "date",
        "2026-01-01 02:00:00  to run",
        "2026-01-02 02:00:00  to run",
        "2026-01-03 02:00:00  to run",
        "3 dates to run, 0 left out",
        "Nothing was launched: add --launch for that.",
    ]
    assert not hook.list_workflows(f"backfill-{scheduled.plan}")


def test_a_backfill_is_launched_by_a_connection(hook, registered, tmp_path):
    scheduled = Scheduled(registered.endpoint, tmp_path)
    name = f"by-hand-{scheduled.name}"
    done = run("backfill", scheduled.plan, *WINDOW, "--launch", "--max-active", "2", "--name", name)
    assert done.returncode == 0, done.stderr
    assert f"Launched as execution flytesnacks/development/{name}: http" in done.stdout
    ended = hook.wait(hook.execution_id(name), timeout=60, poll_interval=0.1)
    assert ended.is_successful
    assert sorted(scheduled.ran) == ["2026-01-01", "2026-01-02", "2026-01-03"]
    again = run("backfill", scheduled.plan, *WINDOW, "--launch", "--skip-existing")
    assert f"2026-01-02 02:00:00  left out, {name}-n1-0 has succeeded" in again.stdout
    assert "There is nothing to launch." in again.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--endpoint", "127.0.0.1:1"], "--endpoint needs --project and --domain"),
        (["--endpoint", "127.0.0.1:1", "--project", "p"], "--endpoint needs --project and --domain"),
        (["--insecure"], "--insecure goes with --endpoint"),
        (["--launch", "--inputs", "[1]"], "give a JSON object of values by input name, not '[1]'"),
        (["--launch", "--inputs", '{"x"'], "give a JSON object of values by input name"),
    ],
)
def test_words_that_do_not_go_together_are_told_before_flyte_is_asked(words, told):
    done = run("backfill", "demo.sched_daily", *WINDOW, *words)
    assert done.returncode == 2
    assert told in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["backfill", "demo.sched_dail", *WINDOW], 1, "demo.sched_daily"),
        (["backfill", "demo.sched_daily", "--start", "soon", "--end", "2026-01-01"], 2, "ISO 8601"),
        (
            ["backfill", "demo.sched_daily", "--start", "2026-01-02", "--end", "2026-01-01"],
            1,
            "must come after",
        ),
    ],
)
def test_faults_are_told_in_a_line(where, words, code, told):
    done = run(*words, *where)
    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr
