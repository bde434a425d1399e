# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Socket addresses: Python's tuples and strings, and NetBSD's struct sockaddr.

Addresses are numeric. A name would be looked up by the controller, whose answer means nothing in the kernel's
network. Sources: sys/socket.h, netinet/in.h, netinet6/in6.h, sys/un.h, net/if_dl.h.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias

from ..netbsd import Abi
from ..netbsd.constants import AF

LARGEST: Final = 255
"""Bytes of the largest address, whose length is told in one byte."""
_LONGEST_PATH: Final = 103
_HOST_FAMILIES: Final[dict[int, AF]] = {
    int(getattr(socket, name)): family
    for name, family in (("AF_UNIX", AF.LOCAL), ("AF_INET", AF.INET), ("AF_INET6", AF.INET6))
    if hasattr(socket, name)
}


class LinkAddress(NamedTuple):
    """An address of a network interface itself (AF.LINK)."""

    interface: str
    ifindex: int
    type: int
    address: bytes


Address: TypeAlias = "tuple[Any, ...] | str | bytes | None"
"""(host, port) for AF_INET, (host, port, flowinfo, scope_id) for AF_INET6, a path for AF_UNIX, LinkAddress for
AF.LINK; (family, bytes) for what is none of these, None for no address."""


def family_of(family: int) -> AF:
    """NetBSD's family for one of Python's ``socket.AF_*``; one of NetBSD's, as :class:`AF`, stays.

    :raises ValueError: there is none for it.
    """
    if isinstance(family, AF):
        return family
    if family not in _HOST_FAMILIES:
        raise ValueError(f"{family!r} is no address family of a rump kernel's; routing sockets are AF.ROUTE")
    return _HOST_FAMILIES[family]


def host_family(family: AF) -> int:
    """Python's family for NetBSD's, where Python has it."""
    return next((host for host, ours in _HOST_FAMILIES.items() if ours == family), family)


def pack(abi: Abi, family: AF, address: Address, scope: Callable[[str], int]) -> bytes:
    """The struct sockaddr for an address of ``family``; ``scope`` gives an interface's index by its name.

    :raises ValueError: the address has not the family's form.
    :raises TypeError: it is not even a tuple or a string.
    """
    match family:
        case AF.INET:
            host, port = _parts(address, 2, 2)
            return abi.struct("sockaddr_in").build(
                sin_len=16, sin_family=AF.INET, sin_port=_port(port), sin_addr=_address4(host).packed
            )
        case AF.INET6:
            host, port, *more = _parts(address, 2, 4)
            flow = more[0] if more else 0
            index = more[1] if len(more) > 1 else 0
            plain, _percent, zone = str(host or "::").partition("%")
            if zone:
                index = int(zone) if zone.isdecimal() else scope(zone)
            if not 0 <= flow <= 0xFFFFF:
                raise ValueError("flowinfo is a number from 0 to 1048575")
            return abi.struct("sockaddr_in6").build(
                sin6_len=28,
                sin6_family=AF.INET6,
                sin6_port=_port(port),
                sin6_flowinfo=flow.to_bytes(4, "big"),
                sin6_addr=ipaddress.IPv6Address(plain).packed,
                sin6_scope_id=index,
            )
        case AF.LOCAL:
            if not isinstance(address, str | bytes | os.PathLike):
                raise TypeError(f"an address of AF_UNIX is a path, not {address!r}")
            path = os.fsencode(address)
            if b"\0" in path or not 0 < len(path) <= _LONGEST_PATH:
                raise ValueError(f"a socket's path has 1 to {_LONGEST_PATH} bytes and no NUL")
            return bytes([3 + len(path), AF.LOCAL]) + path + b"\0"
        case _:
            if isinstance(address, bytes) and len(address) <= LARGEST - 2:
                return bytes([2 + len(address), family]) + address
            raise TypeError(f"an address of family {family.name} is given as what follows its two first bytes")


def unpack(abi: Abi, data: bytes) -> Address:
    """An address that the kernel gave, whose length is that of ``data``; None where it gave none.

    :raises ValueError: it is shorter than its family's addresses are.
    """
    if len(data) < 2:
        return None
    match data[1]:
        case AF.INET:
            found = abi.struct("sockaddr_in").parse(data)
            return str(ipaddress.IPv4Address(found.sin_addr)), int.from_bytes(found.sin_port, "big")
        case AF.INET6:
            found = abi.struct("sockaddr_in6").parse(data)
            return (
                str(ipaddress.IPv6Address(found.sin6_addr)),
                int.from_bytes(found.sin6_port, "big"),
                int.from_bytes(found.sin6_flowinfo, "big") & 0xFFFFF,
                found.sin6_scope_id,
            )
        case AF.LOCAL:
            return os.fsdecode(data[2:].split(b"\0")[0])
        case AF.LINK:
            return _link_address(abi, data)
        case family:
            return family, data[2:]


def _link_address(abi: Abi, data: bytes) -> LinkAddress:
    if len(data) < 8:
        raise ValueError("an address of AF_LINK has 8 bytes at least")
    name_length, address_length = data[5], data[6]
    if 8 + name_length + address_length > len(data):
        raise ValueError("an address of AF_LINK is cut off")
    name_end = 8 + name_length
    return LinkAddress(
        os.fsdecode(data[8:name_end]),
        abi.read_integer("uint16", data[2:4]),
        data[4],
        data[name_end : name_end + address_length],
    )


def _parts(address: Address, least: int, most: int) -> tuple[Any, ...]:
    if not isinstance(address, tuple):
        raise TypeError(f"an internet address is a tuple of host and port, not {address!r}")
    if not least <= len(address) <= most:
        raise ValueError(f"{address!r} has {len(address)} parts; {least} to {most} are possible")
    return address


def _port(port: object) -> bytes:
    if not isinstance(port, int) or not 0 <= port <= 0xFFFF:
        raise ValueError(f"{port!r} is no port: that is a number from 0 to 65535")
    return port.to_bytes(2, "big")


def _address4(host: object) -> ipaddress.IPv4Address:
    """As in ``socket``, an empty host is any, and ``<broadcast>`` all."""
    special = {"": "0.0.0.0", "<broadcast>": "255.255.255.255"}
    return ipaddress.IPv4Address(special.get(str(host), str(host)))
