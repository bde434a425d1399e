# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_ifconfig on a kernel: what belongs to an address, its lifetimes and state, and duplicates of it."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import IN6_IFF
from ansible_collections.rumpkernel.rump.plugins.modules import rump_ifconfig
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running
from ansible_collections.rumpkernel.rump.tests.support.interfaces import ifconfig, thrice
from ansible_collections.rumpkernel.rump.tests.support.modules import refused
from ansible_collections.rumpkernel.rump.tests.support.networks import (
    attach,
    utility,
    with_utilities,
    without_duplicate_detection,
)

HOUR = 3600


@pytest.fixture
def network(kernel: Kernel, tmp_path: Path) -> Kernel:
    """A kernel with an interface on a bus."""
    attach(kernel, tmp_path / "bus")
    return kernel


def detail(result: dict[str, Any], address: str) -> dict[str, Any]:
    return next(entry for entry in result["interface"]["address_details"] if entry["address"] == address)


def test_a_broadcast_address(network: Kernel) -> None:
    made = thrice(network, "shmif0", addresses=[{"address": "10.1.1.1/24", "broadcast": "10.1.1.200"}])
    assert made["changes"] == ["add 10.1.1.1/24 to shmif0 (broadcast 10.1.1.200)"]
    found = network.interfaces.get("shmif0")
    assert found is not None
    (v4,) = (address for address in found.addresses if address.interface.version == 4)
    assert str(v4.broadcast) == "10.1.1.200"
    assert detail(made, "10.1.1.1/24") == {"address": "10.1.1.1/24", "broadcast": "10.1.1.200", "state": []}

    made = thrice(network, "shmif0", addresses=[{"address": "10.1.1.1/24", "broadcast": "10.1.1.255"}])
    assert made["changes"] == ["change 10.1.1.1/24 of shmif0: broadcast 10.1.1.200 to 10.1.1.255"]
    assert detail(made, "10.1.1.1/24")["broadcast"] == "10.1.1.255"
    assert not ifconfig(network, "shmif0", addresses=["10.1.1.1/24"])["changed"]

    thrice(network, "shmif0", addresses=[], purge_addresses=True)


def test_lifetimes(network: Kernel) -> None:
    ip = ipaddress.IPv6Address("2001:db8::7")
    wanted = {"address": "2001:db8::7/64", "valid_lifetime": 2 * HOUR, "preferred_lifetime": HOUR}
    made = thrice(network, "shmif0", addresses=[wanted])
    assert made["changes"] == ["add 2001:db8::7/64 to shmif0 (valid_lifetime 7200, preferred_lifetime 3600)"]
    state = network.interfaces.address_state("shmif0", ip)
    assert (state.valid, state.preferred) == (2 * HOUR, HOUR)

    made = thrice(network, "shmif0", addresses=[{"address": "2001:db8::7/64", "valid_lifetime": 3 * HOUR}])
    assert made["changes"] == ["change 2001:db8::7/64 of shmif0: valid_lifetime 7200 to 10800"]
    assert not ifconfig(network, "shmif0", addresses=["2001:db8::7/64"])["changed"]
    assert detail(made, "2001:db8::7/64") == {
        "address": "2001:db8::7/64",
        "state": [],
        "valid_lifetime": 3 * HOUR,
        "preferred_lifetime": HOUR,
    }

    thrice(network, "shmif0", addresses=[{"address": "2001:db8::7/64", "valid_lifetime": "infinite"}])
    assert network.interfaces.address_state("shmif0", ip).valid == 0xFFFFFFFF
    # What is asked for is not more than is asked for.
    made = thrice(network, "shmif0", addresses=[{"address": "2001:db8::7/64", "preferred_lifetime": 2 * HOUR}])
    assert made["changes"] == ["change 2001:db8::7/64 of shmif0: preferred_lifetime 3600 to 7200"]
    # A shorter life takes the other along; a new address has but one.
    made = thrice(network, "shmif0", addresses=[{"address": "2001:db8::7/64", "valid_lifetime": HOUR}])
    assert made["changes"] == [
        "change 2001:db8::7/64 of shmif0: valid_lifetime infinite to 3600, preferred_lifetime 7200 to 3600"
    ]
    made = thrice(network, "shmif0", addresses=[{"address": "2001:db8::8/64", "valid_lifetime": HOUR}])
    assert detail(made, "2001:db8::8/64")["preferred_lifetime"] == HOUR


