# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernels on the same buses, set up by one play each, that then reach one another by IPv4 and IPv6.

Packets between kernels are the real ones' alone: the simulated kernels' buses are each their own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.tests.support.backends import COMPONENTS, Server, rump_server, running
from ansible_collections.rumpkernel.rump.tests.support.networks import UTILITIES, utility
from ansible_collections.rumpkernel.rump.tests.support.playbooks import Run, inventory_of, run_playbook

pytestmark = pytest.mark.skipif(rump_server() is None, reason="no rump_server, and the simulated kernel has no wire")

SYSCTLS = {
    "net.inet.ip.dad_count": 0,
    "net.inet6.ip6.dad_count": 0,
    "net.inet.ip.forwarding": "{{ forwarding | default(0) }}",
    "net.inet6.ip6.forwarding": "{{ forwarding | default(0) }}",
}
SET_UP = {
    "name": "Network",
    "rumpkernel.rump.rump_network": {
        "interfaces": "{{ interfaces }}",
        "routes": "{{ routes | default([]) }}",
        "sysctls": SYSCTLS,
        "purge": ["interfaces", "addresses", "routes", "neighbours"],
    },
}
PING = {
    "name": "Ping",
    "rumpkernel.rump.rump_ping": {"dest": "{{ item }}", "count": 3, "interval": 0.02, "timeout": 5},
    "loop": "{{ others | default([]) }}",
}


@contextlib.contextmanager
def kernels(folder: Path, names: str, record_property: Any) -> Iterator[dict[str, Server]]:
    """A real kernel for each name."""
    with contextlib.ExitStack() as stack:
        started = {}
        for name in names.split():
            own = folder / name
            own.mkdir()
            components = [*COMPONENTS, "rumpnet_vlan"]
            started[name] = stack.enter_context(running("rump_server", own, components=components))
            record_property("backend", started[name].description)
        yield started


def run(folder: Path, servers: Mapping[str, Server], variables: Mapping[str, Mapping[str, Any]]) -> Run:
    """Set all up, and then let each ping those that it names; a second time, with no change."""
    hosts = {name: {"ansible_rump_server": server.url, **variables[name]} for name, server in servers.items()}
    plays = [
        {"name": "Set up", "hosts": "all", "gather_facts": False, "tasks": [SET_UP]},
        {"name": "Try", "hosts": "all", "gather_facts": False, "tasks": [PING]},
        {"name": "Again", "hosts": "all", "gather_facts": False, "tasks": [SET_UP]},
    ]
    done = run_playbook(folder, plays, inventory_of(hosts))
    assert done.code == 0, done.output
    changed = [result for result in done.results if result.task == "Network" and result.changed]
    assert len(changed) == len(servers), done.output
    return done


def shmif(name: str, bus: Path, *addresses: str) -> dict[str, Any]:
    return {"name": name, "linkstr": str(bus), "addresses": list(addresses), "state": "up"}


def test_one_bus(tmp_path: Path, record_property: Any) -> None:
    bus = tmp_path / "bus"
    variables: dict[str, dict[str, Any]] = {
        "k1": {"interfaces": [shmif("shmif0", bus, "10.0.0.1/24", "2001:db8::1/64")]},
        "k2": {"interfaces": [shmif("shmif0", bus, "10.0.0.2/24", "2001:db8::2/64")]},
    }
    variables["k1"]["others"], variables["k2"]["others"] = ["10.0.0.2", "2001:db8::2"], ["10.0.0.1", "2001:db8::1"]
    with kernels(tmp_path, "k1 k2", record_property) as servers:
        run(tmp_path, servers, variables)
        if UTILITIES:
            assert "inet 10.0.0.1 netmask" in utility(servers["k1"].url, "ifconfig", "shmif0")
            assert "10.0.0.2" in utility(servers["k1"].url, "arp", "-an")
            assert "2001:db8::2" in utility(servers["k1"].url, "ndp", "-an")


def test_through_a_bridge_and_a_vlan(tmp_path: Path, record_property: Any) -> None:
    """Two kernels speak on vlan 7, each on its own bus; a third joins these by a bridge."""
    left, right = tmp_path / "left", tmp_path / "right"
    vlan = {"name": "vlan7", "vlan": 7, "vlanif": "shmif0", "state": "up"}
    variables: dict[str, dict[str, Any]] = {
        "k1": {"interfaces": [{**vlan, "addresses": ["10.7.0.1/24", "2001:db8:7::1/64"]}, shmif("shmif0", left)]},
        "k2": {"interfaces": [{**vlan, "addresses": ["10.7.0.2/24", "2001:db8:7::2/64"]}, shmif("shmif0", right)]},
        "k3": {
            "interfaces": [
                {"name": "bridge0", "bridge": {"members": ["shmif0", "shmif1"]}, "state": "up"},
                shmif("shmif0", left),
                shmif("shmif1", right),
            ]
        },
    }
    variables["k1"]["others"] = ["10.7.0.2", "2001:db8:7::2"]
    variables["k2"]["others"] = ["10.7.0.1", "2001:db8:7::1"]
    with kernels(tmp_path, "k1 k2 k3", record_property) as servers:
        run(tmp_path, servers, variables)


def test_through_a_router(tmp_path: Path, record_property: Any) -> None:
    """A third kernel is on both buses, and routes between them."""
    left, right = tmp_path / "left", tmp_path / "right"
    variables: dict[str, dict[str, Any]] = {
        "k1": {
            "interfaces": [shmif("shmif0", left, "10.1.0.1/24", "2001:db8:1::1/64")],
            "routes": [
                {"dest": "default", "gateway": "10.1.0.254"},
                {"dest": "2001:db8:2::/48", "gateway": "2001:db8:1::fe"},
            ],
            "others": ["10.2.0.2", "2001:db8:2::2"],
        },
        "k2": {
            "interfaces": [shmif("shmif0", right, "10.2.0.2/24", "2001:db8:2::2/64")],
            "routes": [
                {"dest": "10.1.0.0/16", "gateway": "10.2.0.254"},
                {"dest": "default", "gateway": "2001:db8:2::fe"},
            ],
            "others": ["10.1.0.1", "2001:db8:1::1"],
        },
        "k3": {
            "interfaces": [
                shmif("shmif0", left, "10.1.0.254/24", "2001:db8:1::fe/64"),
                shmif("shmif1", right, "10.2.0.254/24", "2001:db8:2::fe/64"),
            ],
            "forwarding": 1,
        },
    }
    with kernels(tmp_path, "k1 k2 k3", record_property) as servers:
        done = run(tmp_path, servers, variables)
        ttls = {result["ttl"] for one in done.of("k1") if one.task == "Ping" for result in one.result["results"]}
        assert ttls == {254, 63}, "the router takes one off"
