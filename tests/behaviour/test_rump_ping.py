# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_ping on a kernel: the addresses of its own, and those that nobody has."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel
from ansible_collections.rumpkernel.rump.plugins.modules import rump_ifconfig, rump_ping
from ansible_collections.rumpkernel.rump.tests.support.modules import refused, run_module


@pytest.fixture(autouse=True)
def network(kernel: Kernel) -> None:
    """A loopback interface, and one on a bus where nobody else is."""
    run_module(kernel, rump_ifconfig, name="lo0", addresses=["127.0.0.1/8", "::1/128"], state="up")
    addresses = ["10.9.8.1/24", "2001:db8:9::1/64"]
    run_module(kernel, rump_ifconfig, name="shmif0", linkstr="busmem", addresses=addresses, state="up")


def ping(kernel: Kernel, dest: str, **options: Any) -> dict[str, Any]:
    quick = {"count": 2, "interval": 0.01, "timeout": 0.3}
    return run_module(kernel, rump_ping, dest=dest, **(quick | options))


@pytest.mark.parametrize("dest", ["127.0.0.1", "::1", "10.9.8.1"])
@pytest.mark.parametrize("size", [0, 57, 1400])
def test_an_address_that_answers(kernel: Kernel, dest: str, size: int) -> None:
    descriptors = kernel.open("/", 0)
    result = ping(kernel, dest, count=5, size=size)
    assert not result["changed"]
    assert (result["packets_tx"], result["packets_rx"], result["packet_loss"]) == (5, 5, 0.0)
    assert (result["errors"], result["duplicates"]) == ([], 0)
    assert 0 <= result["rtt"]["min"] <= result["rtt"]["avg"] <= result["rtt"]["max"] < 300
    assert result["ttl"] == (64 if ":" in dest else 255)
    assert kernel.open("/", 0) == descriptors + 1  # the socket is closed


def test_check_mode_pings_too(kernel: Kernel) -> None:
    result = run_module(kernel, rump_ping, check_mode=True, dest="127.0.0.1", count=1)
    assert result["packets_rx"] == 1


def test_more_packets_than_a_second_has_time_for(kernel: Kernel) -> None:
    assert ping(kernel, "127.0.0.1", count=100, interval=0.001)["packets_rx"] == 100


def test_source(kernel: Kernel) -> None:
    assert ping(kernel, "10.9.8.1", source="10.9.8.1")["packets_rx"] == 2
    result = refused(kernel, rump_ping, dest="10.9.8.1", source="10.9.8.77")
    assert "EADDRNOTAVAIL" in result["msg"]


@pytest.mark.parametrize("state", ["absent", "any"])
def test_no_route(kernel: Kernel, state: str) -> None:
    result = ping(kernel, "203.0.113.1", state=state)
    assert (result["packets_rx"], result["packet_loss"], result["rtt"], result["ttl"]) == (0, 100.0, None, None)
    assert [(error["sequence"], error["from"]) for error in result["errors"]] == [(0, None), (1, None)]
    assert "EHOSTUNREACH" in result["errors"][0]["reason"]


def test_nobody_answers(kernel: Kernel) -> None:
    result = ping(kernel, "10.9.8.9", count=1, timeout=0.05, state="any")
    assert (result["packets_rx"], result["errors"]) == (0, [])
    failed = refused(kernel, rump_ping, dest="10.9.8.9", count=1, timeout=0.05)
    assert "10.9.8.9 did not answer any of 1 packets within 0.05 s" in failed["msg"]
    assert failed["packet_loss"] == 100.0


def test_an_answer_where_none_is_wanted(kernel: Kernel) -> None:
    failed = refused(kernel, rump_ping, dest="127.0.0.1", count=1, state="absent")
    assert "127.0.0.1 was not to answer, and answered 1 of 1 packets" in failed["msg"]
    assert failed["packets_rx"] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dest": "gateway.example"}, "dest: 'gateway.example' is no IP address; a rump kernel looks up no names"),
        ({"dest": "fe80::1"}, "dest: fe80::1 is link-local: name its interface"),
        ({"dest": "ff05::2"}, "interface: ff05::2 is an address of many hosts: name the interface"),
        ({"dest": "::1", "source": "fe80::1"}, "source: fe80::1 is link-local: name its interface"),
        ({"dest": "192.0.2.1", "interface": "shmif0"}, "interface: goes with link-local and multicast IPv6 addresses"),
        (
            {"dest": "fe80::1%shmif0", "interface": "shmif1"},
            "dest: fe80::1%shmif0 is on the link of shmif0, and interface",
        ),
        ({"dest": "::1", "source": "10.9.8.1"}, "source: 10.9.8.1 is no IPv6 address"),
        ({"dest": "::1", "count": 0}, "count: 0 is not possible: give 1 to 65535"),
        ({"dest": "::1", "ttl": 256}, "ttl: 256 is not possible: give 1 to 255"),
        ({"dest": "::1", "size": 70000}, "size: 70000 is not possible"),
        ({"dest": "::1", "timeout": 0}, "timeout: 0.0 is not possible"),
    ],
)
def test_bad_options(kernel: Kernel, options: dict[str, Any], message: str) -> None:
    assert message in refused(kernel, rump_ping, **options)["msg"]


def test_link_local_addresses(kernel: Kernel) -> None:
    assert ping(kernel, "fe80::1%lo0", source="fe80::1", count=1)["packets_rx"] == 1
    assert ping(kernel, "fe80::1", interface="lo0", source="fe80::1%lo0", count=1)["packets_rx"] == 1
    assert ping(kernel, "fe80::1", interface="lo0", count=1)["dest"] == "fe80::1%lo0"


def test_an_interface_that_is_not_there(kernel: Kernel) -> None:
    assert "shmif7" in refused(kernel, rump_ping, dest="fe80::1%shmif7")["msg"]
