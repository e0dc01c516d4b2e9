"""How often the local Flyte answers as a recorded real one does: `python -m benchmarks.conformance`.

Every recording is replayed in order on a fresh server. Each call that is answered otherwise is one line;
the last line is JSON with the calls that match and all calls. `docs/local.md` gives the reasons.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing

from airflow_flyte_provider.local import LocalFlyte
from tests.conformance.replay import RECORDINGS, Replay, Result, shows_new_executions
from tests.conformance.setups import prepare
from tests.conformance.sign_in import RECORDED_URL, metadata_of_cases


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay the recordings and print what differs.

    :param arguments: names of recordings, all of them when there are none.
    :return: 0: differences are figures, not faults; a run that breaks raises.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.conformance", description=__doc__)
    parser.add_argument("recording", nargs="*", help="name of a recording (default: every one)")
    chosen = parser.parse_args(arguments).recording
    results: list[Result] = []
    for name in chosen or sorted(path.stem for path in RECORDINGS.glob("*.jsonl")):
        results += replayed(name)
    if not results:
        raise SystemExit("there was no call to replay")
    for result in results:
        if result.difference:
            print(f"{result.call.case} {result.call.verb}: {' '.join(result.difference.split())}")
    matched = sum(not result.difference for result in results)
    print(json.dumps({"matched": matched, "total": len(results)}))
    return 0


def replayed(name: str) -> list[Result]:
    """Return the comparison of every call of one recording, replayed on a fresh server.

    A recording that shows executions without a phase is played on a server that leaves new ones so for as
    long as a real one may: this machine may be too busy to look sooner.
    """
    if name == "auth":
        return _replayed_with_sign_in()
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        with LocalFlyte(folder) as flyte, closing(Replay(flyte.endpoint)) as replay:
            prepare(replay, name)
            if not shows_new_executions(name):
                return replay.play(name)
        with (
            LocalFlyte(folder, arguments=["--start-seconds", "1"]) as flyte,
            closing(Replay(flyte.endpoint)) as replay,
        ):
            return replay.play(name)


def _replayed_with_sign_in() -> list[Result]:
    with LocalFlyte(auth=True) as flyte:
        here = {RECORDED_URL: flyte.http_url}
        with closing(Replay(flyte.endpoint, metadata_of_cases(flyte), here)) as replay:
            return replay.play("auth")


if __name__ == "__main__":
    sys.exit(main())
