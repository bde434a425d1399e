# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role rumprun, with a program in the place of QEMU that reads its command line as the unikernel would.

No unikernel boots here: that takes QEMU and an image.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.tests.support.backends import ROOT
from ansible_collections.rumpkernel.rump.tests.support.playbooks import run_playbook
from ansible_collections.rumpkernel.rump.tests.support.rumprun_guest import understand

HERE = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
HOST = {"all": {"hosts": {"vmhost": HERE}}}
# It serves sysproxy where the first -netdev forwards a port from.
STAND_IN = f"""#!/bin/sh
echo "booting: $*"
port=$(echo "$*" | sed -n 's/.*hostfwd=tcp:127.0.0.1:\\([0-9]*\\)-.*/\\1/p')
exec {sys.executable} {ROOT}/bin/rump-simulated tcp://127.0.0.1:$port
"""
PING = {
    "name": "Look",
    "hosts": "rump_kernels",
    "gather_facts": False,
    "tasks": [{"rumpkernel.rump.rump_sysctl_info": {"name": "kern.ostype"}}],
}


def playbook(*guests: dict[str, Any], folder: Path, **variables: Any) -> list[dict[str, Any]]:
    common = {
        "rumprun_run_directory": str(folder / "run"),
        "rumprun_state_directory": str(folder / "lib"),
        "rumprun_guests": list(guests),
    }
    return [
        {
            "name": "Guests",
            "hosts": "vmhost",
            "gather_facts": False,
            "vars": {**common, **variables},
            "roles": ["rumpkernel.rump.rumprun"],
        },
        PING,
    ]


def option(command: list[str], name: str) -> list[str]:
    return [command[at + 1] for at, word in enumerate(command) if word == name]


def test_a_dry_run_shows_the_command_line(tmp_path: Path) -> None:
    guest = {
        "name": "web",
        "image": "/srv/images/nginx.bin",
        "arguments": ["-c", "/data/a b.conf"],
        "environment": {"LIST": "a,b"},
        "memory": 128,
        "networks": [
            {"netdev": "tap,ifname=tap0,script=no,downscript=no", "inet": "10.0.0.2/24", "gateway": "10.0.0.1"},
            {"netdev": "user", "mac": "52:54:00:00:00:07", "inet": "dhcp", "inet6": "auto"},
        ],
        "disks": [
            {"path": "/srv/images/da,ta.ffs", "mountpoint": "/data"},
            {"size": "1m", "mountpoint": "/logs"},
        ],
        "options": ["-name", "web"],
    }
    run = run_playbook(tmp_path, playbook(guest, folder=tmp_path, rumprun_dry_run=True), HOST)
    assert run.code == 0, run.output
    shown = next(result for result in run.results if result.task.endswith("Show QEMU's command lines"))
    command = shlex.split(shown.result["results"][0]["msg"])
    (config,) = option(command, "-append")
    mac = command[command.index("-device") + 1].rpartition("=")[2]
    assert mac.startswith("52:54:00:")
    assert command == [
        *("qemu-system-x86_64", "-no-reboot", "-display", "none", "-serial", "stdio", "-m", "128"),
        *("-enable-kvm", "-cpu", "host"),
        *("-netdev", "tap,ifname=tap0,script=no,downscript=no,id=net0"),
        *("-device", f"virtio-net-pci,netdev=net0,mac={mac}"),
        *("-netdev", "user,id=net1", "-device", "virtio-net-pci,netdev=net1,mac=52:54:00:00:00:07"),
        *("-drive", "if=virtio,format=raw,file=/srv/images/da,,ta.ffs"),
        *("-drive", f"if=virtio,format=raw,file={tmp_path}/lib/web/disk1.img"),
        *("-name", "web", "-kernel", "/srv/images/nginx.bin", "-append", config),
    ]
    found = understand(f"/srv/images/nginx.bin {config}")
    assert found.arguments == ["nginx.bin", "-c", "/data/a b.conf"]
    assert found.hostname == "web"
    assert found.environment == ["RUMPRUN_SYSPROXY=tcp://0:12345", "LIST=a,b"]
    assert [(disk["path"], disk["mountpoint"]) for disk in found.disks] == [
        ("/dev/ld0a", "/data"),
        ("/dev/ld1a", "/logs"),
    ]
    assert [(net["if"], net["type"], net["method"], net.get("addr")) for net in found.networks] == [
        ("vioif0", "inet", "static", "10.0.0.2"),
        ("vioif1", "inet", "dhcp", None),
        ("vioif1", "inet6", "auto", None),
    ]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("guest", "message"),
    [
        ({"arguments": ["it's"]}, "arguments: a unikernel's command line cannot say"),
        ({"environment": {"LONG": "x" * 4096}}, "less than 4096 characters"),
    ],
)
def test_what_a_unikernel_would_not_take_is_refused(guest: dict[str, Any], message: str, tmp_path: Path) -> None:
    run = run_playbook(tmp_path, playbook({"name": "k1", "image": "/image", **guest}, folder=tmp_path), HOST)
    assert run.code == 2
    assert message in run.output
    assert not (tmp_path / "run").exists()


