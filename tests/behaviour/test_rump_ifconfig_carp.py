# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_ifconfig on a kernel: carp interfaces, created, changed and removed, foretold and made again.

They advertise seldom, except where one is to become the master, so that none does while a test looks.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import interface, interface_kinds
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.carp import CarpState
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import IFF
from ansible_collections.rumpkernel.rump.plugins.modules import rump_ifconfig, rump_network
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running
from ansible_collections.rumpkernel.rump.tests.support.interfaces import ifconfig, shown, thrice
from ansible_collections.rumpkernel.rump.tests.support.modules import refused, run_module
from ansible_collections.rumpkernel.rump.tests.support.networks import (
    utility,
    with_utilities,
    without_duplicate_detection,
)

SELDOM = 60
QUICKLY = {"advbase": 0, "advskew": 13}  # 13/256 s, five ticks of the clock


def with_networks(kernel: Kernel, tmp_path: Path, host: int = 1) -> None:
    """Two Ethernets, each in a network of its own."""
    without_duplicate_detection(kernel)
    for number in (0, 1):
        name = f"shmif{number}"
        bus = str(tmp_path / f"bus{number}")
        ifconfig(kernel, name, linkstr=bus, addresses=[f"10.{number}.0.{host}/24"], state="up")


@pytest.fixture
def kernel(server: Server, tmp_path: Path) -> Iterator[Kernel]:
    with connect(server.url, timeout=20) as connected:
        with_networks(connected, tmp_path)
        yield connected


def flags(kernel: Kernel, name: str) -> IFF:
    return kernel.interfaces.flags(name)


def awaited(kernel: Kernel, name: str, state: CarpState) -> bool:
    """Whether it comes to that state within a few seconds."""
    end = time.monotonic() + 8
    while kernel.interfaces.carp(name).state != state:
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_a_carp_is_made_changed_and_removed(kernel: Kernel) -> None:
    wanted: dict[str, Any] = {"vhid": 1, "advbase": SELDOM, "pass": "secret", "carpdev": "shmif0"}
    made = thrice(kernel, "carp0", carp=wanted, addresses=["10.0.0.9/24"], state="up")
    assert made["changes"] == [
        "create carp0",
        "set vhid 1, advbase 60, pass, carpdev shmif0 of carp0",
        "add 10.0.0.9/24 to carp0",
    ]
    held = kernel.interfaces.carp("carp0")
    assert (held.state, held.device, held.vhid, held.advbase, held.advskew) == (CarpState.BACKUP, "shmif0", 1, 60, 0)
    assert held.key == b"secret".ljust(20, b"\0")
    assert made["interface"]["carp"] == {
        "state": "BACKUP",
        "vhid": 1,
        "advbase": 60,
        "advskew": 0,
        "carpdev": "shmif0",
        "has_pass": True,
    }
    assert "secret" not in str({key: value for key, value in made.items() if key != "invocation"})
    assert made["interface"]["lladdr"] == "00:00:5e:00:01:01"
    assert flags(kernel, "carp0") & (IFF.UP | IFF.RUNNING) == IFF.UP | IFF.RUNNING
    # Whether it ever loses that again is chance: the kernel counts from what its memory held before.
    assert IFF.PROMISC in flags(kernel, "shmif0")

    made = thrice(kernel, "carp0", carp={"vhid": 7, "advskew": 100, "pass": ""})
    assert made["changes"] == ["set vhid 7, advskew 100, pass of carp0"]
    held = kernel.interfaces.carp("carp0")
    assert (held.vhid, held.advbase, held.advskew, held.key) == (7, 60, 100, bytes(20))
    assert made["interface"]["lladdr"] == "00:00:5e:00:01:07"
    assert kernel.interfaces.get("carp0").link_address == bytes((0, 0, 0x5E, 0, 1, 7))  # type: ignore[union-attr]

    made = thrice(kernel, "carp0", carp={"carpdev": ""}, state="down")
    assert kernel.interfaces.carp("carp0").device == ""
    assert not flags(kernel, "carp0") & (IFF.UP | IFF.RUNNING)
    thrice(kernel, "carp0", carp={"carpdev": "shmif0"}, state="up")
    assert kernel.interfaces.carp("carp0").state == CarpState.BACKUP

    made = thrice(kernel, "carp0", state="absent")
    assert kernel.interfaces.get("carp0") is None


