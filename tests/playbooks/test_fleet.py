# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Eight kernels from nothing to nothing: brought up, made two networks with a router between, and removed.

Real ones, since simulated kernels have no wire between them. Molecule's default scenario does with simulated ones what
can be done: they are brought up, configured, configured again, and removed.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
import yaml
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect
from ansible_collections.rumpkernel.rump.tests.support.backends import rump_server
from ansible_collections.rumpkernel.rump.tests.support.playbooks import run_playbook

FILES = Path(__file__).parent / "files/fleet"
KERNELS = ("router", "left1", "left2", "left3", "right1", "right2", "right3", "right4")
ADDRESSES = 9


def commands_that_name(text: str) -> list[str]:
    """The command lines of processes of this machine with a text in them."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = file.read_bytes().decode(errors="replace")
        except OSError:  # it has ended meanwhile
            continue
        if text in command and file.parent.name != str(os.getpid()):
            found.append(command)
    return found


@pytest.mark.timeout(600)  # on a busy machine
@pytest.mark.skipif(not rump_server(), reason="no rump_server")
def test_fleet(tmp_path_factory: pytest.TempPathFactory, record_property) -> None:  # type: ignore[no-untyped-def]
    # Not tmp_path: the test's name would make the sockets' paths too long.
    folder = tmp_path_factory.mktemp("f")
    host = folder / "host"
    host.mkdir()
    inventory = yaml.safe_load((FILES / "inventory.yml").read_text())
    inventory["all"]["vars"] = {
        "rump_server_binary": rump_server(),
        "rump_server_run_directory": str(host / "run"),
        "rump_server_state_directory": str(host / "lib"),
    }
    try:
        made = run_playbook(folder, FILES / "site.yml", inventory, "--forks", "4", limit=300)
        assert made.code == 0, made.output
        changed = {result.host for result in made.changed}
        assert changed == {"vmhost", *KERNELS}
        for name in KERNELS:
            with connect(f"unix://{host}/run/{name}/socket") as kernel:
                record_property("backend", f"rump_server {kernel.session.banner.split('-', 2)[2].strip()} over unix")
                assert kernel.sysctl.get("kern.hostname") == name
        pings = Counter(
            result.host
            for result in made.results
            if result.task == "Ping" and result.status == "ok"
            for answer in result.result["results"]
            if answer["packets_rx"] == 1
        )
        assert pings == dict.fromkeys(KERNELS, ADDRESSES)

        again = run_playbook(folder, FILES / "site.yml", inventory, "--forks", "4", limit=300)
        assert again.code == 0, again.output
        assert again.changed == []
    finally:
        gone = run_playbook(folder, FILES / "site.yml", inventory, "-e", "rump_server_state=absent")
    assert gone.code == 0, gone.output
    assert {result.host for result in gone.changed} == {"vmhost"}
    assert list(host.iterdir()) == []
    assert commands_that_name(str(host)) == []
