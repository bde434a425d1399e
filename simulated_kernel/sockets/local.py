# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sockets of the file system, AF_LOCAL (sys/kern/uipc_usrreq.c)."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from ..errors import SyscallError, refuse
from ..network.addresses import AF_LOCAL
from ..process import Process
from ..vfs.lookup import Operation, resolve
from ..vfs.node import Node
from ..vfs.permissions import WRITE, check_access
from .buffers import SCM_RIGHTS, Control, Record
from .options import SOL_SOCKET, integer_of
from .socket import SO_ACCEPTCONN, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, Socket

if TYPE_CHECKING:
    from ..ioctls import IoctlRequest
    from ..kernel import SimulatedKernel

LIMITS = {SOCK_STREAM: (4096, 4096), SOCK_SEQPACKET: (4096, 4096), SOCK_DGRAM: (2560, 4096)}
"""Bytes of the send and the receive buffer."""
NO_NAME = bytes([2, AF_LOCAL])
LOCAL_CONNWAIT, LOCAL_PEEREID, LOCAL_CREDS = 2, 3, 4


class LocalSocket(Socket):
    """A socket whose name is a path."""

    def __init__(self, kernel: SimulatedKernel, kind: int, flags: int) -> None:
        super().__init__(kernel, AF_LOCAL, kind, flags, *LIMITS[kind])
        self.connection_required = self.may_listen = kind != SOCK_DGRAM
        self.atomic = kind != SOCK_STREAM
        self.carries_addresses = kind == SOCK_DGRAM
        self.peer: LocalSocket | None = None
        self.senders: list[LocalSocket] = []
        """Datagram sockets that are connected to this one."""
        self.bound_node: Node | None = None
        self.bound_name = b""
        self.switches = {LOCAL_CREDS: 0, LOCAL_CONNWAIT: 0}
        self.peer_identity: tuple[int, int, int] | None = None
        self.own_identity: tuple[int, int, int] | None = None

    # Names

    def own_name(self) -> bytes:
        return self.bound_name or NO_NAME

    def peer_name(self) -> bytes:
        return (self.peer.bound_name if self.peer is not None else b"") or NO_NAME

    def bind(self, address: bytes, process: Process) -> None:
        if self.bound_node is not None:
            raise refuse("EINVAL")
        path = address[2:].split(b"\0")[0]
        found = resolve(process.view(), path, process.directory, Operation.CREATE)
        if found.node is not None:
            raise refuse("EADDRINUSE")
        mode = 0o777 & ~process.umask
        make = found.parent.filesystem.make
        self.bound_node = make(found.parent, found.name, stat.S_IFSOCK, mode, process.credentials)
        self.bound_node.extra = self
        self.bound_node.filesystem.hold(self.bound_node)
        self.bound_name = address
        self.own_identity = _identity(process)

    def find(self, address: bytes, process: Process) -> LocalSocket:
        """The socket with a name; the errors of a path, ENOTSOCK, ECONNREFUSED, EPROTOTYPE."""
        node = resolve(process.view(), address[2:].split(b"\0")[0], process.directory).existing()
        if node.kind != stat.S_IFSOCK:
            raise refuse("ENOTSOCK")
        check_access(node, WRITE, process.credentials)
        other = node.extra
        if not isinstance(other, LocalSocket):
            raise refuse("ECONNREFUSED")
        if other.kind != self.kind:
            raise refuse("EPROTOTYPE")
        return other

    # Connecting

    def start_listening(self) -> None:
        if self.bound_node is None:
            raise refuse("EINVAL")

    def start_connecting(self, address: bytes, process: Process) -> None:
        other = self.find(address, process)
        if self.kind == SOCK_DGRAM:
            self.join(other)
            return
        if not other.is_listening or len(other.queue) > 3 * other.backlog // 2:
            raise refuse("ECONNREFUSED")
        server = LocalSocket(self.kernel, self.kind, 0)
        server.options, server.linger = other.options & ~SO_ACCEPTCONN, other.linger
        server.bound_name, server.switches = other.bound_name, dict(other.switches)
        server.peer_identity, self.peer_identity = _identity(process), other.own_identity
        self.peer, server.peer = server, self
        server.head = other
        server.connected()
        if self.switches[LOCAL_CONNWAIT] or server.switches[LOCAL_CONNWAIT]:
            self.is_connecting = True
        else:
            self.connected()

    def accepted(self) -> None:
        """Whoever waits for it hears that the connection was accepted."""
        if self.peer is not None and self.peer.is_connecting:
            self.peer.connected()

    def join(self, other: LocalSocket) -> None:
        """Connect with another socket, as socketpair does."""
        self.peer = other
        if self.kind == SOCK_DGRAM:
            other.senders.append(self)
        self.connected()

    def disconnect(self) -> None:
        peer, self.peer = self.peer, None
        if peer is None:
            return
        if self.kind == SOCK_DGRAM:
            peer.senders.remove(self)
            self.is_connected = False
            return
        self.disconnected()
        peer.peer = None
        peer.disconnected()

    def stop_sending(self) -> None:
        self.no_more_to_send()
        if self.kind != SOCK_DGRAM and self.peer is not None:
            self.peer.no_more_to_receive()

    def detach(self) -> None:
        if self.bound_node is not None:
            self.bound_node.extra = None
            self.bound_node.filesystem.release(self.bound_node)
            self.bound_node = None
        self.disconnect()
        for sender in list(self.senders):
            sender.fail("ECONNRESET")
            sender.disconnect()
        self.disconnected()

    def abort(self) -> None:
        self.fail("ECONNABORTED")
        self.detach()

    # Data

    def send_space(self) -> int:
        if self.kind == SOCK_DGRAM or self.peer is None:
            return self.send_limit
        return self.send_limit - self.peer.received.used

    def send_ceiling(self) -> int:
        """What the other side has not read yet counts against the sender's buffer."""
        return self.send_space()

    def transmit(
        self, data: bytes, address: bytes | None, control: list[Control], flags: int, process: Process | None
    ) -> None:
        if any((entry.level, entry.kind) != (SOL_SOCKET, SCM_RIGHTS) for entry in control):
            raise refuse("EINVAL")
        for entry in control:
            for file in entry.files:
                file.references += 1
        try:
            if self.kind == SOCK_DGRAM:
                self._send_datagram(data, address, control, process)
            else:
                self._send_on(data, control, flags)
        except SyscallError:
            self.dispose_control(control)
            raise

    def _send_datagram(
        self, data: bytes, address: bytes | None, control: list[Control], process: Process | None
    ) -> None:
        if address is not None:
            if self.is_connected:
                raise refuse("EISCONN")
            if address[1] != AF_LOCAL or process is None:
                raise refuse("EAFNOSUPPORT")
            other = self.find(address, process)
        else:
            if not self.is_connected or self.peer is None:
                raise refuse("ENOTCONN")
            other = self.peer
        record = Record(bytearray(data), self.own_name(), control)
        if not other.received.fits(record):
            other.overflowed += 1
            raise refuse("ENOBUFS")
        other.received.append_record(record)
        other.changed.ring()

    def _send_on(self, data: bytes, control: list[Control], flags: int) -> None:
        if self.peer is None:
            raise refuse("ENOTCONN")
        buffer = self.peer.received
        if control or self.kind == SOCK_SEQPACKET:
            buffer.append_record(Record(bytearray(data), None, control))
        elif data:
            last = buffer.records[-1] if buffer.records else None
            if last is None or last.end:
                buffer.append_record(Record(bytearray(data)))
            else:
                last.data += data
        self.peer.changed.ring()

    def data_taken(self) -> None:
        if self.peer is not None:
            self.peer.changed.ring()

    # Options

    def get_option(self, level: int, name: int) -> bytes:
        if level != 0:
            raise refuse("ENOPROTOOPT")
        if name == LOCAL_PEEREID:
            if self.peer_identity is None:
                raise refuse("EINVAL")
            return self.kernel.abi.integers("int", *self.peer_identity)
        if name != LOCAL_CREDS:
            raise refuse("ENOPROTOOPT")
        return self.kernel.abi.integer("int", self.switches[name])

    def set_option(self, level: int, name: int, value: bytes) -> None:
        if level != 0 or name not in self.switches:
            raise refuse("ENOPROTOOPT")
        self.switches[name] = 1 if integer_of(self.kernel.abi, value) else 0

    # As files

    def protocol_ioctl(self, request: IoctlRequest) -> None:
        raise refuse("EOPNOTSUPP")

    def attributes(self, kernel: SimulatedKernel) -> dict[str, object]:
        found = super().attributes(kernel)
        block = self.send_space()
        if self.kind != SOCK_DGRAM and self.peer is not None:
            block += self.peer.received.used
        return found | {"st_blksize": block}


def _identity(process: Process) -> tuple[int, int, int]:
    """(pid, effective user, effective group), as struct unpcbid has them."""
    credentials = process.credentials
    return process.pid, credentials.euid, credentials.egid
