# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failure in numbers: a play's limits and exceptions over kernels that die, stall and come back."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.tests.support.backends import running
from ansible_collections.rumpkernel.rump.tests.support.fleets import fleet
from ansible_collections.rumpkernel.rump.tests.support.playbooks import Run, inventory_of, play, run_playbook

SYSCTL = "rumpkernel.rump.rump_sysctl"
ONE = {"name": "One", SYSCTL: {"name": "{{ wanted | default('kern.ostype') }}"}}
TWO = {"name": "Two", SYSCTL: {"name": "kern.hostname"}}
LIMITS = {"ansible_rump_connect_timeout": 1, "ansible_rump_timeout": 1}
WELL = ("k1", "k2", "k3", "k4")
# How kernels misbehave: for good, or once.
FAULTS = {
    "stalled": "stall,frame=1",
    "stalled_later": "stall,call=__sysctl",
    "cut_once": "cut,frame=1,times=1",
    "stalled_once": "stall,frame=1,times=1",
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """With the sockets of kernels that are well, and of one for each of the faults."""
    with ExitStack() as stack:
        stack.enter_context(fleet(tmp_path, [f"unix://{tmp_path}/{name}" for name in WELL]))
        for name, fault in FAULTS.items():
            stack.enter_context(fleet(tmp_path, [f"unix://{tmp_path}/{name}"], "--fault", fault))
        yield tmp_path


def run(folder: Path, names: list[str], tasks: list[dict[str, Any]], *arguments: str, **keywords: Any) -> Run:
    """A play over hosts of these names, in alphabetical order. ``refused`` asks a good kernel for what it lacks."""
    hosts = {
        name: {
            "ansible_rump_server": f"unix://{folder}/{'k4' if name.startswith('refused') else name}",
            **({"wanted": "kern.nosuch"} if name.startswith("refused") else {}),
        }
        for name in names
    }
    return run_playbook(folder, play(*tasks, **keywords), inventory_of(hosts, **LIMITS), *arguments)


def statuses(run: Run) -> dict[str, list[str]]:
    """By host, what became of its tasks."""
    assert "Traceback" not in run.output, run.output
    return {host: [one.status for one in run.of(host)] for host in dict.fromkeys(one.host for one in run.results)}


def test_serial(folder: Path) -> None:
    """A batch goes on with those that answer, and the next batch follows it."""
    done = run(folder, ["k1", "k1_dead", "k2", "k3", "stalled"], [ONE, TWO], serial=2)
    assert statuses(done) == {
        "k1": ["ok", "ok"],
        "k1_dead": ["unreachable"],
        "k2": ["ok", "ok"],
        "k3": ["ok", "ok"],
        "stalled": ["unreachable"],
    }
    assert done.code == 4
    reasons = {one.host: one.result["msg"] for one in done.results if one.status == "unreachable"}
    assert f"unix://{folder}/k1_dead: No such file or directory" in reasons["k1_dead"]
    assert f"unix://{folder}/stalled: connected, and then no answer within 1 s" in reasons["stalled"]


def test_serial_ends_with_a_batch_that_is_lost(folder: Path) -> None:
    done = run(folder, ["k1", "k1_dead", "k1_dead_too", "k2"], [ONE], serial=[1, 2, 1])
    assert statuses(done) == {"k1": ["ok"], "k1_dead": ["unreachable"], "k1_dead_too": ["unreachable"]}


@pytest.mark.parametrize(("bad", "goes_on"), [(["refused1"], True), (["refused1", "refused2"], False)])
def test_max_fail_percentage_of_refused_calls(folder: Path, bad: list[str], goes_on: bool) -> None:
    done = run(folder, [*bad, "k1", "k2"], [ONE, TWO], max_fail_percentage=40)
    later = ["ok", "ok"] if goes_on else ["ok"]
    assert statuses(done) == {**{name: ["failed"] for name in bad}, "k1": later, "k2": later}


def test_max_fail_percentage_and_unreachable_hosts(folder: Path) -> None:
    """Ansible counts those that failed. Where a play begins by waiting for its kernels, those that are away have."""
    names = ["dead", "stalled", "k1"]
    done = run(folder, names, [ONE, TWO], max_fail_percentage=40)
    assert statuses(done) == {"dead": ["unreachable"], "stalled": ["unreachable"], "k1": ["ok", "ok"]}
    wait = {"name": "Wait", "ansible.builtin.wait_for_connection": {"timeout": 1, "sleep": 1}}
    done = run(folder, names, [wait, ONE], max_fail_percentage=40)
    assert statuses(done) == {"dead": ["failed"], "stalled": ["failed"], "k1": ["ok"]}


@pytest.mark.parametrize("bad", ["dead", "stalled_later"])
def test_any_errors_fatal(folder: Path, bad: str) -> None:
    """The others end the task that they are in, and begin no other."""
    done = run(folder, ["k1", bad, "k2"], [ONE, TWO], any_errors_fatal=True)
    assert statuses(done) == {"k1": ["ok"], bad: ["unreachable"], "k2": ["ok"]}


def test_ignore_unreachable(folder: Path) -> None:
    """Each task tries anew: kernels that come back take part again."""
    names = ["k1", "dead", "stalled_once", "cut_once"]
    done = run(folder, names, [ONE, TWO], ignore_unreachable=True)
    assert statuses(done) == {
        "k1": ["ok", "ok"],
        "dead": ["unreachable", "unreachable"],
        "stalled_once": ["unreachable", "ok"],
        "cut_once": ["unreachable", "ok"],
    }


def test_clear_host_errors(folder: Path) -> None:
    """Without ``ignore_unreachable`` a host is out of the play until its errors are cleared; then it catches up."""
    three = {**TWO, "name": "Three"}
    clear = {"name": "Clear", "ansible.builtin.meta": "clear_host_errors"}
    done = run(folder, ["k1", "cut_once"], [ONE, TWO, clear, three])
    assert [(one.task, one.status) for one in done.of("cut_once")] == [
        ("One", "unreachable"),
        ("Two", "ok"),
        ("Three", "ok"),
    ]
    assert done.results.index(done.of("cut_once")[1]) > done.results.index(done.of("k1")[1])
    assert statuses(done)["k1"] == ["ok"] * 3


def test_reset_connection(folder: Path) -> None:
    """A kernel that is gone is not missed before the next task that needs it, and by no other host."""
    reset = {"name": "Reset", "ansible.builtin.meta": "reset_connection"}
    done = run(folder, ["dead", "k1", "stalled"], [{**ONE, "when": "inventory_hostname == 'k1'"}, reset, TWO])
    assert statuses(done) == {
        "dead": ["skipped", "unreachable"],
        "k1": ["ok", "ok"],
        "stalled": ["skipped", "unreachable"],
    }
    assert done.code == 4


def test_a_kernel_that_is_started_again(folder: Path) -> None:
    """It dies between two tasks, is started while a third waits for it, and is a fresh one."""
    name_it = {
        "name": "Name",
        SYSCTL: {"name": "kern.hostname", "value": "mortal"},
        "when": "inventory_hostname != 'k1'",
    }
    kill = {
        "name": "Kill",
        "ansible.builtin.command": "kill -9 {{ pid }}",
        "delegate_to": "localhost",
        "vars": {"ansible_connection": "local"},
        "run_once": True,
    }
    wait = {"name": "Wait", "ansible.builtin.wait_for_connection": {"timeout": 30, "sleep": 1}}
    url = f"unix://{folder}/mortal"

    def start_again() -> None:
        """Once the play has met its absence."""
        deadline = time.monotonic() + 60
        record = folder / "record.jsonl"
        while not ended.wait(0.05) and time.monotonic() < deadline:
            if record.exists() and '"unreachable"' in record.read_text():
                (folder / "mortal").unlink()
                with fleet(folder, [url]):
                    ended.wait(60)

    ended = threading.Event()
    with fleet(folder, [url]) as process:
        thread = threading.Thread(target=start_again)
        thread.start()
        try:
            two, three = {**TWO, "ignore_unreachable": True}, {**TWO, "name": "Three"}
            tasks: list[dict[str, Any]] = [name_it, kill, two, wait, three]
            done = run(folder, ["k1", "mortal"], tasks, "-e", json.dumps({"pid": process.pid}))
        finally:
            ended.set()
            thread.join()
    found = {one.task: one for one in done.of("mortal")}
    assert [one.status for one in done.of("mortal")] == ["ok", "unreachable", "ok", "ok"], done.output
    assert found["Name"].changed
    assert found["Three"].result["value"] != "mortal"
    assert {one.status for one in done.of("k1")} == {"ok", "skipped"}


@pytest.mark.parametrize("throttle", [1, 2])
def test_throttle(tmp_path: Path, throttle: int) -> None:
    """So many hosts, and no more, are in a kernel's calls at once."""
    hosts: dict[str, dict[str, Any]] = {f"k{number}": {} for number in range(4)}
    with running("simulated", tmp_path, options=("--fault", "delay,seconds=0.02,call=__sysctl")) as server:
        assert server.journal is not None
        before = len(server.journal.read_text().splitlines())
        done = run_playbook(
            tmp_path, play({**ONE, "throttle": throttle}), inventory_of(hosts, ansible_rump_server=server.url)
        )
        calls = [json.loads(line)["connection"] for line in server.journal.read_text().splitlines()[before:]]
    assert statuses(done) == {name: ["ok"] for name in hosts}
    spans = [(calls.index(one), len(calls) - 1 - calls[::-1].index(one)) for one in set(calls)]
    assert len(spans) == len(hosts)
    assert max(sum(first <= at <= last for first, last in spans) for at in range(len(calls))) <= throttle
