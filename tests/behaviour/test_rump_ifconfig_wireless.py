# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_ifconfig on a kernel with a wireless device: its network, keys, power, channel and media.

A rump_server has none of these by itself. One that has the driver, and a device for it, is met like any other.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import interface, interface_kinds
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.wireless import NetworkKeys, Wireless
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import IFF
from ansible_collections.rumpkernel.rump.plugins.modules import rump_ifconfig, rump_network
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running
from ansible_collections.rumpkernel.rump.tests.support.interfaces import WIRELESS, ifconfig, shown, thrice
from ansible_collections.rumpkernel.rump.tests.support.modules import refused, run_module
from ansible_collections.rumpkernel.rump.tests.support.networks import utility, with_utilities

STATION = "00:11:22:33:44:55"


@pytest.fixture(params=BACKENDS)
def server(request: pytest.FixtureRequest, tmp_path: Path, record_property) -> Iterator[Server]:  # type: ignore[no-untyped-def]
    """A fresh kernel that has a wireless device."""
    with contextlib.ExitStack() as stack:
        try:
            started = stack.enter_context(running(request.param, tmp_path, components=WIRELESS))
        except RuntimeError as error:
            if WIRELESS[-1] not in str(error):
                raise
            pytest.skip(f"this {request.param} has no driver of a wireless device")
        record_property("backend", started.description)
        yield started


@pytest.fixture
def kernel(server: Server) -> Iterator[Kernel]:
    with connect(server.url, timeout=20) as connected:
        yield connected


def held(kernel: Kernel) -> Wireless:
    found = kernel.interfaces.wireless("iwn0")
    assert found is not None
    return found


def test_a_network_is_set_changed_and_taken_away(kernel: Kernel) -> None:
    wanted: dict[str, Any] = {
        "ssid": "attic",
        "nwkey": "abcde",
        "powersave": True,
        "powersavesleep": 50,
        "bssid": STATION,
        "channel": 6,
    }
    made = thrice(kernel, "iwn0", wireless=wanted)
    assert made["changes"] == [
        "set the nwkey of iwn0",
        f"set the bssid of iwn0 to {STATION}",
        "set the channel of iwn0 to 6",
        "set the ssid of iwn0 to attic",
        "set powersave, powersavesleep 50 of iwn0",
    ]
    found = held(kernel)
    assert (found.ssid, found.powersave, found.sleep, found.channel) == (b"attic", True, 50, 6)
    assert found.bssid == bytes.fromhex(STATION.replace(":", ""))
    assert found.keys == NetworkKeys((b"abcde", b"", b"", b""), 1)
    assert made["interface"]["wireless"] == {
        "ssid": "attic",
        "has_nwkey": True,
        "powersave": True,
        "powersavesleep": 50,
        "bssid": STATION,
        "channel": 6,
    }
    assert "abcde" not in str({key: value for key, value in made.items() if key != "invocation"})

    keys = "2:abcde,0x0102030405,,abcdefghijklm"
    made = thrice(kernel, "iwn0", wireless={"ssid": "0x00ff", "nwkey": keys, "powersavesleep": 70}, state="up")
    found = held(kernel)
    assert (found.ssid, found.powersave, found.sleep) == (b"\x00\xff", True, 70)
    assert found.keys == NetworkKeys((b"abcde", b"\1\2\3\4\5", b"", b"abcdefghijklm"), 2)
    assert made["diff"]["after"]["wireless"]["nwkey"] == "another"
    assert shown(kernel, "iwn0")["wireless"]["ssid"] == "0x00ff"
    assert IFF.RUNNING in kernel.interfaces.flags("iwn0")

    thrice(kernel, "iwn0", wireless={"ssid": "", "nwkey": "", "powersave": False, "bssid": "", "channel": 0})
    found = held(kernel)
    assert found == Wireless(b"", None, False, 70, None, None)
    assert shown(kernel, "iwn0")["wireless"]["has_nwkey"] is False


