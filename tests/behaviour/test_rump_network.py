# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_network on a kernel: create, change and remove, each in check mode, for real, and again."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import AF, IFF
from ansible_collections.rumpkernel.rump.plugins.modules import (
    rump_neighbour,
    rump_network,
    rump_route,
    rump_route_info,
)
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, COMPONENTS, Server, running
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


@pytest.fixture
def kernel(kernel: Kernel) -> Kernel:
    without_duplicate_detection(kernel)
    return kernel


@pytest.fixture(params=BACKENDS)
def able(request: pytest.FixtureRequest, tmp_path: Path, record_property) -> Iterator[Kernel]:  # type: ignore[no-untyped-def]
    """A kernel that has more kinds of interfaces."""
    folder = tmp_path / "able"
    folder.mkdir()
    components = [*COMPONENTS, "rumpnet_vlan", "rumpnet_gif"]
    with running(request.param, folder, components=components) as server, connect(server.url, timeout=20) as kernel:
        record_property("backend", server.description)
        without_duplicate_detection(kernel)
        yield kernel


def network(kernel: Kernel, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return run_module(kernel, rump_network, check_mode, **options)


def held(kernel: Kernel) -> list[Any]:
    """All that the kernel's network holds, from the façade."""
    return [
        [(found.name, found.flags, found.mtu, found.addresses) for found in kernel.interfaces.all()],
        [(str(found), found.gateway, found.interface, found.flags, found.source) for found in kernel.routes.all()],
        [
            (str(found.address), found.interface, found.link_address)  # is_proxy may be that of the entry before it
            for family in (AF.INET, AF.INET6)
            for found in kernel.neighbours.all(family)
            if found.link_address  # others the kernel is looking for by itself
        ],
    ]


def addresses(kernel: Kernel, name: str) -> list[str]:
    found = kernel.interfaces.get(name)
    assert found is not None
    return [str(one.interface) for one in found.addresses if not one.interface.is_link_local]


def routes(kernel: Kernel) -> dict[str, Any]:
    return {str(found): found for found in kernel.routes.all()}


def lasting(diff: Any) -> Any:
    """A diff without what a kernel may tell of the same neighbour in another way a moment later.

    NetBSD 7.99.34 carries flags from one entry of its list over to the next, so that it tells less or more of proxies.
    """
    if isinstance(diff, dict):
        return {key: lasting(value) for key, value in diff.items() if key not in ("expire", "proxy")}
    return diff


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
    assert lasting(made["diff"]) == lasting(foretold["diff"])
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


def test_what_is_not_declared_stays(kernel: Kernel, tmp_path: Path) -> None:
    attach(kernel, tmp_path / "bus", "10.0.0.1/24", "2001:db8::1/64")
    run_module(kernel, rump_route, dest="10.9.0.0/16", gateway="10.0.0.254")
    run_module(kernel, rump_neighbour, address="10.0.0.9", lladdr=MAC)
    before = held(kernel)
    thrice(kernel, interfaces=[{"name": "shmif1"}])
    assert {"10.9.0.0/16", "10.0.0.0/24"} <= set(routes(kernel))
    thrice(kernel, interfaces=[{"name": "shmif1", "state": "absent"}])
    assert held(kernel) == before


@pytest.mark.parametrize("kind", PURGE)
def test_each_kind_is_purged_by_itself(kernel: Kernel, tmp_path: Path, kind: str) -> None:
    attach(kernel, tmp_path / "bus", "10.0.0.1/24", "2001:db8::1/64")
    kernel.interfaces.create("shmif1")
    run_module(kernel, rump_route, dest="10.9.0.0/16", gateway="10.0.0.254")
    run_module(kernel, rump_route, dest="2001:db8:9::/48", gateway="fe80::9%shmif0")
    run_module(kernel, rump_neighbour, address="10.0.0.9", lladdr=MAC)
    run_module(kernel, rump_neighbour, address="2001:db8::9", lladdr=MAC)
    thrice(kernel, interfaces=[{"name": "shmif0", "addresses": ["10.0.0.1/24"]}], purge=[kind])
    assert (kernel.interfaces.get("shmif1") is None) == (kind == "interfaces")
    assert addresses(kernel, "shmif0") == ["10.0.0.1/24", *(["2001:db8::1/64"] if kind != "addresses" else [])]
    assert ("10.9.0.0/16" in routes(kernel)) == ("2001:db8:9::/48" in routes(kernel)) == (kind != "routes")
    assert "10.0.0.0/24" in routes(kernel)
    known = {str(found.address) for family in (AF.INET, AF.INET6) for found in kernel.neighbours.all(family)}
    assert ("10.0.0.9" in known) == (kind != "neighbours")
    if kind not in ("neighbours", "addresses"):
        assert "2001:db8::9" in known
    found = kernel.interfaces.get("shmif0")
    assert found is not None
    assert any(one.interface.is_link_local for one in found.addresses)


def test_interfaces_come_after_what_they_are_made_of(able: Kernel, tmp_path: Path) -> None:
    made = thrice(
        able,
        interfaces=[
            {"name": "bridge0", "bridge": {"members": ["shmif1", "shmif0"]}, "state": "up"},
            {"name": "vlan7", "vlan": 7, "vlanif": "shmif1", "addresses": ["10.7.0.1/24"]},
            {"name": "shmif0", "linkstr": str(tmp_path / "bus0"), "state": "up"},
            {"name": "shmif1", "linkstr": str(tmp_path / "bus1"), "state": "up"},
        ],
        routes=[{"dest": "10.8.0.0/16", "gateway": "10.7.0.254"}],
    )
    assert {member.name for member in able.interfaces.bridge_members("bridge0")} == {"shmif0", "shmif1"}
    vlan = able.interfaces.vlan("vlan7")
    assert vlan is not None
    assert (vlan.tag, vlan.parent) == (7, "shmif1")
    assert routes(able)["10.8.0.0/16"].interface == "vlan7"
    created = [change for change in made["changes"] if change.startswith("create")]
    assert set(created[:2]) == {"create shmif0", "create shmif1"}
    gone = thrice(able, purge=["interfaces", "routes"])
    destroyed = [change for change in gone["changes"] if change.startswith("destroy")]
    assert destroyed[:2] == ["destroy bridge0", "destroy vlan7"]
    assert [found.name for found in able.interfaces.all()] == ["lo0"]


def test_an_address_moves_to_another_interface(kernel: Kernel, tmp_path: Path) -> None:
    """The kernel holds it once only: it goes from the one before it comes to the other."""
    attach(kernel, tmp_path / "bus", "10.0.0.1/24")
    run_module(kernel, rump_route, dest="10.9.0.0/16", gateway="10.0.0.254")
    thrice(
        kernel,
        interfaces=[
            {"name": "shmif1", "linkstr": str(tmp_path / "bus1"), "addresses": ["10.0.0.1/24"]},
            {"name": "shmif0", "addresses": [], "purge_addresses": True},
        ],
        routes=[{"dest": "10.9.0.0/16", "gateway": "10.0.0.254"}],
    )
    assert addresses(kernel, "shmif0") == []
    assert addresses(kernel, "shmif1") == ["10.0.0.1/24"]
    assert routes(kernel)["10.0.0.0/24"].interface == "shmif1"
    assert routes(kernel)["10.9.0.0/16"].interface == "shmif1"


def test_packets_do_not_come_from_an_address_that_is_gone(kernel: Kernel, tmp_path: Path) -> None:
    """A route that is not even declared gets another source when its own is purged."""
    attach(kernel, tmp_path / "bus", "10.0.0.1/24", "10.0.0.2/24", "2001:db8::1/64")
    run_module(kernel, rump_route, dest="default", gateway="10.0.0.254", mtu=1400)
    assert run_module(kernel, rump_route_info, dest="192.0.2.1")["route"]["source"] == "10.0.0.1"
    thrice(kernel, interfaces=[{"name": "shmif0", "addresses": ["10.0.0.2/24"], "purge_addresses": True}])
    way = run_module(kernel, rump_route_info, dest="192.0.2.1")["route"]
    assert (way["source"], way["mtu"], way["gateway"]) == ("10.0.0.2", 1400, "10.0.0.254")


def test_a_prefix_is_changed_under_the_routes(kernel: Kernel, tmp_path: Path) -> None:
    attach(kernel, tmp_path / "bus", "10.0.0.1/24")
    run_module(kernel, rump_route, dest="default", gateway="10.0.0.254")
    thrice(
        kernel,
        interfaces=[{"name": "shmif0", "addresses": ["10.0.0.1/16"]}],
        routes=[{"dest": "default", "gateway": "10.0.77.254"}],
    )
    assert "10.0.0.0/16" in routes(kernel)
    assert str(routes(kernel)["default"].gateway) == "10.0.77.254"


def test_a_proxy_and_a_neighbour_on_a_new_interface(kernel: Kernel, tmp_path: Path) -> None:
    shmif = {"name": "shmif0", "linkstr": str(tmp_path / "bus"), "addresses": ["10.0.0.1/24", "2001:db8::1/64"]}
    asked = [{"address": "10.0.0.7", "proxy": True}]
    result = refused(kernel, rump_network, interfaces=[shmif], neighbours=asked)
    assert "neighbours: 10.0.0.7: lladdr: shmif0 is yet to be made" in result["msg"]
    assert kernel.interfaces.get("shmif0") is None
    asked = [{"address": "10.0.0.7", "proxy": True, "lladdr": MAC}, {"address": "2001:db8::7", "lladdr": MAC}]
    made = thrice(kernel, interfaces=[shmif], neighbours=asked)
    assert [shown["interface"] for shown in made["neighbours"]] == ["shmif0", "shmif0"]
    assert made["neighbours"][0]["proxy"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"interfaces": [{"name": "shmif0", "mtu": 0}]}, "interfaces: shmif0: mtu: 0 is no MTU"),
        ({"interfaces": [{"name": "shmif0"}, {"name": "shmif0"}]}, "interfaces: shmif0 is declared twice"),
        ({"interfaces": [{"name": "nosuch0"}]}, "interfaces: nosuch0: name: SIOCIFCREATE nosuch0: EINVAL"),
        ({"interfaces": [{"name": "lo0", "state": "absent"}]}, "interfaces: lo0: state: lo0 cannot be destroyed"),
        ({"interfaces": [{"name": "vlan0", "vlanif": "vlan1"}, {"name": "vlan1", "vlanif": "vlan0"}]}, "of each other"),
        ({"routes": [{"dest": "10.0.0.0/33", "gateway": "10.0.0.1"}]}, "routes: 10.0.0.0/33: dest: "),
        ({"routes": [{"dest": "10.0.0.0/8"}]}, "routes: 10.0.0.0/8: gateway: there is no route 10.0.0.0/8 yet"),
        ({"routes": [{"dest": "10.9.0.0/16", "gateway": "10.77.0.1"}]}, "no interface is on a network with 10.77.0.1"),
        ({"routes": [{"dest": "10.9.0.0/16", "interface": "shmif7"}]}, "there is no interface shmif7"),
        (
            {"neighbours": [{"address": "10.77.0.9", "lladdr": MAC}]},
            "neighbours: 10.77.0.9: address: 10.77.0.9 is on no",
        ),
        ({"neighbours": [{"address": "10.0.0.9"}]}, "neighbours: 10.0.0.9: lladdr: 10.0.0.9 is not known yet"),
        ({"sysctls": {"kern.hostname": "x"}}, "sysctls: kern.hostname is not of the network"),
        ({"sysctls": {"net.inet.ip.nosuch": 1}}, "sysctls: "),
        ({"sysctls": {"net.inet.ip.forwarding": "much"}}, "sysctls: net.inet.ip.forwarding: value: "),
        ({"reconnect": "http://10.0.0.1"}, "reconnect: 'http://10.0.0.1' is no URL"),
        ({"reconnect_timeout": 0}, "reconnect_timeout: 0: give up to"),
    ],
)
def test_what_is_wrong_is_found_before_anything_is_changed(
    kernel: Kernel, tmp_path: Path, options: dict[str, Any], text: str
) -> None:
    attach(kernel, tmp_path / "bus", "10.0.0.1/24")
    before, calls = held(kernel), changing_calls(kernel)
    good: dict[str, Any] = {"interfaces": [{"name": "shmif5"}]}
    together = {**options, "interfaces": [*good["interfaces"], *options.get("interfaces", [])]}
    result = refused(kernel, rump_network, **together)
    assert text in result["msg"]
    assert not result["changed"]
    assert held(kernel) == before
    assert changing_calls(kernel) == calls


