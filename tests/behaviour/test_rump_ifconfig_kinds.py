# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_ifconfig on a kernel: vlan, bridge, gif and agr, each created, changed and removed, foretold and made again."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.bridges import IFBIF
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.interface_kinds import Tunnel, Vlan
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import IFF
from ansible_collections.rumpkernel.rump.plugins.modules import rump_ifconfig
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running
from ansible_collections.rumpkernel.rump.tests.support.interfaces import KINDS, ifconfig, shown, thrice
from ansible_collections.rumpkernel.rump.tests.support.modules import refused
from ansible_collections.rumpkernel.rump.tests.support.networks import (
    utility,
    with_utilities,
    without_duplicate_detection,
)


@pytest.fixture(params=BACKENDS)
def server(request: pytest.FixtureRequest, tmp_path: Path, record_property) -> Iterator[Server]:  # type: ignore[no-untyped-def]
    """A fresh kernel that has all kinds of interfaces."""
    with running(request.param, tmp_path, components=KINDS) as started:
        record_property("backend", started.description)
        yield started


@pytest.fixture
def kernel(server: Server, tmp_path: Path) -> Iterator[Kernel]:
    """A session with it, and two Ethernets on buses of their own."""
    with connect(server.url, timeout=20) as connected:
        without_duplicate_detection(connected)
        for name in ("shmif0", "shmif1"):
            connected.interfaces.create(name)
            connected.interfaces.set_linkstr(name, str(tmp_path / name))
        yield connected


def flags(kernel: Kernel, name: str) -> IFF:
    return kernel.interfaces.flags(name)


def addresses(kernel: Kernel, name: str) -> list[str]:
    found = kernel.interfaces.get(name)
    assert found is not None
    return sorted(str(a.interface) for a in found.addresses if not a.interface.is_link_local)


# vlan


def test_a_vlan_is_made_changed_and_removed(kernel: Kernel) -> None:
    made = thrice(kernel, "vlan0", vlan=7, vlanif="shmif0", addresses=["10.7.0.1/24", "2001:db8:7::1/64"], state="up")
    assert made["changes"] == [
        "create vlan0",
        "put vlan0 on shmif0 with the tag 7",
        "add 10.7.0.1/24 to vlan0",
        "add 2001:db8:7::1/64 to vlan0",
    ]
    assert kernel.interfaces.vlan("vlan0") == Vlan(7, "shmif0")
    assert (made["interface"]["vlan"], made["interface"]["vlanif"]) == (7, "shmif0")
    parent = kernel.interfaces.get("shmif0")
    assert parent is not None
    assert made["interface"]["lladdr"] == parent.link_address.hex(":")
    assert addresses(kernel, "vlan0") == ["10.7.0.1/24", "2001:db8:7::1/64"]
    assert IFF.UP in flags(kernel, "vlan0")

    made = thrice(kernel, "vlan0", vlan=8, mtu=1400)
    assert made["changes"][:2] == ["take vlan0 off shmif0", "put vlan0 on shmif0 with the tag 8"]
    assert kernel.interfaces.vlan("vlan0") == Vlan(8, "shmif0")
    # What the change took away it has again.
    assert addresses(kernel, "vlan0") == ["10.7.0.1/24", "2001:db8:7::1/64"]
    assert IFF.UP in flags(kernel, "vlan0")
    assert made["interface"]["mtu"] == 1400

    thrice(kernel, "vlan0", vlanif="shmif1")
    assert kernel.interfaces.vlan("vlan0") == Vlan(8, "shmif1")

    thrice(kernel, "vlan0", vlanif="")
    assert kernel.interfaces.vlan("vlan0") is None
    thrice(kernel, "vlan0", state="absent")
    assert kernel.interfaces.get("vlan0") is None


def test_a_vlan_is_down_when_it_is_to_be(kernel: Kernel) -> None:
    ifconfig(kernel, "shmif0", state="up")
    thrice(kernel, "vlan0", vlan=7, vlanif="shmif0", state="down")
    assert IFF.UP not in flags(kernel, "vlan0")
    thrice(kernel, "vlan0", state="up")
    assert IFF.UP in flags(kernel, "vlan0")


