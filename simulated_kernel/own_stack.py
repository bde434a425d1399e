# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that is reached through the kernel's own network stack, as that of a Rumprun unikernel is.

An interface has the URL's address from the start. The server listens at those addresses alone that the kernel's
interfaces have at the moment, its connections are in the kernel's list of sockets, and one to an address that goes
away goes silent: nothing arrives any more, and nothing says so. bpf shows their packets.

Who asks for the list of sockets over such a connection stops the kernel's network for good: sysctl_inpcblist has the
lock of the network stack while it copies out, and the copy is to go out through the network stack.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from .clock import NANOSECONDS
from .network.addresses import AF_INET, IN_IFF_DETACHED, IN_IFF_DUPLICATED, IN_IFF_TENTATIVE
from .network.interfaces import IFF_LOOPBACK
from .network.shmif import Shmif

if TYPE_CHECKING:
    from .connection import Connection
    from .kernel import SimulatedKernel

Accept = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
IP_HEADER, IPPROTO_TCP, ETHERTYPE_IP = 20, 6, b"\x08\0"
MASK = b"\xff\xff\xff\0"
_UNUSABLE = IN_IFF_TENTATIVE | IN_IFF_DUPLICATED | IN_IFF_DETACHED


class OwnStack:
    """The server's sockets, as far as they are the kernel's. IPv4 only."""

    def __init__(self, kernel: SimulatedKernel, interface: str, host: str, port: int, accept: Accept) -> None:
        """:raises ValueError: ``host`` is no IPv4 address, or the kernel cannot make the interface."""
        self._kernel = kernel
        self._accept = accept
        self._servers: dict[bytes, asyncio.Server | None] = {}
        self._connections: dict[Connection, tuple[tuple[bytes, int], tuple[bytes, int]]] = {}
        self._again: asyncio.TimerHandle | None = None
        self._locked = False
        self.port = port
        try:
            address = socket.inet_aton(host)
        except OSError:
            raise ValueError(f"the kernel's own stack has IPv4 addresses, and no {host}") from None
        stack = kernel.network
        if not port or interface.rstrip("0123456789") not in stack.cloners():
            raise ValueError(f"the kernel's own stack wants a port, and an interface that can be made, not {interface}")
        made = stack.find(interface) or stack.make(interface)
        if isinstance(made, Shmif):
            made.plug(b"own-stack")
        stack.inet.give(made, address, MASK)
        made.start()
        made.up()

    async def update(self) -> None:
        """Listen where the kernel has an address now, and let those connections go on that are to one."""
        usable = self._usable_addresses()
        for address in [address for address in self._servers if address not in usable]:
            server = self._servers.pop(address)
            if server is not None:
                server.close()
        for address in usable - self._servers.keys():
            self._servers[address] = None  # while it is being made, and if another program has the port
            try:
                self._servers[address] = await asyncio.start_server(self._accept, socket.inet_ntoa(address), self.port)
            except OSError:
                if not self._connections and len(self._servers) == 1:
                    raise
        networks = self._networks()
        for connection, ((local, _port), _remote) in self._connections.items():
            # Packets go out even from an address that is gone, as long as the interface is on its network.
            near = int.from_bytes(local)
            goes_out = any(near & mask == network for network, mask in networks)
            connection.reach(local in usable and not self._locked, goes_out and not self._locked)

    async def copy_out_while_locked(self) -> None:
        """What is copied out over a connection while its thread has the lock of the network stack: nobody goes on."""
        self.fall_silent()
        await asyncio.Event().wait()

    def fall_silent(self) -> None:
        """From now on nothing passes, and no connection ends."""
        self._locked = True
        for connection in self._connections:
            connection.reach(False, False)

    def passed(self, connection: Connection, data: bytes, comes_in: bool) -> None:
        """Bytes of a connection came or went: one packet of them for those who listen."""
        if not self._kernel.captures or connection not in self._connections:
            return
        ends = self._connections[connection]
        for interface in self._kernel.network.interfaces:
            if any(address.address == ends[0][0] for address in interface.addresses if address.family == AF_INET):
                source, target = reversed(ends) if comes_in else ends
                packet = _packet(source, target, data)
                for capture in self._kernel.captures:
                    capture.tap(interface, packet)

    def _usable_addresses(self) -> set[bytes]:
        now = self._kernel.clock.uptime()
        usable, later = set(), []
        for interface in self._kernel.network.interfaces:
            if interface.flags & IFF_LOOPBACK or not interface.is_ready:
                continue
            for address in interface.addresses:
                if address.family != AF_INET:
                    continue
                if not address.state_at(now) & _UNUSABLE:
                    usable.add(address.address)
                elif address.dad_ends is not None:
                    later.append(address.dad_ends)
        self._look_again(min(later) - now if later else None)
        return usable

    def _networks(self) -> list[tuple[int, int]]:
        """The networks that interfaces are on which are up, with their masks."""
        return [
            (int.from_bytes(address.address) & int.from_bytes(address.mask), int.from_bytes(address.mask))
            for interface in self._kernel.network.interfaces
            if not interface.flags & IFF_LOOPBACK and interface.is_ready
            for address in interface.addresses
            if address.family == AF_INET
        ]

    def _look_again(self, nanoseconds: int | None) -> None:
        """When an address has been checked it is used, though nobody calls then."""
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if nanoseconds is not None:
            loop = asyncio.get_running_loop()
            self._again = loop.call_later(nanoseconds / NANOSECONDS + 0.001, lambda: loop.create_task(self.update()))

    def connected(self, connection: Connection, writer: asyncio.StreamWriter) -> None:
        ends = (writer.get_extra_info(name) for name in ("sockname", "peername"))
        local, remote = ((socket.inet_aton(host), port) for host, port in ends)
        self._connections[connection] = local, remote
        connection.reach(not self._locked, not self._locked)

    def disconnected(self, connection: Connection) -> None:
        self._connections.pop(connection, None)

    def sockets(self) -> list[tuple[tuple[bytes, int], tuple[bytes, int] | None]]:
        """The addresses and ports of both ends: of the connections, and last of what listens, which has but one."""
        return [*self._connections.values(), ((bytes(4), self.port), None)]

    def close(self) -> None:
        self._look_again(None)
        for server in self._servers.values():
            if server is not None:
                server.close()
        self._servers.clear()


def _packet(source: tuple[bytes, int], target: tuple[bytes, int], data: bytes) -> bytes:
    """An Ethernet packet with a segment of TCP, in which nothing counts but the addresses, the ports and the data."""
    segment = struct.pack(">HHIIBBHHH", source[1], target[1], 0, 0, 0x50, 0x18, 0xFFFF, 0, 0) + data
    length = min(IP_HEADER + len(segment), 0xFFFF)
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, length, 0, 0, 64, IPPROTO_TCP, 0, source[0], target[0])
    return bytes(12) + ETHERTYPE_IP + header + segment
