# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo's playbook over a fleet of three, in check mode, for real, and again.

With rumpctrl's utilities (RUMPCTRL_PATH names their folder) they are asked what the kernels hold.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import IFF
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, ROOT, Server, rump_server, running
from ansible_collections.rumpkernel.rump.tests.support.playbooks import Run, inventory_of, run_playbook
from ansible_collections.rumpkernel.rump.tests.support.ports import free_port

SITE = ROOT / "demo" / "site.yml"
HOSTS = ("web", "db", "router")


@pytest.fixture(params=BACKENDS)
def fleet(request: pytest.FixtureRequest, tmp_path: Path, record_property) -> Iterator[dict[str, Server]]:  # type: ignore[no-untyped-def]
    """web and db on unix sockets, router on TCP."""
    with contextlib.ExitStack() as stack:
        servers = {}
        for name in HOSTS:
            folder = tmp_path / name
            folder.mkdir()
            url = f"tcp://127.0.0.1:{free_port()}" if name == "router" else None
            servers[name] = stack.enter_context(running(request.param, folder, url))
            record_property("backend", servers[name].description)
        yield servers


def inventory(fleet: dict[str, Server], folder: Path) -> dict[str, Any]:
    hosts: dict[str, dict[str, Any]] = {}
    for unit, (name, server) in enumerate(fleet.items(), 1):
        hosts[name] = {"unit": unit}
        if server.url.startswith("tcp"):
            hosts[name] |= {
                "ansible_host": "127.0.0.1",
                "ansible_port": int(server.url.rpartition(":")[2]),
                "forwarding": True,
            }
        else:
            hosts[name]["ansible_rump_server"] = server.url
    return inventory_of(hosts, bus=str(folder / "bus"))


def changes(run: Run) -> list[tuple[str, str, bool, Any]]:
    """What each task changed or said that it would. A loop's result holds those of its items."""
    found = []
    for result in sorted(run.results, key=lambda result: result.host):
        items = result.result.get("results", [result.result])
        found.append((result.host, result.task, result.changed, [item.get("changes") for item in items]))
    return found


def test_check_run_and_run_again(fleet: dict[str, Server], tmp_path: Path) -> None:
    wanted = inventory(fleet, tmp_path)
    foretold = run_playbook(tmp_path, SITE, wanted, "--check", "--diff")
    assert foretold.code == 0, foretold.output
    for server in fleet.values():
        if server.journal:
            changing = [call for call in map(json.loads, server.journal.read_text().splitlines()) if call["changes"]]
            assert changing == [], "check mode changed the kernel"
        with connect(server.url) as kernel:
            assert kernel.interfaces.get("shmif0") is None
            assert not kernel.exists("/data")

    made = run_playbook(tmp_path, SITE, wanted)
    assert made.code == 0, made.output
    said = changes(foretold)
    # /data is there by the time that the folder in it is made, which check mode cannot know.
    for host in HOSTS:
        early = (
            host,
            "Make a folder for the site",
            True,
            [["make the directory /data", "make the directory /data/www"]],
        )
        said[said.index(early)] = (host, early[1], True, [["make the directory /data/www"]])
    assert changes(made) == said
    assert len(made.changed) == 6 * len(HOSTS)
    for unit, (name, server) in enumerate(fleet.items(), 1):
        assert_held(server, name, unit, tmp_path)

    again = run_playbook(tmp_path, SITE, wanted)
    assert again.code == 0, again.output
    assert [(result.host, result.task) for result in again.changed] == []


def assert_held(server: Server, name: str, unit: int, folder: Path) -> None:
    with connect(server.url) as kernel:
        interface = kernel.interfaces.get("shmif0")
        assert interface is not None
        assert IFF.UP in interface.flags
        assert f"1.2.3.{unit}/24" in [str(address.interface) for address in interface.addresses]
        assert kernel.interfaces.linkstr("shmif0") == str(folder / "bus")
        assert kernel.sysctl.get("kern.hostname") == name
        assert kernel.sysctl.get("net.inet.ip.forwarding") == int(name == "router")
        assert kernel.sysctl.get("net.inet.ip.ttl") == 32
        mounted = {mount.path: mount for mount in kernel.mounts()}["/data"]
        assert (mounted.fstype, mounted.size) == ("tmpfs", 8 << 20)
        assert kernel.stat("/data/www").st_mode & 0o7777 == 0o750
        log = kernel.stat("/data/www/access.log")
        assert (log.st_mode & 0o7777, log.st_uid, log.st_size) == (0o640, 80, 0)
        assert kernel.readlink("/data/log") == "www/access.log"


UTILITIES = os.environ.get("RUMPCTRL_PATH", "")


@pytest.mark.skipif(rump_server() is None, reason="there is no rump_server on PATH or in RUMP_SERVER_BIN")
@pytest.mark.skipif(
    not (UTILITIES and shutil.which("ifconfig", path=UTILITIES)),
    reason="RUMPCTRL_PATH does not name the folder of rumpctrl's utilities",
)
def test_rumpctrl_agrees(tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    """What the playbook made of a real kernel, as rumpctrl's own ifconfig, sysctl, mount and ls see it."""
    with running("rump_server", tmp_path) as server:
        record_property("backend", server.description)
        made = run_playbook(tmp_path, SITE, inventory({"web": server}, tmp_path))
        assert made.code == 0, made.output

        def rumpctrl(*command: str) -> str:
            environment = {**os.environ, "RUMP_SERVER": server.url}
            program = str(Path(UTILITIES) / command[0])
            finished = subprocess.run(
                [program, *command[1:]], env=environment, capture_output=True, text=True, check=True
            )
            return finished.stdout

        shown = rumpctrl("ifconfig", "shmif0")
        assert "inet 1.2.3.1 netmask 0xffffff00 broadcast 1.2.3.255" in shown
        assert f"linkstr: {tmp_path / 'bus'}" in shown
        assert "<UP," in shown
        assert rumpctrl("sysctl", "-n", "kern.hostname").strip() == "web"
        assert rumpctrl("sysctl", "-n", "net.inet.ip.forwarding").strip() == "0"
        assert "tmpfs on /data type tmpfs (local)" in rumpctrl("mount")
        listing = rumpctrl("ls", "-lan", "/data")
        assert "drwxr-x---" in listing
        assert "log -> www/access.log" in listing
        assert "-rw-r-----  1 80" in rumpctrl("ls", "-lan", "/data/www")
