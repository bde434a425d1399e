# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages about routes: struct rt_msghdr and the sockaddrs behind it (sys/net/route.h, rtsock.c).

The structure has the same layout on every machine since version 4 of these messages: only the byte order differs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..clock import NANOSECONDS
from ..errors import refuse
from ..rooms import Abi
from .messages import (
    RTAX_BRD,
    RTAX_DST,
    RTAX_GATEWAY,
    RTAX_IFA,
    RTAX_IFP,
    RTAX_NETMASK,
    RTAX_TAG,
    RTM_GET,
    RTM_VERSION,
    own_link_sockaddr,
    pack_addresses,
)
from .routes import METRICS, Route

if TYPE_CHECKING:
    from ..clock import Clock

HEADER_SIZE = 120
RTAX_MAX = 9
_WORDS = ("flags", "addrs", "pid", "seq", "errno", "use", "inits")
_WORDS_START, _METRICS_START = 8, 40


@dataclass
class RouteMessage:
    """A message about a route."""

    kind: int
    index: int = 0
    flags: int = 0
    pid: int = 0
    seq: int = 0
    errno: int = 0
    use: int = 0
    inits: int = 0
    metrics: dict[str, int] = field(default_factory=lambda: dict.fromkeys(METRICS, 0))
    """struct rt_metrics as the message has it: ``expire`` is the wall clock's."""
    addresses: dict[int, bytes] = field(default_factory=dict)
    """Sockaddrs by RTAX_ number."""
    addrs: int | None = None
    """The bits of rtm_addrs, where they are not those of the addresses."""

    def build(self, abi: Abi) -> bytes:
        bits, packed = pack_addresses(self.addresses)
        size = HEADER_SIZE + len(packed)
        words = (self.flags, bits if self.addrs is None else self.addrs, self.pid, self.seq, self.errno, self.use)
        head = abi.integer("uint16", size) + bytes([RTM_VERSION, self.kind]) + abi.integer("uint16", self.index)
        head += bytes(2) + b"".join(abi.integer("uint32", word & 0xFFFFFFFF) for word in (*words, self.inits))
        head = head.ljust(_METRICS_START, b"\0")
        head += b"".join(abi.integer("uint64", self.metrics[name] & 0xFFFFFFFFFFFFFFFF) for name in METRICS)
        return head + packed


def parse(abi: Abi, data: bytes) -> RouteMessage:
    """A message that a process wrote; its addresses stay raw. EINVAL, EPROTONOSUPPORT."""
    if len(data) < HEADER_SIZE or abi.read_integer("uint16", data) != len(data):
        raise refuse("EINVAL")
    if data[2] != RTM_VERSION:
        raise refuse("EPROTONOSUPPORT")
    words = {name: abi.read_integer("int32", data[_WORDS_START + 4 * place :]) for place, name in enumerate(_WORDS)}
    bits = words.pop("addrs") & 0xFFFFFFFF
    message = RouteMessage(data[3], abi.read_integer("uint16", data[4:]), addrs=bits)
    for name, word in words.items():
        setattr(message, name, word)
    message.metrics = {
        name: abi.read_integer("int64", data[_METRICS_START + 8 * place :]) for place, name in enumerate(METRICS)
    }
    message.addresses = _parse_addresses(message.kind, bits, data)
    return message


def _parse_addresses(kind: int, bits: int, data: bytes) -> dict[int, bytes]:
    """The sockaddrs behind the header (rt_xaddrs)."""
    found: dict[int, bytes] = {}
    position, place, length = HEADER_SIZE, 0, 0
    while place < RTAX_MAX and position < len(data):
        if bits & 1 << place:
            length = data[position]
            found[place] = data[position : position + length] if length else bytes(2)
            position += max(8, -(-length // 8) * 8)
        place += 1
    rest = bits >> place << place
    if kind == RTM_GET:
        rest &= ~(1 << RTAX_IFP | 1 << RTAX_IFA)
    if rest:
        raise refuse("EINVAL")
    if position != len(data):
        cut = position - max(8, -(-length // 8) * 8) + length
        if not (place == RTAX_NETMASK + 1 and cut == len(data)):
            raise refuse("EINVAL")
    return found


def route_addresses(abi: Abi, route: Route, with_interface: bool) -> dict[int, bytes]:
    """The sockaddrs that describe a route."""
    addresses = {RTAX_DST: route.key, RTAX_GATEWAY: route.gateway}
    mask = route.mask_sockaddr()
    if mask is not None:
        addresses[RTAX_NETMASK] = mask
    if route.tag is not None:
        addresses[RTAX_TAG] = route.tag
    if with_interface:
        addresses |= interface_addresses(abi, route)
    return addresses


def interface_addresses(abi: Abi, route: Route) -> dict[int, bytes]:
    """The sockaddrs that describe a route's interface."""
    addresses = {RTAX_IFP: own_link_sockaddr(abi, route.interface), RTAX_IFA: route.source(abi)}
    if route.interface.is_point_to_point and route.address is not None:
        far_end = route.address.broadcast_sockaddr(abi)
        if far_end is not None:
            addresses[RTAX_BRD] = far_end
    return addresses


def wall_metrics(route: Route, clock: Clock) -> dict[str, int]:
    """A route's metrics as messages show them."""
    metrics = dict(route.metrics)
    metrics["locks"] = metrics["pksent"] = 0
    if metrics["expire"]:
        metrics["expire"] += (clock.now() - clock.uptime()) // NANOSECONDS
    return metrics


def dumped(abi: Abi, route: Route, clock: Clock) -> bytes:
    """A route in the list that sysctl gives."""
    message = RouteMessage(
        RTM_GET,
        route.interface.index,
        route.flags,
        use=route.uses,
        metrics=wall_metrics(route, clock),
        addresses=route_addresses(abi, route, with_interface=True),
    )
    return message.build(abi)