@pytest.mark.real_only("end of an address's preferred lifetime")
def test_an_address_that_is_deprecated(network: Kernel) -> None:
    made = ifconfig(network, "shmif0", addresses=[{"address": "2001:db8::7/64", "preferred_lifetime": 0}])
    deadline = time.monotonic() + 10
    while not detail(made, "2001:db8::7/64")["state"] and time.monotonic() < deadline:
        time.sleep(0.05)
        made = ifconfig(network, "shmif0")
    assert detail(made, "2001:db8::7/64")["state"] == ["deprecated"]


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"broadcast": "1.2.3.4"}, "has no address"),
        ({"address": "1.2.3.4"}, "has no prefix"),
        ({"address": "1.2.3.4/24", "netmask": "255.0.0.0"}, "netmask is not known"),
        ({"address": "1.2.3.4/24", "broadcast": "x"}, "broadcast x is no IP address"),
        ({"address": "1.2.3.4/24", "broadcast": "::1"}, "broadcast ::1 is of IPv6"),
        ({"address": "1.2.3.4/24", "broadcast": "1.2.3.5", "destination": "1.2.3.6"}, "not both"),
        ({"address": "1.2.3.4/24", "valid_lifetime": 5}, "only an IPv6 address has a valid_lifetime"),
        ({"address": "::5/64", "broadcast": "::1"}, "an IPv6 address has no broadcast"),
        ({"address": "::5/64", "destination": "::1"}, "has the prefix 128"),
        ({"address": "::5/64", "valid_lifetime": 0}, "valid_lifetime 0: give seconds"),
        ({"address": "::5/64", "valid_lifetime": "long"}, "valid_lifetime long: give seconds"),
        ({"address": "::5/64", "preferred_lifetime": -1}, "preferred_lifetime -1: give seconds"),
        ({"address": "::5/64", "valid_lifetime": 5, "preferred_lifetime": 6}, "longer than valid_lifetime"),
    ],
)
def test_bad_addresses(network: Kernel, entry: dict[str, Any], text: str) -> None:
    held = network.interfaces.all()
    result = refused(network, rump_ifconfig, name="shmif0", addresses=[entry])
    assert "addresses: " in result["msg"]
    assert text in result["msg"]
    assert network.interfaces.all() == held
    assert (
        "asked for twice"
        in refused(
            network, rump_ifconfig, name="shmif0", addresses=["::5/64", {"address": "::5/64", "valid_lifetime": 5}]
        )["msg"]
    )


# Duplicate address detection


@pytest.fixture(params=BACKENDS)
def checking(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kernel]:
    """A kernel that looks for duplicates; the simulated one in no time."""
    options = ("--dad-scale", "0.02") if request.param.startswith("simulated") else ()
    with running(request.param, tmp_path, options=options) as server, connect(server.url, timeout=20) as kernel:
        # One question is enough, and the least that there is.
        kernel.sysctl.set("net.inet.ip.dad_count", 1)
        yield kernel


def test_waiting_until_addresses_are_good(checking: Kernel, tmp_path: Path) -> None:
    options = {"linkstr": str(tmp_path / "bus"), "addresses": ["10.0.0.1/24", "2001:db8::1/64"], "state": "up"}
    foretold = ifconfig(checking, "shmif0", check_mode=True, wait_for_dad=True, **options)
    assert foretold["changed"]
    made = ifconfig(checking, "shmif0", wait_for_dad=True, **options)
    # It is up before it gets them: the kernel does not ask for those that come before.
    assert made["changes"][2:] == ["bring shmif0 up", "add 10.0.0.1/24 to shmif0", "add 2001:db8::1/64 to shmif0"]
    assert made["changes"] == foretold["changes"]
    assert [entry["state"] for entry in made["interface"]["address_details"]] == [[], [], []]
    assert not ifconfig(checking, "shmif0", wait_for_dad=True, **options)["changed"]


