# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run every check there is, or those named: python tests/run.py [STAGE ...].

All stages but every-abi are run, also after one that failed. The end says what each of them found, which tests did not
run and why, which kernels the tests met, and how many tests passed. Exits with 1 when anything failed.

A stage is a command. The stages that are pytest are run one after the other, and are seen while they run. They wait a
lot; the processors' time that they leave goes to the other stages, which are run beside them, one after the other too,
and are shown when they have ended. A stage that leaves JUnit files in tests/output/junit is counted by the tests in
there, any other one as a single test.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
JUNIT = ROOT / "tests/output/junit"


# The word sizes, alignments and byte orders that there are, by a machine of each, in an old and a new release.
MACHINES = ("amd64", "i386", "evbarm", "sparc64", "sparc")
RELEASES = ("7.0", "10.0")
# Each of these tests has a kernel of its own, and waits for it a third of its time: one more than there are processors.
PROCESSORS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
SIDE_BY_SIDE = ("-n", str(PROCESSORS + 1))
EVERY_ABI = [f"simulated-{machine}-{release}" for machine in MACHINES for release in RELEASES]
# amd64 is what the stage behaviour meets. So both word sizes and both byte orders are met, and an old release and a new
# one. The stage every-abi has all, with evbarm, whose data are aligned as sparc's and in the byte order of i386.
ABIS = ["simulated-i386-10.0", "simulated-sparc-7.0"]


def pytest(folder: str, name: str = "") -> list[str]:
    name = name or folder.rpartition("/")[2]
    return ["python", "-m", "pytest", "-q", "--tb=short", folder, "--junit-xml", f"{JUNIT}/pytest-{name}.xml"]


