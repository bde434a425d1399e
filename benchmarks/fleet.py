# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a fleet costs: a site playbook of eight tasks over many simulated kernels, against eight tasks of debug.

A thousand kernels are four processes. These are measured, mostly as ratios of what was seen in this one run:

- the inventory plugin, which finds them by their sockets and asks each for a handshake;
- the site playbook, which changes fresh kernels, against as many debug tasks;
- the same over each tenth of the hosts by itself, one after another: the time goes with their number;
- the controller's memory, of all its processes, with what they share counted once;
- the site playbook with a tenth of the kernels dead and a twentieth stalled: what that costs beyond the limit.

Seconds are those of the clock; beside them stands the CPU time of ansible-playbook with all its workers, and that of
the kernels, which on a machine of their own would cost nothing here.

A run of a thousand kernels takes minutes, and a virtual machine may be a quarter slower in one minute than in the one
before. So the same small piece of work is done every few seconds during each run, and what it took on average stands
in the last column, as the pace. Ratios and differences of times are told twice: as they were seen, and with each run's
times divided by its pace. Several rounds are to be had by --rounds: the runs take turns, and each figure is the
smallest of its kind (of memory, the largest).

With the strategy linear all hosts wait at the end of the first task for the last one that is stalled; with free
(--strategy free) they go on meanwhile.
"""

from __future__ import annotations

import abc
import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / ".collections"))

from ansible_collections.rumpkernel.rump.tests.support.fleets import Process, fleet  # noqa: E402

IN_A_PROCESS = 250
SAMPLES = 0.25  # seconds between looks at the memory
PACES = 2.0  # seconds between measurements of the machine's pace
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
PREFIX = "rumpkernel.rump.rump_"
SITE: list[dict[str, Any]] = [
    {f"{PREFIX}sysctl": {"name": "kern.hostname", "value": "{{ inventory_hostname }}"}},
    {f"{PREFIX}sysctl": {"name": "net.inet.ip.ttl", "value": 32}},
    {
        f"{PREFIX}ifconfig": {
            "name": "shmif0",
            "linkstr": "bus{{ number // 10 }}",  # ten kernels share a network
            "addresses": ["10.{{ number // 250 }}.{{ number % 250 }}.1/8"],
            "state": "up",
        }
    },
    {f"{PREFIX}mount": {"path": "/data", "src": "tmpfs", "fstype": "tmpfs", "opts": "size=8m", "state": "mounted"}},
    {f"{PREFIX}file": {"path": "/data/www", "state": "directory", "mode": "0750"}},
    {f"{PREFIX}copy": {"content": "I am {{ inventory_hostname }}\n", "dest": "/data/www/index.html"}},
    {f"{PREFIX}file": {"path": "/data/index", "src": "www/index.html", "state": "link"}},
    {f"{PREFIX}stat": {"path": "/data/www/index.html"}},
]
DEBUG: list[dict[str, Any]] = [{"ansible.builtin.debug": {"msg": "{{ inventory_hostname }}"}} for _task in SITE]


@dataclass(frozen=True)
class Run:
    """One ansible-playbook: seconds by the clock, of CPU and of the kernels' CPU, MiB, pace in ms, its hosts' ends."""

    seconds: float
    cpu: float
    kernels: float
    memory: float
    pace: float
    finished: set[str]
    unreachable: dict[str, str]
    """Why, by host."""
    failed: int


class Meanwhile(abc.ABC):
    """Looks at something every so many seconds, from a thread, until it is stopped."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        self.look()
        while not self._ended.wait(self._every):
            self.look()

    @abc.abstractmethod
    def look(self) -> None: ...


class Memory(Meanwhile):
    """The most memory, in MiB, that a process and its children had at one time, what they share counted once (PSS)."""

    def __init__(self, pid: int) -> None:
        self.most = 0.0
        self._pid = pid
        super().__init__(SAMPLES)

    def look(self) -> None:
        children = _read(f"/proc/{self._pid}/task/{self._pid}/children").split()
        self.most = max(self.most, sum(_pss(pid) for pid in [str(self._pid), *children]) / 1024)


class Pace(Meanwhile):
    """What a piece of work that is always the same takes of a CPU while something else is measured."""

    def __init__(self) -> None:
        self._found: list[float] = []
        super().__init__(PACES)

    def look(self) -> None:
        began = time.thread_time()
        sum(number * number % 7 for number in range(100_000))
        self._found.append(time.thread_time() - began)

    def milliseconds(self) -> float:
        """On average."""
        return 1000 * sum(self._found) / len(self._found)


def _read(path: str) -> str:
    with contextlib.suppress(OSError):
        return Path(path).read_text()
    return ""


