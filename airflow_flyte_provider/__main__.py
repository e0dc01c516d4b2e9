"""Flyte from a terminal, for those without a DAG: `python -m airflow_flyte_provider backfill --help`."""

from __future__ import annotations

import argparse
import sys


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return the exit code: 0, or 1 when it failed with an error that was told.

    :param arguments: the words after the program's name; None takes those that it was started with.
    """
    parser = argparse.ArgumentParser(prog="python -m airflow_flyte_provider", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    # Airflow, which a command loads, is slow to import and prints: not before the arguments are looked at.
    from airflow_flyte_provider.commands import backfill

    backfill.add_command(commands)
    given = parser.parse_args(arguments)
    from airflow_flyte_provider.exceptions import FlyteError

    try:
        given.run(given)
    except FlyteError as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
