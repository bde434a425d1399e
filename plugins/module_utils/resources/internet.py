# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses, networks and interfaces as options name them."""

from __future__ import annotations

import ipaddress
import re

from ..sysproxy import Kernel
from ..sysproxy.kernel.base import LARGEST_DESCRIPTOR
from ..sysproxy.kernel.routing_messages import IPAddress, IPNetwork, scope_is_needed
from ..sysproxy.netbsd.constants import AF, SOCK
from .failures import OptionError

FAMILIES = {"inet": 4, "inet6": 6}
"""The names of the address families, with their IP versions."""
_INTERFACE = re.compile(r"[A-Za-z][A-Za-z0-9_]*\d+")
_LINK_ADDRESS = re.compile(r"[0-9A-Fa-f]{1,2}([:-][0-9A-Fa-f]{1,2}){5}")


def ip_address(text: str) -> IPAddress:
    """As the ipaddress module's, which takes an IPv6 one for an IPv4 one first, in three times the time.

    :raises ValueError: it is none.
    """
    return ipaddress.IPv6Address(text) if ":" in text else ipaddress.IPv4Address(text)


def parse_interface(option: str, text: str) -> str:
    """An interface's name.

    :raises OptionError: it is none.
    """
    if not _INTERFACE.fullmatch(text) or len(text) > 15:
        raise OptionError(
            option, f"{text!r} is no interface's name: give a kind and a unit of at most 15 characters, such as shmif0"
        )
    return text


def no_interface(option: str, name: str, **about: str) -> OptionError:
    """The error of a task that is about an interface that is not there."""
    return OptionError(option, f"there is no interface {name} (ENXIO): create it first", **about, errno="ENXIO")


def parse_address(option: str, text: str, interface: str | None = None) -> IPAddress:
    """An address. One that is good for a single link gets ``interface``, or names its own: ``fe80::1%shmif0``.

    :raises OptionError: it is no address, or it is link-local and nothing names the link.
    """
    plain, percent, scope = text.partition("%")
    try:
        address = ip_address(plain)
    except ValueError:
        raise OptionError(
            option,
            f"{text!r} is no IP address; a rump kernel looks up no names, so give one such as 192.0.2.1, 2001:db8::1 "
            "or fe80::1%shmif0",
        ) from None
    if address.version == 4 or not scope_is_needed(address):
        if percent:
            raise OptionError(option, f"{text}: only a link-local address has an interface behind a percent sign")
        return address
    scope = _scope(option, text, scope if percent else None, interface)
    return ipaddress.IPv6Address(f"{address}%{scope}")


def parse_destination(
    option: str, text: str, family: str | None = None, interface: str | None = None
) -> tuple[IPNetwork, str]:
    """A network, or an address as a network of its own; ``default`` is all of the family, IPv4 if it is not given.

    With it comes the interface on whose link it is, for a link-local one.

    :raises OptionError: it is no such thing, or of another family.
    """
    if text == "default":
        return ipaddress.ip_network("::/0" if family == "inet6" else "0.0.0.0/0"), ""
    address, slash, prefix = text.partition("/")
    plain, percent, scope = address.partition("%")
    try:
        ip = ip_address(plain)
    except ValueError:
        raise OptionError(
            option,
            f"{text!r} is no destination: give a network such as 192.0.2.0/24 or 2001:db8::/32, an address, or default",
        ) from None
    if slash and not (prefix.isascii() and prefix.isdigit() and int(prefix) <= ip.max_prefixlen):
        raise OptionError(option, f"{text}: the prefix of an IPv{ip.version} network is 0 to {ip.max_prefixlen}")
    if family and ip.version != FAMILIES[family]:
        raise OptionError(option, f"{text} is of IPv{ip.version}, and family is {family}")
    kind = ipaddress.IPv4Network if ip.version == 4 else ipaddress.IPv6Network
    network = kind((ip.packed, int(prefix) if slash else ip.max_prefixlen), strict=False)
    if network.network_address.packed != ip.packed:
        raise OptionError(option, f"{text} is an address in the network {network}: give the one or the other")
    if isinstance(ip, ipaddress.IPv6Address) and scope_is_needed(ip):
        return network, _scope(option, text, scope if percent else None, interface)
    if percent:
        raise OptionError(option, f"{text}: only a link-local destination has an interface behind a percent sign")
    return network, ""


def _scope(option: str, text: str, scope: str | None, interface: str | None) -> str:
    if scope is not None:
        parse_interface(option, scope)
        if interface and scope != interface:
            raise OptionError(option, f"{text} is on the link of {scope}, and interface is {interface}")
        return scope
    if not interface:
        raise OptionError(
            option, f"{text} is link-local: name its interface, as in {text.partition('/')[0]}%shmif0, or by interface"
        )
    return interface


def parse_link_address(option: str, text: str) -> bytes:
    """An Ethernet address.

    :raises OptionError: it is none.
    """
    if not _LINK_ADDRESS.fullmatch(text):
        raise OptionError(option, f"{text!r} is no link-level address: give six bytes, such as b2:a0:9f:82:6d:0e")
    return bytes(int(byte, 16) for byte in re.split("[:-]", text))


def require_family(kernel: Kernel, family: AF) -> None:
    """Find out whether the kernel has an address family: only its sockets say so.

    :raises KernelError: EAFNOSUPPORT, it does not; the module's failure names the component.
    """
    fd = kernel.number_call(LARGEST_DESCRIPTOR, "__socket30", family, SOCK.DGRAM, 0, subject=f"AF_{family.name}")
    kernel.close(fd)