def _pss(pid: str) -> int:
    """KiB."""
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def cpu_of(process: Process) -> float:
    """Seconds of user and system time so far."""
    fields = _read(f"/proc/{process.pid}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS if fields else 0.0


@contextlib.contextmanager
def kernels(folder: Path, hosts: list[str]) -> Iterator[list[Process]]:
    """Fresh kernels for the hosts, in few processes."""
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(
                fleet(folder, [url_of(folder, host) for host in hosts[at : at + IN_A_PROCESS]], "--dad-scale", "0")
            )
            for at in range(0, len(hosts), IN_A_PROCESS)
        ]


def url_of(folder: Path, host: str) -> str:
    return f"unix://{folder}/{host}"


def run(folder: Path, hosts: list[str], tasks: list[dict[str, Any]], running: list[Process], options: Any) -> Run:
    """ansible-playbook over the hosts."""
    inventory = {
        "all": {
            "hosts": {
                host: {"ansible_rump_server": url_of(folder, host), "number": number}
                for number, host in enumerate(hosts)
            },
            "vars": {
                "ansible_connection": "rumpkernel.rump.sysproxy",
                "ansible_rump_connect_timeout": options.limit,
            },
        }
    }
    (folder / "inventory.json").write_text(json.dumps(inventory))
    named = [{"name": f"Task {number}", **task} for number, task in enumerate(tasks, 1)]
    play = [{"name": "Benchmark", "hosts": "all", "gather_facts": False, "tasks": named}]
    (folder / "playbook.yml").write_text(yaml.safe_dump(play, sort_keys=False))
    record = folder / "record.jsonl"
    record.unlink(missing_ok=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")} | {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_FORKS": str(options.forks),
        "ANSIBLE_STRATEGY": options.strategy,
        "ANSIBLE_INVENTORY_ENABLED": "yaml",
        "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests/support/callback_plugins"),
        "ANSIBLE_CALLBACKS_ENABLED": "record",
        "RECORD_FILE": str(record),
    }
    command = ["ansible-playbook", "-i", str(folder / "inventory.json"), str(folder / "playbook.yml")]
    before = sum(map(cpu_of, running))
    began = time.monotonic()
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        memory, pace = Memory(process.pid), Pace()
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    memory.stop()
    pace.stop()
    results = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    if not results:
        sys.exit(f"the run failed:\n{(folder / 'output').read_text()}")
    last = named[-1]["name"]
    return Run(
        seconds,
        used.ru_utime + used.ru_stime,
        sum(map(cpu_of, running)) - before,
        memory.most,
        pace.milliseconds(),
        {one["host"] for one in results if one["task"] == last and one["status"] == "ok"},
        {one["host"]: str(one["result"].get("msg", "")) for one in results if one["status"] == "unreachable"},
        sum(one["status"] == "failed" for one in results),
    )


def found_by_inventory(hosts: list[str]) -> tuple[float, float]:
    """Seconds by the clock and of CPU in which the inventory plugin finds the kernels."""
    with tempfile.TemporaryDirectory() as name, kernels(Path(name), hosts):
        source = Path(name) / "fleet.rump.yml"
        source.write_text(yaml.safe_dump({"plugin": "rumpkernel.rump.rump", "sockets": [name]}))
        environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
        command = ["ansible-inventory", "-i", str(source), "--list"]
        began = time.monotonic()
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE)
        assert process.stdout is not None
        listing = json.loads(process.stdout.read())
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - began
    if sorted(listing["rump_kernels"]["hosts"]) != hosts:
        sys.exit("the inventory plugin did not find all kernels")
    return seconds, used.ru_utime + used.ru_stime


def measured(hosts: list[str], tasks: list[dict[str, Any]], options: Any) -> Run:
    """A run over fresh kernels, all of which are well."""
    with tempfile.TemporaryDirectory() as name, kernels(Path(name), hosts) as running:
        found = run(Path(name), hosts, tasks, running, options)
    if len(found.finished) != len(hosts):
        sys.exit(f"{len(hosts) - len(found.finished)} of {len(hosts)} hosts did not finish")
    return found


