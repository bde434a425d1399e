# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sockets and counters in the bytes of a real kernel, NetBSD 7.99.34/amd64."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.statistics import OpenSocket, Statistics
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.sysctl import UnknownSysctl
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi

ABI = Abi.from_banner("RUMPSP-0.4-NetBSD-7.99.34/amd64\n")
# What net.inet.tcp.pcblist gave for the two ends of a connection to 127.0.0.1:7000, over which three bytes had been
# sent, and for the socket that listens there: up to the local address, and the remote one.
HEADS = (
    (
        (
            "c0bc200636560000402300f0677f0000d8962006365600000200000001000000060000000000000003200000020000000400"
            "0000e20900000300000000000000000000000000000010021b587f000001"
        ),
        "1002d4b67f000001",
    ),
    (
        (
            "80bd200636560000802600f0677f0000209920063656000002000000010000000600000040000000022000000200000004000"
            "000e00b0000000000000000000003000000000000001002d4b67f000001"
        ),
        "10021b587f000001",
    ),
    (
        (
            "40be200636560000c02900f0677f0000689b2006365600000200000001000000060000000000000000200000010000000100"
            "0000a00000000000000000000000000000000000000010021b587f000001"
        ),
        "",
    ),
)


def entry(head: str, remote: str) -> bytes:
    """A struct kinfo_pcb of which all else is zeros."""
    return (bytes.fromhex(head).ljust(336, b"\0") + bytes.fromhex(remote)).ljust(640, b"\0")


class OneNode:
    """A sysctl tree that has one node."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name, self.data = name, data
        self.mib = (4, 2, 6, 1094)

    def node(self, name: str) -> OneNode:
        if name != self.name:
            raise UnknownSysctl(name, name, "net")
        return self

    def read(self, mib: tuple[int, ...], name: str, size: int) -> bytes:
        assert mib == (*self.mib, 0, 0, 640, 0x7FFFFFFF)
        return self.data

    def get(self, name: str) -> bytes:
        self.node(name)
        return self.data


class Base:
    abi = ABI

    def broken(self, text: str) -> Exception:
        return ValueError(text)


def statistics(name: str, data: bytes) -> Statistics:
    tree: Any = OneNode(name, data)
    base: Any = Base()
    return Statistics(base, tree)


def test_sockets() -> None:
    found = statistics("net.inet.tcp.pcblist", b"".join(entry(*head) for head in HEADS)).sockets()
    server, client = ("127.0.0.1", 7000), ("127.0.0.1", 54454)
    assert found == [
        OpenSocket("tcp", server, client, "ESTABLISHED", 3, 0),
        OpenSocket("tcp", client, server, "ESTABLISHED", 0, 3),
        OpenSocket("tcp", server, None, "LISTEN", 0, 0),
    ]


def test_a_list_that_is_cut_off() -> None:
    with pytest.raises(ValueError, match=r"the list net\.inet\.tcp\.pcblist of sockets is cut off"):
        statistics("net.inet.tcp.pcblist", entry(*HEADS[0])[:-1]).sockets()


def test_an_address_that_is_none() -> None:
    data = bytearray(entry(*HEADS[0]))
    data[72] = 5
    with pytest.raises(ValueError, match="the kernel gave an address that is none"):
        statistics("net.inet.tcp.pcblist", bytes(data)).sockets()


def counter(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(8, "little") for number in numbers)


def test_counters_by_name() -> None:
    found = statistics("net.inet.udp.stats", counter(12, 1, 2, 3, 4, 5, 6, 7, 8)).counters()
    assert list(found) == ["udp"]
    assert found["udp"]["ipackets"] == 12
    assert found["udp"]["opackets"] == 8
    assert len(found["udp"]) == 9


def test_counters_that_a_later_release_has() -> None:
    assert statistics("net.inet.udp.stats", counter(*range(11))).counters()["udp"]["counter_10"] == 10


def test_counters_by_message_type() -> None:
    data = bytearray(784)
    data[8 * (16 + 0) : 8 * (16 + 0) + 8] = counter(3)  # echo replies sent
    data[8 * (16 + 41 + 8) : 8 * (16 + 41 + 8) + 8] = counter(4)  # echo requests received
    found = statistics("net.inet.icmp.stats", bytes(data)).counters()["icmp"]
    assert (found["out"], found["in"]) == ({"0": 3}, {"8": 4})
    assert "counter_11" not in found
