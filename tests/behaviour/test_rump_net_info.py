# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_net_info on a kernel, and the façade's statistics below it."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import AF, SOCK
from ansible_collections.rumpkernel.rump.plugins.modules import rump_ifconfig, rump_neighbour, rump_net_info, rump_ping
from ansible_collections.rumpkernel.rump.tests.support.backends import COMPONENTS, Server, running
from ansible_collections.rumpkernel.rump.tests.support.modules import refused, run_module
from ansible_collections.rumpkernel.rump.tests.support.networks import utility, with_utilities

SUBSETS = {"interfaces", "routes", "neighbours", "protocols", "sockets"}


@pytest.fixture(autouse=True)
def network(kernel: Kernel) -> None:
    run_module(kernel, rump_ifconfig, name="lo0", addresses=["127.0.0.1/8", "::1/128"], state="up")
    run_module(kernel, rump_ifconfig, name="shmif0", linkstr="busmem", addresses=["10.9.8.1/24"], state="up")


def gather(kernel: Kernel, *subsets: str, **options: Any) -> dict[str, Any]:
    given = {"gather_subset": list(subsets)} if subsets else {}
    return run_module(kernel, rump_net_info, **given, **options)


def test_all(kernel: Kernel) -> None:
    found = gather(kernel)
    assert set(found) == {"changed", *SUBSETS}
    assert not found["changed"]
    assert gather(kernel, check_mode=True).keys() == found.keys()


@pytest.mark.parametrize(
    ("subsets", "expected"),
    [
        (["sockets"], {"sockets"}),
        (["routes", "neighbours"], {"routes", "neighbours"}),
        (["!protocols"], SUBSETS - {"protocols"}),
        (["all", "!protocols", "!sockets"], SUBSETS - {"protocols", "sockets"}),
        (["!all", "sockets"], {"sockets"}),
    ],
)
def test_subsets(kernel: Kernel, subsets: list[str], expected: set[str]) -> None:
    assert gather(kernel, *subsets).keys() - {"changed"} == expected


def test_no_such_subset(kernel: Kernel) -> None:
    message = refused(kernel, rump_net_info, gather_subset=["socket"])["msg"]
    assert "gather_subset: 'socket' is none of all, interfaces, routes" in message


def test_interfaces(kernel: Kernel) -> None:
    found = gather(kernel, "interfaces")["interfaces"]
    assert set(found) == {"lo0", "shmif0"}
    assert found["shmif0"]["linkstr"] == "busmem"
    assert "10.9.8.1/24" in found["shmif0"]["addresses"]
    assert found["lo0"]["index"] == kernel.if_nametoindex("lo0")
    assert {"ipackets", "opackets", "ibytes", "obytes", "ierrors", "oerrors"} <= found["lo0"]["statistics"].keys()


def test_routes_and_neighbours(kernel: Kernel) -> None:
    run_module(kernel, rump_neighbour, address="10.9.8.7", lladdr="02:00:00:00:00:07", permanent=True)
    found = gather(kernel, "routes", "neighbours")
    assert any(route["dest"] == "10.9.8.0/24" and route["interface"] == "shmif0" for route in found["routes"])
    entry = next(entry for entry in found["neighbours"] if entry["address"] == "10.9.8.7")
    assert (entry["lladdr"], entry["interface"]) == ("02:00:00:00:00:07", "shmif0")


