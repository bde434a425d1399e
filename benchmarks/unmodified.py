# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an unmodified module costs over a kernel's connection: ansible.builtin.lineinfile, beside a local connection.

CPU time of a whole ansible-playbook run with all its children, less its start-up, for each host and task. Over the
local connection the module starts in a Python of its own and works on a file of the controller's; over ours it is
a fork of the worker, and works on a file in a tmpfs of the kernel's. Each figure is the smallest of several rounds.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / ".collections"), str(ROOT / "benchmarks")]

import task_cost  # noqa: E402
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect  # noqa: E402
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running  # noqa: E402

ROUNDS = 3
HELD_TO = 1.3
FOLDER = "/mnt"


def measure(server: Server, folder: Path) -> dict[str, float]:
    """Milliseconds of CPU for each host and task, by the connection."""
    with connect(server.url) as kernel:
        kernel.mkdir(FOLDER)
        arguments = kernel.abi.struct("tmpfs_args").build(ta_version=1, ta_size_max=1 << 20, ta_root_mode=0o755)
        kernel.mount("tmpfs", FOLDER, 0, arguments)
    places = {
        "local": (folder, {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}),
        "sysproxy": (
            Path(FOLDER),
            {"ansible_connection": "rumpkernel.rump.sysproxy", "ansible_rump_server": server.url},
        ),
    }
    seconds: dict[str, float] = {}
    for _round in range(ROUNDS):
        for name, (place, variables) in places.items():
            task = {"path": f"{place}/{{{{ inventory_hostname }}}}", "create": True, "line": "line {{ number }}"}
            tasks = [
                {"name": f"{name} {number}", "ansible.builtin.lineinfile": task, "vars": {"number": number}}
                for number in range(task_cost.TASKS)
            ]
            start = task_cost.cpu_seconds(folder, [], variables)
            total = task_cost.cpu_seconds(folder, tasks, variables)
            seconds[name] = min(seconds.get(name, 1e9), total - start)
    return {name: total / task_cost.HOSTS / task_cost.TASKS * 1000 for name, total in seconds.items()}


def main() -> None:
    print(f"ansible.builtin.lineinfile: CPU time of a task on a host: {task_cost.HOSTS} hosts, {task_cost.TASKS} tasks")
    for backend in BACKENDS:
        with tempfile.TemporaryDirectory() as name, running(backend, Path(name)) as server:
            cost = measure(server, Path(name))
        ratio = cost["sysproxy"] / cost["local"]
        print(f"\n{server.description}")
        print(f"  over a local connection  {cost['local']:7.1f} ms")
        print(f"  over the kernel's        {cost['sysproxy']:7.1f} ms   {ratio:.2f} times (held to {HELD_TO})")


if __name__ == "__main__":
    main()