def test_a_vlan_on_no_parent(kernel: Kernel) -> None:
    result = refused(kernel, rump_ifconfig, name="vlan0", vlan=7)
    assert "vlan: vlan0 is on no parent: name the interface" in result["msg"]
    assert kernel.interfaces.get("vlan0") is None
    result = refused(kernel, rump_ifconfig, name="vlan0", vlan=7, vlanif="shmif9")
    assert "vlanif: there is no interface shmif9: make it first" in result["msg"]
    assert (result["call"], result["errno"], result["changed"]) == ("SIOCSETVLAN", "ENOENT", False)
    assert kernel.interfaces.get("vlan0") is None
    # An earlier task may have said in check mode that it would make it.
    assert ifconfig(kernel, "vlan0", check_mode=True, vlan=7, vlanif="shmif9")["changed"]


def test_a_vlan_on_what_is_no_ethernet(kernel: Kernel) -> None:
    result = refused(kernel, rump_ifconfig, name="vlan0", vlan=7, vlanif="lo0")
    assert (result["call"], result["errno"], result["changed"]) == ("SIOCSETVLAN", "EPROTONOSUPPORT", False)
    # It stays where it is, with its addresses.
    ifconfig(kernel, "vlan0", vlan=7, vlanif="shmif0", addresses=["2001:db8:7::1/64"])
    held = kernel.interfaces.all()
    assert "vlanif: lo0 is no Ethernet" in refused(kernel, rump_ifconfig, name="vlan0", vlanif="lo0")["msg"]
    assert kernel.interfaces.all() == held
    assert kernel.interfaces.vlan("vlan0") == Vlan(7, "shmif0")


# bridge


def member(kernel: Kernel, name: str, bridge: str = "bridge0") -> Any:
    return next(found for found in kernel.interfaces.bridge_members(bridge) if found.name == name)


def test_a_bridge_is_made_changed_and_removed(kernel: Kernel) -> None:
    made = thrice(kernel, "bridge0", bridge={"members": ["shmif0"], "priority": 4096, "max_age": 10}, state="up")
    assert [found.name for found in kernel.interfaces.bridge_members("bridge0")] == ["shmif0"]
    assert IFF.UP in flags(kernel, "bridge0")
    assert IFF.PROMISC in flags(kernel, "shmif0")
    assert made["interface"]["bridge"]["members"] == [
        {
            "name": "shmif0",
            "learn": True,
            "discover": True,
            "stp": False,
            "priority": 128,
            "path_cost": 55,
            "state": "disabled",
        }
    ]
    held = kernel.interfaces.bridge("bridge0")
    assert (held.priority, held.max_age, held.hello_time, held.forward_delay) == (4096, 10, 2, 15)

    wanted = {
        "members": ["shmif0", {"name": "shmif1", "stp": True, "path_cost": 20, "priority": 100, "learn": False}],
        "hello_time": 3,
        "forward_delay": 20,
        "max_addresses": 200,
        "timeout": 60,
    }
    made = thrice(kernel, "bridge0", bridge=wanted)
    assert "join shmif1 to bridge0" in made["changes"]
    assert "set -learn, stp, priority 100, path_cost 20 for shmif1 in bridge0" in made["changes"]
    held = kernel.interfaces.bridge("bridge0")
    assert (held.hello_time, held.forward_delay, held.max_addresses, held.timeout) == (3, 20, 200, 60)
    assert (held.priority, held.max_age) == (4096, 10)
    found = member(kernel, "shmif1")
    assert (found.flags, found.priority, found.path_cost) == (IFBIF.DISCOVER | IFBIF.STP, 100, 20)

    made = thrice(kernel, "bridge0", bridge={"members": [{"name": "shmif1", "stp": False}], "purge": True})
    assert [found.name for found in kernel.interfaces.bridge_members("bridge0")] == ["shmif1"]
    assert (member(kernel, "shmif1").path_cost, member(kernel, "shmif1").flags) == (20, IFBIF.DISCOVER)
    assert IFF.PROMISC not in flags(kernel, "shmif0")

    thrice(kernel, "bridge0", bridge={"members": [], "purge": True})
    assert kernel.interfaces.bridge_members("bridge0") == []
    ifconfig(kernel, "bridge0", bridge={"members": ["shmif0"]})
    thrice(kernel, "bridge0", state="absent")
    assert kernel.interfaces.get("bridge0") is None
    assert IFF.PROMISC not in flags(kernel, "shmif0")