def test_a_second_run_mends_what_was_half_done(kernel: Kernel, tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "interfaces": [
            {"name": "shmif0", "linkstr": str(tmp_path / "bus"), "mtu": 60000, "addresses": ["10.0.0.1/24"]},
        ],
        "routes": [{"dest": "default", "gateway": "10.0.0.254"}],
    }
    result = refused(kernel, rump_network, **options)
    assert (result["call"], result["errno"]) == ("SIOCSIFMTU", "EINVAL")
    assert result["changes"][0] == "create shmif0"
    options["interfaces"][0]["mtu"] = 1400
    thrice(kernel, **options)


def test_what_is_refused_of_one_interface_is_not_in_the_way_of_others(kernel: Kernel, tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "interfaces": [
            {"name": "shmif0", "linkstr": str(tmp_path / "bus0"), "mtu": 60000, "addresses": ["10.0.0.1/24"]},
            {"name": "shmif1", "linkstr": str(tmp_path / "bus1"), "mtu": 1400, "addresses": ["10.1.0.1/24"]},
        ],
    }
    result = refused(kernel, rump_network, **options)
    assert (result["call"], result["object"], result["errno"]) == ("SIOCSIFMTU", "shmif0", "EINVAL")
    assert "add 10.1.0.1/24 to shmif1" in result["changes"]
    assert "add 10.0.0.1/24 to shmif0" not in result["changes"]
    assert (addresses(kernel, "shmif0"), addresses(kernel, "shmif1")) == ([], ["10.1.0.1/24"])
    options["interfaces"][0]["mtu"] = 1400
    assert thrice(kernel, **options)["changes"] == ["set the mtu of shmif0 to 1400", "add 10.0.0.1/24 to shmif0"]


