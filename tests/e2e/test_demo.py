"""`make demo` does what it says: the numbers it prints are those of the CSV file, computed here by hand."""

import csv
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]


def expected_revenue():
    revenue = defaultdict(float)
    with (ROOT / "example_dags" / "data" / "orders.csv").open() as lines:
        for row in csv.DictReader(lines):
            if row["day"] >= "2026-02-01":
                revenue[row["region"]] += int(row["units"]) * float(row["unit_price"])
    return revenue


def test_the_demo_prints_the_outputs_as_a_downstream_task_saw_them():
    done = subprocess.run(
        [sys.executable, "-m", "scripts.demo"],
        cwd=ROOT,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout
    revenue = expected_revenue()
    assert len(revenue) == 4
    for region, amount in revenue.items():
        assert f"{region}: {amount:,.2f}" in done.stdout
    assert "/console/projects/flytesnacks/domains/development/executions/" in done.stdout