@pytest.mark.parametrize(("family", "host"), [(AF.INET, "127.0.0.1"), (AF.INET6, "::1")])
def test_sockets(server: Server, kernel: Kernel, family: AF, host: str) -> None:
    """All that there is, of every client's."""
    with connect(server.url) as other, other.create_server((host, 7000), family=family):
        six = "6" if family == AF.INET6 else ""
        client = kernel.create_connection((host, 7000), timeout=10)
        client.sendall(b"abc")
        datagrams = kernel.socket(family, SOCK.DGRAM)
        datagrams.bind((host, 99))
        raw = kernel.socket(family, SOCK.RAW, socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP)
        port = client.getsockname()[1]
        found = [
            entry for entry in gather(kernel, "sockets")["sockets"] if entry["protocol"].endswith("6") == bool(six)
        ]
        tcp = [entry for entry in found if entry["protocol"] == f"tcp{six}"]
        here, there = {"address": host, "port": 7000}, {"address": host, "port": port}
        assert {entry["state"]: (entry["local"], entry["remote"]) for entry in tcp if entry["local"] == here} == {
            "LISTEN": (here, None),
            "ESTABLISHED": (here, there),
        }
        assert [entry["receive_queue"] for entry in tcp if entry["remote"] == there] == [3]
        assert [entry["remote"] for entry in tcp if entry["local"] == there] == [here]
        bound = [entry for entry in found if entry["protocol"] == f"udp{six}" and entry["local"]["port"]]
        assert [(entry["local"], entry["state"]) for entry in bound] == [({"address": host, "port": 99}, None)]
        assert [entry["protocol"] for entry in found].count(f"raw{six}") == 1
        raw.close()
        datagrams.close()
        client.close()
    left = gather(kernel, "sockets")["sockets"]
    assert not [entry for entry in left if entry["protocol"] == f"raw{six}" or entry["state"] == "LISTEN"]


def test_many_sockets(kernel: Kernel) -> None:
    """More than room is made for at first."""
    for port in range(100):
        kernel.socket(AF.INET, SOCK.DGRAM).bind(("127.0.0.1", 2000 + port))
    found = gather(kernel, "sockets")["sockets"]
    ports = {entry["local"]["port"] for entry in found if entry["protocol"] == "udp" and entry["local"]["port"]}
    assert ports == set(range(2000, 2100))


def test_protocols_that_there_are(kernel: Kernel) -> None:
    found = gather(kernel, "protocols")["protocols"]
    assert {"ip", "icmp", "tcp", "udp", "arp", "ip6", "icmp6", "udp6", "route"} <= found.keys()
    assert {"total", "badsum", "delivered", "badaddr"} <= found["ip"].keys()
    assert found["tcp"]["ecn_ect"] == 0


@pytest.mark.real_only("counters of packets")
def test_counters(kernel: Kernel) -> None:
    before = gather(kernel, "protocols")["protocols"]
    for dest in ("127.0.0.1", "::1"):
        run_module(kernel, rump_ping, dest=dest, count=3, interval=0.01)
    kernel.create_server(("127.0.0.1", 7000))
    kernel.create_connection(("127.0.0.1", 7000), timeout=10)
    after = gather(kernel, "protocols")["protocols"]

    def more(protocol: str, name: str) -> int:
        return after[protocol][name] - before[protocol][name]

    assert (more("tcp", "connattempt"), more("tcp", "accepts"), more("tcp", "connects")) == (1, 1, 2)
    assert more("ip", "localout") >= 6
    assert more("ip6", "localout") >= 6
    assert after["icmp"]["in"]["8"] == after["icmp"]["out"]["0"] == 3
    assert after["icmp6"]["in"]["128"] == after["icmp6"]["out"]["129"] == 3


@pytest.mark.real_only("all that rumpctrl's ifconfig asks")
@with_utilities
def test_rumpctrl_agrees(server: Server, kernel: Kernel) -> None:
    shown = utility(server.url, "ifconfig", "-v", "lo0")
    counters = gather(kernel, "interfaces")["interfaces"]["lo0"]["statistics"]
    assert f"input: {counters['ipackets']} packet" in shown
    assert f"output: {counters['opackets']} packet" in shown


def test_without_ipv6(kernel: Kernel, tmp_path: Path, server: Server) -> None:
    """What the kernel has no component for is left out."""
    folder = tmp_path / "without"
    folder.mkdir()
    components = [component for component in COMPONENTS if component != "rumpnet_netinet6"]
    with running(server.backend, folder, components=components) as lesser, connect(lesser.url) as other:
        found = gather(other)
    assert set(found) == {"changed", *SUBSETS}
    assert "ip6" not in found["protocols"]
