# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_ifconfig run as the twelve steps want it: foretold, made, and nothing left to do, in check mode and for real."""

from __future__ import annotations

from typing import Any

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel
from ansible_collections.rumpkernel.rump.plugins.modules import rump_ifconfig
from ansible_collections.rumpkernel.rump.tests.support.backends import COMPONENTS
from ansible_collections.rumpkernel.rump.tests.support.modules import run_module

KINDS = [*COMPONENTS, "rumpnet_vlan", "rumpnet_gif", "rumpnet_agr", "rumpnet_tap"]
"""The components of a kernel that has every kind of interface that the module knows."""
WIRELESS = [*COMPONENTS, "rumpnet_net80211", "rumpdev_pci_if_iwn"]
"""The components of a kernel that has a wireless device."""


def ifconfig(kernel: Kernel, name: str, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return run_module(kernel, rump_ifconfig, check_mode, name=name, **options)


def shown(kernel: Kernel, name: str) -> dict[str, Any]:
    """The interface in the module's terms."""
    found = ifconfig(kernel, name)
    assert not found["changed"]
    return dict(found["interface"])


def thrice(kernel: Kernel, name: str, **options: Any) -> dict[str, Any]:
    """Check, run, check and run again; the real run's result."""
    before = _held(kernel)
    foretold = ifconfig(kernel, name, check_mode=True, **options)
    assert foretold["changed"]
    assert _held(kernel) == before, "check mode changed the kernel"
    made = ifconfig(kernel, name, **options)
    assert made["changed"]
    assert made["changes"] == foretold["changes"]
    assert made["diff"] == foretold["diff"]
    after = _held(kernel)
    for check_mode in (True, False):
        again = ifconfig(kernel, name, check_mode, **options)
        assert not again["changed"], again
        assert "diff" not in again
    assert _held(kernel) == after
    return made


def _held(kernel: Kernel) -> list[Any]:
    """What the kernel has, by another way than the module's."""
    held: list[Any] = []
    for interface in kernel.interfaces.all():
        kind = interface.name.rstrip("0123456789")
        held.append(interface)
        held += [kernel.interfaces.bridge(interface.name)] if kind == "bridge" else []
        held += [kernel.interfaces.vlan(interface.name)] if kind == "vlan" else []
        held += [kernel.interfaces.tunnel(interface.name)] if kind == "gif" else []
        held += [kernel.interfaces.ports(interface.name)] if kind == "agr" else []
        held += [kernel.interfaces.carp(interface.name)] if kind == "carp" else []
        held += [kernel.interfaces.wireless(interface.name)] if kind == "iwn" else []
    return held
