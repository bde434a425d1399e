# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Echo requests from the kernel's own stack, as ping(8) and ping6(8) make them.

A rump kernel's clock goes in steps of 10 ms, so the times are the controller's: from the sending of a request to the
return of the poll that waited in the kernel before it was sent, less what a call that does nothing takes on the same
way. Sources: icmp(4), icmp6(4), ip(4), ip6(4), RFC 792 and RFC 4443 for the messages.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..sysproxy import Kernel, KernelError
from ..sysproxy.kernel.interfaces import IPAddress
from ..sysproxy.kernel.sockets import Socket
from ..sysproxy.netbsd.constants import AF, IP, IPPROTO, IPV6, POLL, SOCK
from .failures import OptionError, Unmet
from .internet import parse_address, parse_interface
from .plan import Plan

_ICMP: Final = struct.Struct(">BBHHH")  # type, code, checksum, identifier, sequence number
_CONTROL: Final = 64  # bytes: room for a hop limit
_PROBES: Final = 5
_WAIT: Final = 0.2  # seconds of one poll: it cannot be called back when a request turns out not to be sendable
_MOST_ERRORS: Final = 8  # that are kept, by requests
_LARGEST_PACKET: Final = 65535
_LARGEST_SIZE: Final = 65000  # bytes of data that an echo request may have with all headers

# What stands in the way of one packet and may be over for the next: it counts as lost, with its reason.
_LOST: Final = frozenset({"EHOSTUNREACH", "EHOSTDOWN", "ENETUNREACH", "ENETDOWN", "ENOBUFS"})


@dataclass(frozen=True)
class _Kind:
    """What differs between the families."""

    family: AF
    protocol: int
    request: int
    reply: int
    hops: tuple[int, int]
    inner_header: int
    """Bytes from the start of the packet that an error holds to that packet's ICMP header, at least."""
    reasons: Mapping[int, Mapping[int, str] | str]


_KINDS: Final = {
    4: _Kind(
        AF.INET,
        IPPROTO.ICMP,
        8,
        0,
        (IPPROTO.IP, IP.TTL),
        20,
        {
            3: {
                0: "net unreachable",
                1: "host unreachable",
                2: "protocol unreachable",
                3: "port unreachable",
                4: "fragmentation needed",
                9: "net prohibited",
                10: "host prohibited",
                13: "filtered",
            },
            5: "redirected",
            11: "time to live exceeded",
            12: "parameter problem",
        },
    ),
    6: _Kind(
        AF.INET6,
        IPPROTO.ICMPV6,
        128,
        129,
        (IPPROTO.IPV6, IPV6.UNICAST_HOPS),
        40,
        {
            1: {
                0: "no route",
                1: "administratively prohibited",
                2: "beyond the scope of the source",
                3: "address unreachable",
                4: "port unreachable",
            },
            2: "packet too big",
            3: "hop limit exceeded",
            4: "parameter problem",
        },
    ),
}


@dataclass(frozen=True)
class Wanted:
    """The options in their normal form. Times are in seconds."""

    dest: IPAddress
    interface: str | None
    source: IPAddress | None
    count: int
    interval: float
    timeout: float
    size: int
    ttl: int | None
    state: str


@dataclass
class Echoes:
    """What came of the requests. Times are in seconds."""

    sent: dict[int, float] = field(default_factory=dict)
    """When each was sent, by its sequence number."""
    took: dict[int, float] = field(default_factory=dict)
    ttl: int | None = None
    errors: list[dict[str, Any]] = field(default_factory=list)
    duplicates: int = 0


def normalize(parameters: Mapping[str, Any]) -> Wanted:
    """Check the options without a kernel.

    :raises OptionError: one is wrong.
    """
    interface = parameters.get("interface")
    if interface is not None:
        parse_interface("interface", interface)
    dest = parse_address("dest", parameters["dest"], interface)
    interface = getattr(dest, "scope_id", None) or interface
    source = None
    if parameters.get("source") is not None:
        source = parse_address("source", parameters["source"], interface)
        if source.version != dest.version:
            raise OptionError("source", f"{source} is no IPv{dest.version} address, and dest, {dest}, is one")
    if dest.version == 6 and dest.is_multicast and not interface:
        raise OptionError("interface", f"{dest} is an address of many hosts: name the interface whose link is meant")
    if interface and not (dest.version == 6 and (dest.is_link_local or dest.is_multicast)):
        raise OptionError("interface", f"goes with link-local and multicast IPv6 addresses, which {dest} is not")
    for option, least, most in (
        ("count", 1, 65535),
        ("interval", 0.001, 3600),
        ("timeout", 0.001, 3600),
        ("size", 0, _LARGEST_SIZE),
        ("ttl", 1, 255),
    ):
        value = parameters.get(option)
        if value is not None and not least <= value <= most:
            raise OptionError(option, f"{value} is not possible: give {least} to {most}")
    return Wanted(
        dest=dest,
        interface=interface,
        source=source,
        count=parameters["count"],
        interval=parameters["interval"],
        timeout=parameters["timeout"],
        size=parameters["size"],
        ttl=parameters.get("ttl"),
        state=parameters["state"],
    )