def test_an_access_point(kernel: Kernel) -> None:
    made = thrice(
        kernel,
        "iwn0",
        mode="11g",
        mediaopt=["hostap"],
        wireless={"ssid": "attic", "channel": 6},
        addresses=["10.5.0.1/24"],
        state="up",
    )
    assert "set the media of iwn0 to in mode 11g with hostap" in made["changes"]
    found = made["interface"]
    assert (found["media"]["type"], found["media"]["mode"], found["media"]["mediaopt"]) == (
        "IEEE802.11",
        "11g",
        ["hostap"],
    )
    assert found["wireless"]["bssid"] == found["lladdr"]
    assert (found["wireless"]["ssid"], found["wireless"]["channel"]) == ("attic", 6)
    # It tells of the network that it is in, and not of what was asked for.
    assert not ifconfig(kernel, "iwn0", wireless={"bssid": "", "channel": 0, "ssid": ""})["changed"]
    thrice(kernel, "iwn0", wireless={"ssid": "cellar", "channel": 11})
    assert (held(kernel).ssid, held(kernel).channel) == (b"cellar", 11)
    thrice(kernel, "iwn0", mode="autoselect", mediaopt=[])
    assert (shown(kernel, "iwn0")["media"]["mode"], shown(kernel, "iwn0")["media"]["mediaopt"]) == (None, [])


def test_media_and_modes(kernel: Kernel) -> None:
    thrice(kernel, "iwn0", media="DS11", mode="11b", mediaopt=["adhoc"])
    word = kernel.interfaces.media("iwn0")
    assert word is not None
    assert word.current == 0x80 | 7 | 0x20000 | 0x100
    # The mode alone leaves the rest.
    thrice(kernel, "iwn0", mode="11g")
    word = kernel.interfaces.media("iwn0")
    assert word is not None
    assert word.current == 0x80 | 7 | 0x30000 | 0x100
    result = refused(kernel, rump_ifconfig, name="iwn0", media="OFDM54", mode="11b")
    assert "media: iwn0 does not have it; it has " in result["msg"]
    assert "OFDM54 11g hostap" in result["msg"]
    assert "mode: iwn0 does not have it" in refused(kernel, rump_ifconfig, name="iwn0", mode="11a")["msg"]


def test_channels_that_it_does_not_have(kernel: Kernel) -> None:
    result = refused(kernel, rump_ifconfig, name="iwn0", wireless={"channel": 99})
    assert (result["call"], result["object"], result["errno"]) == ("SIOCS80211CHANNEL", "iwn0", "EINVAL")


def test_it_is_neither_made_nor_destroyed(kernel: Kernel) -> None:
    result = refused(kernel, rump_ifconfig, name="iwn1", wireless={"ssid": "attic"})
    assert (result["call"], result["errno"], result["changed"]) == ("SIOCIFCREATE", "EINVAL", False)
    assert "rumpdev_pci_if_iwn" in result["msg"]
    result = refused(kernel, rump_ifconfig, name="iwn0", state="absent")
    assert (result["call"], result["errno"]) == ("SIOCIFDESTROY", "EINVAL")


def test_what_rump_network_takes_back(kernel: Kernel) -> None:
    """Its keys, too, which nothing shows."""
    wanted = {"ssid": "attic", "nwkey": "abcde", "powersave": True, "bssid": STATION, "channel": 6}
    ifconfig(kernel, "iwn0", wireless=wanted)
    before = interface.find(kernel, "iwn0", kernel.interfaces.get("iwn0")).kinds
    ifconfig(kernel, "iwn0", wireless={"ssid": "", "nwkey": "", "powersave": False, "bssid": "", "channel": 0})
    interface_kinds.restore(kernel, "iwn0", before)
    assert before.wireless is not None
    assert (held(kernel), held(kernel).keys) == (before.wireless, before.wireless.keys)


def test_in_a_declared_network(kernel: Kernel) -> None:
    interfaces = [{"name": "iwn0", "wireless": {"ssid": "attic", "nwkey": "abcde"}, "addresses": ["10.5.0.1/24"]}]
    made = run_module(kernel, rump_network, interfaces=interfaces)
    assert made["changed"]
    assert "abcde" not in str({key: value for key, value in made.items() if key != "invocation"})
    assert held(kernel).ssid == b"attic"
    assert not run_module(kernel, rump_network, interfaces=interfaces)["changed"]


