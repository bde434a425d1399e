# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's routing table: what route(8) asks of it, by routing sockets and by sysctl net.route.

Sources: route(4), sysctl(7), sys/net/rtsock.c.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from ..netbsd import KernelError
from ..netbsd.constants import AF, CTL, NET_RT, RTAX, RTF, RTM, SOCK
from ..session import Request
from .addresses import LARGEST
from .base import LARGEST_DESCRIPTOR
from .routing_messages import (
    IPAddress,
    IPNetwork,
    Message,
    Names,
    pack_address,
    pack_link,
    pack_mask,
    parse_messages,
    unpack_address,
    unpack_link,
    unpack_network,
)
from .socket_options import creation_flags
from .sockets import Socket, SocketTimeout

if TYPE_CHECKING:
    from .network import Network

_TABLE_SIZE: Final = 1 << 18  # bytes that are made room for at first
_LARGEST_ANSWER: Final = 120 + LARGEST * RTAX.MAX
_SHUT_RD: Final = 0
_DONE: Final = int(RTF.DONE)
_HOST: Final = int(RTF.HOST)  # plain numbers: those of an enum take ten times as long
_GATEWAY: Final = int(RTF.GATEWAY)
_LARGEST_PID: Final = 0x7FFFFFFF


@dataclass(frozen=True)
class Route:
    """A route: packets for ``destination`` go to ``gateway``, or without one to ``interface``'s link.

    ``flags`` are :class:`~..netbsd.constants.RTF`'s; with HOST the destination is one address, and with GATEWAY the
    gateway passes packets on. ``scope`` names the interface on whose link a link-local destination is. ``metrics`` are
    those of :data:`~.routing_messages.METRICS`; ``expire`` is the time of day, in seconds, by the kernel's clock.
    ``source`` is the address that packets of the kernel's own have, if the kernel told it.
    """

    destination: IPNetwork
    gateway: IPAddress | None = None
    interface: str = ""
    flags: int = int(RTF.UP)
    scope: str = ""
    metrics: Mapping[str, int] = field(default_factory=dict)
    source: IPAddress | None = None
    uses: int = 0

    @property
    def is_host(self) -> bool:
        return bool(self.flags & _HOST)

    @property
    def is_by_gateway(self) -> bool:
        return bool(self.flags & _GATEWAY)

    @property
    def key(self) -> tuple[IPNetwork, str]:
        """What tells routes from one another: there is one to each destination."""
        return self.destination, self.scope

    def __str__(self) -> str:
        """The destination in words: ``default``, an address, or a network with its prefix."""
        return self._text

    @cached_property
    def _text(self) -> str:
        if not self.destination.prefixlen:
            return "default" if self.destination.version == 4 else "default (IPv6)"
        scope = f"%{self.scope}" if self.scope else ""
        address = f"{self.destination.network_address}{scope}"
        return address if self.is_host else f"{address}/{self.destination.prefixlen}"


class RoutingSocket:
    """The routing sockets of a session: one that writes and never hears, and one for each question.

    What a socket does not read it would sooner or later lose; so answers are read on sockets that are made for them.
    """

    def __init__(self, kernel: Network) -> None:
        self._kernel = kernel
        self._writer: Socket | None = None
        self._sequence = itertools.count(1)

    def tell(self, message: Message, subject: str) -> None:
        """Have a change made.

        :raises KernelError: the kernel refused it; the call is named by the message's type.
        """
        request = self.telling(message, subject)
        self._kernel.call(request.name, *request.arguments, label=request.label, subject=request.subject)

    def telling(self, message: Message, subject: str) -> Request:
        """The call that has a change made."""
        if self._writer is None:
            self._writer = self._open()
            self._writer.shutdown(_SHUT_RD)  # its own messages would come back
        data = message.build(self._kernel.abi)
        return Request("write", (self._writer.fileno(), data, len(data)), subject, f"RTM_{RTM(message.type).name}")

    def ask(self, kind: RTM, message: Message, subject: str) -> Message:
        """The kernel's answer to a question.

        :raises KernelError: it has none.
        :raises SocketTimeout: it did not come in the time that a call of the session may take.
        """
        # The kernel tells all who listen; it is the process's number and its own that make the answer ours.
        pid, number = self._kernel.number_call(_LARGEST_PID, "getpid"), next(self._sequence) & 0x7FFFFFFF
        data = replace(message, type=kind, pid=pid, seq=number).build(self._kernel.abi)
        deadline = time.monotonic() + self._kernel.session.timeout
        with self._open() as asking:
            self._write(asking, data, kind, subject)
            # What others change is heard in between, however much that is.
            while (remaining := deadline - time.monotonic()) > 0:
                asking.settimeout(remaining)
                for answer in parsed(self._kernel, asking.recv(_LARGEST_ANSWER)):
                    if (answer.type, answer.pid, answer.seq) == (kind, pid, number):
                        return answer
        raise SocketTimeout(f"{self._kernel.session.url}: no answer to RTM_{kind.name} {subject}")

    def _open(self) -> Socket:
        kind = SOCK.RAW | creation_flags(self._kernel.abi)
        fd = self._kernel.number_call(LARGEST_DESCRIPTOR, "__socket30", AF.ROUTE, kind, 0, subject="AF_ROUTE")
        return Socket(self._kernel, AF.ROUTE, SOCK.RAW, 0, fd)  # type: ignore[arg-type] # all parts are a Kernel

    def _write(self, through: Socket, data: bytes, kind: int, subject: str) -> None:
        label = f"RTM_{RTM(kind).name}"
        self._kernel.call("write", through.fileno(), data, len(data), label=label, subject=subject)

    def close(self) -> None:
        if self._writer is not None:
            with contextlib.suppress(KernelError):
                self._writer.close()
            self._writer = None


