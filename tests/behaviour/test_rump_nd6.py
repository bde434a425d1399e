# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_nd6 on a kernel: options set and taken back, each in check mode, for real, and again; routers that are heard."""

from __future__ import annotations

import ipaddress
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.nd6 import InterfaceOptions
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import (
    AF,
    IFF,
    IPPROTO,
    IPV6,
    ND6_IFF,
    SOCK,
)
from ansible_collections.rumpkernel.rump.plugins.modules import rump_nd6
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running
from ansible_collections.rumpkernel.rump.tests.support.modules import refused, run_module
from ansible_collections.rumpkernel.rump.tests.support.networks import attach, changing_calls, utility, with_utilities

PATIENCE = 10.0


@pytest.fixture
def network(kernel: Kernel, tmp_path: Path) -> Kernel:
    """A kernel with an interface on a bus."""
    attach(kernel, tmp_path / "bus", "2001:db8::1/64")
    return kernel


def nd6(kernel: Kernel, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return run_module(kernel, rump_nd6, check_mode, interface="shmif0", **options)


def held(kernel: Kernel) -> InterfaceOptions:
    return kernel.nd6.options("shmif0")


def thrice(kernel: Kernel, **options: Any) -> dict[str, Any]:
    """Check, run, check and run again; the real run's result."""
    before = held(kernel)
    calls = changing_calls(kernel)
    foretold = nd6(kernel, check_mode=True, **options)
    assert foretold["changed"]
    assert changing_calls(kernel) == calls
    assert held(kernel) == before, "check mode changed the kernel"
    made = nd6(kernel, **options)
    assert made["changed"]
    assert not calls or changing_calls(kernel) > calls
    assert made["changes"] == foretold["changes"]
    assert made["diff"] == foretold["diff"]
    assert made["nd6"] == foretold["nd6"]
    after = held(kernel)
    calls = changing_calls(kernel)
    for check_mode in (True, False):
        again = nd6(kernel, check_mode=check_mode, **options)
        assert not again["changed"], again
        assert "diff" not in again
        assert again["nd6"] == made["nd6"]
    assert held(kernel) == after
    assert changing_calls(kernel) == calls
    return made


def test_what_is_there(network: Kernel) -> None:
    found = nd6(network)
    assert not found["changed"]
    assert found["nd6"]["nud"]
    assert found["nd6"]["auto_linklocal"]
    assert not found["nd6"]["ifdisabled"]
    assert (found["nd6"]["base_reachable"], found["nd6"]["retransmit"], found["nd6"]["hop_limit"]) == (30000, 1000, 64)
    if network.abi.release < (9, 99, 66):
        assert found["nd6"]["accept_rtadv"]
        assert found["routers"] == []
        assert all(entry["routers"] == [] and entry["valid"] is None for entry in found["prefixes"])
        assert {(entry["prefix"], entry["interface"]) for entry in found["prefixes"]} == {
            ("2001:db8::/64", "shmif0"),
            ("fe80::/64", "shmif0"),
            ("fe80::/64", "lo0"),
        }
    else:
        assert "routers" not in found
        assert "prefixes" not in found


def test_set_change_take_back(network: Kernel) -> None:
    made = thrice(network, prefer_source=True, nud=False, hop_limit=32, base_reachable=20000)
    told = "clear nud, set prefer_source, base_reachable 30000 to 20000, hop_limit 64 to 32"
    assert made["changes"] == [f"change the IPv6 options of shmif0: {told}"]
    found = held(network)
    assert found.flags & ND6_IFF.PREFER_SOURCE
    assert not found.flags & ND6_IFF.PERFORMNUD
    assert (found.hop_limit, found.base_reachable, found.retransmit) == (32, 20000, 1000)
    thrice(network, hop_limit=16, retransmit=500)
    found = held(network)
    assert (found.hop_limit, found.base_reachable, found.retransmit) == (16, 20000, 500)
    assert found.flags & ND6_IFF.PREFER_SOURCE
    thrice(network, prefer_source=False, nud=True, hop_limit=64, base_reachable=30000, retransmit=1000)
    assert network.nd6.options("lo0").hop_limit == 64


def test_ipv6_off_and_on_again(network: Kernel) -> None:
    thrice(network, ifdisabled=True)
    assert held(network).flags & ND6_IFF.IFDISABLED
    thrice(network, disabled=False)
    assert not held(network).flags & ND6_IFF.IFDISABLED


def test_a_link_local_address_when_it_is_wished_for(kernel: Kernel, tmp_path: Path) -> None:
    kernel.interfaces.create("shmif0")
    thrice(kernel, auto_linklocal=False)
    kernel.interfaces.set_linkstr("shmif0", str(tmp_path / "bus"))
    kernel.interfaces.set_flags("shmif0", kernel.interfaces.flags("shmif0") | IFF.UP)
    found = kernel.interfaces.get("shmif0")
    assert found is not None
    assert found.addresses == ()
    thrice(kernel, auto_linklocal=True)
    found = kernel.interfaces.get("shmif0")
    assert found is not None
    assert [address.interface.is_link_local for address in found.addresses] == [True]


def test_what_is_about_routers(network: Kernel) -> None:
    if network.abi.release < (9, 99, 66):
        made = thrice(network, accept_rtadv=False, override_rtadv=True)
        assert (made["nd6"]["accept_rtadv"], made["nd6"]["override_rtadv"]) == (False, True)
        assert not nd6(network, flush_routers=True, flush_prefixes=True)["changed"]
        return
    for option in ("accept_rtadv", "override_rtadv", "flush_routers", "flush_prefixes"):
        result = refused(network, rump_nd6, interface="shmif0", **{option: True})
        assert f"{option}: kernels of this release leave router advertisements" in result["msg"]


@pytest.mark.parametrize(
    ("options", "option", "text"),
    [
        ({"interface": "shmif"}, "interface", "no interface's name"),
        ({"interface": "shmif0", "hop_limit": 0}, "hop_limit", "1 to 255"),
        ({"interface": "shmif0", "hop_limit": 256}, "hop_limit", "1 to 255"),
        ({"interface": "shmif0", "retransmit": -1}, "retransmit", "out of range"),
        ({"interface": "shmif0", "base_reachable": 1 << 32}, "base_reachable", "out of range"),
    ],
)
def test_bad_options(network: Kernel, options: dict[str, Any], option: str, text: str) -> None:
    before = held(network)
    result = refused(network, rump_nd6, **options)
    assert f"{option}: " in result["msg"]
    assert text in result["msg"]
    assert held(network) == before


def test_flushed_prefixes_leave_the_networks_of_addresses(network: Kernel) -> None:
    """The module only flushes what a router advertised; the library does so always."""
    if not network.nd6.hears_routers:
        pytest.skip("kernels of this release have no list of prefixes")
    before = [(str(found), found.interface, found.flags) for found in network.routes.all(AF.INET6)]
    held_before = network.interfaces.all()
    network.nd6.flush_prefixes()
    assert [(str(found), found.interface, found.flags) for found in network.routes.all(AF.INET6)] == before
    assert network.interfaces.all() == held_before


def test_an_interface_that_does_not_exist(network: Kernel) -> None:
    result = refused(network, rump_nd6, interface="shmif7", nud=False)
    assert (result["call"], result["object"], result["errno"]) == ("SIOCGIFINFO_IN6", "shmif7", "ENXIO")
    assert "interface: there is no interface shmif7 (ENXIO): create it first" in result["msg"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_kernel_without_ipv6_names_the_component(backend: str, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    components = ["rumpvfs", "rumpnet", "rumpnet_net", "rumpnet_netinet", "rumpnet_shmif"]
    with running(backend, tmp_path, components=components) as server, connect(server.url) as kernel:
        record_property("backend", server.description)
        result = refused(kernel, rump_nd6, interface="lo0", nud=False)
        assert result["errno"] == "EAFNOSUPPORT"
        assert "rumpnet_netinet6" in result["msg"]


def advertisement() -> bytes:
    """A router that is one for half an hour, with preference, and a prefix for autoconfiguration (RFC 4861)."""
    head = bytes([134, 0, 0, 0, 64, 0x40 | 0x08]) + (1800).to_bytes(2, "big") + bytes(8)
    prefix = ipaddress.IPv6Address("2001:db8:77::").packed
    return head + bytes([3, 4, 64, 0xC0]) + (7200).to_bytes(4, "big") + (3600).to_bytes(4, "big") + bytes(4) + prefix


@pytest.mark.real_only("router that advertises itself")
def test_routers_that_advertise_themselves(network: Kernel, server: Server, tmp_path: Path) -> None:
    network.sysctl.set("net.inet6.ip6.accept_rtadv", 1)
    nd6(network, accept_rtadv=True, override_rtadv=True)
    folder = tmp_path / "router"
    folder.mkdir()
    with running(server.backend, folder) as other, connect(other.url) as router:
        attach(router, tmp_path / "bus", "2001:db8::fe/64")
        with router.socket(AF.INET6, SOCK.RAW, 58) as sender:
            sender.setsockopt(IPPROTO.IPV6, IPV6.MULTICAST_HOPS, 255)
            deadline = time.monotonic() + PATIENCE
            found: dict[str, Any] = {"routers": []}
            while not found["routers"] and time.monotonic() < deadline:
                sender.sendto(advertisement(), ("ff02::1%shmif0", 0))
                time.sleep(0.05)
                found = nd6(network)
    (heard,) = found["routers"]
    assert heard["address"].startswith("fe80::")
    assert heard["address"].endswith("%shmif0")
    assert (heard["interface"], heard["preference"], heard["lifetime"]) == ("shmif0", "high", 1800)
    assert (heard["managed"], heard["other"]) == (False, True)
    assert abs(heard["expire"] - time.time() - 1800) < 60
    learned = next(entry for entry in found["prefixes"] if entry["prefix"] == "2001:db8:77::/64")
    assert (learned["valid"], learned["preferred"], learned["routers"]) == (7200, 3600, [heard["address"]])
    flushed = nd6(network, check_mode=True, flush_routers=True, flush_prefixes=True)
    assert len(flushed["changes"]) == 2
    assert network.nd6.routers() != []
    assert nd6(network, flush_routers=True, flush_prefixes=True)["changes"] == flushed["changes"]
    assert network.nd6.routers() == []
    # The networks of other addresses are still on the link, which the kernel alone would have forgotten.
    assert [str(found) for found in network.routes.all(AF.INET6) if str(found).startswith("2001:db8::/")] != []
    assert not nd6(network, flush_routers=True, flush_prefixes=True)["changed"]


@with_utilities
def test_rumpctrls_ndp_shows_what_was_asked_for(server: Server, network: Kernel) -> None:
    if server.backend != "rump_server":
        pytest.skip("rumpctrl's utilities are asked about the real kernel")
    nd6(network, prefer_source=True, nud=False, hop_limit=32, base_reachable=20000, retransmit=500)
    shown = utility(server.url, "ndp", "-i", "shmif0")
    assert "curhlim=32" in shown
    assert "basereachable=20s0ms" in shown
    assert "retrans=0s500ms" in shown
    assert "prefer_source" in shown
    assert "nud" not in shown
    utility(server.url, "ndp", "-i", "shmif0", "nud", "-prefer_source")
    found = nd6(network)["nd6"]
    assert (found["nud"], found["prefer_source"]) == (True, False)
