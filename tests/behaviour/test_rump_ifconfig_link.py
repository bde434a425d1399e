# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_ifconfig on a kernel: flags, metric, link-level address, media, capabilities, description."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import IFF
from ansible_collections.rumpkernel.rump.plugins.modules import rump_ifconfig
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running
from ansible_collections.rumpkernel.rump.tests.support.interfaces import KINDS, ifconfig, shown, thrice
from ansible_collections.rumpkernel.rump.tests.support.modules import refused
from ansible_collections.rumpkernel.rump.tests.support.networks import utility, with_utilities


@pytest.fixture(params=BACKENDS)
def server(request: pytest.FixtureRequest, tmp_path: Path, record_property) -> Iterator[Server]:  # type: ignore[no-untyped-def]
    """A fresh kernel with tap interfaces, which have a choice of media."""
    with running(request.param, tmp_path, components=KINDS) as started:
        record_property("backend", started.description)
        yield started


@pytest.fixture
def kernel(server: Server) -> Iterator[Kernel]:
    """A session with it."""
    with connect(server.url, timeout=20) as connected:
        yield connected


def test_flags(kernel: Kernel, tmp_path: Path) -> None:
    made = thrice(kernel, "shmif0", linkstr=str(tmp_path / "bus"), arp=False, debug=True, link0=True, link2=True)
    assert made["changes"][2] == "set flags of shmif0: debug, link0, link2, -arp"
    assert kernel.interfaces.flags("shmif0") & (IFF.NOARP | IFF.DEBUG | IFF.LINK0 | IFF.LINK1 | IFF.LINK2) == (
        IFF.NOARP | IFF.DEBUG | IFF.LINK0 | IFF.LINK2
    )
    assert IFF.UP not in kernel.interfaces.flags("shmif0")
    thrice(kernel, "shmif0", link1=True, link0=False, state="up")
    thrice(kernel, "shmif0", debug=False, link2=False)
    flags = kernel.interfaces.flags("shmif0")
    assert flags & ~(IFF.BROADCAST | IFF.SIMPLEX | IFF.MULTICAST) == IFF.UP | IFF.RUNNING | IFF.NOARP | IFF.LINK1
    thrice(kernel, "shmif0", arp=True, link1=False)
    assert not kernel.interfaces.flags("shmif0") & (IFF.NOARP | IFF.LINK1)


def test_metric(kernel: Kernel) -> None:
    made = thrice(kernel, "shmif0", metric=3)
    assert made["interface"]["metric"] == 3
    found = kernel.interfaces.get("shmif0")
    assert found is not None
    assert found.metric == 3
    thrice(kernel, "shmif0", metric=7)
    thrice(kernel, "shmif0", metric=0)
    assert "metric: -1 is no metric" in refused(kernel, rump_ifconfig, name="shmif0", metric=-1)["msg"]


def test_link_level_address(kernel: Kernel, tmp_path: Path) -> None:
    made = thrice(kernel, "shmif0", linkstr=str(tmp_path / "bus"), lladdr="02:00:00:00:00:01", state="up")
    assert made["changes"][2:] == ["set the link-level address of shmif0 to 02:00:00:00:00:01", "bring shmif0 up"]
    found = kernel.interfaces.get("shmif0")
    assert found is not None
    assert found.link_address == b"\2\0\0\0\0\1"
    # The IPv6 address that the kernel gives by itself is made of it.
    assert [str(address.interface) for address in found.addresses] == ["fe80::ff:fe00:1/64"]
    thrice(kernel, "shmif0", lladdr="02-00-00-00-00-2")
    assert not ifconfig(kernel, "shmif0", lladdr="02:00:00:00:00:02")["changed"]
    assert "lladdr: 'x' is no link-level address" in refused(kernel, rump_ifconfig, name="shmif0", lladdr="x")["msg"]
    result = refused(kernel, rump_ifconfig, name="lo0", lladdr="02:00:00:00:00:01")
    assert "lladdr: lo0 has no link-level address" in result["msg"]


