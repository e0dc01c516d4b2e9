"""`backfill`: show the dates of a backfill, and launch it when asked to."""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_flyte_provider.model.texts import parse_datetime

if TYPE_CHECKING:
    from airflow_flyte_provider.hooks.flyte import FlyteHook


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of the program."""
    what = "show the dates for which a launch plan's schedule would have run it, and run it for each with --launch"
    parser = commands.add_parser("backfill", help=what, description=what)
    parser.add_argument("launch_plan", help="name of the launch plan")
    parser.add_argument(
        "--start",
        type=_moment,
        required=True,
        help="begin of the window, not in it itself: ISO 8601, UTC if no zone",
    )
    parser.add_argument("--end", type=_moment, required=True, help="end of the window, in it itself")
    parser.add_argument("--version", help="version; default: the active one, or else the latest")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--conn-id", default="flyte_default", help="Airflow connection (default: %(default)s)")
    where.add_argument("--endpoint", help="FlyteAdmin's gRPC endpoint, host:port, instead of a connection")
    parser.add_argument("--insecure", action="store_true", help="with --endpoint: plaintext, without TLS")
    parser.add_argument("--project", help="Flyte project; default: the connection's. Needed with --endpoint")
    parser.add_argument("--domain", help="Flyte domain; default: the connection's. Needed with --endpoint")
    parser.add_argument("--skip-existing", action="store_true", help="leave out dates that have succeeded")
    parser.add_argument(
        "--launch", action="store_true", help="launch the backfill; without it nothing is changed"
    )
    order = parser.add_mutually_exclusive_group()
    order.add_argument("--parallel", action="store_true", help="with --launch: all dates at once")
    order.add_argument("--max-active", type=int, help="with --launch: so many dates at once")
    parser.add_argument("--inputs", type=_inputs, help="with --launch: other inputs, as a JSON object")
    parser.add_argument("--name", default="", help="with --launch: name of the execution")
    parser.set_defaults(run=_run, fail=parser.error)


def _run(given: Any) -> None:
    from airflow_flyte_provider.model.backfill.results import dates_table

    _check(given)
    hook = _hook(given)
    planned = hook.plan_backfill(
        given.launch_plan, given.start, given.end, version=given.version, skip_existing=given.skip_existing
    )
    print(f"Backfill of {planned.launch_plan.id} ({planned.launch_plan.schedule}), times in UTC")
    print(dates_table(planned.dates, planned.skipped))
    if not given.launch:
        print("Nothing was launched: add --launch for that.")
    elif not planned.dates:
        print("There is nothing to launch.")
    else:
        order = {"parallel": given.parallel or None, "max_active": given.max_active}
        plan = hook.register_backfill(planned, inputs=given.inputs, **order)
        launched = hook.execute(plan, {}, name=given.name)
        print(f"Launched as execution {launched.id}: {hook.console_url(launched.id)}")


def _check(given: Any) -> None:
    """End the program when words are missing that those given need."""
    if given.endpoint and not (given.project and given.domain):
        given.fail("--endpoint needs --project and --domain: there is no connection to take them from")
    if given.insecure and not given.endpoint:
        given.fail("--insecure goes with --endpoint: for a connection, set its extra field insecure")


def _hook(given: Any) -> FlyteHook:
    from airflow_flyte_provider.admin.settings import Settings
    from airflow_flyte_provider.hooks.flyte import FlyteHook

    hook = FlyteHook(given.conn_id, project=given.project, domain=given.domain)
    if given.endpoint:
        extra = {"insecure": given.insecure}
        hook.settings = Settings.from_fields(
            conn_id="--endpoint", host=given.endpoint, port=None, extra=extra
        )
    return hook


def _inputs(text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise argparse.ArgumentTypeError(f"give a JSON object of values by input name, not {text!r}")
    return values


def _moment(text: str) -> datetime:
    try:
        return parse_datetime(text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from None