def test_a_bridge_gets_its_mtu_before_its_members(kernel: Kernel) -> None:
    ifconfig(kernel, "shmif0", mtu=1400)
    result = refused(kernel, rump_ifconfig, name="bridge0", bridge={"members": ["shmif0"]})
    assert "shmif0 has the mtu 1400, and bridge0 1500: give both the same" in result["msg"]
    assert kernel.interfaces.get("bridge0") is None
    made = thrice(kernel, "bridge0", mtu=1400, bridge={"members": ["shmif0"]})
    assert made["changes"][1:3] == ["set the mtu of bridge0 to 1400", "join shmif0 to bridge0"]


def test_a_member_that_is_in_another_bridge(kernel: Kernel) -> None:
    ifconfig(kernel, "bridge0", bridge={"members": ["shmif0"]})
    result = refused(kernel, rump_ifconfig, name="bridge1", bridge={"members": ["shmif1", "shmif0"]})
    assert "bridge: shmif0 is a member of bridge0: take it out there first" in result["msg"]
    assert (result["call"], result["errno"], result["changed"]) == ("BRDGADD", "EBUSY", False)
    assert kernel.interfaces.get("bridge1") is None
    ifconfig(kernel, "bridge0", bridge={"members": [], "purge": True})
    thrice(kernel, "bridge1", bridge={"members": ["shmif1", "shmif0"]})


@pytest.mark.parametrize(("name", "errno"), [("shmif9", "ENOENT"), ("lo0", "EINVAL"), ("gif0", "EINVAL")])
def test_what_a_bridge_cannot_join(kernel: Kernel, name: str, errno: str) -> None:
    kernel.interfaces.create("gif0")
    result = refused(kernel, rump_ifconfig, name="bridge0", bridge={"members": [name]})
    assert (result["call"], result["object"], result["errno"]) == ("BRDGADD", f"bridge0 {name}", errno)
    assert not result["changed"]


def test_members_that_were_destroyed(kernel: Kernel) -> None:
    ifconfig(kernel, "bridge0", bridge={"members": ["shmif0", "shmif1"]})
    ifconfig(kernel, "shmif1", state="absent")
    assert [found["name"] for found in shown(kernel, "bridge0")["bridge"]["members"]] == ["shmif0"]


def test_a_filter_that_the_kernel_does_not_have(kernel: Kernel) -> None:
    ifconfig(kernel, "bridge0")
    assert not ifconfig(kernel, "bridge0", bridge={"filter": False})["changed"]
    result = refused(kernel, rump_ifconfig, name="bridge0", bridge={"filter": True})
    assert "the kernel was built without the filter for bridges" in result["msg"]


# gif


def test_a_tunnel_is_made_changed_and_removed(kernel: Kernel) -> None:
    ends = {"source": "192.0.2.1", "destination": "203.0.113.1"}
    made = thrice(
        kernel,
        "gif0",
        tunnel=ends,
        addresses=[
            {"address": "10.0.0.1/30", "destination": "10.0.0.2"},
            {"address": "2001:db8:9::1/128", "destination": "2001:db8:9::2"},
        ],
        mtu=1400,
    )
    assert made["changes"] == [
        "create gif0",
        "set the tunnel of gif0 to 192.0.2.1 --> 203.0.113.1",
        "set the mtu of gif0 to 1400",
        "add 10.0.0.1/30 to gif0 (destination 10.0.0.2)",
        "add 2001:db8:9::1/128 to gif0 (destination 2001:db8:9::2)",
    ]
    assert made["interface"]["tunnel"] == ends
    assert IFF.RUNNING in flags(kernel, "gif0")
    details = {entry["address"]: entry for entry in made["interface"]["address_details"]}
    assert details["10.0.0.1/30"]["destination"] == "10.0.0.2"
    assert details["2001:db8:9::1/128"]["destination"] == "2001:db8:9::2"

    made = thrice(
        kernel,
        "gif0",
        tunnel={"source": "2001:db8::1", "destination": "2001:db8::2"},
        addresses=[{"address": "10.0.0.1/30", "destination": "10.0.0.3"}],
    )
    assert "remove 10.0.0.1/30 from gif0" in made["changes"]
    found = kernel.interfaces.tunnel("gif0")
    assert found == Tunnel(ipaddress.IPv6Address("2001:db8::1"), ipaddress.IPv6Address("2001:db8::2"))
    assert not ifconfig(kernel, "gif0", addresses=["10.0.0.1/30"])["changed"]

    thrice(kernel, "gif0", tunnel={})
    assert kernel.interfaces.tunnel("gif0") is None
    assert IFF.RUNNING not in flags(kernel, "gif0")
    thrice(kernel, "gif0", state="absent")


