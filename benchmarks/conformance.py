"""How often the local Flyte answers as a recorded real one does: `python -m benchmarks.conformance`.

Every recording is replayed in order on a fresh server. Each call that is answered otherwise is one line;
the last line is JSON with the calls that match and all calls. `docs/local.md` gives the reasons.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from airflow_flyte_provider.local import LocalFlyte
from tests.conformance.replay import RECORDINGS, Replay, Result
from tests.conformance.setups import prepare


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
    """Return the comparison of every call of one recording, replayed on a fresh server."""
    with LocalFlyte() as flyte:
        replay = Replay(flyte.endpoint)
        try:
            prepare(replay, name)
            return replay.play(name)
        finally:
            replay.close()


if __name__ == "__main__":
    sys.exit(main())