def test_the_kernel_finds_the_device_by_the_address(kernel: Kernel) -> None:
    thrice(kernel, "carp0", carp={"vhid": 1, "advbase": SELDOM}, addresses=["10.1.0.9/24"])
    assert kernel.interfaces.carp("carp0").device == "shmif1"
    result = refused(kernel, rump_ifconfig, name="carp1", carp={"vhid": 2}, addresses=["192.0.2.1/24"])
    assert (result["call"], result["errno"]) == ("SIOCAIFADDR", "EADDRNOTAVAIL")
    assert "others only once option carp names the carpdev" in result["msg"]
    # What was made so far is no hindrance.
    ifconfig(kernel, "carp1", carp={"vhid": 2, "advbase": SELDOM, "carpdev": "shmif1"}, addresses=["192.0.2.1/24"])
    assert kernel.interfaces.carp("carp1").state == CarpState.BACKUP


def test_an_ipv6_address(kernel: Kernel) -> None:
    ifconfig(kernel, "shmif0", addresses=["2001:db8::1/64"])
    result = refused(kernel, rump_ifconfig, name="carp0", carp={"vhid": 1}, addresses=["2001:db8::9/64"])
    assert (result["call"], result["errno"]) == ("SIOCAIFADDR_IN6", "EADDRNOTAVAIL")
    assert "IPv6 addresses are refused" in result["msg"]


def test_a_carp_becomes_the_master(kernel: Kernel) -> None:
    made = thrice(
        kernel,
        "carp0",
        carp={"vhid": 1, "advbase": SELDOM, "carpdev": "shmif0", "state": "MASTER"},
        addresses=["10.0.0.9/24"],
        state="up",
    )
    assert made["changes"][-1] == "make carp0 the master"
    assert kernel.interfaces.carp("carp0").state == CarpState.MASTER
    assert made["interface"]["carp"]["state"] == "MASTER"
    # It stays one when nothing but its advertisements and its password change.
    made = thrice(kernel, "carp0", carp={"advskew": 9, "pass": "new"})
    made = thrice(kernel, "carp0", carp={"pass": "newer"})
    assert made["diff"]["after"]["carp"]["pass"] == "another"
    assert "pass" not in made["interface"]["carp"]
    assert kernel.interfaces.carp("carp0").state == CarpState.MASTER
    thrice(kernel, "carp0", carp={"state": "BACKUP"})
    assert kernel.interfaces.carp("carp0").state == CarpState.BACKUP
    # Left alone, it hears of no other.
    ifconfig(kernel, "carp0", carp=QUICKLY)
    assert awaited(kernel, "carp0", CarpState.MASTER)
    assert ifconfig(kernel, "carp0", carp={**QUICKLY, "vhid": 1, "carpdev": "shmif0"})["changed"] is False


def test_one_that_does_not_run_is_no_master(kernel: Kernel) -> None:
    result = refused(kernel, rump_ifconfig, name="carp0", carp={"vhid": 1, "carpdev": "shmif0", "state": "MASTER"})
    assert "carp0 does not run, and can be neither master nor backup" in result["msg"]


def test_up_and_down_with_its_device(kernel: Kernel) -> None:
    ifconfig(kernel, "carp0", carp={"vhid": 1, "advbase": SELDOM}, addresses=["10.0.0.9/24"])
    thrice(kernel, "carp0", state="down")
    assert kernel.interfaces.carp("carp0").state == CarpState.INIT
    thrice(kernel, "carp0", state="up")
    assert kernel.interfaces.carp("carp0").state == CarpState.BACKUP
    ifconfig(kernel, "shmif0", state="down")
    assert kernel.interfaces.carp("carp0").state == CarpState.INIT
    assert IFF.RUNNING not in flags(kernel, "carp0")
    ifconfig(kernel, "shmif0", state="up")
    assert kernel.interfaces.carp("carp0").state == CarpState.BACKUP
    ifconfig(kernel, "shmif0", state="absent")
    held = kernel.interfaces.carp("carp0")
    assert (held.state, held.device, held.vhid) == (CarpState.INIT, "", 1)
    assert IFF.UP not in flags(kernel, "carp0")