def shell_scripts() -> list[str]:
    """Return the files of the checkout that a shell runs."""
    command = ["git", "grep", "--untracked", "-lE", r"^#!.*[/ ](ba)?sh( |$)", "--", ":!*.md"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()


STAGES = {
    "ruff": ["ruff", "check"],
    "format": ["ruff", "format", "--check"],
    "mypy": ["mypy"],
    "shellcheck": ["shellcheck", *shell_scripts()],
    "unit": [*pytest("tests/unit"), *SIDE_BY_SIDE],
    "behaviour": [*pytest("tests/behaviour"), *SIDE_BY_SIDE],
    # Without the tests that a machine is all the same to: those were run by the stage behaviour.
    "abis": [
        "env",
        f"RUMP_BACKENDS={','.join(ABIS)}",
        *pytest("tests/behaviour", "abis"),
        *SIDE_BY_SIDE,
        *("-m", "not one_abi"),
    ],
    "every-abi": [
        "env",
        f"RUMP_BACKENDS={','.join(EVERY_ABI)}",
        *pytest("tests/behaviour", "every-abi"),
        *SIDE_BY_SIDE,
    ],
    # What tests share that takes long to make is made once, see tests/playbooks/conftest.py.
    "playbooks": [*pytest("tests/playbooks"), *SIDE_BY_SIDE],
    "lint": ["ansible-lint", "--offline", "--nocolor"],
    "sanity": ["python", "tests/sanity/run.py"],
    "docs": [
        "antsibull-docs",
        "--config-file",
        "tests/antsibull.cfg",
        "lint-collection-docs",
        "--plugin-docs",
        "--skip-rstcheck",
        ".",
    ],
    "changelog": ["antsibull-changelog", "lint"],
    "site": ["python", "docs/site/build.py"],
    "package": ["tests/package.sh"],
    "molecule": ["tests/molecule.sh"],
}
# The JUnit files of stages that are not pytest.
JUNIT_FILES = {"sanity": "ansible-test-*.xml"}
# Stages that are run when they are named.
ON_REQUEST = ("every-abi",)


@dataclasses.dataclass
class Outcome:
    """What a stage found."""

    exit_code: int
    seconds: float
    tests: Counter[str] = dataclasses.field(default_factory=Counter)  # passed, failed, skipped
    skips: Counter[str] = dataclasses.field(default_factory=Counter)  # by reason
    backends: Counter[str] = dataclasses.field(default_factory=Counter)  # tests by the kernel that they met

    def read(self, file: Path) -> None:
        """Add the tests in a JUnit file."""
        for case in ElementTree.parse(file).iter("testcase"):
            skip = case.find("skipped")
            if skip is not None:
                reason = skip.get("message") or skip.text or "no reason given"
                if file.name.startswith("ansible-test"):
                    reason = f"{case.get('name')}: {reason}"
                self.tests["skipped"] += 1
                self.skips[reason.strip()] += 1
                continue
            failed = case.find("failure") is not None or case.find("error") is not None
            self.tests["failed" if failed else "passed"] += 1
            self.backends.update(p.get("value", "") for p in case.iter("property") if p.get("name") == "backend")


def is_pytest(name: str) -> bool:
    return "pytest" in STAGES[name]


def run(name: str) -> tuple[Outcome, str]:
    """Run a stage; what it found, and what it said if nobody has seen that yet."""
    # Whoever waits for a kernel goes first: tests have time limits, and the other stages have none.
    beside = not is_pytest(name)
    # Ansible keeps what it needs to itself in here instead of in the home directory. A thousand processes import the
    # collection: where Python may not keep what it compiled, each of them compiles it.
    environment = {**os.environ, "ANSIBLE_HOME": f"{ROOT}/.ansible"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.monotonic()
    done = subprocess.run(
        [*(["nice"] if beside else []), *STAGES[name]],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if beside else None,
        stderr=subprocess.STDOUT if beside else None,
        text=True,
        errors="replace",
        check=False,
    )
    outcome = Outcome(done.returncode, time.monotonic() - started)
    for file in JUNIT.glob(JUNIT_FILES.get(name, f"pytest-{name}.xml")):
        outcome.read(file)
    if done.returncode != 0 and not outcome.tests["failed"]:
        outcome.tests["failed"] += 1
    elif not outcome.tests.total():
        outcome.tests["passed"] += 1
    return outcome, done.stdout or ""


def run_all(names: list[str]) -> Iterator[tuple[str, Outcome]]:
    """Run stages; each with what it found, as they end."""
    shutil.rmtree(JUNIT, ignore_errors=True)
    pool = ThreadPoolExecutor(max_workers=1)
    beside = {name: pool.submit(run, name) for name in names if not is_pytest(name)}
    try:
        for name in filter(is_pytest, names):
            headline(name)
            outcome, _seen = run(name)
            yield name, outcome
            ended = [other for other, future in beside.items() if future.done()]
            yield from ((other, show(other, beside.pop(other))) for other in ended)
        yield from ((other, show(other, future)) for other, future in beside.items())
    finally:
        pool.shutdown(cancel_futures=True)  # of an interrupted run


def headline(name: str) -> None:
    print(f"\n===== {name} =====", flush=True)


def show(name: str, future: Future[tuple[Outcome, str]]) -> Outcome:
    """Wait for a stage's end, and print what it said."""
    outcome, said = future.result()
    headline(name)
    print(said, end="", flush=True)
    return outcome


def main(names: list[str]) -> int:
    unknown = set(names) - set(STAGES)
    if unknown:
        sys.exit(f"no such stage: {', '.join(sorted(unknown))}; there are: {', '.join(STAGES)}")
    wanted = names or [name for name in STAGES if name not in ON_REQUEST]
    found = dict(run_all(wanted))
    outcomes = {name: found[name] for name in dict.fromkeys(wanted)}
    total = sum((outcome.tests for outcome in outcomes.values()), Counter())
    skips = sum((outcome.skips for outcome in outcomes.values()), Counter())
    backends = sum((outcome.backends for outcome in outcomes.values()), Counter())

    print("\n===== summary =====")
    for name, outcome in outcomes.items():
        tests = ", ".join(f"{number} {what}" for what, number in outcome.tests.items())
        print(f"{'FAILED' if outcome.exit_code else 'ok':6} {name:10} {tests} in {outcome.seconds:.0f} s")
    for reason, number in sorted(skips.items()):
        print(f"NOT RUN {number} × {reason}")

    if {"behaviour", "playbooks"} & outcomes.keys():
        there = bool(os.environ.get("RUMP_SERVER_BIN") or shutil.which("rump_server"))
        for kind, expected in (("simulated", True), ("rump_server", there)):
            met = [f"{name} ({tests} tests)" for name, tests in sorted(backends.items()) if name.startswith(kind)]
            if expected and not met:
                total["failed"] += 1
            missing = "NOT MET, though it is there" if expected else "not met: none on PATH or in RUMP_SERVER_BIN"
            print(f"backend {kind}: {'; '.join(met) or missing}")
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return int(total["failed"] > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
