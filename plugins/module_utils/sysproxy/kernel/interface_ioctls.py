# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How questions about an interface are asked: by ioctl, on a socket, with the interface's name (netintro(4))."""

from __future__ import annotations

import contextlib
import ipaddress  # pylint: disable=unused-import
import os
from typing import Any, Final, TypeAlias

from ..exchanges import Exchange
from ..netbsd import KernelError
from ..netbsd.constants import AF, SOCK
from ..session import Request
from .base import LARGEST_DESCRIPTOR, Base
from .sysctl import Sysctl

IPInterface: TypeAlias = "ipaddress.IPv4Interface | ipaddress.IPv6Interface"
IPAddress: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"

NAME_LIMIT: Final = 15
"""Characters of an interface's name: IFNAMSIZ, less the NUL."""


class InterfaceIoctls:
    """What the pages about interfaces share.

    What is asked or done often, and of many interfaces, is there as an exchange, too, to be had beside others.
    """

    def __init__(self, base: Base, sysctl: Sysctl) -> None:
        self._base = base
        self._sysctl = sysctl
        self._sockets: dict[AF, int] = {}

    def _ifreq(self, ioctl: str, name: str, **value: int) -> Any:
        """An ioctl on a struct ifreq: what its union holds afterwards."""
        return self._base.converse(self._asking_ifreq(ioctl, name, **value))

    def _asking_ifreq(self, ioctl: str, name: str, **value: int) -> Exchange[Any]:
        layout = self._base.abi.struct("ifreq")
        union = {"ifr_ifru": value} if value else {}
        request = bytearray(layout.build(ifr_name=encoded_name(name), **union))
        yield self._asking(AF.INET, ioctl, request, name)
        return layout.parse(request).ifr_ifru

    def _pointed(self, ioctl: str, name: str, data: bytes | bytearray, subject: str, label: str) -> None:
        """An ioctl on a struct ifreq whose ifr_data points to ``data``."""
        with self._base.session.lend(data) as address:
            request = self._base.abi.struct("ifreq").build(ifr_name=encoded_name(name), ifr_ifru={"ifru_data": address})
            self._ioctl(AF.INET, ioctl, bytearray(request), subject, label)

    def _ioctl(self, family: AF, name: str, request: bytearray, subject: str, label: str = "") -> None:
        call = self._asking(family, name, request, subject, label)
        self._base.call(call.name, *call.arguments, label=call.label, subject=call.subject)

    def _asking(self, family: AF, name: str, request: bytearray, subject: str, label: str = "") -> Request:
        """The call that is an ioctl."""
        code = self._base.abi.ioctl(name)
        return Request("ioctl", (self._socket(family), code, request), subject, label or name)

    def _socket(self, family: AF) -> int:
        """A datagram socket to hang ioctls on, kept for the session."""
        if family not in self._sockets:
            self._sockets[family] = self._base.number_call(
                LARGEST_DESCRIPTOR, "__socket30", family, SOCK.DGRAM, 0, subject=f"AF_{family.name}"
            )
        return self._sockets[family]

    def close(self) -> None:
        """Close the sockets that the ioctls hung on."""
        for fd in self._sockets.values():
            with contextlib.suppress(KernelError):
                self._base.call("close", fd)
        self._sockets.clear()


def encoded_name(name: str) -> bytes:
    """An interface's name as the kernel reads it.

    :raises ValueError: it is none.
    """
    encoded = os.fsencode(name)
    if not 0 < len(encoded) <= NAME_LIMIT:
        raise ValueError(f"{name!r} is no interface's name: it has 1 to {NAME_LIMIT} characters")
    return encoded


def sockaddr_in(address: IPAddress) -> dict[str, Any]:
    """The members of a struct sockaddr_in."""
    return {"sin_len": 16, "sin_family": AF.INET, "sin_addr": address.packed}


def sockaddr_in6(address: IPAddress) -> dict[str, Any]:
    """The members of a struct sockaddr_in6."""
    return {"sin6_len": 28, "sin6_family": AF.INET6, "sin6_addr": address.packed}