def measured_by_tenths(hosts: list[str], tasks: list[dict[str, Any]], options: Any) -> Run:
    """As many hosts and tasks as in :func:`measured`, in ten runs: their sums, and the memory of the largest.

    All of them, and not one for ten, since a run of a few seconds tells more of the moment than of the machine.
    """
    size = max(1, len(hosts) // 10)
    runs = [measured(hosts[at : at + size], tasks, options) for at in range(0, len(hosts), size)]
    return Run(
        sum(run.seconds for run in runs),
        sum(run.cpu for run in runs),
        sum(run.kernels for run in runs),
        max(run.memory for run in runs),
        # As if it were one run: each tenth's by the time that it took.
        sum(run.pace * run.seconds for run in runs) / sum(run.seconds for run in runs),
        set().union(*(run.finished for run in runs)),
        {},
        0,
    )


def with_bad_ones(hosts: list[str], options: Any) -> tuple[Run, set[str], set[str]]:
    """The site where a tenth of the kernels is dead and a twentieth stalled: the run, who is dead, who is stalled."""
    dead = set(hosts[3::10])
    stalled = set(hosts[7::20])
    well = [host for host in hosts if host not in dead | stalled]
    with tempfile.TemporaryDirectory() as name, kernels(Path(name), well) as running:
        folder = Path(name)
        with fleet(folder, [url_of(folder, host) for host in sorted(stalled)], "--fault", "stall,frame=1"):
            found = run(folder, hosts, SITE, running, options)
    if found.finished != set(well):
        sys.exit(f"{len(set(well) - found.finished)} of {len(well)} kernels that are well did not finish")
    return found, dead, stalled


def main() -> None:
    parser = argparse.ArgumentParser(description="What a fleet of simulated kernels costs.")
    parser.add_argument("--hosts", type=int, default=100, help="how many kernels (100); the project is held to 1000")
    parser.add_argument("--forks", type=int, default=64, help="more than there are stalled kernels at once (64)")
    parser.add_argument("--strategy", default="linear", help="Ansible's strategy for all runs: linear or free (linear)")
    parser.add_argument("--limit", type=float, default=10, help="seconds until a kernel counts as stalled (10)")
    parser.add_argument("--rounds", type=int, default=1, help="how often each run is made (1)")
    options = parser.parse_args()
    hosts = [f"k{number:04}" for number in range(options.hosts)]

    print(
        f"{len(hosts)} simulated kernels, {len(SITE)} tasks, {options.forks} forks, strategy {options.strategy}, "
        f"{os.cpu_count()} CPUs\n"
    )
    seconds, cpu = found_by_inventory(hosts)
    print(f"the inventory plugin finds them in {seconds:.1f} s, {cpu:.1f} s of CPU\n")
    print("                      hosts   seconds  controller's CPU  kernels' CPU  memory   pace")
    rounds: list[dict[str, Run]] = []
    for _round in range(options.rounds):
        debug = show("debug", hosts, measured(hosts, DEBUG, options))
        site = show("site", hosts, measured(hosts, SITE, options))
        tenths = show("site by tenths", hosts, measured_by_tenths(hosts, SITE, options))
        bad, dead, stalled = with_bad_ones(hosts, options)
        show("with bad ones", hosts, bad)
        rounds.append({"debug": debug, "site": site, "tenths": tenths, "bad": bad})
    memory = max(run.memory for runs in rounds for run in runs.values())
    print("\n                             seen  by pace")
    bad_ones = f"s for {len(dead)} dead, {len(stalled)} stalled (held to the limit, {options.limit:g} s)"
    seen, by_pace = figures(rounds, by_pace=False), figures(rounds, by_pace=True)
    for what, text in {
        "cpu": "{:7.2f} {:8.2f}  site against debug, CPU time of the controller (held to 1.3)",
        "seconds": "{:7.2f} {:8.2f}  … seconds, the kernels' own work in them",
        "growth": "{:7.2f} {:8.2f}  all against tenths, CPU time of the controller (held to 1.15)",
        "growth in seconds": "{:7.2f} {:8.2f}  … seconds",
        "late": "{:+7.1f} {:+8.1f}  " + bad_ones,
    }.items():
        print(f"{'':26}{text.format(seen[what], by_pace[what])}")
    print(f"controller's memory       {memory:7.0f}           MiB (held to 1536 at 1000 hosts)")
    for unreachable in (runs["bad"].unreachable for runs in rounds):
        wrong = (dead | stalled) ^ unreachable.keys()
        without_reason = [host for host in stalled if "no answer within" not in unreachable.get(host, "")]
        without_reason += [host for host in dead if "No such file" not in unreachable.get(host, "")]
        print(f"{len(unreachable)} unreachable, {len(wrong)} wrongly, {len(without_reason)} without their reason")


def figures(rounds: list[dict[str, Run]], by_pace: bool) -> dict[str, float]:
    """What the runs say together; by pace, as if the machine had always been as in the first of all runs."""
    usual = rounds[0]["debug"].pace

    def least(kind: str, of: str) -> float:
        return min(getattr(runs[kind], of) * (usual / runs[kind].pace if by_pace else 1) for runs in rounds)

    return {
        "cpu": least("site", "cpu") / least("debug", "cpu"),
        "seconds": least("site", "seconds") / least("debug", "seconds"),
        "growth": least("site", "cpu") / least("tenths", "cpu"),
        "growth in seconds": least("site", "seconds") / least("tenths", "seconds"),
        "late": least("bad", "seconds") - least("site", "seconds"),
    }


def show(name: str, hosts: list[str], found: Run) -> Run:
    times = f"{found.seconds:8.1f}  {found.cpu:16.1f}  {found.kernels:12.1f}"
    print(f"  {name:18}  {len(hosts):5}  {times}  {found.memory:6.0f}  {found.pace:5.2f}", flush=True)
    return found


if __name__ == "__main__":
    main()