def test_the_first_interface_on_a_network_has_the_route_to_it(kernel: Kernel, tmp_path: Path) -> None:
    many = [f"10.0.{number}.1/24" for number in range(5)]
    first = {"name": "shmif1", "linkstr": str(tmp_path / "bus"), "addresses": [*many, "10.9.0.1/16", "2001:db8::1/64"]}
    others = [
        {"name": "shmif0", "linkstr": str(tmp_path / "bus"), "addresses": ["10.9.0.2/16"]},
        {"name": "shmif2", "linkstr": str(tmp_path / "bus"), "addresses": ["10.9.1.1/24", "2001:db8::2/64"]},
    ]
    thrice(kernel, interfaces=[first, *others])
    found = {to: routes(kernel)[to].interface for to in ("10.9.0.0/16", "10.9.1.0/24", "2001:db8::/64")}
    assert found == {"10.9.0.0/16": "shmif1", "10.9.1.0/24": "shmif2", "2001:db8::/64": "shmif1"}


def test_routes_without_a_flag_of_those_made_by_hand_are_reported_too(kernel: Kernel, tmp_path: Path) -> None:
    attach(kernel, tmp_path / "bus", "10.0.0.1/24")
    plain = {"dest": "10.9.0.0/16", "interface": "shmif0", "flags": []}
    made = thrice(kernel, routes=[plain, {"dest": "10.8.0.0/16", "gateway": "10.0.0.254"}])
    assert [(way["state"], way["dest"], way["interface"]) for way in made["routes"]] == [
        ("present", "10.9.0.0/16", "shmif0"),
        ("present", "10.8.0.0/16", "shmif0"),
    ]


