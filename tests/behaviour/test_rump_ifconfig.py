# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_ifconfig on a kernel: create, change and remove, each in check mode, for real, and again."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import ModuleFailure
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.interfaces import COUNTERS
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import AF, IFF, SOCK
from ansible_collections.rumpkernel.rump.plugins.modules import rump_ifconfig
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running
from ansible_collections.rumpkernel.rump.tests.support.modules import run_module


def ifconfig(kernel: Kernel, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return run_module(kernel, rump_ifconfig, check_mode, name="shmif0", **options)


def twelve(kernel: Kernel, **options: Any) -> dict[str, Any]:
    """Check, run, run again; what the kernel holds is asserted by the caller. The real run's result."""
    held = kernel.interfaces.all()
    foretold = ifconfig(kernel, check_mode=True, **options)
    assert foretold["changed"]
    assert kernel.interfaces.all() == held, "check mode changed the kernel"
    made = ifconfig(kernel, **options)
    assert made["changed"]
    assert made["changes"] == foretold["changes"]
    again = ifconfig(kernel, **options)
    assert not again["changed"], again
    assert "diff" not in again
    return made


def addresses(kernel: Kernel, link_local: bool = False) -> list[str]:
    found = kernel.interfaces.get("shmif0")
    assert found is not None
    return [str(a.interface) for a in found.addresses if link_local or not a.interface.is_link_local]


def test_create_change_remove(kernel: Kernel, tmp_path: Path) -> None:
    bus = str(tmp_path / "bus")
    created = twelve(kernel, linkstr=bus, addresses=["1.2.3.4/24", "2001:db8::1/64"], state="up")
    assert created["changes"][0] == "create shmif0"
    found = kernel.interfaces.get("shmif0")
    assert found is not None
    assert IFF.UP in found.flags
    assert kernel.interfaces.linkstr("shmif0") == bus
    assert addresses(kernel) == ["1.2.3.4/24", "2001:db8::1/64"]
    assert created["interface"]["lladdr"] == found.link_address.hex(":")
    assert created["interface"]["mtu"] == 1500
    assert {"UP", "RUNNING", "BROADCAST"} <= set(created["interface"]["flags"])

    changed = twelve(kernel, addresses=["1.2.3.5/16"], purge_addresses=True, mtu=1400)
    assert addresses(kernel) == ["1.2.3.5/16"]
    assert kernel.interfaces.get("shmif0").mtu == 1400  # type: ignore[union-attr]
    assert changed["diff"]["before"]["mtu"] == 1500
    assert changed["diff"]["after"]["mtu"] == 1400

    twelve(kernel, state="absent")
    assert kernel.interfaces.get("shmif0") is None


def test_addresses_are_added_to_those_there(kernel: Kernel, tmp_path: Path) -> None:
    ifconfig(kernel, linkstr=str(tmp_path / "bus"), addresses=["1.2.3.4/24"])
    ifconfig(kernel, addresses=["1.2.3.5/24"])
    assert sorted(addresses(kernel)) == ["1.2.3.4/24", "1.2.3.5/24"]


def test_a_changed_prefix_replaces_the_address(kernel: Kernel, tmp_path: Path) -> None:
    ifconfig(kernel, linkstr=str(tmp_path / "bus"), addresses=["1.2.3.4/24", "2001:db8::1/64"])
    made = ifconfig(kernel, addresses=["1.2.3.4/16", "2001:db8::1/48"])
    assert "add 1.2.3.4/16 to shmif0" in made["changes"]
    assert sorted(addresses(kernel)) == ["1.2.3.4/16", "2001:db8::1/48"]


def test_purge_leaves_the_link_local_address(kernel: Kernel, tmp_path: Path) -> None:
    ifconfig(kernel, linkstr=str(tmp_path / "bus"), addresses=["1.2.3.4/24"])
    assert any(a.startswith("fe80::") for a in addresses(kernel, link_local=True))
    ifconfig(kernel, addresses=[], purge_addresses=True)
    assert addresses(kernel) == []
    assert any(a.startswith("fe80::") for a in addresses(kernel, link_local=True))
    assert not ifconfig(kernel, addresses=[], purge_addresses=True)["changed"]


def test_up_and_down(kernel: Kernel, tmp_path: Path) -> None:
    twelve(kernel, linkstr=str(tmp_path / "bus"), state="down")
    twelve(kernel, state="up")
    assert IFF.UP in kernel.interfaces.flags("shmif0")
    twelve(kernel, state="down", addresses=["10.0.0.1/8"])
    assert IFF.UP not in kernel.interfaces.flags("shmif0")
    assert not ifconfig(kernel, state="present")["changed"]


def test_a_changed_linkstr_takes_an_interface_down_and_up_again(kernel: Kernel, tmp_path: Path) -> None:
    ifconfig(kernel, linkstr=str(tmp_path / "bus0"), addresses=["1.2.3.4/24"], state="up")
    made = twelve(kernel, linkstr=str(tmp_path / "bus1"))
    assert made["changes"][0] == "take shmif0 down to change its linkstr"
    assert kernel.interfaces.linkstr("shmif0") == str(tmp_path / "bus1")
    assert IFF.UP in kernel.interfaces.flags("shmif0")
    assert "1.2.3.4/24" in addresses(kernel)


def test_two_kernels_do_not_disturb_each_other(kernel: Kernel) -> None:
    assert [interface.name for interface in kernel.interfaces.all()] == ["lo0"]


def test_loopback_has_its_addresses(kernel: Kernel) -> None:
    found = kernel.interfaces.get("lo0")
    assert found is not None
    held = {address.interface.ip for address in found.addresses}
    assert {ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")} <= held


def test_interfaces_count_what_goes_through_them(kernel: Kernel) -> None:
    found = kernel.interfaces.get("lo0")
    assert found is not None
    assert set(COUNTERS) == set(found.counters)
    assert all(count >= 0 for count in found.counters.values())


@pytest.mark.real_only("interface that counts its packets")
def test_a_packet_is_counted(kernel: Kernel) -> None:
    before = kernel.interfaces.get("lo0")
    with kernel.socket(AF.INET, SOCK.DGRAM) as sender:
        sender.sendto(b"x" * 100, ("127.0.0.1", 9))
    after = kernel.interfaces.get("lo0")
    assert before is not None
    assert after is not None
    assert after.counters["opackets"] > before.counters["opackets"]
    assert after.counters["obytes"] >= before.counters["obytes"] + 128


@pytest.mark.parametrize(
    ("options", "option", "text"),
    [
        ({"addresses": ["1.2.3.4/33"]}, "addresses", "0 to 32"),
        ({"addresses": ["1.2.3.4"]}, "addresses", "has no prefix"),
        ({"addresses": ["1.2.3/24"]}, "addresses", "no IP address"),
        ({"addresses": ["1.2.3.4/24", "1.2.3.4/16"]}, "addresses", "two prefixes"),
        ({"mtu": 0}, "mtu", "1 to 65535"),
        ({"linkstr": ""}, "linkstr", "give a text"),
    ],
)
def test_bad_options_change_nothing(kernel: Kernel, options: dict[str, Any], option: str, text: str) -> None:
    with pytest.raises(ModuleFailure) as failure:
        ifconfig(kernel, **options)
    assert f"{option}: " in failure.value.result["msg"]
    assert text in failure.value.result["msg"]
    assert kernel.url in failure.value.result["msg"]
    assert not failure.value.result["changed"]
    assert kernel.interfaces.get("shmif0") is None


@pytest.mark.parametrize("name", ["shmif", "", "0", "averyverylongname0", "a/b0"])
def test_bad_names(kernel: Kernel, name: str) -> None:
    with pytest.raises(ModuleFailure, match="is no interface's name"):
        run_module(kernel, rump_ifconfig, name=name)


def test_an_interface_that_cannot_be_created(kernel: Kernel) -> None:
    with pytest.raises(ModuleFailure) as failure:
        run_module(kernel, rump_ifconfig, name="nosuch0")
    assert failure.value.result["errno"] == "EINVAL"
    assert failure.value.result["call"] == "SIOCIFCREATE"
    assert failure.value.result["object"] == "nosuch0"
    assert "rumpnet_nosuch" in failure.value.result["msg"]


def test_a_bus_without_a_folder_names_the_option_and_the_path(kernel: Kernel, tmp_path: Path) -> None:
    bus = str(tmp_path / "none" / "bus")
    with pytest.raises(ModuleFailure) as failure:
        ifconfig(kernel, linkstr=bus)
    result = failure.value.result
    assert (result["call"], result["object"], result["errno"]) == ("SIOCSLINKSTR", f"shmif0 {bus}", "ENOENT")
    assert f"linkstr: the server's host has no folder for {bus}" in result["msg"]


def test_the_loopback_interface_is_not_destroyed(kernel: Kernel) -> None:
    with pytest.raises(ModuleFailure, match="lo0 cannot be destroyed"):
        run_module(kernel, rump_ifconfig, name="lo0", state="absent")
    assert kernel.interfaces.get("lo0") is not None


def test_a_refused_mtu_tells_what_was_done_before(kernel: Kernel, tmp_path: Path) -> None:
    with pytest.raises(ModuleFailure) as failure:
        ifconfig(kernel, linkstr=str(tmp_path / "bus"), mtu=60000)
    result = failure.value.result
    assert (result["call"], result["object"], result["errno"]) == ("SIOCSIFMTU", "shmif0", "EINVAL")
    assert result["changed"]
    assert result["changes"][0] == "create shmif0"
    # A second run with a good value mends it.
    ifconfig(kernel, linkstr=str(tmp_path / "bus"), mtu=1300)
    assert kernel.interfaces.get("shmif0").mtu == 1300  # type: ignore[union-attr]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_kernel_without_networking_names_the_component(backend: str, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    with running(backend, tmp_path, components=["rumpvfs"]) as server, connect(server.url) as kernel:
        record_property("backend", server.description)
        with pytest.raises(ModuleFailure) as failure:
            ifconfig(kernel)
    assert "rumpnet" in failure.value.result["msg"], failure.value.result


def test_a_server_killed_in_between(server: Server, kernel: Kernel) -> None:
    kernel.getpid()
    server.kill()
    with pytest.raises(ConnectionError):
        ifconfig(kernel)
