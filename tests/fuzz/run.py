# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fuzz the client: python tests/fuzz/run.py --sessions 200000 --seed 1.

The sessions are spread over several processes, whose memory is measured. What was found is told with the numbers by
which the session can be run again (``--seed S --only N``), which with ``--record FILE`` writes what its server said,
as a file for tests/data/fuzz. Exits with 1 when anything was found.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / ".collections"))

from ansible_collections.rumpkernel.rump.tests.fuzz import fuzzer  # noqa: E402

_MOST_FINDINGS: Final = 20  # of a process; then it stops
_SILENCE: Final = 120.0  # seconds after which a process that says nothing is given up
_REPORT_EVERY: Final = 500


def work(seed: int, first: int, step: int, end: int) -> None:
    """Run every ``step``-th session, and tell of it in lines of JSON."""
    kept = fuzzer.prepare()
    findings, done, run = 0, 0, 0
    results: Counter[str] = Counter()
    largest = fuzzer.peak()
    for number in range(first, end, step):
        outcomes: fuzzer.Outcomes = []
        finding = fuzzer.run_session(seed, number, outcomes=outcomes)
        results.update(action for action, error in outcomes if not error)
        run += 1
        grown = fuzzer.peak()
        if grown > fuzzer.MEMORY_LIMIT >= largest:
            finding = finding or fuzzer.Finding(seed, number, f"the process had {grown >> 20} MiB")
        if grown > largest + (8 << 20):
            tell(note=f"session {number}: from {largest >> 20} to {grown >> 20} MiB")
        largest = max(largest, grown)
        if finding is not None:
            findings += 1
            tell(finding=str(finding))
            if findings >= _MOST_FINDINGS:
                break
        if run % _REPORT_EVERY == 0:
            tell(run=run - done, at=number)
            done = run
    tell(run=run - done, at=end, peak=largest, results=dict(results))
    kept.clear()


def tell(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def replay(seed: int, number: int, record: Path | None) -> int:
    """Run one session in this process."""
    kept = fuzzer.prepare()
    content: dict[str, Any] = {}
    finding = fuzzer.run_session(seed, number, record=content)
    print(finding or "nothing was found", f"peak: {fuzzer.peak() >> 20} MiB", sep="\n")
    if record is not None:
        record.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    kept.clear()
    return 1 if finding else 0


def spread(seed: int, sessions: int, jobs: int) -> int:
    """Run the sessions in ``jobs`` processes."""
    started = time.monotonic()
    command = [sys.executable, __file__, "--seed", str(seed), "--sessions", str(sessions)]
    workers = [
        subprocess.Popen([*command, "--worker", str(first), str(jobs)], stdout=subprocess.PIPE, text=True)
        for first in range(jobs)
    ]
    told: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()

    def listen(place: int) -> None:
        with workers[place].stdout as lines:  # type: ignore[union-attr]
            for line in lines:
                told.put((place, line))
        told.put((place, ""))

    for place in range(jobs):
        threading.Thread(target=listen, args=(place,), daemon=True).start()
    found, run, largest = 0, 0, 0
    results: Counter[str] = Counter()
    heard, at = [started] * jobs, [0] * jobs
    working = set(range(jobs))
    while working:
        try:
            place, line = told.get(timeout=5)
        except queue.Empty:
            for place in working:
                if time.monotonic() - heard[place] > _SILENCE:
                    print(f"a process hung in the {_REPORT_EVERY * jobs} sessions after {at[place]} of seed {seed}")
                    workers[place].kill()
            continue
        heard[place] = time.monotonic()
        if not line:
            working.remove(place)
            if code := workers[place].wait():
                found += 1
                print(f"a process ended with {code} after session {at[place]} of seed {seed}")
            continue
        news = json.loads(line)
        run += news.get("run", 0)
        at[place] = news.get("at", at[place])
        largest = max(largest, news.get("peak", 0))
        results.update(news.get("results", {}))
        if "note" in news:
            print(news["note"], flush=True)
        if "finding" in news:
            found += 1
            print(news["finding"], flush=True)
    seconds = time.monotonic() - started
    never = sorted(set(fuzzer.NAMES) - set(results))
    print(f"seed {seed}: {run} sessions in {seconds:.1f} s, at most {largest / (1 << 20):.1f} MiB, {found} findings")
    print(f"actions with results: {sum(results.values())}" + (f"; never: {', '.join(never)}" if never else ""))
    return 1 if found or run < sessions else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--only", type=int, metavar="N", help="run session N alone")
    parser.add_argument("--record", type=Path, metavar="FILE", help="with --only: write what the server said")
    parser.add_argument("--worker", type=int, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        first, step = options.worker
        work(options.seed, first, step, options.sessions)
        return 0
    if options.only is not None:
        return replay(options.seed, options.only, options.record)
    return spread(options.seed, options.sessions, options.jobs)


if __name__ == "__main__":
    sys.exit(main())