def plan(kernel: Kernel, parameters: Mapping[str, Any]) -> Plan:
    """A plan that changes nothing: the requests are made while it is made, in check mode too.

    :raises OptionError: an option is wrong.
    :raises Unmet: what came is not what ``state`` says.
    """
    wanted = normalize(parameters)
    result = describe(wanted, ping(kernel, wanted))
    lost = result["packets_tx"] - result["packets_rx"]
    reasons = sorted({f"{error['reason']} ({error['from'] or 'the kernel itself'})" for error in result["errors"]})
    if wanted.state == "present" and not result["packets_rx"]:
        why = f": {', '.join(reasons)}" if reasons else f" within {wanted.timeout:g} s"
        raise Unmet(f"{wanted.dest} did not answer any of {lost} packets{why}", result)
    if wanted.state == "absent" and result["packets_rx"]:
        answered = f"{result['packets_rx']} of {result['packets_tx']} packets"
        raise Unmet(f"{wanted.dest} was not to answer, and answered {answered}", result)
    return Plan(expected=result)


def describe(wanted: Wanted, echoes: Echoes) -> dict[str, Any]:
    """The module's result: times in milliseconds, the loss in percent."""
    times = [1000 * seconds for seconds in echoes.took.values()]
    rtt = (
        {"min": round(min(times), 3), "avg": round(sum(times) / len(times), 3), "max": round(max(times), 3)}
        if times
        else None
    )
    return {
        "dest": str(wanted.dest),
        "packets_tx": wanted.count,
        "packets_rx": len(times),
        "packet_loss": round(100 * (wanted.count - len(times)) / wanted.count, 1),
        "duplicates": echoes.duplicates,
        "rtt": rtt,
        "ttl": echoes.ttl,
        "errors": echoes.errors,
    }


def ping(kernel: Kernel, wanted: Wanted) -> Echoes:
    """Send the requests, one every ``interval``, and take what comes until ``timeout`` after the last one.

    Over as soon as every request has its answer or its error.

    :raises KernelError: there is no such family or source address, or it is not allowed.
    """
    kind = _KINDS[wanted.dest.version]
    echoes = Echoes()
    with kernel.socket(kind.family, SOCK.RAW, kind.protocol) as sock:
        sock.setblocking(False)
        if wanted.ttl is not None:
            sock.setsockopt(*kind.hops, wanted.ttl)
        if kind.family == AF.INET6:
            # The kernel tells an answer's hop limit only to those who ask for it.
            sock.setsockopt(IPPROTO.IPV6, IPV6.RECVHOPLIMIT, 1)
        if wanted.source is not None:
            sock.bind(_socket_address(kernel, wanted.source, getattr(wanted.source, "scope_id", None)))
        _Pinger(kernel, wanted, kind, sock, echoes).run()
    return echoes


def _socket_address(kernel: Kernel, address: IPAddress, interface: str | None) -> tuple[Any, ...]:
    """An address as sockets take it, on the link of an interface if one is named."""
    if address.version == 4:
        return str(address), 0
    return str(address).partition("%")[0], 0, 0, kernel.if_nametoindex(interface) if interface else 0


