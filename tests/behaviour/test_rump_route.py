# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_route and rump_route_info on a kernel: create, change and remove, each in check mode, for real, and again."""

from __future__ import annotations

import ipaddress
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.routes import Route
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import RTF
from ansible_collections.rumpkernel.rump.plugins.modules import rump_route, rump_route_info
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running
from ansible_collections.rumpkernel.rump.tests.support.modules import refused, run_module
from ansible_collections.rumpkernel.rump.tests.support.networks import attach, changing_calls, utility, with_utilities


@pytest.fixture
def network(kernel: Kernel, tmp_path: Path) -> Kernel:
    """A kernel with an interface on a bus."""
    attach(kernel, tmp_path / "bus", "10.0.0.1/24", "2001:db8::1/64")
    return kernel


def route(kernel: Kernel, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return run_module(kernel, rump_route, check_mode, **options)


def held(kernel: Kernel, dest: str) -> Route | None:
    """The route to a destination, from the façade."""
    return next((found for found in kernel.routes.all() if str(found).removesuffix(" (IPv6)") == dest), None)


def table(kernel: Kernel) -> list[Any]:
    """All that the table holds, but for how often and until when the kernel itself uses the routes."""
    return [
        (str(found), found.gateway, found.interface, found.flags, found.metrics["mtu"]) for found in kernel.routes.all()
    ]


def thrice(kernel: Kernel, **options: Any) -> dict[str, Any]:
    """Check, run, check and run again; the real run's result."""
    before = table(kernel)
    calls = changing_calls(kernel)
    foretold = route(kernel, check_mode=True, **options)
    assert foretold["changed"]
    assert changing_calls(kernel) == calls
    assert table(kernel) == before, "check mode changed the kernel"
    made = route(kernel, **options)
    assert made["changed"]
    assert not calls or changing_calls(kernel) > calls
    assert made["changes"] == foretold["changes"]
    assert made["diff"] == foretold["diff"]
    assert table(kernel) != before
    after = table(kernel)
    calls = changing_calls(kernel)
    for check_mode in (True, False):
        again = route(kernel, check_mode=check_mode, **options)
        assert not again["changed"], again
        assert "diff" not in again
        assert again["route"] == made["route"]
    assert table(kernel) == after
    assert changing_calls(kernel) == calls
    return made


@pytest.mark.parametrize(
    ("dest", "gateway", "other"),
    [
        ("10.9.0.0/16", "10.0.0.254", "10.0.0.253"),
        ("10.8.1.1", "10.0.0.254", "10.0.0.253"),
        ("default", "10.0.0.254", "10.0.0.253"),
        ("2001:db8:9::/48", "2001:db8::fe", "2001:db8::fd"),
        ("2001:db8:8::1", "2001:db8::fe", "2001:db8::fd"),
        ("default", "2001:db8::fe", "fe80::fe%shmif0"),
    ],
)
def test_create_change_remove(network: Kernel, dest: str, gateway: str, other: str) -> None:
    family = "inet6" if ":" in gateway else "inet"
    made = thrice(network, dest=dest, gateway=gateway, mtu=1400)
    assert made["route"] == {
        "state": "present",
        "dest": dest,
        "family": family,
        "gateway": gateway,
        "interface": "shmif0",
        "flags": ["up", "gateway", *(["host"] if "/" not in dest and dest != "default" else []), "static"],
        "mtu": 1400,
        "expire": 0,
    }
    found = held(network, dest)
    assert found is not None
    assert (str(found.gateway), found.interface, found.metrics["mtu"]) == (gateway, "shmif0", 1400)

    changed = thrice(network, dest=dest, gateway=other, mtu=1300)
    assert len(changed["changes"]) == 1
    assert changed["changes"][0].startswith("change the route")
    assert changed["diff"]["before"]["gateway"] == gateway
    assert changed["diff"]["after"]["gateway"] == other
    found = held(network, dest)
    assert found is not None
    assert (str(found.gateway), found.metrics["mtu"]) == (other, 1300)

    gone = thrice(network, dest=dest, family=family, state="absent")
    assert gone["route"] == {"state": "absent"}
    assert held(network, dest) is None


def test_what_is_not_named_stays(network: Kernel) -> None:
    route(network, dest="10.9.0.0/16", gateway="10.0.0.254", mtu=1400, flags=["static", "proto1"])
    changed = thrice(network, dest="10.9.0.0/16", gateway="10.0.0.253")
    assert changed["route"]["mtu"] == 1400
    assert "proto1" in changed["route"]["flags"]
    changed = thrice(network, dest="10.9.0.0/16", mtu=0)
    assert changed["route"]["gateway"] == "10.0.0.253"
    changed = thrice(network, dest="10.9.0.0/16", flags=[])
    assert changed["route"]["flags"] == ["up", "gateway"]


def test_expiry(network: Kernel) -> None:
    moment = int(time.time()) + 3600
    made = route(network, dest="10.9.0.0/16", gateway="10.0.0.254", expire=moment)
    assert abs(made["route"]["expire"] - moment) <= 1
    assert not route(network, dest="10.9.0.0/16", expire=moment)["changed"]
    assert route(network, dest="10.9.0.0/16", expire=moment + 60)["changed"]
    assert route(network, dest="10.9.0.0/16", expire=0)["route"]["expire"] == 0


@pytest.mark.parametrize(("dest", "address"), [("10.7.0.0/16", "10.0.0.254"), ("2001:db8:7::/48", "2001:db8::fe")])
def test_a_network_on_the_link(network: Kernel, dest: str, address: str) -> None:
    made = thrice(network, dest=dest, interface="shmif0")
    assert made["route"]["gateway"] is None
    assert made["route"]["interface"] == "shmif0"
    assert "gateway" not in made["route"]["flags"]
    changed = thrice(network, dest=dest, gateway=address)
    assert changed["changes"][0].startswith("replace the route")
    assert thrice(network, dest=dest, interface="shmif0")["route"]["gateway"] is None
    thrice(network, dest=dest, state="absent")


@pytest.mark.parametrize("flag", ["reject", "blackhole"])
@pytest.mark.parametrize("dest", ["10.6.0.0/16", "2001:db8:6::/48"])
def test_packets_that_go_nowhere(network: Kernel, flag: str, dest: str) -> None:
    made = thrice(network, dest=dest, flags=["static", flag])
    assert {"up", "static", flag} <= set(made["route"]["flags"])
    found = held(network, dest)
    assert found is not None
    assert found.flags & {"reject": RTF.REJECT, "blackhole": RTF.BLACKHOLE}[flag]
    gateway = "2001:db8::fe" if ":" in dest else "10.0.0.254"
    changed = thrice(network, dest=dest, flags=["static"], gateway=gateway)
    assert changed["route"]["interface"] == "shmif0"
    assert changed["route"]["flags"] == ["up", "gateway", "static"]
    assert changed["route"]["mtu"] == 0


@pytest.mark.parametrize("family", ["inet", "inet6"])
def test_a_default_route_on_the_link(network: Kernel, family: str) -> None:
    made = thrice(network, dest="default", family=family, interface="shmif0")
    assert (made["route"]["dest"], made["route"]["family"], made["route"]["gateway"]) == ("default", family, None)
    found = [route for route in network.routes.all() if not route.destination.prefixlen]
    assert [route.destination.version for route in found] == [4 if family == "inet" else 6]
    thrice(network, dest="0.0.0.0/0" if family == "inet" else "::/0", state="absent")


def test_link_local_destinations_and_gateways(network: Kernel, tmp_path: Path) -> None:
    attach(network, tmp_path / "bus1", "2001:db8:1::1/64", interface="shmif1")
    made = thrice(network, dest="2001:db8:9::/48", gateway="fe80::fe", interface="shmif1")
    assert made["route"]["gateway"] == "fe80::fe%shmif1"
    assert made["route"]["interface"] == "shmif1"
    changed = thrice(network, dest="2001:db8:9::/48", gateway="fe80::fe%shmif0")
    assert changed["route"]["interface"] == "shmif0"
    thrice(network, dest="fe80::9%shmif1", gateway="fe80::fe%shmif1")
    assert held(network, "fe80::9%shmif1") is not None
    assert held(network, "fe80::9%shmif0") is None
    assert not route(network, dest="fe80::9", interface="shmif0", state="absent")["changed"]
    thrice(network, dest="fe80::9", interface="shmif1", state="absent")


def test_a_gateway_that_cannot_be_reached(network: Kernel) -> None:
    before = table(network)
    result = refused(network, rump_route, dest="10.9.0.0/16", gateway="192.0.2.1")
    assert (result["call"], result["object"], result["errno"]) == ("RTM_ADD", "10.9.0.0/16", "ENETUNREACH")
    assert "no interface is on a network with 192.0.2.1" in result["msg"]
    assert not result["changed"]
    assert table(network) == before
    # A default route does not make it a neighbour.
    route(network, dest="default", gateway="10.0.0.254")
    assert refused(network, rump_route, dest="10.9.0.0/16", gateway="192.0.2.1")["errno"] == "ENETUNREACH"
    # In check mode an earlier task may have said that it would make it reachable.
    assert route(network, check_mode=True, dest="10.9.0.0/16", gateway="192.0.2.1")["changed"]


def test_a_change_to_a_gateway_that_cannot_be_reached_changes_nothing(network: Kernel) -> None:
    route(network, dest="10.9.0.0/16", gateway="10.0.0.254")
    before = table(network)
    assert refused(network, rump_route, dest="10.9.0.0/16", gateway="192.0.2.1", mtu=1300)["errno"] == "ENETUNREACH"
    assert table(network) == before


def test_an_interface_that_does_not_exist(network: Kernel) -> None:
    before = table(network)
    for options in (
        {"dest": "10.9.0.0/16", "interface": "shmif7"},
        {"dest": "10.9.0.0/16", "interface": "shmif7", "gateway": "10.0.0.254"},
        {"dest": "2001:db8:9::/48", "gateway": "fe80::1%shmif7"},
    ):
        result = refused(network, rump_route, **options)
        assert result["errno"] == "ENXIO"
        assert "interface: there is no interface shmif7 (ENXIO): create it first" in result["msg"]
    assert table(network) == before


def test_a_route_that_is_refused_when_it_is_replaced_stays(network: Kernel) -> None:
    """lo0 has no address that leads to the gateway, which only the kernel knows."""
    route(network, dest="10.7.0.0/16", interface="shmif0", mtu=1400)
    network.interfaces.create("shmif1")
    before = table(network)
    result = refused(network, rump_route, dest="10.7.0.0/16", gateway="10.99.0.1", interface="shmif1")
    assert result["errno"] == "ENETUNREACH"
    assert table(network) == before


def test_own_addresses_keep_their_routes(network: Kernel) -> None:
    for dest in ("10.0.0.1", "2001:db8::1", "127.0.0.1"):
        result = refused(network, rump_route, dest=dest, state="absent")
        assert "comes and goes with the address" in result["msg"]
        assert held(network, dest) is not None
    assert "own" in refused(network, rump_route, dest="10.0.0.1", gateway="10.0.0.254")["msg"]


@pytest.mark.parametrize(
    ("options", "option", "text"),
    [
        ({"dest": "10.0.0/8"}, "dest", "no destination"),
        ({"dest": "10.0.0.0/33"}, "dest", "0 to 32"),
        ({"dest": "10.0.0.1/8"}, "dest", "an address in the network 10.0.0.0/8"),
        ({"dest": "fe80::/64"}, "dest", "is link-local"),
        ({"dest": "10.0.0.0/8%shmif0"}, "dest", "0 to 32"),
        ({"dest": "10.0.0.0%shmif0/8"}, "dest", "only a link-local destination"),
        ({"dest": "10.0.0.0/8", "family": "inet6"}, "dest", "family is inet6"),
        ({"dest": "10.0.0.0/8", "gateway": "2001:db8::1"}, "gateway", "is of IPv6"),
        ({"dest": "10.0.0.0/8", "gateway": "router"}, "gateway", "no IP address"),
        ({"dest": "2001:db8::/32", "gateway": "fe80::1"}, "gateway", "is link-local"),
        ({"dest": "2001:db8::/32", "gateway": "fe80::1%shmif0", "interface": "shmif1"}, "gateway", "the link of"),
        ({"dest": "10.0.0.0/8"}, "gateway", "give the gateway"),
        ({"dest": "10.0.0.0/8", "interface": "../0"}, "interface", "no interface's name"),
        ({"dest": "10.0.0.0/8", "gateway": "10.0.0.254", "mtu": -1}, "mtu", "out of range"),
        ({"dest": "10.0.0.0/8", "interface": "shmif0", "expire": 1}, "expire", "only a route by a gateway"),
        ({"dest": "10.0.0.0/8", "flags": ["reject", "blackhole"]}, "flags", "rejects its packets or swallows"),
    ],
)
def test_bad_options(network: Kernel, options: dict[str, Any], option: str, text: str) -> None:
    before = table(network)
    result = refused(network, rump_route, **options)
    assert f"{option}: " in result["msg"]
    assert text in result["msg"]
    assert not result["changed"]
    assert table(network) == before


def test_cloning_is_for_releases_that_have_it(network: Kernel) -> None:
    options = {"dest": "10.7.0.0/16", "interface": "shmif0", "flags": ["static", "cloning"]}
    if network.abi.release < (7, 99, 28):
        assert "cloning" in thrice(network, **options)["route"]["flags"]
    else:
        assert "no cloning routes" in refused(network, rump_route, **options)["msg"]


def test_the_table_and_the_way_to_an_address(network: Kernel) -> None:
    route(network, dest="default", gateway="10.0.0.254")
    route(network, dest="10.9.0.0/16", gateway="10.0.0.253", mtu=1400)
    route(network, dest="2001:db8:9::/48", gateway="fe80::fe%shmif0")
    found = run_module(network, rump_route_info)["routes"]
    assert not run_module(network, rump_route_info)["changed"]
    by_dest = {entry["dest"]: entry for entry in found}
    assert {"default", "10.0.0.0/24", "10.9.0.0/16", "127.0.0.1", "2001:db8::/64", "fe80::%shmif0/64"} <= set(by_dest)
    assert by_dest["10.9.0.0/16"]["source"] == "10.0.0.1"
    assert by_dest["10.9.0.0/16"]["mtu"] == 1400
    six = run_module(network, rump_route_info, family="inet6")["routes"]
    assert {entry["family"] for entry in six} == {"inet6"}
    assert [entry["dest"] for entry in six] == [entry["dest"] for entry in found if entry["family"] == "inet6"]

    for address, dest, interface in (
        ("10.9.3.3", "10.9.0.0/16", "shmif0"),
        ("198.51.100.1", "default", "shmif0"),
        ("10.0.0.1", "10.0.0.1", "lo0"),
        ("10.0.0.77", "10.0.0.0/24", "shmif0"),
        ("2001:db8:9::7", "2001:db8:9::/48", "shmif0"),
        ("fe80::7%shmif0", "fe80::%shmif0/64", "shmif0"),
    ):
        way = run_module(network, rump_route_info, dest=address)["route"]
        assert (way["dest"], way["interface"]) == (dest, interface)
    assert run_module(network, rump_route_info, dest="2600::1")["route"] is None
    assert run_module(network, rump_route_info, dest="10.9.3.3")["route"]["gateway"] == "10.0.0.253"


def test_questions_among_the_noise_of_others(network: Kernel) -> None:
    """Each question is answered on a socket of its own: what other changes say in between does not matter."""
    for number in range(60):
        route(network, dest=f"10.{number}.128.0/17", gateway="10.0.0.254")
    assert run_module(network, rump_route_info, dest="10.59.128.1")["route"]["dest"] == "10.59.128.0/17"


def test_more_routes_than_room_is_made_for_at_first(network: Kernel) -> None:
    """The kernel then tells what it gave, and not what there is."""
    gateway = ipaddress.ip_address("10.0.0.254")
    flags = int(RTF.UP | RTF.GATEWAY | RTF.STATIC)
    for number in range(150):
        network.routes.add(Route(ipaddress.ip_network(f"172.16.{number}.0/24"), gateway, flags=flags))
    found = [found for found in network.routes.all() if str(found).startswith("172.16.")]
    assert len(found) == 150


@pytest.mark.parametrize("backend", BACKENDS)
def test_kernels_without_a_family_or_a_network(backend: str, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    components = ["rumpvfs", "rumpnet", "rumpnet_net", "rumpnet_netinet", "rumpnet_shmif"]
    with running(backend, tmp_path, components=components) as server, connect(server.url) as kernel:
        record_property("backend", server.description)
        result = refused(kernel, rump_route, dest="2001:db8:9::/48", gateway="2001:db8::1")
        assert result["errno"] == "EAFNOSUPPORT"
        assert "rumpnet_netinet6" in result["msg"]
        assert run_module(kernel, rump_route_info)["routes"][0]["family"] == "inet"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_kernel_without_networking_names_the_component(backend: str, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    with running(backend, tmp_path, components=["rumpvfs"]) as server, connect(server.url) as kernel:
        record_property("backend", server.description)
        assert "rumpnet" in refused(kernel, rump_route, dest="10.9.0.0/16", gateway="10.0.0.254")["msg"]
        assert "rumpnet" in refused(kernel, rump_route_info)["msg"]
        assert "rumpnet" in refused(kernel, rump_route_info, dest="10.0.0.1")["msg"]


@with_utilities
def test_rumpctrls_route_shows_what_was_asked_for(server: Server, network: Kernel) -> None:
    if server.backend != "rump_server":
        pytest.skip("rumpctrl's utilities are asked about the real kernel")
    route(network, dest="10.9.0.0/16", gateway="10.0.0.254", mtu=1400)
    route(network, dest="10.8.1.1", gateway="10.0.0.253")
    route(network, dest="10.6.0.0/16", flags=["static", "reject"])
    route(network, dest="default", gateway="10.0.0.254")
    route(network, dest="2001:db8:9::/48", gateway="fe80::fe%shmif0")
    shown = utility(server.url, "route", "-n", "show").splitlines()
    # It never prints the S of RTF_STATIC, not even for its own routes.
    lines = {line.split()[0]: line.split()[1:] for line in shown if len(line.split()) > 4}
    assert lines["default"][:2] == ["10.0.0.254", "UG"]
    assert lines["10.9/16"][:2] == ["10.0.0.254", "UG"]
    assert "1400" in lines["10.9/16"]
    assert lines["10.8.1.1"][:2] == ["10.0.0.253", "UGH"]
    assert lines["10.6/16"][:2] == ["127.0.0.1", "UGR"]
    assert lines["2001:db8:9::/48"][0] == "fe80::fe"
    utility(server.url, "route", "change", "-net", "10.9.0.0/16", "10.0.0.252", "-mtu", "1300")
    utility(server.url, "route", "add", "-net", "10.5.0.0/16", "10.0.0.252")
    by_dest = {entry["dest"]: entry for entry in run_module(network, rump_route_info)["routes"]}
    assert (by_dest["10.9.0.0/16"]["gateway"], by_dest["10.9.0.0/16"]["mtu"]) == ("10.0.0.252", 1300)
    assert not route(network, dest="10.5.0.0/16", gateway="10.0.0.252")["changed"]