def test_media(kernel: Kernel) -> None:
    made = thrice(kernel, "tap0", media="100baseTX", mediaopt=["full-duplex"])
    assert made["changes"] == ["create tap0", "set the media of tap0 to 100baseTX with full-duplex"]
    found = made["interface"]["media"]
    assert (found["type"], found["media"], found["mediaopt"]) == ("Ethernet", "100baseTX", ["full-duplex"])
    assert {"media": "autoselect", "mediaopt": []} in found["supported"]
    assert len(found["supported"]) == 7
    made = thrice(kernel, "tap0", media="10baseT")
    assert (made["interface"]["media"]["media"], made["interface"]["media"]["mediaopt"]) == ("10baseT", [])
    thrice(kernel, "tap0", mediaopt=["fdx"])
    assert shown(kernel, "tap0")["media"]["mediaopt"] == ["full-duplex"]
    assert shown(kernel, "tap0")["media"]["media"] == "10baseT"
    thrice(kernel, "tap0", media="auto")
    assert not ifconfig(kernel, "tap0", media="AutoSelect", mediaopt=[])["changed"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"media": "100baseFX"},
            "media: tap0 does not have it; it has autoselect; 10baseT; 100baseTX; 1000baseT; ",
        ),
        ({"media": "carrier pigeon"}, "media: tap0 does not have it"),
        ({"media": "10baseT", "mediaopt": ["half-duplex"]}, "media: tap0 does not have it"),
        ({"mediaopt": ["duplex"]}, "mediaopt: 'duplex' is no option of Ethernet media"),
    ],
)
def test_media_that_there_are_not(kernel: Kernel, options: dict[str, Any], text: str) -> None:
    ifconfig(kernel, "tap0")
    result = refused(kernel, rump_ifconfig, name="tap0", **options)
    assert text in result["msg"]
    assert not result["changed"]


def test_an_interface_without_a_choice_of_media(kernel: Kernel) -> None:
    ifconfig(kernel, "shmif0")
    result = refused(kernel, rump_ifconfig, name="shmif0", media="autoselect")
    assert "media: shmif0 has no choice of media" in result["msg"]
    assert "media" not in shown(kernel, "shmif0")


def test_capabilities_that_there_are_not(kernel: Kernel) -> None:
    ifconfig(kernel, "shmif0")
    assert not ifconfig(kernel, "shmif0", capabilities=[])["changed"]
    result = refused(kernel, rump_ifconfig, name="shmif0", capabilities=["ip4csum", "TCP6CSUM_Tx"])
    assert "shmif0 is not capable of ip4csum-rx, ip4csum-tx, tcp6csum-tx, of none" in result["msg"]
    result = refused(kernel, rump_ifconfig, name="shmif0", capabilities=["flight"])
    assert "capabilities: 'flight' is none of ip4csum, " in result["msg"]


def test_description(kernel: Kernel) -> None:
    if not kernel.interfaces.has_descriptions:
        result = refused(kernel, rump_ifconfig, name="shmif0", description="uplink")
        assert "description: kernels of release" in result["msg"]
        assert "have no descriptions of interfaces; those of 10 do" in result["msg"]
        assert kernel.interfaces.get("shmif0") is None
        return
    made = thrice(kernel, "shmif0", description="uplink")
    assert made["interface"]["description"] == "uplink"
    thrice(kernel, "shmif0", description="x" * 63)
    assert kernel.interfaces.description("shmif0") == "x" * 63
    thrice(kernel, "shmif0", description="")
    assert kernel.interfaces.description("shmif0") == ""
    assert "at most 63 bytes" in refused(kernel, rump_ifconfig, name="shmif0", description="x" * 64)["msg"]


@with_utilities
def test_rumpctrls_ifconfig_shows_what_was_asked_for(server: Server, kernel: Kernel, tmp_path: Path) -> None:
    if server.backend != "rump_server":
        pytest.skip("rumpctrl's utilities are asked about the real kernel")
    url = server.url
    ifconfig(kernel, "shmif0", arp=False, link1=True, metric=4, lladdr="02:00:00:00:00:01")
    told = utility(url, "ifconfig", "shmif0")
    assert "NOARP" in told
    assert "LINK1" in told
    assert "metric 4" in told
    assert "address: 02:00:00:00:00:01" in told
    utility(url, "ifconfig", "shmif0", "arp", "-link1", "link0", "metric", "5")
    utility(url, "ifconfig", "shmif0", "link", "02:00:00:00:00:02", "active")
    found = shown(kernel, "shmif0")
    assert (found["metric"], found["lladdr"]) == (5, "02:00:00:00:00:02")
    assert "LINK0" in found["flags"]
    assert not {"NOARP", "LINK1"} & set(found["flags"])
    ifconfig(kernel, "tap0", media="100baseTX", mediaopt=["full-duplex"])
    assert "media: Ethernet 100baseTX full-duplex" in utility(url, "ifconfig", "tap0")
    utility(url, "ifconfig", "tap0", "media", "10baseT")
    assert shown(kernel, "tap0")["media"]["media"] == "10baseT"