def test_two_tunnels_with_the_same_ends(kernel: Kernel) -> None:
    ends = {"source": "192.0.2.1", "destination": "203.0.113.1"}
    ifconfig(kernel, "gif0", tunnel=ends)
    result = refused(kernel, rump_ifconfig, name="gif1", tunnel=ends)
    assert "gif0 has the tunnel 192.0.2.1 --> 203.0.113.1 already" in result["msg"]
    assert (result["errno"], result["changed"]) == ("EADDRNOTAVAIL", False)
    assert kernel.interfaces.get("gif1") is None


# agr


def test_an_agr_is_made_changed_and_removed(kernel: Kernel) -> None:
    made = thrice(kernel, "agr0", agr={"ports": ["shmif0"]}, addresses=["10.3.0.1/24"])
    assert made["changes"] == ["create agr0", "join shmif0 to agr0", "add 10.3.0.1/24 to agr0"]
    assert kernel.interfaces.ports("agr0") == ["shmif0"]
    assert addresses(kernel, "agr0") == ["10.3.0.1/24"]
    port = kernel.interfaces.get("shmif0")
    assert port is not None
    assert made["interface"]["lladdr"] == port.link_address.hex(":")
    assert made["interface"]["agr"] == {"ports": ["shmif0"]}

    thrice(kernel, "agr0", agr={"ports": ["shmif1"]})
    assert kernel.interfaces.ports("agr0") == ["shmif0", "shmif1"]
    thrice(kernel, "agr0", agr={"ports": ["shmif1"], "purge": True})
    assert kernel.interfaces.ports("agr0") == ["shmif1"]

    made = thrice(kernel, "agr0", state="absent")
    assert made["changes"] == ["take shmif1 out of agr0", "destroy agr0"]
    assert kernel.interfaces.get("agr0") is None


@pytest.mark.parametrize(
    ("port", "errno", "text"),
    [
        ("shmif9", "ENOENT", "there is no interface shmif9"),
        ("shmif0", "EBUSY", "shmif0 is a port of agr0: take it out there first"),
        ("shmif1", "EBUSY", "shmif1 has addresses, "),
        ("gif0", "EPROTONOSUPPORT", "gif0 is no Ethernet"),
    ],
)
def test_what_is_no_port(kernel: Kernel, port: str, errno: str, text: str) -> None:
    kernel.interfaces.create("gif0")
    ifconfig(kernel, "agr0", agr={"ports": ["shmif0"]})
    ifconfig(kernel, "shmif1", addresses=["10.3.0.1/24"])
    result = refused(kernel, rump_ifconfig, name="agr1", agr={"ports": [port]})
    assert text in result["msg"]
    assert (result["call"], result["errno"], result["changed"]) == ("SIOCSETAGR", errno, False)
    assert kernel.interfaces.get("agr1") is None


# All


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"name": "shmif0", "vlan": 7}, "vlan: it is for interfaces of the kind vlan"),
        ({"name": "vlan0", "vlan": 4096, "vlanif": "shmif0"}, "vlan: 4096 is no tag"),
        ({"name": "vlan0", "vlan": 4, "vlanif": "vlan0"}, "vlanif: vlan0 cannot be on itself"),
        ({"name": "vlan0", "vlan": 4, "vlanif": ""}, "vlan: an interface on no parent"),
        ({"name": "vlan0", "vlanif": "shmif0"}, "vlanif: vlan0 has no tag"),
        ({"name": "gif0", "tunnel": {"source": "1.2.3.4"}}, "tunnel: destination None is no IP address"),
        ({"name": "gif0", "tunnel": {"source": "1.2.3.4", "destination": "::1"}}, "tunnel: its ends are of two"),
        ({"name": "shmif0", "tunnel": {}}, "tunnel: it is for interfaces of the kind gif"),
        ({"name": "shmif0", "agr": {"ports": []}}, "agr: it is for interfaces of the kind agr"),
        ({"name": "agr0", "agr": {"ports": ["x"]}}, "agr: 'x' is no interface's name"),
        ({"name": "shmif0", "bridge": {}}, "bridge: it is for interfaces of the kind bridge"),
        ({"name": "bridge0", "bridge": {"priority": 65536}}, "bridge: priority 65536 is out of range"),
        ({"name": "bridge0", "bridge": {"hello_time": 0}}, "bridge: hello_time 0 is out of range"),
        ({"name": "bridge0", "bridge": {"members": [{"name": "shmif0", "cost": 1}]}}, "cost is not known"),
        ({"name": "bridge0", "bridge": {"members": [{"name": "shmif0", "path_cost": 256}]}}, "path_cost 256 is out"),
        ({"name": "bridge0", "bridge": {"members": [{"name": "shmif0", "stp": "maybe"}]}}, "stp is true or false"),
        ({"name": "bridge0", "bridge": {"members": ["shmif0", {"name": "shmif0", "stp": True}]}}, "asked for twice"),
    ],
)
def test_bad_options(kernel: Kernel, options: dict[str, Any], text: str) -> None:
    held = kernel.interfaces.all()
    result = refused(kernel, rump_ifconfig, **options)
    assert text in result["msg"]
    assert not result["changed"]
    assert kernel.interfaces.all() == held