class _Pinger:
    """One round of requests."""

    def __init__(self, kernel: Kernel, wanted: Wanted, kind: _Kind, sock: Socket, echoes: Echoes) -> None:
        self.kernel = kernel
        self.wanted = wanted
        self.kind = kind
        self.sock = sock
        self.echoes = echoes
        self.identifier = secrets.randbelow(1 << 16)
        self.target = _socket_address(kernel, wanted.dest, wanted.interface)
        # What only we can know: others' answers with our identifier are not taken for ours.
        self.data = os.urandom(wanted.size)
        self.ended: set[int] = set()

    def run(self) -> None:
        overhead = self._overhead()
        sequence, next_at, deadline = 0, time.monotonic(), 0.0
        while len(self.ended) < self.wanted.count:
            now = time.monotonic()
            sending = None
            if sequence < self.wanted.count and now >= next_at:
                sending, sequence = sequence, sequence + 1
                next_at = now + self.wanted.interval
                deadline = now + self.wanted.timeout
            elif sequence == self.wanted.count and now >= deadline:
                break
            self._turn(sending, (next_at if sequence < self.wanted.count else deadline) - now)
        self.echoes.took = {number: max(took - overhead, 0.0) for number, took in self.echoes.took.items()}

    def _overhead(self) -> float:
        """Seconds that a call takes which does nothing."""
        times = []
        for _probe in range(_PROBES):
            start = time.monotonic()
            self.kernel.getpid()
            times.append(time.monotonic() - start)
        return min(times)

    def _turn(self, sending: int | None, seconds: float) -> None:
        """Send a request, or none, and see what comes within some seconds.

        The poll is in the kernel before the request is, so that its answer is on the way back as soon as it came.
        """
        layout = self.kernel.abi.struct("pollfd")
        entry = bytearray(layout.build(fd=self.sock.fileno(), events=POLL.IN))
        limit = min(max(seconds, 0.0), _WAIT)
        session = self.kernel.session
        waiting = session.submit("poll", entry, 1, int(limit * 1000 + 0.999))
        try:
            if sending is not None:
                self._send(sending)
        finally:
            if not session.closed:  # then the error on its way says why
                session.wait(waiting)
        came = time.monotonic()
        with contextlib.suppress(BlockingIOError):
            # A kernel that has a packet whenever it is asked keeps us not from what is to be sent, nor from the end.
            while time.monotonic() < came + _WAIT:
                self._take(came, *self.sock.recvmsg(_LARGEST_PACKET, _CONTROL))

    def _send(self, sequence: int) -> None:
        self.echoes.sent[sequence] = time.monotonic()
        try:
            self.sock.sendto(self._request(sequence), self.target)
        except KernelError as error:
            if error.name not in _LOST:
                raise
            self.ended.add(sequence)
            reason = f"{error.name} ({error.strerror})"
            self._note(sequence, None, reason)

    def _request(self, sequence: int) -> bytes:
        head = _ICMP.pack(self.kind.request, 0, 0, self.identifier, sequence)
        # The kernel makes the checksum of ICMPv6, which is over addresses that it chooses.
        check = _checksum(head + self.data) if self.kind.family == AF.INET else 0
        return _ICMP.pack(self.kind.request, 0, check, self.identifier, sequence) + self.data

    def _take(
        self, came: float, packet: bytes, ancillary: list[tuple[int, int, bytes]], _flags: int, address: Any
    ) -> None:
        """See whether a packet is about one of ours."""
        hops: int | None = None
        if self.kind.family == AF.INET:
            if len(packet) < 20:
                return
            hops = packet[8]
            packet = packet[4 * (packet[0] & 0xF) :]
        if len(packet) < _ICMP.size:
            return
        host = str(address[0]) if isinstance(address, tuple) else ""
        if packet[0] == self.kind.reply:
            self._answer(came, packet, ancillary, hops)
        elif packet[0] in self.kind.reasons:
            self._error(packet, host)

    def _answer(self, came: float, packet: bytes, ancillary: list[tuple[int, int, bytes]], hops: int | None) -> None:
        _type, _code, _check, identifier, sequence = _ICMP.unpack_from(packet)
        if identifier != self.identifier or packet[_ICMP.size :] != self.data or sequence not in self.echoes.sent:
            return
        if sequence in self.echoes.took:
            self.echoes.duplicates += 1
            return
        for level, kind, data in ancillary:
            if level == IPPROTO.IPV6 and kind == IPV6.HOPLIMIT:
                hops = self.kernel.abi.read_integer("int", data)
        self.echoes.took[sequence] = came - self.echoes.sent[sequence]
        self.echoes.ttl = hops
        self.ended.add(sequence)

    def _error(self, packet: bytes, host: str) -> None:
        """An error holds the start of the packet that it is about."""
        inner = packet[_ICMP.size :]
        if len(inner) < self.kind.inner_header:
            return
        start = 4 * (inner[0] & 0xF) if self.kind.family == AF.INET else self.kind.inner_header
        if len(inner) < start + _ICMP.size:
            return
        kind, _code, _check, identifier, sequence = _ICMP.unpack_from(inner, start)
        if kind != self.kind.request or identifier != self.identifier or sequence not in self.echoes.sent:
            return
        known = self.kind.reasons[packet[0]]
        reason = known if isinstance(known, str) else known.get(packet[1], f"unreachable (code {packet[1]})")
        if reason != "redirected":
            self.ended.add(sequence)
        self._note(sequence, host, reason)

    def _note(self, sequence: int, host: str | None, reason: str) -> None:
        """Keep an error. One request may bring some (redirects), and a network that repeats itself any number."""
        if len(self.echoes.errors) < _MOST_ERRORS * self.wanted.count:
            self.echoes.errors.append({"sequence": sequence, "from": host, "reason": reason})


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
