# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The routing table (sys/net/route.c, rtsock.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..rooms import Abi

if TYPE_CHECKING:
    from .addresses import InterfaceAddress
    from .interfaces import Interface
    from .stack import NetworkStack


class RouteTable:
    """The routes of one kernel."""

    def __init__(self, stack: NetworkStack) -> None:
        self._stack = stack

    def add_prefix(self, interface: Interface, address: InterfaceAddress, prefix: bytes) -> bool:
        return True

    def remove_prefix(self, interface: Interface, address: InterfaceAddress, prefix: bytes) -> None:
        pass

    def address_added(self, interface: Interface, address: InterfaceAddress) -> None:
        pass

    def address_removed(self, interface: Interface, address: InterfaceAddress) -> None:
        pass

    def interface_removed(self, interface: Interface) -> None:
        pass

    def dump(self, abi: Abi, family: int, what: int, argument: int) -> list[bytes]:
        return []