def test_the_loopback_goes_down_and_up(kernel: Kernel) -> None:
    thrice(kernel, interfaces=[{"name": "lo0", "state": "down"}])
    assert not kernel.interfaces.flags("lo0") & IFF.UP
    thrice(kernel, interfaces=[{"name": "lo0", "state": "up"}], purge=PURGE)


def test_a_tunnel(able: Kernel, tmp_path: Path) -> None:
    attach(able, tmp_path / "bus", "10.0.0.1/24")
    address = {"address": "192.0.2.1/30", "destination": "192.0.2.2"}
    thrice(
        able,
        interfaces=[
            {"name": "gif0", "tunnel": {"source": "10.0.0.1", "destination": "10.0.0.9"}, "addresses": [address]}
        ],
        routes=[{"dest": "10.9.0.0/16", "gateway": "192.0.2.2"}],
    )
    assert routes(able)["10.9.0.0/16"].interface == "gif0"


@with_utilities
def test_rumpctrl_shows_what_was_declared(server: Server, kernel: Kernel, tmp_path: Path) -> None:
    if server.backend != "rump_server":
        pytest.skip("rumpctrl's utilities are asked about the real kernel")
    bus = str(tmp_path / "bus")
    declared: dict[str, Any] = {
        "interfaces": [{"name": "shmif0", "linkstr": bus, "addresses": ["10.0.0.1/24", "2001:db8::1/64"], "mtu": 1400}],
        "routes": [{"dest": "10.9.0.0/16", "gateway": "10.0.0.254"}],
        "neighbours": [{"address": "10.0.0.9", "lladdr": MAC}, {"address": "2001:db8::9", "lladdr": MAC}],
    }
    network(kernel, **declared)
    shown = utility(server.url, "ifconfig", "shmif0")
    assert "inet 10.0.0.1 netmask 0xffffff00" in shown
    assert "inet6 2001:db8::1 prefixlen 64" in shown
    assert "mtu 1400" in shown
    assert "10.9/16" in utility(server.url, "route", "-n", "show")
    assert MAC in utility(server.url, "arp", "-n", "10.0.0.9")
    assert MAC in utility(server.url, "ndp", "-n", "2001:db8::9")
    utility(server.url, "ifconfig", "shmif0", "10.0.0.5/24", "alias")
    utility(server.url, "route", "add", "-net", "10.8.0.0/16", "10.0.0.254")
    assert not network(kernel, **declared)["changed"]
    again = network(kernel, **declared, purge=PURGE)
    assert again["changes"] == ["remove the route 10.8.0.0/16 by 10.0.0.254", "remove 10.0.0.5/24 from shmif0"]
    assert ipaddress.ip_interface("10.0.0.5/24") not in kernel.interfaces.get("shmif0").addresses  # type: ignore[union-attr]
