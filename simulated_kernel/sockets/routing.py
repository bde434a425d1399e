# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Routing sockets: messages that change the routing table, and those that tell of its changes.

Sources: sys/net/rtsock.c (route_output), raw_usrreq.c, raw_cb.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..changes import mark_change
from ..errors import SyscallError, refuse
from ..network.addresses import AF_ROUTE
from ..network.messages import RTAX_DST, RTM_GET, RTM_VERSION
from ..network.notices import CURRENT_PID
from ..network.route_messages import HEADER_SIZE, RouteMessage, parse
from ..network.route_requests import RouteRequests
from ..network.routes import RTF_DONE
from ..process import Process
from .buffers import Control, Record
from .socket import SO_USELOOPBACK, SOCK_RAW, Socket

if TYPE_CHECKING:
    from ..ioctls import IoctlRequest
    from ..kernel import SimulatedKernel

LIMIT = 8192
FLAGS_OFFSET, PID_OFFSET, ERRNO_OFFSET = 8, 16, 24
SOURCE = bytes([2, AF_ROUTE])
"""The address from which all messages come."""


class RoutingSocket(Socket):
    """A socket of the family AF_ROUTE."""

    atomic = True
    carries_addresses = True

    def __init__(self, kernel: SimulatedKernel, protocol: int, flags: int) -> None:
        super().__init__(kernel, AF_ROUTE, SOCK_RAW, flags, LIMIT, LIMIT)
        self.protocol = protocol
        self.options |= SO_USELOOPBACK
        self.is_connected = True
        kernel.network.notices.listeners.insert(0, self)

    def hear(self, message: bytes) -> None:
        """A message for this socket; it is lost if there is no room for it."""
        record = Record(bytearray(message), SOURCE)
        if self.received.fits(record):
            self.received.append_record(record)
            self.changed.ring()
        else:
            self.overflowed += 1

    def detach(self) -> None:
        listeners = self.kernel.network.notices.listeners
        if self in listeners:
            listeners.remove(self)

    def disconnect(self) -> None:
        self.disconnected()
        self.detach()

    def own_name(self) -> bytes:
        return SOURCE

    def peer_name(self) -> bytes:
        return SOURCE

    def protocol_ioctl(self, request: IoctlRequest) -> None:
        raise refuse("EOPNOTSUPP")

    def transmit(
        self, data: bytes, address: bytes | None, control: list[Control], flags: int, process: Process | None
    ) -> None:
        if control:
            raise refuse("EINVAL")
        if address is not None:
            raise refuse("EISCONN")
        notices, error = self.kernel.network.notices, None
        answer, family = bytearray(data), 0
        try:
            self._check(answer, process)
            message = parse(self.kernel.abi, bytes(answer))
            family = message.addresses[RTAX_DST][1] if RTAX_DST in message.addresses else 0
            answer = self._serve(message, answer, process)
        except SyscallError as failure:
            error = failure
            if len(answer) >= HEADER_SIZE and self._told_length(answer) == len(answer):
                answer[ERRNO_OFFSET : ERRNO_OFFSET + 4] = self.kernel.abi.integer("int", int(failure.errno))
        notices.send(bytes(answer), family, None if self.options & SO_USELOOPBACK else self)
        if error is not None:
            raise error

    def _told_length(self, data: bytearray) -> int:
        return self.kernel.abi.read_integer("uint16", bytes(data[:2]))

    def _check(self, data: bytearray, process: Process | None) -> None:
        """Refuse what is no message at all, and sign what is one with the process's number."""
        if len(data) < 4:
            raise refuse("ENOBUFS")
        if len(data) < HEADER_SIZE or self._told_length(data) != len(data):
            raise refuse("EINVAL")
        if data[2] != RTM_VERSION:
            raise refuse("EPROTONOSUPPORT")
        pid = process.pid if process is not None else CURRENT_PID.get()
        data[PID_OFFSET : PID_OFFSET + 4] = self.kernel.abi.integer("int", pid)

    def _serve(self, message: RouteMessage, data: bytearray, process: Process | None) -> bytearray:
        """The answer: the message itself, done, or the route that it is about."""
        abi = self.kernel.abi
        asking = process if process is not None else self.kernel.processes.get(CURRENT_PID.get())
        is_root = asking is None or asking.credentials.is_root
        answer = RouteRequests(self.kernel.network).serve(message, is_root)
        if message.kind != RTM_GET:
            mark_change()
        if answer is message:
            flags = abi.integer("uint32", (message.flags | RTF_DONE) & 0xFFFFFFFF)
            data[FLAGS_OFFSET : FLAGS_OFFSET + 4] = flags
            return data
        answer.flags |= RTF_DONE
        return bytearray(answer.build(abi))
