# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_network on a kernel: create, change and remove, each in check mode, for real, and again."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import AF, IFF
from ansible_collections.rumpkernel.rump.plugins.modules import (
    rump_ifconfig,
    rump_neighbour,
    rump_network,
    rump_route,
    rump_route_info,
)
from ansible_collections.rumpkernel.rump.tests.support.backends import Server
from ansible_collections.rumpkernel.rump.tests.support.modules import refused, run_module
from ansible_collections.rumpkernel.rump.tests.support.networks import (
    attach,
    changing_calls,
    utility,
    with_utilities,
    without_duplicate_detection,
)

PURGE = ["interfaces", "addresses", "routes", "neighbours"]
MAC = "b2:a0:00:00:00:09"


@pytest.fixture(autouse=True)
def prompt_addresses(kernel: Kernel) -> None:
    without_duplicate_detection(kernel)


def network(kernel: Kernel, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return run_module(kernel, rump_network, check_mode, **options)


def held(kernel: Kernel) -> list[Any]:
    """All that the kernel's network holds, from the façade."""
    return [
        [(found.name, found.flags, found.mtu, found.addresses) for found in kernel.interfaces.all()],
        [(str(found), found.gateway, found.interface, found.flags, found.source) for found in kernel.routes.all()],
        [
            (str(found.address), found.interface, found.link_address, found.is_proxy)
            for family in (AF.INET, AF.INET6)
            for found in kernel.neighbours.all(family)
        ],
    ]


def addresses(kernel: Kernel, name: str) -> list[str]:
    found = kernel.interfaces.get(name)
    assert found is not None
    return [str(one.interface) for one in found.addresses if not one.interface.is_link_local]


def routes(kernel: Kernel) -> dict[str, Any]:
    return {str(found): found for found in kernel.routes.all()}


def thrice(kernel: Kernel, **options: Any) -> dict[str, Any]:
    """Check, run, check and run again; the real run's result."""
    before, calls = held(kernel), changing_calls(kernel)
    foretold = network(kernel, check_mode=True, **options)
    assert foretold["changed"]
    assert held(kernel) == before, "check mode changed the kernel"
    assert changing_calls(kernel) == calls
    made = network(kernel, **options)
    assert made["changed"]
    assert made["changes"] == foretold["changes"]
    assert made["diff"] == foretold["diff"]
    after, calls = held(kernel), changing_calls(kernel)
    assert after != before
    for check_mode in (True, False):
        again = network(kernel, check_mode, **options)
        assert not again["changed"], again["changes"]
        assert "diff" not in again
        for kind in ("routes", "neighbours", "sysctls"):
            assert again[kind] == made[kind]
    assert held(kernel) == after
    assert changing_calls(kernel) == calls
    return made


def test_create_change_remove(kernel: Kernel, tmp_path: Path) -> None:
    made = thrice(
        kernel,
        interfaces=[
            {
                "name": "shmif0",
                "linkstr": str(tmp_path / "bus0"),
                "addresses": ["10.0.0.1/24", "2001:db8::1/64"],
                "state": "up",
            },
            {"name": "shmif1", "linkstr": str(tmp_path / "bus1"), "addresses": ["10.1.0.1/24"], "mtu": 1400},
        ],
        routes=[
            {"dest": "default", "gateway": "10.7.0.254"},
            {"dest": "10.7.0.0/16", "interface": "shmif1"},
            {"dest": "2001:db8:9::/48", "gateway": "2001:db8::fe"},
        ],
        neighbours=[{"address": "10.0.0.9", "lladdr": MAC}, {"address": "10.7.0.254", "lladdr": MAC}],
        sysctls={"net.inet.ip.forwarding": 1},
    )
    assert [found.name for found in kernel.interfaces.all()] == ["lo0", "shmif0", "shmif1"]
    assert addresses(kernel, "shmif0") == ["10.0.0.1/24", "2001:db8::1/64"]
    assert kernel.interfaces.linkstr("shmif1") == str(tmp_path / "bus1")
    assert str(routes(kernel)["default"].gateway) == "10.7.0.254"
    assert routes(kernel)["10.7.0.0/16"].interface == "shmif1"
    known = run_module(kernel, rump_neighbour, True, address="10.7.0.254", lladdr=MAC)
    assert not known["changed"]
    assert kernel.sysctl.get("net.inet.ip.forwarding") == 1
    assert made["sysctls"] == {"net.inet.ip.forwarding": 1}
    assert [shown["name"] for shown in made["interfaces"]] == ["shmif0", "shmif1"]
    assert made["interfaces"][1]["mtu"] == 1400

    changed = thrice(
        kernel,
        interfaces=[
            {"name": "shmif0", "addresses": ["10.0.0.2/24"]},
            {"name": "shmif1", "addresses": ["10.1.0.1/16"], "mtu": 1300},
        ],
        routes=[{"dest": "default", "gateway": "10.0.0.254"}],
        neighbours=[{"address": "10.0.0.9", "lladdr": "b2:a0:00:00:00:0a"}],
        sysctls={"net.inet.ip.forwarding": 0},
        purge=["addresses", "routes", "neighbours"],
    )
    assert addresses(kernel, "shmif0") == ["10.0.0.2/24"]
    assert addresses(kernel, "shmif1") == ["10.1.0.1/16"]
    assert "2001:db8:9::/48" not in routes(kernel)
    assert "10.7.0.0/16" not in routes(kernel)
    assert str(routes(kernel)["default"].gateway) == "10.0.0.254"
    assert str(routes(kernel)["default"].source) == "10.0.0.2"
    neighbours = {str(found.address): found.link_address for found in kernel.neighbours.all(AF.INET)}
    assert neighbours["10.0.0.9"][-1] == 10
    assert "10.7.0.254" not in neighbours
    assert changed["diff"]["before"]["sysctls"] == {"net.inet.ip.forwarding": 1}

    thrice(
        kernel,
        interfaces=[{"name": "shmif1", "state": "absent"}],
        routes=[{"dest": "default", "state": "absent"}],
        neighbours=[{"address": "10.0.0.9", "state": "absent"}],
    )
    assert kernel.interfaces.get("shmif1") is None
    assert kernel.interfaces.get("shmif0") is not None
    assert "default" not in routes(kernel)

    thrice(kernel, purge=PURGE)
    assert [found.name for found in kernel.interfaces.all()] == ["lo0"]
    assert sorted(addresses(kernel, "lo0")) == ["127.0.0.1/8", "::1/128"]