def test_the_mtu_of_one_that_is_up(kernel: Kernel) -> None:
    """A kernel that is given it without more ado crashes."""
    ifconfig(kernel, "carp0", carp={"vhid": 1, "advbase": SELDOM}, addresses=["10.0.0.9/24"])
    made = thrice(kernel, "carp0", mtu=1400)
    assert made["changes"] == ["take carp0 down to change its mtu", "set the mtu of carp0 to 1400", "bring carp0 up"]
    found = kernel.interfaces.get("carp0")
    assert found is not None
    assert (found.mtu, IFF.UP in found.flags) == (1400, True)
    thrice(kernel, "carp1", mtu=1300, carp={"vhid": 2, "advbase": SELDOM}, addresses=["10.0.0.8/24"])


@pytest.mark.parametrize(
    ("carp", "text"),
    [
        ({"vhid": 2, "carpdev": "shmif9"}, "there is no interface shmif9: make it first"),
        ({"vhid": 1, "carpdev": "shmif0"}, "carp0 has the vhid 1 on shmif0 already"),
    ],
)
def test_where_a_carp_cannot_be(kernel: Kernel, carp: dict[str, Any], text: str) -> None:
    ifconfig(kernel, "carp0", carp={"vhid": 1, "advbase": SELDOM, "carpdev": "shmif0"})
    result = refused(kernel, rump_ifconfig, name="carp1", carp=carp)
    assert text in result["msg"]
    assert (result["call"], result["errno"], result["changed"]) == ("SIOCSVH", "EINVAL", False)
    assert kernel.interfaces.get("carp1") is None
    # An earlier task may have said in check mode that it would make the device.
    assert ifconfig(kernel, "carp1", check_mode=True, carp={"vhid": 2, "carpdev": "shmif9"})["changed"]
    # Another device has room for the same group.
    ifconfig(kernel, "carp1", carp={"vhid": 1, "carpdev": "shmif1"})


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"name": "shmif0", "carp": {"vhid": 1}}, "carp: it is for interfaces of the kind carp"),
        ({"name": "carp0", "carp": {"vhid": 0}}, "carp: vhid 0 is out of range: give 1 to 255"),
        ({"name": "carp0", "carp": {"vhid": 256}}, "carp: vhid 256 is out of range"),
        ({"name": "carp0", "carp": {"vhid": 1, "advbase": 256}}, "carp: advbase 256 is out of range"),
        ({"name": "carp0", "carp": {"vhid": 1, "advskew": 255}}, "carp: advskew 255 is out of range"),
        ({"name": "carp0", "carp": {"vhid": 1, "advbase": 0}}, "carp: advbase and advskew are both 0"),
        ({"name": "carp0", "carp": {"advskew": 5}}, "carp: carp0 has no vhid"),
        ({"name": "carp0", "carp": {"vhid": 1, "carpdev": "carp1"}}, "carp: carpdev carp1 is a carp interface itself"),
        ({"name": "carp0", "carp": {"vhid": 1, "carpdev": "x"}}, "carp: 'x' is no interface's name"),
        ({"name": "carp0", "carp": {"vhid": 1, "pass": "x" * 21}}, "carp: pass has more than 20 bytes"),
        ({"name": "carp0", "lladdr": "02:00:00:00:00:01"}, "lladdr: that of a carp interface follows from its vhid"),
    ],
)
def test_bad_options(kernel: Kernel, options: dict[str, Any], text: str) -> None:
    held = kernel.interfaces.all()
    result = refused(kernel, rump_ifconfig, **options)
    assert text in result["msg"]
    assert not result["changed"]
    assert kernel.interfaces.all() == held


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_kernel_without_carp(backend: str, tmp_path: Path) -> None:
    """Carp comes with IPv4."""
    components = ["rumpvfs", "rumpdev", "rumpnet", "rumpnet_net"]
    with running(backend, tmp_path, components=components) as started, connect(started.url, timeout=20) as kernel:
        result = refused(kernel, rump_ifconfig, name="carp0", carp={"vhid": 1})
    assert "start the server with the component rumpnet_netinet" in result["msg"]
    assert not result["changed"]