@pytest.mark.parametrize("name", ["vlan0", "gif0", "agr0", "tap0"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_kind_without_its_component(backend: str, name: str, tmp_path: Path) -> None:
    with running(backend, tmp_path) as started, connect(started.url) as kernel:
        result = refused(kernel, rump_ifconfig, name=name)
    assert result["errno"] == "EINVAL"
    assert f"rumpnet_{name[:-1]}" in result["msg"]


@with_utilities
def test_rumpctrls_utilities_show_what_was_asked_for(server: Server, kernel: Kernel) -> None:
    if server.backend != "rump_server":
        pytest.skip("rumpctrl's utilities are asked about the real kernel")
    url = server.url
    ifconfig(kernel, "vlan0", vlan=7, vlanif="shmif0")
    assert "vlan: 7 parent: shmif0" in utility(url, "ifconfig", "vlan0")
    utility(url, "ifconfig", "vlan0", "-vlanif", "shmif0")
    assert shown(kernel, "vlan0")["vlanif"] is None
    utility(url, "ifconfig", "vlan0", "vlan", "9", "vlanif", "shmif1")
    assert (shown(kernel, "vlan0")["vlan"], shown(kernel, "vlan0")["vlanif"]) == (9, "shmif1")

    ifconfig(kernel, "gif0", tunnel={"source": "192.0.2.1", "destination": "192.0.2.2"})
    assert "tunnel inet 192.0.2.1 --> 192.0.2.2" in utility(url, "ifconfig", "gif0")
    utility(url, "ifconfig", "gif0", "inet6", "tunnel", "2001:db8::1", "2001:db8::2")
    assert shown(kernel, "gif0")["tunnel"] == {"source": "2001:db8::1", "destination": "2001:db8::2"}
    utility(url, "ifconfig", "gif0", "deletetunnel")
    assert shown(kernel, "gif0")["tunnel"] is None

    ifconfig(kernel, "agr0", agr={"ports": ["shmif0"]})
    assert "agrport: shmif0" in utility(url, "ifconfig", "agr0")
    utility(url, "ifconfig", "agr0", "-agrport", "shmif0")
    assert shown(kernel, "agr0")["agr"] == {"ports": []}


@with_utilities
def test_rumpctrls_brconfig_shows_what_was_asked_for(server: Server, kernel: Kernel) -> None:
    if server.backend != "rump_server":
        pytest.skip("rumpctrl's utilities are asked about the real kernel")
    url = server.url
    wanted = {
        "members": [{"name": "shmif0", "stp": True, "priority": 100, "path_cost": 30}],
        "priority": 4096,
        "hello_time": 3,
        "max_addresses": 200,
        "timeout": 600,
    }
    ifconfig(kernel, "bridge0", bridge=wanted)
    told = utility(url, "brconfig", "bridge0")
    assert "priority 4096 hellotime 3 fwddelay 15 maxage 20" in told
    assert "shmif0 flags=7<LEARNING,DISCOVER,STP>" in told
    assert "port 2 priority 100 path cost 30" in told
    assert "max cache: 200, timeout: 600" in told
    utility(url, "brconfig", "bridge0", "add", "shmif1", "-learn", "shmif1", "maxage", "9", "delete", "shmif0")
    found = shown(kernel, "bridge0")["bridge"]
    assert (found["max_age"], [entry["name"] for entry in found["members"]]) == (9, ["shmif1"])
    assert not found["members"][0]["learn"]
