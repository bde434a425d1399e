# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_neighbour on a kernel: create, change and remove, each in check mode, for real, and again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.neighbours import Neighbour
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import AF, SOCK
from ansible_collections.rumpkernel.rump.plugins.modules import rump_neighbour, rump_route
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running
from ansible_collections.rumpkernel.rump.tests.support.modules import refused, run_module
from ansible_collections.rumpkernel.rump.tests.support.networks import attach, changing_calls, utility, with_utilities

PATIENCE = 10.0
ONE, OTHER = "b2:a0:00:00:00:01", "b2:a0:00:00:00:02"


@pytest.fixture
def network(kernel: Kernel, tmp_path: Path) -> Kernel:
    """A kernel with an interface on a bus."""
    attach(kernel, tmp_path / "bus", "10.0.0.1/24", "2001:db8::1/64")
    return kernel


def neighbour(kernel: Kernel, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return run_module(kernel, rump_neighbour, check_mode, **options)


def table(kernel: Kernel) -> dict[str, Neighbour]:
    """All that the kernel knows, from the façade."""
    return {str(known.address): known for family in (AF.INET, AF.INET6) for known in kernel.neighbours.all(family)}


def told(kernel: Kernel) -> list[Any]:
    """The same, without what the kernel does not tell reliably."""
    return sorted((name, known.interface, known.link_address, known.expire) for name, known in table(kernel).items())


def thrice(kernel: Kernel, **options: Any) -> dict[str, Any]:
    """Check, run, check and run again; the real run's result."""
    before = told(kernel)
    calls = changing_calls(kernel)
    foretold = neighbour(kernel, check_mode=True, **options)
    assert foretold["changed"]
    assert changing_calls(kernel) == calls
    assert told(kernel) == before, "check mode changed the kernel"
    made = neighbour(kernel, **options)
    assert made["changed"]
    assert not calls or changing_calls(kernel) > calls
    assert made["changes"] == foretold["changes"]
    after = told(kernel)
    calls = changing_calls(kernel)
    for check_mode in (True, False):
        again = neighbour(kernel, check_mode=check_mode, **options)
        assert not again["changed"], again
        assert "diff" not in again
    assert told(kernel) == after
    assert changing_calls(kernel) == calls
    return made


@pytest.mark.parametrize("address", ["10.0.0.9", "2001:db8::9", "fe80::9%shmif0"])
def test_create_change_remove(network: Kernel, address: str) -> None:
    made = thrice(network, address=address, lladdr=ONE)
    assert made["neighbour"] == {
        "state": "present",
        "address": address,
        "interface": "shmif0",
        "lladdr": ONE,
        "permanent": True,
        "expire": 0,
        "proxy": made["neighbour"]["proxy"],
    }
    assert not made["neighbour"]["proxy"]
    assert table(network)[address].link_address.hex(":") == ONE

    changed = thrice(network, address=address, lladdr=OTHER)
    assert len(changed["changes"]) == 1
    assert f"lladdr {ONE} to {OTHER}" in changed["changes"][0]
    assert changed["diff"]["before"]["lladdr"] == ONE
    assert changed["diff"]["after"]["lladdr"] == OTHER
    assert table(network)[address].link_address.hex(":") == OTHER
    assert not neighbour(network, address=address)["changed"]

    gone = thrice(network, address=address, state="absent")
    assert gone["neighbour"] == {"state": "absent"}
    assert address not in table(network)


@pytest.mark.parametrize("address", ["10.0.0.9", "2001:db8::9"])
def test_permanent_and_temporary(network: Kernel, address: str) -> None:
    made = thrice(network, address=address, lladdr=ONE, permanent=False, lifetime=600)
    assert made["neighbour"]["permanent"] is False
    assert abs(made["neighbour"]["expire"] - time.time() - 600) < 60
    assert not neighbour(network, address=address, lladdr=ONE)["changed"]
    assert thrice(network, address=address, permanent=True)["neighbour"]["permanent"] is True
    assert thrice(network, address=address, permanent=False)["neighbour"]["permanent"] is False
    changed = thrice(network, address=address, lladdr=OTHER)["neighbour"]
    assert (changed["lladdr"], changed["permanent"]) == (OTHER, False)
    thrice(network, address=address, state="absent")
    # What was temporary can be made known again after it was forgotten.
    assert thrice(network, address=address, lladdr=ONE, permanent=False)["neighbour"]["lladdr"] == ONE
    assert thrice(network, address=address, lladdr=ONE, permanent=True)["neighbour"]["permanent"] is True


def test_proxies(network: Kernel) -> None:
    found = network.interfaces.get("shmif0")
    assert found is not None
    made = thrice(network, address="10.0.0.77", proxy=True)
    assert made["neighbour"]["proxy"] is True
    assert made["neighbour"]["lladdr"] == found.link_address.hex(":")
    assert table(network)["10.0.0.77"].is_proxy
    assert not table(network)["10.0.0.1"].is_proxy
    assert thrice(network, address="10.0.0.77", proxy=False)["neighbour"]["proxy"] is False
    assert thrice(network, address="10.0.0.77", proxy=True, permanent=False)["neighbour"]["proxy"] is True
    assert thrice(network, address="10.0.0.77", proxy=False)["neighbour"]["permanent"] is False
    thrice(network, address="2001:db8::77", proxy=True, lladdr=ONE)
    assert table(network)["2001:db8::77"].is_proxy is not False


def test_flushing(network: Kernel) -> None:
    for address in ("10.0.0.8", "2001:db8::8"):
        neighbour(network, address=address, lladdr=ONE, permanent=False)
    for address in ("10.0.0.9", "2001:db8::9"):
        neighbour(network, address=address, lladdr=ONE)
    own = {name for name in table(network) if not name.endswith(("8", "9"))}
    assert {"10.0.0.1", "2001:db8::1"} <= own

    made = thrice(network, state="flushed", family="inet")
    assert [entry["address"] for entry in made["neighbours"] if entry["lladdr"] == ONE] == ["10.0.0.9"]
    assert {"10.0.0.9", "2001:db8::9", "2001:db8::8"} <= set(table(network))
    thrice(network, state="flushed", interface="shmif0")
    assert set(table(network)) - own == {"10.0.0.9", "2001:db8::9"}
    made = thrice(network, state="flushed", permanent=True)
    assert set(table(network)) - own == set()
    assert {entry["address"] for entry in made["neighbours"]} >= {"10.0.0.1", "2001:db8::1"}
    assert not neighbour(network, state="flushed", interface="lo0")["changed"]
    result = refused(network, rump_neighbour, state="flushed", interface="shmif7")
    assert result["errno"] == "ENXIO"
    assert "interface: there is no interface shmif7 (ENXIO): create it first" in result["msg"]


def test_neighbours_of_two_interfaces(network: Kernel, tmp_path: Path) -> None:
    attach(network, tmp_path / "bus1", "10.1.0.1/24", interface="shmif1")
    for interface in ("shmif0", "shmif1"):
        neighbour(network, address="fe80::9", interface=interface, lladdr=ONE)
    assert {"fe80::9%shmif0", "fe80::9%shmif1"} <= set(table(network))
    assert thrice(network, address="10.1.0.9", lladdr=ONE)["neighbour"]["interface"] == "shmif1"
    thrice(network, address="fe80::9%shmif0", state="absent")
    assert "fe80::9%shmif1" in table(network)
    # A network that is on the link of an interface without an address in it
    run_module(network, rump_route, dest="10.7.0.0/16", interface="shmif1")
    assert neighbour(network, address="10.7.0.9", lladdr=ONE)["neighbour"]["interface"] == "shmif1"


@pytest.mark.parametrize("address", ["10.200.0.9", "2001:db8:ffff::9"])
def test_addresses_on_no_link(network: Kernel, address: str) -> None:
    before = told(network)
    for more in ({}, {"interface": "shmif0"}):
        result = refused(network, rump_neighbour, address=address, lladdr=ONE, **more)
        assert result["errno"] == "ENETUNREACH"
        assert "is on no network of" in result["msg"]
    # A default route does not make it a neighbour.
    gateway = "2001:db8::fe" if ":" in address else "10.0.0.254"
    run_module(network, rump_route, dest="default", gateway=gateway)
    assert refused(network, rump_neighbour, address=address, lladdr=ONE)["errno"] == "ENETUNREACH"
    assert told(network) == before
    # In check mode an earlier task may have said that it would bring the network.
    assert neighbour(network, check_mode=True, address=address, lladdr=ONE)["changed"]


def test_interfaces_that_have_no_neighbours(network: Kernel) -> None:
    assert refused(network, rump_neighbour, address="10.0.0.9", lladdr=ONE, interface="shmif7")["errno"] == "ENXIO"
    result = refused(network, rump_neighbour, address="fe80::9%lo0", lladdr=ONE)
    assert "has no link-level addresses" in result["msg"]


def test_own_addresses_stay(network: Kernel) -> None:
    before = told(network)
    for address in ("10.0.0.1", "2001:db8::1"):
        assert "of shmif0 itself" in refused(network, rump_neighbour, address=address, state="absent")["msg"]
        assert "of shmif0 itself" in refused(network, rump_neighbour, address=address, lladdr=ONE)["msg"]
    assert told(network) == before


@pytest.mark.parametrize(
    ("options", "option", "text"),
    [
        ({"address": "10.0.0", "lladdr": ONE}, "address", "no IP address"),
        ({"address": "fe80::1", "lladdr": ONE}, "address", "is link-local"),
        ({"address": "224.0.0.1", "lladdr": ONE}, "address", "no neighbour's address"),
        ({"address": "10.0.0.9%shmif0", "lladdr": ONE}, "address", "only a link-local address"),
        ({"address": "10.0.0.9"}, "lladdr", "give its link-level address"),
        ({"address": "10.0.0.9", "lladdr": "b2:a0"}, "lladdr", "give six bytes"),
        ({"address": "10.0.0.9", "lladdr": ONE, "lifetime": 0}, "lifetime", "at least 1"),
        ({"address": "10.0.0.9", "lladdr": ONE, "family": "inet6"}, "family", "is of IPv4"),
        ({"address": "10.0.0.9", "lladdr": ONE, "interface": "shmif"}, "interface", "no interface's name"),
    ],
)
def test_bad_options(network: Kernel, options: dict[str, Any], option: str, text: str) -> None:
    before = told(network)
    result = refused(network, rump_neighbour, **options)
    assert f"{option}: " in result["msg"]
    assert text in result["msg"]
    assert told(network) == before


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_kernel_without_the_family_names_the_component(backend: str, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    components = ["rumpvfs", "rumpnet", "rumpnet_net", "rumpnet_netinet", "rumpnet_shmif"]
    with running(backend, tmp_path, components=components) as server, connect(server.url) as kernel:
        record_property("backend", server.description)
        result = refused(kernel, rump_neighbour, address="2001:db8::9", lladdr=ONE)
        assert result["errno"] == "EAFNOSUPPORT"
        assert "rumpnet_netinet6" in result["msg"]


@pytest.mark.real_only("neighbours that answer")
def test_neighbours_that_were_learned(network: Kernel, server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    with running(server.backend, folder) as started, connect(started.url) as other:
        attach(other, tmp_path / "bus", "10.0.0.2/24", "2001:db8::2/64")
        found = other.interfaces.get("shmif0")
        assert found is not None
        lladdr = found.link_address.hex(":")
        asked = (("10.0.0.2", AF.INET), ("2001:db8::2", AF.INET6), ("10.0.0.66", AF.INET), ("2001:db8::66", AF.INET6))
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for address, family in asked:
                with network.socket(family, SOCK.DGRAM) as sender:
                    sender.sendto(b"Is anyone there?", (address, 9))
            known = table(network)
            if all(known[address].link_address for address in ("10.0.0.2", "2001:db8::2") if address in known):
                break
            time.sleep(0.05)
    for address in ("10.0.0.2", "2001:db8::2"):
        assert (known[address].link_address.hex(":"), known[address].is_permanent) == (lladdr, False)
        assert not neighbour(network, address=address, lladdr=lladdr)["changed"]
        assert thrice(network, address=address, permanent=True)["neighbour"]["lladdr"] == lladdr
    for address in ("10.0.0.66", "2001:db8::66"):
        assert known[address].link_address == b""  # nobody answered yet
    assert thrice(network, address="10.0.0.66", lladdr=ONE)["neighbour"]["lladdr"] == ONE
    thrice(network, state="flushed")
    assert "2001:db8::66" not in table(network)
    assert {"10.0.0.2", "2001:db8::2", "10.0.0.66"} <= set(table(network))


@with_utilities
def test_rumpctrls_arp_and_ndp_show_what_was_asked_for(server: Server, network: Kernel) -> None:
    if server.backend != "rump_server":
        pytest.skip("rumpctrl's utilities are asked about the real kernel")
    neighbour(network, address="10.0.0.9", lladdr=ONE)
    neighbour(network, address="10.0.0.8", lladdr=OTHER, permanent=False)
    neighbour(network, address="10.0.0.77", lladdr=OTHER, proxy=True)
    neighbour(network, address="2001:db8::9", lladdr=ONE)
    neighbour(network, address="fe80::9%shmif0", lladdr=ONE)
    shown = utility(server.url, "arp", "-n", "-a").splitlines()
    assert any(f"(10.0.0.9) at {ONE}" in line and "permanent" in line for line in shown)
    assert any(f"(10.0.0.8) at {OTHER}" in line and "permanent" not in line for line in shown)
    assert any("(10.0.0.77)" in line and "published" in line for line in shown)
    six = {line.split()[0]: line.split()[1:] for line in utility(server.url, "ndp", "-n", "-a").splitlines()}
    assert six["2001:db8::9"][0] == ONE
    assert "permanent" in six["2001:db8::9"]
    assert any(name.startswith("fe80::9") for name in six)
    utility(server.url, "arp", "-s", "10.0.0.10", ONE)
    utility(server.url, "arp", "-d", "10.0.0.9")
    utility(server.url, "ndp", "-n", "-d", "2001:db8::9")
    assert not neighbour(network, address="10.0.0.10", lladdr=ONE)["changed"]
    assert not neighbour(network, address="10.0.0.9", state="absent")["changed"]
    assert not neighbour(network, address="2001:db8::9", state="absent")["changed"]
