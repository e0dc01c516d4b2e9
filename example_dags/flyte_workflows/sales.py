"""The Flyte side of `flyte_execute.py`: a workflow written with flytekit, as a Flyte user writes it.

Two tasks read the same CSV file side by side, a third joins what they found.
"""

import csv
from collections import defaultdict
from datetime import datetime, timezone
from typing import NamedTuple

from flytekit import task, workflow
from flytekit.types.file import FlyteFile

SalesReport = NamedTuple(
    "SalesReport", [("revenue", dict[str, float]), ("best_day", datetime), ("summary", str)]
)


def read_orders(orders: FlyteFile, since: datetime) -> list[dict[str, str]]:
    """Return the rows from the day of `since` on."""
    with open(orders) as lines:
        return [row for row in csv.DictReader(lines) if row["day"] >= f"{since:%Y-%m-%d}"]


@task
def revenue_by_region(orders: FlyteFile, since: datetime) -> dict[str, float]:
    """Add up units times price, region by region."""
    revenue: dict[str, float] = defaultdict(float)
    for row in read_orders(orders, since):
        revenue[row["region"]] += int(row["units"]) * float(row["unit_price"])
    print(f"{len(revenue)} regions since {since:%Y-%m-%d}")
    return {region: round(amount, 2) for region, amount in revenue.items()}


@task
def best_day(orders: FlyteFile, since: datetime) -> datetime:
    """Find the day on which most units were sold."""
    units: dict[str, int] = defaultdict(int)
    for row in read_orders(orders, since):
        units[row["day"]] += int(row["units"])
    best = max(units, key=lambda day: units[day])
    return datetime.fromisoformat(best).replace(tzinfo=timezone.utc)


@task
def summarise(revenue: dict[str, float], best: datetime, currency: str) -> str:
    """Join both in one sentence."""
    region = max(revenue, key=lambda name: revenue[name])
    total = sum(revenue.values())
    return f"{total:,.2f} {currency} in all, most of it in the {region}; the best day was {best:%A, %d %B %Y}"


@workflow
def sales_report(orders: FlyteFile, since: datetime, currency: str = "EUR") -> SalesReport:
    """Report on the orders since a day."""
    revenue = revenue_by_region(orders=orders, since=since)
    day = best_day(orders=orders, since=since)
    return SalesReport(revenue, day, summarise(revenue=revenue, best=day, currency=currency))