def test_addresses_that_are_not_good_yet(checking: Kernel, tmp_path: Path) -> None:
    checking.sysctl.set("net.inet6.ip6.dad_count", 1000)
    ifconfig(checking, "shmif0", linkstr=str(tmp_path / "bus"), state="up")
    made = ifconfig(checking, "shmif0", addresses=["2001:db8::1/64"])
    assert detail(made, "2001:db8::1/64")["state"] == ["tentative"]
    result = refused(checking, rump_ifconfig, name="shmif0", wait_for_dad=True, dad_timeout=0.05)
    assert "after 0.05 seconds the kernel is still looking" in result["msg"]
    assert "2001:db8::1/64" in result["msg"]
    assert not result["changed"]
    assert detail(result, "2001:db8::1/64")["state"] == ["tentative"]


def test_an_interface_that_is_down_is_not_waited_for(checking: Kernel, tmp_path: Path) -> None:
    options = {"linkstr": str(tmp_path / "bus"), "addresses": ["2001:db8::1/64"], "state": "down"}
    made = ifconfig(checking, "shmif0", wait_for_dad=True, **options)
    assert detail(made, "2001:db8::1/64")["state"] == ["detached"]


@pytest.mark.real_only("bus with packets on it")
@pytest.mark.parametrize("address", ["10.0.0.1/24", "2001:db8::1/64"])
def test_an_address_that_another_kernel_has(checking: Kernel, tmp_path: Path, address: str) -> None:
    bus, folder = tmp_path / "bus", tmp_path / "other"
    folder.mkdir()
    options = {"linkstr": str(bus), "addresses": [address], "state": "up"}
    with running("rump_server", folder) as server, connect(server.url, timeout=20) as other:
        without_duplicate_detection(other)
        ifconfig(other, "shmif0", **options)
        result = refused(checking, rump_ifconfig, name="shmif0", wait_for_dad=True, **options)
        assert f"another host on the link has {address}: shmif0 does not use what is duplicated" in result["msg"]
        assert result["changed"]
        assert "duplicated" in detail(result, address)["state"]
        # Where it is not asked for, it is told.
        told = ifconfig(checking, "shmif0", **options)
        assert not told["changed"]
        assert f"another host on the link of shmif0 has {address}" in told["warnings"][0]
        ifconfig(other, "shmif0", addresses=[], purge_addresses=True)
        # It is looked for again when the task runs again, and good this time.
        mended = ifconfig(checking, "shmif0", wait_for_dad=True, **options)
        assert mended["changes"] == [
            f"remove {address} from shmif0, which was duplicated",
            f"add {address} to shmif0",
        ]
        assert detail(mended, address)["state"] == []
        assert not ifconfig(checking, "shmif0", wait_for_dad=True, **options)["changed"]


@with_utilities
def test_rumpctrls_ifconfig_shows_what_was_asked_for(server: Server, network: Kernel) -> None:
    if server.backend != "rump_server":
        pytest.skip("rumpctrl's utilities are asked about the real kernel")
    addresses = [
        {"address": "10.1.1.1/24", "broadcast": "10.1.1.200"},
        {"address": "2001:db8::7/64", "valid_lifetime": 2 * HOUR, "preferred_lifetime": HOUR},
    ]
    ifconfig(network, "shmif0", addresses=addresses)
    told = utility(server.url, "ifconfig", "-L", "shmif0")
    assert "inet 10.1.1.1 netmask 0xffffff00 broadcast 10.1.1.200" in told
    assert "pltime" in told
    assert "vltime" in told
    utility(server.url, "ifconfig", "shmif0", "inet6", "2001:db8::8/64", "pltime", "0")
    network.interfaces.address_flags6("shmif0", ipaddress.IPv6Address("2001:db8::8"))
    assert detail(ifconfig(network, "shmif0"), "2001:db8::8/64")["preferred_lifetime"] == 0
    utility(server.url, "ifconfig", "shmif0", "inet6", "2001:db8::9/64", "anycast")
    assert network.interfaces.address_flags6("shmif0", ipaddress.IPv6Address("2001:db8::9")) & IN6_IFF.ANYCAST
    assert detail(ifconfig(network, "shmif0"), "2001:db8::9/64")["state"] == ["anycast"]