def test_in_a_network_that_is_declared_at_once(kernel: Kernel, tmp_path: Path) -> None:
    """Before the interface whose network it is in, and before the one that it is on."""
    interfaces = [
        {"name": "carp0", "carp": {"vhid": 1, "advbase": SELDOM}, "addresses": ["10.2.0.9/24"]},
        {"name": "carp1", "carp": {"vhid": 2, "advbase": SELDOM, "carpdev": "shmif2"}, "addresses": ["192.0.2.9/24"]},
        {"name": "shmif2", "linkstr": str(tmp_path / "bus2"), "addresses": ["10.2.0.1/24"], "state": "up"},
    ]
    assert run_module(kernel, rump_network, interfaces=interfaces)["changed"]
    assert kernel.interfaces.carp("carp0").device == kernel.interfaces.carp("carp1").device == "shmif2"
    assert not run_module(kernel, rump_network, interfaces=interfaces)["changed"]


def test_what_rump_network_takes_back(kernel: Kernel) -> None:
    """Its password, too, which nothing shows."""
    wanted = {"vhid": 1, "advbase": SELDOM, "pass": "secret", "carpdev": "shmif0"}
    ifconfig(kernel, "carp0", carp=wanted, addresses=["10.0.0.9/24"])
    before = interface.find(kernel, "carp0", kernel.interfaces.get("carp0")).kinds
    ifconfig(kernel, "carp0", carp={"vhid": 2, "advskew": 9, "pass": "another", "carpdev": ""})
    interface_kinds.restore(kernel, "carp0", before)
    assert kernel.interfaces.carp("carp0") == before.carp
    ifconfig(kernel, "carp0", carp={"pass": "another"})
    interface_kinds.restore(kernel, "carp0", before)
    assert kernel.interfaces.carp("carp0") == before.carp


@pytest.mark.real_only("bus that kernels share")
def test_one_host_takes_over_from_another(kernel: Kernel, server: Server, tmp_path: Path) -> None:
    (other_folder := tmp_path / "other").mkdir()
    with running(server.backend, other_folder) as started, connect(started.url, timeout=20) as other:
        with_networks(other, tmp_path, host=2)
        carp = {"vhid": 1, "pass": "secret", "carpdev": "shmif0", "advbase": 0}
        for host, skew in ((kernel, 13), (other, 52)):
            ifconfig(host, "carp0", carp={**carp, "advskew": skew}, addresses=["10.0.0.9/24"], state="up")
            ifconfig(host, "carp0", carp={"state": "MASTER"})
        assert awaited(other, "carp0", CarpState.BACKUP)
        assert kernel.interfaces.carp("carp0").state == CarpState.MASTER
        ifconfig(kernel, "carp0", state="down")
        assert awaited(other, "carp0", CarpState.MASTER)
        # One that knows another password is not heeded.
        ifconfig(kernel, "carp0", carp={"pass": "guessed"}, state="up")
        assert awaited(kernel, "carp0", CarpState.MASTER)
        assert other.interfaces.carp("carp0").state == CarpState.MASTER


@with_utilities
def test_rumpctrls_ifconfig_shows_what_was_asked_for(server: Server, kernel: Kernel) -> None:
    if server.backend != "rump_server":
        pytest.skip("rumpctrl's utilities are asked about the real kernel")
    url = server.url
    ifconfig(kernel, "carp0", carp={"vhid": 3, "advbase": SELDOM, "advskew": 5}, addresses=["10.0.0.9/24"])
    assert "carp: BACKUP carpdev shmif0 vhid 3 advbase 60 advskew 5" in utility(url, "ifconfig", "carp0")
    utility(url, "ifconfig", "carp0", "advskew", "7", "pass", "another", "carpdev", "shmif1")
    found = shown(kernel, "carp0")["carp"]
    assert (found["advskew"], found["carpdev"], found["has_pass"]) == (7, "shmif1", True)
    # This ifconfig leaves out the last character.
    assert kernel.interfaces.carp("carp0").key == b"anothe".ljust(20, b"\0")
