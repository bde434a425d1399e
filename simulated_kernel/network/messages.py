# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages of the routing socket and of sysctl net.route (sys/net/rtsock.c, route.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..clock import NANOSECONDS
from ..rooms import Abi
from .addresses import AF_LINK, InterfaceAddress, link_mask_sockaddr, link_sockaddr

if TYPE_CHECKING:
    from .interfaces import Interface

RTM_VERSION = 4
RTM_ADD, RTM_DELETE, RTM_CHANGE, RTM_GET, RTM_MISS, RTM_LOCK = 1, 2, 3, 4, 7, 8
RTM_IFINFO, RTM_IFANNOUNCE = 0x14, 0x10
IFAN_ARRIVAL, IFAN_DEPARTURE = 0, 1
RTAX_DST, RTAX_GATEWAY, RTAX_NETMASK, RTAX_GENMASK, RTAX_IFP, RTAX_IFA, RTAX_AUTHOR, RTAX_BRD, RTAX_TAG = range(9)


def pack_addresses(addresses: dict[int, bytes]) -> tuple[int, bytes]:
    """(the bits of the addresses that are there, the sockaddrs), each padded to eight bytes, and no less."""
    bits, packed = 0, b""
    for position in sorted(addresses):
        raw = addresses[position]
        bits |= 1 << position
        packed += raw.ljust(max(8, -(-len(raw) // 8) * 8), b"\0")
    return bits, packed


def interface_data(interface: Interface) -> dict[str, object]:
    """The members of struct if_data."""
    seconds, rest = divmod(interface.last_change, NANOSECONDS)
    return {
        "ifi_type": interface.kind.type,
        "ifi_addrlen": len(interface.hardware_address),
        "ifi_hdrlen": interface.kind.header_length,
        "ifi_link_state": interface.link_state,
        "ifi_mtu": interface.mtu,
        "ifi_metric": interface.metric,
        "ifi_baudrate": interface.kind.baudrate,
        "ifi_lastchange": {"tv_sec": seconds, "tv_nsec": rest},
    }


def signed_flags(flags: int) -> int:
    """An interface's flags are a short: the kernel extends their sign into the int of a message."""
    return flags - 0x10000 if flags & 0x8000 else flags


def own_link_sockaddr(abi: Abi, interface: Interface) -> bytes:
    return link_sockaddr(abi, interface.index, interface.kind.type, interface.name, interface.hardware_address)


def interface_message(abi: Abi, interface: Interface, with_address: bool = True) -> bytes:
    """RTM_IFINFO: an interface."""
    layout = abi.struct("if_msghdr")
    size = -(-layout.size // 8) * 8
    bits, packed = pack_addresses({RTAX_IFP: own_link_sockaddr(abi, interface)} if with_address else {})
    head = layout.build(
        ifm_msglen=size + len(packed),
        ifm_version=RTM_VERSION,
        ifm_type=RTM_IFINFO,
        ifm_addrs=bits,
        ifm_flags=signed_flags(interface.flags),
        ifm_index=interface.index,
        ifm_data=interface_data(interface),
    )
    return head.ljust(size, b"\0") + packed


def _address_message(abi: Abi, kind: int, interface: Interface, addresses: dict[int, bytes],
                     flags: int, metric: int, state: int) -> bytes:  # fmt: skip
    layout = abi.struct("ifa_msghdr")
    size = -(-layout.size // 8) * 8
    bits, packed = pack_addresses(addresses)
    members: dict[str, object] = {
        "ifam_msglen": size + len(packed),
        "ifam_version": RTM_VERSION,
        "ifam_type": kind,
        "ifam_addrs": bits,
        "ifam_flags": flags,
        "ifam_metric": metric,
        "ifam_index": interface.index,
    }
    if "ifam_addrflags" in layout.offsets:
        members["ifam_addrflags"] = state
    return layout.build(**members).ljust(size, b"\0") + packed


def link_address_message(abi: Abi, interface: Interface) -> bytes:
    """RTM_NEWADDR for an interface's link address."""
    addresses = {RTAX_NETMASK: link_mask_sockaddr(interface.name), RTAX_IFA: own_link_sockaddr(abi, interface)}
    return _address_message(abi, abi.constant("RTM_NEWADDR"), interface, addresses, 0, 0, 0)


def address_message(abi: Abi, interface: Interface, address: InterfaceAddress, kind: int, state: int) -> bytes:
    """RTM_NEWADDR or RTM_DELADDR for an address."""
    addresses = {RTAX_NETMASK: address.mask_sockaddr(abi), RTAX_IFA: address.sockaddr(abi)}
    other_end = address.broadcast_sockaddr(abi)
    if other_end is not None:
        addresses[RTAX_BRD] = other_end
    return _address_message(abi, kind, interface, addresses, address.flags, address.metric, state)


def address_notice(abi: Abi, interface: Interface, address: InterfaceAddress, kind: int) -> bytes:
    """RTM_NEWADDR or RTM_DELADDR as routing sockets hear it: with the interface."""
    addresses = {
        RTAX_NETMASK: address.mask_sockaddr(abi),
        RTAX_IFP: own_link_sockaddr(abi, interface),
        RTAX_IFA: address.sockaddr(abi),
    }
    other_end = address.broadcast_sockaddr(abi)
    if other_end is not None:
        addresses[RTAX_BRD] = other_end
    return _address_message(abi, kind, interface, addresses, address.flags, address.metric, 0)


def announcement(abi: Abi, interface: Interface, what: int) -> bytes:
    """RTM_IFANNOUNCE: an interface came or went (struct if_announcemsghdr)."""
    size = 24
    head = abi.integer("uint16", size) + bytes([RTM_VERSION, RTM_IFANNOUNCE]) + abi.integer("uint16", interface.index)
    return head + interface.name.encode().ljust(16, b"\0") + abi.integer("uint16", what)


def interface_list(abi: Abi, interfaces: list[Interface], family: int, index: int, uptime: int) -> list[bytes]:
    """What NET_RT_IFLIST gives: each interface, then its addresses (of one family, if it is not 0)."""
    messages, kind = [], abi.constant("RTM_NEWADDR")
    for interface in interfaces:
        if index and interface.index != index:
            continue
        messages.append(interface_message(abi, interface))
        addresses = [
            (address.family, address_message(abi, interface, address, kind, address.state_at(uptime)))
            for address in interface.addresses
        ]
        addresses.insert(interface.link_comes_after, (AF_LINK, link_address_message(abi, interface)))
        messages += [message for own_family, message in addresses if family in (0, own_family)]
    return messages