@pytest.mark.parametrize(
    ("wireless", "text"),
    [
        ({"ssid": "x" * 33}, "wireless: ssid has 33 bytes"),
        ({"ssid": "0xabc"}, "wireless: ssid begins with 0x"),
        ({"nwkey": "abc"}, "wireless: a key of nwkey has 5 or 13 characters"),
        ({"nwkey": "0xabcdeg"}, "wireless: nwkey begins with 0x"),
        ({"nwkey": "2:abcde"}, "wireless: nwkey is a key, or N:KEY,KEY,KEY,KEY"),
        ({"nwkey": "5:abcde,abcde,abcde,abcde"}, "wireless: nwkey is a key, or N:KEY,KEY,KEY,KEY"),
        ({"nwkey": "2:abcde,,,"}, "wireless: nwkey has no key number 2"),
        ({"powersavesleep": 65536}, "wireless: powersavesleep 65536 is out of range"),
        ({"channel": 256}, "wireless: channel 256 is out of range"),
        ({"bssid": "00:11"}, "wireless: "),
    ],
)
def test_bad_options(kernel: Kernel, wireless: dict[str, Any], text: str) -> None:
    before = held(kernel)
    result = refused(kernel, rump_ifconfig, name="iwn0", wireless=wireless)
    assert text in result["msg"]
    assert not result["changed"]
    assert (before, before.keys) == (held(kernel), held(kernel).keys)


@pytest.mark.parametrize("backend", BACKENDS)
def test_kernels_without_a_wireless_device(backend: str, tmp_path: Path) -> None:
    with running(backend, tmp_path) as started, connect(started.url, timeout=20) as kernel:
        result = refused(kernel, rump_ifconfig, name="iwn0", wireless={"ssid": "attic"})
        assert (result["call"], result["errno"], result["changed"]) == ("SIOCIFCREATE", "EINVAL", False)
        assert "if there is a component rumpdev_pci_if_iwn, start the server with it" in result["msg"]
        result = refused(kernel, rump_ifconfig, name="shmif0", wireless={"ssid": "attic"})
        assert "wireless: shmif0 is no wireless interface" in result["msg"]
        assert kernel.interfaces.get("shmif0") is None
        assert "mode: lo0 has no choice of media" in refused(kernel, rump_ifconfig, name="lo0", mode="11g")["msg"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_promiscuous_mode_is_the_kernels(backend: str, tmp_path: Path) -> None:
    """A client that sets it is not refused, and changes nothing (IFF_CANTCHANGE), so there is no option for it."""
    with running(backend, tmp_path) as started, connect(started.url, timeout=20) as kernel:
        kernel.interfaces.create("shmif0")
        kernel.interfaces.set_flags("shmif0", kernel.interfaces.flags("shmif0") | IFF.PROMISC)
        assert IFF.PROMISC not in kernel.interfaces.flags("shmif0")
        kernel.interfaces.create("bridge0")
        kernel.interfaces.add_bridge_member("bridge0", "shmif0")
        kernel.interfaces.set_flags("shmif0", kernel.interfaces.flags("shmif0") & ~IFF.PROMISC)
        assert "PROMISC" in shown(kernel, "shmif0")["flags"]


@with_utilities
def test_rumpctrls_ifconfig_shows_what_was_asked_for(server: Server, kernel: Kernel) -> None:
    if server.backend != "rump_server":
        pytest.skip("rumpctrl's utilities are asked about the real kernel")
    url = server.url
    ifconfig(kernel, "iwn0", wireless={"ssid": "attic", "nwkey": "abcde", "powersave": True, "channel": 6})
    told = utility(url, "ifconfig", "iwn0")
    assert "ssid attic nwkey abcde" in told
    assert "powersave on (100ms sleep)" in told
    utility(url, "ifconfig", "iwn0", "ssid", "cellar", "-nwkey", "bssid", STATION, "chan", "11")
    found = shown(kernel, "iwn0")["wireless"]
    assert (found["ssid"], found["has_nwkey"], found["bssid"], found["channel"]) == ("cellar", False, STATION, 11)
