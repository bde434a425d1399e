# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task costs: CPU time of a whole ansible-playbook run, less its start-up, for each host and task.

Forty hosts, three tasks each. The figures are ratios of what was measured in this one run, so that
they can be compared between machines: a task of ours against ansible.builtin.debug, which costs what
the worker costs, and against ansible.builtin.command that starts rumpctrl's sysctl, where that is on
PATH. Each figure is the smallest of several rounds, in which the runs take turns.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / ".collections"))

from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running  # noqa: E402

HOSTS = 40
TASKS = 3
ROUNDS = 5
OURS = "rumpkernel.rump.rump_sysctl"


def rumpctrl_sysctl() -> str | None:
    """rumpctrl's sysctl, by RUMPCTRL_PATH (its folder of utilities); the host's own would not do."""
    folder = os.environ.get("RUMPCTRL_PATH")
    return shutil.which("sysctl", path=folder) if folder else None


def cpu_seconds(folder: Path, tasks: list[dict[str, object]], variables: dict[str, object]) -> float:
    """User and system time of one ansible-playbook with all its children."""
    hosts = {f"k{number:02}": None for number in range(HOSTS)}
    (folder / "inventory.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": variables}}))
    play = [{"name": "Benchmark", "hosts": "all", "gather_facts": False, "tasks": tasks}]
    (folder / "playbook.yml").write_text(yaml.safe_dump(play, sort_keys=False))
    command = ["ansible-playbook", "-i", str(folder / "inventory.yml"), str(folder / "playbook.yml")]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_LOCALHOST_WARNING": "false"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    output = process.stdout.read().decode()
    _pid, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"the run failed:\n{output}")
    return used.ru_utime + used.ru_stime


def measure(server: Server, folder: Path) -> dict[str, float]:
    """Milliseconds of CPU for each host and task, by what the task was."""
    sysproxy = {"ansible_connection": "rumpkernel.rump.sysproxy", "ansible_rump_server": server.url}
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    runs: dict[str, tuple[dict[str, object] | None, dict[str, object]]] = {
        "start-up": (None, sysproxy),
        "debug": ({"ansible.builtin.debug": {"msg": "x"}}, sysproxy),
        "ours": ({OURS: {"name": "kern.hostname"}}, sysproxy),
    }
    sysctl = rumpctrl_sysctl()
    if sysctl:
        command = {
            "ansible.builtin.command": {"argv": [sysctl, "kern.hostname"]},
            "environment": {"RUMP_SERVER": server.url},
        }
        runs["rumpctrl"] = ({**command, "changed_when": False}, local)
    seconds: dict[str, float] = {}
    for number in range(ROUNDS):
        for name, (task, variables) in runs.items():
            if name == "rumpctrl" and number:
                continue  # it is dear, and stands far off
            tasks = [{"name": f"{name} {count}", **task} for count in range(TASKS)] if task else []
            seconds[name] = min(seconds.get(name, 1e9), cpu_seconds(folder, tasks, variables))
    start = seconds.pop("start-up")
    return {name: (total - start) / HOSTS / TASKS * 1000 for name, total in seconds.items()}


def main() -> None:
    print(f"CPU time of a task on a host: {HOSTS} hosts, {TASKS} tasks, less the run's start-up")
    for backend in BACKENDS:
        with tempfile.TemporaryDirectory() as name, running(backend, Path(name)) as server:
            cost = measure(server, Path(name))
        print(f"\n{server.description}")
        print(f"  ansible.builtin.debug   {cost['debug']:7.1f} ms")
        print(f"  {OURS}  {cost['ours']:5.1f} ms   {cost['ours'] / cost['debug']:.2f} times debug (held to 1.3)")
        if "rumpctrl" in cost:
            ratio = cost["rumpctrl"] / cost["ours"]
            print(f"  command: sysctl         {cost['rumpctrl']:7.1f} ms   {ratio:.1f} times ours (held to 8 or more)")
        else:
            print("  command: sysctl         not measured: RUMPCTRL_PATH does not name rumpctrl's utilities")


if __name__ == "__main__":
    main()
