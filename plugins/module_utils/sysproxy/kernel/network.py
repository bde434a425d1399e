# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's network: its interfaces, routes and neighbours, and sockets in it."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from ..netbsd import Errno
from ..netbsd.constants import AF, SO, SOCK, SOL
from ..netbsd.kernel_error import kernel_error
from .addresses import family_of
from .base import LARGEST_DESCRIPTOR
from .interfaces import Interfaces
from .nd6 import NeighbourDiscovery
from .neighbours import Neighbours
from .own_stack import OwnStack
from .polling import Polling
from .routes import Routes, RoutingSocket
from .socket_options import creation_flags
from .sockets import Socket
from .statistics import Statistics
from .system import System

_TYPES: Final = 0xF
_NAMES: Final = {int(kind): kind.name for kind in (SOCK.STREAM, SOCK.DGRAM, SOCK.RAW)}


class Network(Polling, System):
    """Shaped like Python's ``socket``."""

    @cached_property
    def interfaces(self) -> Interfaces:
        return Interfaces(self, self.sysctl)

    @cached_property
    def routing_socket(self) -> RoutingSocket:
        return RoutingSocket(self)

    @cached_property
    def routes(self) -> Routes:
        return Routes(self)

    @cached_property
    def neighbours(self) -> Neighbours:
        return Neighbours(self)

    @cached_property
    def nd6(self) -> NeighbourDiscovery:
        return NeighbourDiscovery(self)

    @cached_property
    def statistics(self) -> Statistics:
        return Statistics(self, self.sysctl, self.own_stack.is_used)

    @cached_property
    def own_stack(self) -> OwnStack:
        return OwnStack(self)  # type: ignore[arg-type]

    def if_nametoindex(self, name: str) -> int:
        """The index of a network interface.

        :raises KernelError: ENXIO, there is none of that name.
        """
        found = self.interfaces.get(name)
        if found is None:
            raise kernel_error(Errno.ENXIO, "if_nametoindex", name)
        return found.index

    def socket(self, family: int = AF.INET, type: int = SOCK.STREAM, proto: int = 0) -> Socket:  # noqa: A002
        """A new socket, as ``socket.socket``. A routing socket is ``socket(AF.ROUTE, SOCK.RAW)``.

        :raises ValueError: there is no such family in a rump kernel.
        :raises KernelError: EAFNOSUPPORT or EPROTONOSUPPORT, the kernel has no component for it.
        """
        native = family_of(family)
        kind = int(type) & _TYPES
        subject = f"AF_{native.name} {_NAMES.get(kind, kind)}"
        arguments = native, kind | creation_flags(self.abi), proto
        fd = self.number_call(LARGEST_DESCRIPTOR, "__socket30", *arguments, subject=subject)
        return Socket(self, native, kind, proto, fd)  # type: ignore[arg-type]

    def socketpair(self, family: int = AF.LOCAL, type: int = SOCK.STREAM, proto: int = 0) -> tuple[Socket, Socket]:  # noqa: A002
        """Two sockets that are connected with each other."""
        native = family_of(family)
        kind = int(type) & _TYPES
        ends = bytearray(8)
        self.call("socketpair", native, kind | creation_flags(self.abi), proto, ends, subject=f"AF_{native.name}")
        first, second = (self.abi.read_integer("int", ends[at : at + 4]) for at in (0, 4))
        if first < 0 or second < 0:
            raise self.broken(f"socketpair ended with the descriptors {first} and {second}")
        return tuple(Socket(self, native, kind, proto, fd) for fd in (first, second))  # type: ignore[arg-type,return-value]

    def create_connection(
        self, address: tuple[str, int], timeout: float | None = None, source_address: tuple[str, int] | None = None
    ) -> Socket:
        """A TCP connection from the kernel's network to a numeric address, IPv4 or IPv6."""
        made = self.socket(AF.INET6 if ":" in address[0] else AF.INET)
        try:
            made.settimeout(timeout)
            if source_address is not None:
                made.bind(source_address)
            made.connect(address)
        except BaseException:
            made.close()
            raise
        return made

    def create_server(self, address: tuple[str, int], *, family: int = AF.INET, backlog: int = 128) -> Socket:
        """A TCP socket that listens at an address of the kernel's; an empty host is all of them."""
        made = self.socket(family)
        try:
            made.setsockopt(SOL.SOCKET, SO.REUSEADDR, 1)
            made.bind(address)
            made.listen(backlog)
        except BaseException:
            made.close()
            raise
        return made