def test_a_guest_that_does_not_come_up_shows_its_console(tmp_path: Path) -> None:
    qemu = tmp_path / "qemu"
    qemu.write_text("#!/bin/sh\necho 'panic: no root file system'\n")
    qemu.chmod(0o755)
    guest = {"name": "web", "image": "/image", "url": "tcp://127.0.0.1:1"}
    run = run_playbook(tmp_path, playbook(guest, folder=tmp_path, rumprun_qemu=str(qemu)), HOST)
    assert run.code == 2
    assert "the console of web: panic: no root file system" in run.results[-1].result["msg"]


def test_a_guest_from_start_to_end(tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    qemu = tmp_path / "qemu"
    qemu.write_text(STAND_IN)
    qemu.chmod(0o755)
    host = tmp_path / "host"
    host.mkdir()
    guest = {
        "name": "web",
        "image": "/srv/images/nginx.bin",
        "networks": [{"netdev": f"user,hostfwd=tcp:127.0.0.1:{port}-:12345", "inet": "dhcp"}],
        "disks": [{"size": "64k"}],
        "url": f"tcp://127.0.0.1:{port}",
    }
    variables = {
        "rumprun_qemu": str(qemu),
        "rumprun_platform": "qemu",
        "rumprun_inventory_directory": str(tmp_path / "kernels"),
    }
    try:
        made = run_playbook(tmp_path, playbook(guest, folder=host, **variables), HOST)
        assert made.code == 0, made.output
        record_property("backend", "simulated NetBSD-7.99.34/amd64 over tcp")
        assert [result.result["sysctl"] for result in made.of("web") if "sysctl" in result.result] == [
            {"kern.ostype": "NetBSD"}
        ]
        console = (host / "lib/web/console").read_text()
        assert console.startswith("booting: -no-reboot -display none")
        assert "-enable-kvm" not in console
        told = json.loads((tmp_path / "kernels/web.json").read_text())
        assert told == {"name": "web", "url": guest["url"], "groups": ["rump_kernels"], "vars": {}}
        again = run_playbook(tmp_path, playbook(guest, folder=host, **variables), HOST)
        assert again.code == 0, again.output
        assert again.changed == []
        gone = run_playbook(tmp_path, playbook({**guest, "state": "absent"}, folder=host, **variables), HOST)
        assert gone.code == 0, gone.output
        assert list(host.iterdir()) == list((tmp_path / "kernels").iterdir()) == []
    finally:
        for record in host.glob("run/*.process"):
            with contextlib.suppress(ValueError, ProcessLookupError):
                os.killpg(json.loads(record.read_text())["pid"], signal.SIGKILL)
