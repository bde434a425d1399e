# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""gather_facts and setup, unmodified: the kernel's facts, and nothing of the controller's."""

from __future__ import annotations

import ipaddress
import os
import platform
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.routes import Route
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import CLOCK, IFF, RTF
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, running
from ansible_collections.rumpkernel.rump.tests.support.playbooks import inventory_of, run_playbook

AHEAD = 86400 * 400  # seconds that the kernel's clock is put ahead of the controller's


@pytest.fixture(scope="module", params=BACKENDS)
def facts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What gather_facts found on a kernel with a name, an interface, a mount and a clock of its own."""
    folder = tmp_path_factory.mktemp("facts")
    with running(request.param, folder) as server, connect(server.url) as kernel:
        kernel.sysctl.set("kern.hostname", "web01.example.com")
        kernel.interfaces.create("shmif0")
        kernel.interfaces.set_linkstr("shmif0", str(folder / "bus"))
        kernel.interfaces.add_address("shmif0", ipaddress.ip_interface("10.11.12.1/24"))
        kernel.interfaces.add_address("shmif0", ipaddress.ip_interface("2001:db8:11::1/64"))
        kernel.interfaces.set_flags("shmif0", kernel.interfaces.flags("shmif0") | IFF.UP)
        kernel.routes.add(
            Route(
                ipaddress.ip_network("0.0.0.0/0"),
                ipaddress.ip_address("10.11.12.254"),
                flags=int(RTF.UP | RTF.GATEWAY | RTF.STATIC),
            )
        )
        kernel.mkdir("/data")
        kernel.mount("tmpfs", "/data", 0, kernel.abi.struct("tmpfs_args").build(ta_version=1, ta_size_max=1 << 22))
        kernel.mkdir("/etc")
        kernel.makedirs("/etc/ansible/facts.d")
        kernel.write_file("/etc/ansible/facts.d/role.fact", b'{"name": "web"}')
        kernel.clock_settime(CLOCK.REALTIME, time.time() + AHEAD)
        plays = [{"name": "Play", "hosts": "all", "gather_facts": True, "tasks": []}]
        run = run_playbook(
            folder,
            plays,
            inventory_of({"k1": {"ansible_rump_server": server.url}}),
            environment={"CANARY": "of-the-controllers", "TZ": "Asia/Kathmandu"},
        )
        assert run.code == 0, run.output
        assert "Traceback" not in run.output
        found = run.results[0].result["ansible_facts"]
        assert isinstance(found, dict)
        link = kernel.interfaces.get("shmif0").link_address  # type: ignore[union-attr]
        yield {**found, "_backend": server.description, "_link": link.hex(":"), "_uname": kernel.uname()}


@pytest.fixture(autouse=True)
def note(facts: dict[str, Any], record_property) -> None:  # type: ignore[no-untyped-def]
    record_property("backend", facts["_backend"])


def test_system(facts: dict[str, Any]) -> None:
    uname = facts["_uname"]
    assert facts["ansible_system"] == facts["ansible_distribution"] == facts["ansible_os_family"] == "NetBSD"
    assert facts["ansible_kernel"] == facts["ansible_distribution_release"] == uname.release
    assert facts["ansible_kernel_version"] == uname.version
    assert facts["ansible_machine"] == facts["ansible_architecture"] == uname.machine
    assert facts["ansible_nodename"] == facts["ansible_fqdn"] == "web01.example.com"
    assert (facts["ansible_hostname"], facts["ansible_domain"]) == ("web01", "example.com")
    assert facts["ansible_python"]["version_info"][:2] == [int(part) for part in platform.python_version_tuple()[:2]]
    assert (facts["ansible_user_id"], facts["ansible_user_uid"]) == ("root", 0)
    assert facts["ansible_local"] == {"role": {"name": "web"}}
    assert facts["ansible_processor_count"] == len(facts["ansible_processor"]) >= 1
    assert facts["ansible_memtotal_mb"] > 0
    assert facts["ansible_is_chroot"] is False
    assert 0 <= facts["ansible_uptime_seconds"] < 600  # of a kernel that was started for this


def test_network(facts: dict[str, Any]) -> None:
    assert facts["ansible_interfaces"] == ["lo0", "shmif0"]
    interface = facts["ansible_shmif0"]
    assert (interface["macaddress"], interface["mtu"], interface["type"]) == (facts["_link"], "1500", "ether")
    assert "UP" in interface["flags"]
    assert interface["ipv4"] == [
        {
            "address": "10.11.12.1",
            "netmask": "255.255.255.0",
            "network": "10.11.12.0",
            "broadcast": "10.11.12.255",
        }
    ]
    assert {"address": "2001:db8:11::1", "prefix": "64"} in interface["ipv6"]
    assert facts["ansible_lo0"]["type"] == "loopback"
    default = facts["ansible_default_ipv4"]
    assert (default["address"], default["gateway"], default["interface"]) == ("10.11.12.1", "10.11.12.254", "shmif0")
    assert facts["ansible_default_ipv6"] == {}
    assert facts["ansible_all_ipv4_addresses"] == ["10.11.12.1"]


def test_mounts(facts: dict[str, Any]) -> None:
    mounts = {mount["mount"]: mount for mount in facts["ansible_mounts"]}
    assert set(mounts) == {"/", "/data"}
    assert (mounts["/data"]["fstype"], mounts["/data"]["options"]) == ("tmpfs", "rw")
    assert mounts["/data"]["size_total"] == 1 << 22
    assert mounts["/"]["fstype"] == "rumpfs"


def test_clock(facts: dict[str, Any]) -> None:
    now = facts["ansible_date_time"]
    assert abs(int(now["epoch"]) - time.time() - AHEAD) < 600
    assert (now["tz"], now["tz_offset"]) == ("UTC", "+0000")
    assert now["iso8601"].startswith(time.strftime("%Y-%m", time.gmtime(int(now["epoch"]))))


def test_nothing_of_the_controllers(facts: dict[str, Any]) -> None:
    """Its names, interfaces, addresses, mounts, environment and load are in no fact; its Python is."""
    told = {name: value for name, value in facts.items() if not name.startswith(("_", "ansible_python"))}
    words = set(re.split(r"[^\w.:%/-]+", str(told)))
    interfaces = {name for _index, name in socket.if_nameindex()} - {"lo0"}
    mounts = {line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()} - {"/"}
    environment = {
        value for name, value in os.environ.items() if len(value) > 4 and name not in ("HOME", "PATH", "LANG")
    }
    theirs = {
        *(socket.gethostname(), socket.getfqdn(), platform.release(), platform.version(), "Linux", "x86_64"),
        *interfaces,
        *mounts,
        *environment,
        *("CANARY", "of-the-controllers", "Kathmandu"),
    } - {"NetBSD", "/bin/sh", "localhost"}
    assert words & theirs == set()
    assert "ansible_loadavg" not in facts
    assert "ansible_machine_id" not in facts
    assert set(facts["ansible_env"]) == {"HOME", "LANG", "LOGNAME", "PATH", "SHELL", "USER"}
    assert facts["ansible_userspace_bits"] in ("32", "64")