class Routes:
    """The routing table. IPv4's and IPv6's routes are in it, whatever else there may be is passed over."""

    def __init__(self, kernel: Network) -> None:
        self._kernel = kernel

    def all(self, family: AF | None = None, names: Names | None = None, having: int = 0) -> list[Route]:
        """The routes of one family or of both, in the kernel's order.

        ``names`` are the interfaces' names, where they are known already. With ``having``, only those that have one of
        these flags are told.

        :raises KernelError: the kernel has no networking.
        """
        mib = (CTL.NET, AF.ROUTE, 0, family or 0, NET_RT.DUMP, 0)
        data = self._kernel.sysctl.read(mib, "net.route.0.dump", _TABLE_SIZE)
        names = names or self._kernel.interfaces.names()
        found = (self._route(message, names) for message in parsed(self._kernel, data, having))
        return [route for route in found if route is not None]

    def get(self, address: IPAddress, names: Names | None = None) -> Route | None:
        """The route that packets to an address take, with the interface and the source; None: there is none.

        A link-local address names its interface as scope: ``fe80::1%shmif0``.

        :raises KernelError: ENXIO, the scope names no interface.
        """
        abi, names = self._kernel.abi, names or self._kernel.interfaces.names()
        scope = getattr(address, "scope_id", None) or ""
        addresses: dict[int, bytes] = {
            RTAX.DST: pack_address(abi, address, self._index(scope, names)),
            RTAX.IFP: pack_link(abi, 0),
        }
        # RTF_UP asks for the route, where a message without it is about the neighbour.
        message = Message(RTM.GET, flags=RTF.UP | RTF.HOST | RTF.GATEWAY, addresses=addresses)
        try:
            answer = self._kernel.routing_socket.ask(RTM.GET, message, str(address))
        except KernelError as error:
            if error.name == "ESRCH":
                return None
            raise
        return self._route(answer, names)

    def add(self, route: Route, names: Names | None = None) -> None:
        """Make a route.

        :raises KernelError: EEXIST, there is one to that destination; ENETUNREACH, no interface leads to the
            gateway; ESRCH, the kernel has no routes of that family; ENXIO, there is no such interface.
        """
        self._kernel.routing_socket.tell(*self._message(RTM.ADD, route, names))

    def adding(self, route: Route, names: Names | None = None) -> Request:
        """The call that :meth:`add` makes, to be made beside others."""
        return self._kernel.routing_socket.telling(*self._message(RTM.ADD, route, names))

    def change(self, route: Route, names: Names | None = None) -> None:
        """Give the route to that destination another gateway, interface, flags and metrics, those that it names.

        What it has of RTF_UP, GATEWAY and HOST stays: there, it has to be the same kind of route.

        :raises KernelError: ESRCH, there is none; ENETUNREACH, no interface leads to the gateway.
        """
        self._kernel.routing_socket.tell(*self._message(RTM.CHANGE, route, names))

    def delete(self, route: Route, names: Names | None = None) -> None:
        """Take the route to that destination away.

        :raises KernelError: ESRCH, there is none.
        """
        self._kernel.routing_socket.tell(*self._message(RTM.DELETE, route, names))

    def _message(self, kind: RTM, route: Route, names: Names | None) -> tuple[Message, str]:
        abi = self._kernel.abi
        if names is None and (route.interface or route.scope or getattr(route.gateway, "scope_id", None)):
            names = self._kernel.interfaces.names()
        names = names or Names({})
        scope = self._index(route.scope, names)
        addresses: dict[int, bytes] = {RTAX.DST: pack_address(abi, route.destination.network_address, scope)}
        if not route.is_host:
            addresses[RTAX.NETMASK] = pack_mask(abi, route.destination)
        if kind != RTM.DELETE:
            interface = self._index(route.interface, names)
            if route.gateway is not None:
                inside = getattr(route.gateway, "scope_id", None) or route.interface
                addresses[RTAX.GATEWAY] = pack_address(abi, route.gateway, self._index(inside, names))
            elif kind == RTM.ADD:
                addresses[RTAX.GATEWAY] = pack_link(abi, interface)
            if interface:
                addresses[RTAX.IFP] = pack_link(abi, interface)
        metrics = {} if kind == RTM.DELETE else route.metrics
        return Message(kind, flags=route.flags, metrics=metrics, addresses=addresses), str(route)

    def _index(self, name: str, names: Names) -> int:
        if not name:
            return 0
        return names.index(name) or self._kernel.if_nametoindex(name)

    def _route(self, message: Message, names: Names) -> Route | None:
        abi, addresses = self._kernel.abi, message.addresses
        mask = None if message.flags & _HOST else addresses.get(RTAX.NETMASK)
        found = unpack_network(addresses.get(RTAX.DST, b""), mask, names)
        if found is None:
            return None
        destination, scope = found
        index = message.index
        link = unpack_link(abi, addresses.get(RTAX.IFP, b""))
        if link is not None:
            index = link[0]
        return Route(
            destination=destination,
            gateway=unpack_address(addresses.get(RTAX.GATEWAY, b""), names),
            interface=names.name(index),
            flags=message.flags & ~_DONE,
            scope=scope,
            metrics=message.metrics,
            source=unpack_address(addresses.get(RTAX.IFA, b""), names),
            uses=message.use,
        )


def parsed(kernel: Network, data: bytes, having: int = 0) -> Iterator[Message]:
    """The messages in ``data``; what cannot be one ends the session, as :meth:`~.base.Base.broken` does."""
    try:
        yield from parse_messages(kernel.abi, data, having)
    except ValueError as error:
        raise kernel.broken(f"the kernel's routing messages are none: {error}") from error
