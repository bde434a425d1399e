# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A socket, whatever its protocol: sending, receiving, waiting, closing.

Sources: sys/kern/uipc_socket.c, uipc_socket2.c, sys_socket.c.
"""

from __future__ import annotations

import asyncio
import contextlib
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import SyscallError, refuse
from ..files import FREAD, FWRITE, O_NONBLOCK, OpenFile, drop
from ..mbufs import Mbufs
from ..rooms import Errno
from ..usermemory import UserIo
from .buffers import Control, ReceiveBuffer, Record

if TYPE_CHECKING:
    from ..ioctls import IoctlRequest
    from ..kernel import SimulatedKernel
    from ..process import Process

SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET = 1, 2, 3, 5
SO_ACCEPTCONN, SO_REUSEADDR, SO_USELOOPBACK, SO_REUSEPORT = 0x2, 0x4, 0x40, 0x200
SO_BROADCAST, SO_LINGER, SO_NOSIGPIPE = 0x20, 0x80, 0x800
MSG_OOB, MSG_PEEK, MSG_DONTROUTE, MSG_EOR, MSG_TRUNC, MSG_CTRUNC = 0x1, 0x2, 0x4, 0x8, 0x10, 0x20
MSG_WAITALL, MSG_DONTWAIT, MSG_NBIO = 0x40, 0x80, 0x1000
SEND_LOW_MARK = 2048
SOMAXCONN = 128


@dataclass
class Received:
    """What a receive brought besides the data."""

    flags: int = 0
    address: bytes | None = None
    control: list[Control] = field(default_factory=list)


class Socket(OpenFile):
    """A socket. Subclasses are protocols: they say what becomes of what is sent, and what connecting means."""

    connection_required = False
    """PR_CONNREQUIRED: nothing can be sent before it is connected."""
    atomic = False
    """PR_ATOMIC: each send is one record."""
    carries_addresses = False
    """PR_ADDR: each record tells where it comes from."""
    may_listen = False
    refuses_aborted = False
    """PR_ABRTACPTDIS: a connection that ended before it was accepted is not given out."""

    def __init__(
        self, kernel: SimulatedKernel, family: int, kind: int, flags: int, send_limit: int, receive_limit: int
    ) -> None:
        super().__init__(FREAD | FWRITE | flags)
        self.kernel = kernel
        self.family = family
        self.kind = kind
        self.options = 0
        """SO_ bits."""
        self.linger = 0
        self.pending_error: Errno | None = None
        self.is_connected = self.is_connecting = self.is_disconnecting = False
        self.cannot_send = self.cannot_receive = self.was_disconnected = False
        self.overflowed = 0
        """Datagrams for which there was no room."""
        self.received = ReceiveBuffer(receive_limit, Mbufs.of(kernel.abi))
        self.send_limit = send_limit
        self.send_low_mark = min(SEND_LOW_MARK, send_limit)
        self.send_timeout = self.receive_timeout = 0.0
        """Seconds; 0 is no limit."""
        self.backlog = 0
        self.queue: list[Socket] = []
        """Connections that nobody accepted yet."""
        self.head: Socket | None = None
        """The listening socket in whose queue this one is."""
        self._reader = asyncio.Lock()

    # State

    @property
    def is_listening(self) -> bool:
        return bool(self.options & SO_ACCEPTCONN)

    def fail(self, name: str) -> None:
        """Have the next call end with an error."""
        self.pending_error = Errno[name]
        self.changed.ring()

    def take_error(self) -> None:
        """Raise the error that is pending, if there is one, and forget it."""
        error, self.pending_error = self.pending_error, None
        if error is not None:
            raise SyscallError(error)

    def connected(self) -> None:
        """soisconnected; a new connection joins its listener's queue."""
        self.is_connecting = self.is_disconnecting = False
        self.is_connected = True
        if self.head is not None:
            self.head.queue.append(self)
            self.head.changed.ring()
        self.changed.ring()

    def disconnected(self) -> None:
        """soisdisconnected."""
        self.is_connecting = self.is_connected = self.is_disconnecting = False
        self.cannot_send = self.cannot_receive = self.was_disconnected = True
        self.changed.ring()

    def no_more_to_receive(self) -> None:
        self.cannot_receive = True
        self.changed.ring()

    def no_more_to_send(self) -> None:
        self.cannot_send = True
        self.changed.ring()

    def ready(self) -> tuple[bool, bool]:
        readable = (
            self.received.used >= self.received.low_mark
            or self.cannot_receive
            or bool(self.queue)
            or self.pending_error is not None
        )
        connected = self.is_connected or not self.connection_required
        writable = (
            (connected and self.send_space() >= self.send_low_mark)
            or self.cannot_send
            or self.pending_error is not None
        )
        return readable, writable

    async def _wait(self, seconds: float) -> None:
        """Wait for a change; EAGAIN after the time limit of SO_RCVTIMEO or SO_SNDTIMEO."""
        if not await self.changed.wait(seconds or None):
            raise refuse("EAGAIN")

    # What protocols do

    def bind(self, address: bytes, process: Process) -> None:
        raise refuse("EOPNOTSUPP")

    def start_listening(self) -> None:
        """pr_listen."""
        raise refuse("EOPNOTSUPP")

    def start_connecting(self, address: bytes, process: Process) -> None:
        """pr_connect: afterwards the socket is connected, or connecting."""
        raise refuse("EOPNOTSUPP")

    def disconnect(self) -> None:
        """pr_disconnect."""
        raise refuse("EOPNOTSUPP")

    def stop_sending(self) -> None:
        """pr_shutdown."""
        self.no_more_to_send()

    def send_space(self) -> int:
        return self.send_limit

    def send_ceiling(self) -> int:
        """The most that one send may bring at once."""
        return self.send_limit

    def transmit(
        self, data: bytes, address: bytes | None, control: list[Control], flags: int, process: Process | None
    ) -> None:
        """pr_send."""
        raise refuse("EOPNOTSUPP")

    def data_taken(self) -> None:
        """pr_rcvd: there is room again."""

    def own_name(self) -> bytes:
        """pr_sockaddr."""
        raise refuse("EOPNOTSUPP")

    def peer_name(self) -> bytes:
        """pr_peeraddr."""
        raise refuse("EOPNOTSUPP")

    def detach(self) -> None:
        """pr_detach: the last descriptor is gone."""

    def abort(self) -> None:
        """pr_abort: the listener is gone before anyone accepted."""

    def get_option(self, level: int, name: int) -> bytes:
        raise refuse("ENOPROTOOPT")

    def set_option(self, level: int, name: int, value: bytes) -> None:
        raise refuse("ENOPROTOOPT")

    def dispose(self, records: list[Record]) -> None:
        """What nobody will read any more."""
        for record in records:
            self.dispose_control(record.control)

    def dispose_control(self, control: list[Control]) -> None:
        """Descriptors that nobody takes."""
        for entry in control:
            for file in entry.files:
                drop(file)

    # Connections

    def listen(self, backlog: int) -> None:
        if self.is_connected or self.is_connecting or self.is_disconnecting:
            raise refuse("EINVAL")
        before = self.options, self.backlog
        if not self.queue:
            self.options |= SO_ACCEPTCONN
        self.backlog = min(max(backlog, 0), SOMAXCONN)
        try:
            self.start_listening()
        except SyscallError:
            self.options, self.backlog = before
            raise

    async def accept(self) -> Socket:
        """The oldest connection in the queue."""
        if not self.may_listen:
            raise refuse("EOPNOTSUPP")
        if not self.is_listening:
            raise refuse("EINVAL")
        if self.flags & O_NONBLOCK and not self.queue:
            raise refuse("EAGAIN")
        while not self.queue and self.pending_error is None:
            if self.cannot_receive:
                self.fail("ECONNABORTED")
                break
            await self._wait(0)
        self.take_error()
        found = self.queue.pop(0)
        found.head = None
        return found

    async def connect(self, address: bytes, process: Process) -> None:
        if self.is_connecting:
            raise refuse("EALREADY")
        try:
            self._begin_connect(address, process)
        except SyscallError:
            self.is_connecting = False
            raise
        if self.flags & O_NONBLOCK and self.is_connecting:
            raise refuse("EINPROGRESS")
        while self.is_connecting and self.pending_error is None:
            await self._wait(0)
        self.is_connecting = False
        self.take_error()

    def _begin_connect(self, address: bytes, process: Process) -> None:
        if self.is_listening:
            raise refuse("EOPNOTSUPP")
        if self.is_connected or self.is_connecting:
            if self.connection_required:
                raise refuse("EISCONN")
            try:
                self._disconnect_first()
            except SyscallError:
                raise refuse("EISCONN") from None
        if address[1] != self.family:
            raise refuse("EAFNOSUPPORT")
        self.start_connecting(address, process)

    def _disconnect_first(self) -> None:
        """sodisconnect."""
        if not self.is_connected:
            raise refuse("ENOTCONN")
        if self.is_disconnecting:
            raise refuse("EALREADY")
        self.disconnect()

    def shut_down(self, how: int) -> None:
        """shutdown(2): 0 no more reading, 1 no more writing, 2 both."""
        if how not in (0, 1, 2):
            raise refuse("EINVAL")
        if how != 1:
            self.no_more_to_receive()
            self.dispose(self.received.clear())
        if how != 0:
            self.stop_sending()

    def close(self) -> None:
        """soclose; who waits here, in a call of another thread, is woken."""
        while self.queue:
            waiting = self.queue.pop(0)
            waiting.head = None
            waiting.abort()
        if self.is_connected and not self.is_disconnecting:
            with contextlib.suppress(SyscallError):
                self.disconnect()
        self.detach()
        self.dispose(self.received.clear())
        self.changed.ring()

    # Data

    async def read(self, io: UserIo, offset: int | None) -> None:
        if offset is not None:
            raise refuse("ESPIPE")
        self.dispose_control((await self.receive(io, 0)).control)

    async def write(self, io: UserIo, offset: int | None) -> None:
        if offset is not None:
            raise refuse("ESPIPE")
        await self.send(io, None, [], 0, None)

    async def send(
        self, io: UserIo, address: bytes | None, control: list[Control], flags: int, process: Process | None
    ) -> None:
        """Send what ``io`` brings (sosend)."""
        control_size = sum(16 + max(len(entry.data), 4 * len(entry.files)) for entry in control)
        first = True
        while io.remaining or first:
            first = False
            self._check_sendable(io.remaining, control_size, address)
            ceiling = self.send_ceiling()
            if (self.atomic and io.remaining > ceiling) or control_size > ceiling:
                raise refuse("EMSGSIZE")
            space = self.send_space() + (1024 if flags & MSG_OOB else 0)
            needed = io.remaining + control_size
            if space < needed and (self.atomic or space < self.send_low_mark or space < control_size):
                if self.flags & O_NONBLOCK or flags & MSG_NBIO:
                    raise refuse("EAGAIN")
                await self._wait(self.send_timeout)
                first = True
                continue
            data = await io.take(io.remaining if self.atomic else min(io.remaining, space - control_size))
            if self.cannot_send:
                raise refuse("EPIPE")
            if flags & MSG_OOB:
                self.send_urgent(data)
            else:
                self.transmit(data, address, control, flags, process)
            control, control_size = [], 0

    def send_urgent(self, data: bytes) -> None:
        """pr_sendoob."""
        raise refuse("EOPNOTSUPP")

    def receive_urgent(self, peek: bool) -> bytes:
        """pr_recvoob."""
        raise refuse("EOPNOTSUPP")

    def _check_sendable(self, remaining: int, control_size: int, address: bytes | None) -> None:
        if self.cannot_send:
            raise refuse("EPIPE")
        self.take_error()
        if self.is_connected:
            return
        if self.connection_required:
            if remaining or not control_size:
                raise refuse("ENOTCONN")
        elif address is None:
            raise refuse("EDESTADDRREQ")

    async def receive(self, io: UserIo, flags: int) -> Received:
        """Receive into ``io`` (soreceive)."""
        flags &= ~MSG_EOR
        if flags & MSG_OOB:
            await io.put(self.receive_urgent(bool(flags & MSG_PEEK))[: io.remaining])
            return Received(flags)
        while True:
            async with self._reader:
                if self._may_take(io, flags):
                    wanted = io.remaining
                    result = await self._take(io, flags)
                    untouched = wanted and io.remaining == wanted and not self.carries_addresses
                    if not (untouched and not result.control and not result.flags & MSG_EOR) or self.cannot_receive:
                        return result
                    continue
                if self._nothing_to_wait_for(io, flags):
                    return Received(flags)
            await self._wait(self.receive_timeout)

    def _may_take(self, io: UserIo, flags: int) -> bool:
        """Whether there is enough to go on with."""
        records, buffer = self.received.records, self.received
        if not records:
            return False
        too_few = buffer.used < buffer.low_mark or (flags & MSG_WAITALL and io.remaining <= buffer.limit)
        waits = not flags & MSG_DONTWAIT and buffer.used < io.remaining and too_few
        if not waits or len(records) > 1 or self.atomic:
            return True
        return self.pending_error is not None or self.cannot_receive or records[0].end

    def _nothing_to_wait_for(self, io: UserIo, flags: int) -> bool:
        """Whether a receive ends here with nothing; it may also fail here."""
        if not self.received.records:
            if self.pending_error is not None:
                if flags & MSG_PEEK:
                    raise SyscallError(self.pending_error)
                self.take_error()
            if self.cannot_receive:
                return True
        if not (self.is_connected or self.is_connecting) and self.connection_required:
            raise refuse("ENOTCONN")
        if not io.remaining:
            return True
        if self.flags & O_NONBLOCK or flags & (MSG_DONTWAIT | MSG_NBIO):
            raise refuse("EAGAIN")
        return False

    async def _take(self, io: UserIo, flags: int) -> Received:
        """Move the first record, or as much of it as fits."""
        record = self.received.records[0]
        peek = bool(flags & MSG_PEEK)
        result = Received(flags, record.address, list(record.control))
        if not peek:
            record.control = []
        moved = await self._move(io, record, peek)
        while flags & MSG_WAITALL and not peek and not record.data and io.remaining and not self.atomic:
            self._remove(record)
            if self.received.records or self.pending_error is not None or self.cannot_receive:
                break
            self.data_taken()
            if not await self.changed.wait(self.receive_timeout or None):
                break
            if self.received.records:
                record = self.received.records[0]
                await self._move(io, record, peek)
        left = len(record.data) > (moved if peek else 0)
        if record.end and not left:
            result.flags |= MSG_EOR
        if self.atomic and left:
            result.flags |= MSG_TRUNC
        if not peek:
            if self.atomic or not record.data:
                self._remove(record)
            self.data_taken()
        return result

    def _remove(self, record: Record) -> None:
        if record in self.received.records:
            self.received.records.remove(record)

    async def _move(self, io: UserIo, record: Record, peek: bool) -> int:
        """Copy what fits; the number of bytes. A datagram that cannot be copied out is lost with its address."""
        piece = bytes(record.data[: io.remaining])
        try:
            await io.put(piece)
        except SyscallError:
            if self.carries_addresses and not peek:
                self._remove(record)
            raise
        if not peek:
            del record.data[: len(piece)]
        return len(piece)

    # As files

    async def ioctl(self, request: IoctlRequest) -> None:
        if request.name in ("FIONBIO", "FIOASYNC"):
            return
        if request.name == "FIONREAD":
            request.put_integer("int", self.received.used)
            return
        if request.name == "SIOCATMARK":
            request.put_integer("int", 0)
            return
        if request.group == "i":
            await self.kernel.network.ioctl(request, self.family)
            return
        self.protocol_ioctl(request)

    def protocol_ioctl(self, request: IoctlRequest) -> None:
        """pr_ioctl."""
        raise refuse("ENOTTY")

    def attributes(self, kernel: SimulatedKernel) -> dict[str, object]:
        return {"st_mode": stat.S_IFSOCK}
