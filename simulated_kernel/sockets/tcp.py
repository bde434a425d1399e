# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TCP between sockets of one kernel: connections, streams, and how they end.

There are no segments: what one side sends is in the other's buffer at once if it has room, else it waits in the
sender's. Sources: sys/netinet/tcp_usrreq.c, tcp_input.c, tcp_subr.c.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import refuse
from ..network.addresses import AF_INET
from ..process import Process
from ..rooms import Errno
from .buffers import Control
from .internet import InternetSocket
from .ports import MAPPED, plain
from .socket import SO_LINGER, SOCK_STREAM

if TYPE_CHECKING:
    from ..kernel import SimulatedKernel

SEND_LIMIT, RECEIVE_LIMIT = 32768, 32768
CONNECT_SECONDS = 75
RETRY_SECONDS = 3
"""Until the first packet is sent again, if the listener's queue was full."""
TIME_WAIT_SECONDS = 60
INHERITED_OPTIONS = ~0x2


class TcpSocket(InternetSocket):
    """A stream socket."""

    connection_required = True
    may_listen = True
    refuses_aborted = True

    def __init__(self, kernel: SimulatedKernel, family: int, flags: int) -> None:
        protocol = "net.inet.tcp" if family == AF_INET else "net.inet6.tcp6"
        limits = (
            kernel.sysctl.value(f"{protocol}.sendspace", SEND_LIMIT),
            kernel.sysctl.value(f"{protocol}.recvspace", RECEIVE_LIMIT),
        )
        super().__init__(kernel, family, SOCK_STREAM, flags, limits)
        self.peer: TcpSocket | None = None
        self.waiting = bytearray()
        """What was sent and has no room at the other side yet."""
        self.urgent: bytes | None = None
        self.sent_end = False
        """Whether the other side was told that nothing more comes."""
        self._closing = False
        """Whether nothing more will be sent after what waits."""
        self._has_no_descriptor = False
        self._patience: asyncio.TimerHandle | None = None

    # Connecting

    def start_listening(self) -> None:
        self._check_attached()
        self.bind_to_any()

    def start_connecting(self, address: bytes, process: Process) -> None:
        self._check_attached()
        self.bind_to_any()
        self.connect_ends(address)
        destination = plain(self.remote_address)
        if self.paths.is_local(destination):
            _soon(self._reach)
        else:
            self.paths.check_route(destination)
            self._patience = asyncio.get_running_loop().call_later(CONNECT_SECONDS, self._drop, "ETIMEDOUT")
        self.is_connecting = True

    def _reach(self) -> None:
        """The first packet arrives."""
        if not self.is_connecting:
            return
        listener = self.table.bound((plain(self.remote_address), self.remote_port))
        if not isinstance(listener, TcpSocket) or not listener.is_listening:
            self._drop("ECONNREFUSED")
            return
        if len(listener.queue) > listener.backlog:
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self._reach)
            return
        listener.take(self)
        self.connected()

    def take(self, client: TcpSocket) -> None:
        """A listener's side of a new connection."""
        server = TcpSocket(self.kernel, self.family, 0)
        server.options, server.linger = self.options & INHERITED_OPTIONS, self.linger
        server.received.limit, server.send_limit = self.received.limit, self.send_limit
        server.received.low_mark, server.send_low_mark = self.received.low_mark, self.send_low_mark
        server.send_timeout, server.receive_timeout = self.send_timeout, self.receive_timeout
        server.ip_options = self.ip_options.copy()
        server.local_address, server.local_port = client.remote_address, client.remote_port
        server.remote_address, server.remote_port = client.local_address, client.local_port
        if self.family != client.family:
            server.local_address = MAPPED + plain(client.remote_address)
            server.remote_address = MAPPED + plain(client.local_address)
        server.peer, client.peer = client, server
        server.head = self
        server.holds_port = False
        server.connected()

    # Data

    def send_space(self) -> int:
        return self.send_limit - len(self.waiting)

    def transmit(
        self, data: bytes, address: bytes | None, control: list[Control], flags: int, process: Process | None
    ) -> None:
        self._check_attached()
        if control:
            raise refuse("EINVAL")
        self.waiting += data
        self.push()

    def send_urgent(self, data: bytes) -> None:
        self._check_attached()
        if self.peer is not None and data:
            self.waiting += data[:-1]
            self.peer.urgent = data[-1:]
            self.push()

    def receive_urgent(self, peek: bool) -> bytes:
        self._check_attached()
        if self.urgent is None:
            raise refuse("EINVAL")
        found = self.urgent
        if not peek:
            self.urgent = None
        return found

    def push(self) -> None:
        """Move what waits to the other side, as far as it has room, and tell it of the end after that."""
        peer = self.peer
        if peer is None:
            return
        if self.waiting:
            if peer._has_no_descriptor:
                _soon(lambda: self._drop("ECONNRESET"))
                return
            room = max(0, peer.received.limit - peer.received.used)
            piece = bytes(self.waiting[:room])
            if peer.cannot_receive:
                piece = bytes(self.waiting)
            elif piece:
                peer.received.append_stream(piece)
            if piece:
                del self.waiting[: len(piece)]
                peer.changed.ring()
                self.changed.ring()
        if self._closing and not self.waiting and not self.sent_end:
            self.sent_end = True
            _soon(self._end_arrives)

    def _end_arrives(self) -> None:
        peer = self.peer
        if peer is None:
            return
        peer.no_more_to_receive()
        if peer.sent_end:
            self._both_ended(peer)

    def _both_ended(self, peer: TcpSocket) -> None:
        """Both sides sent their end: the one that did so first keeps its port for a while."""
        for side in (self, peer):
            side.peer = None
            side.disconnected()
        self._leave()
        asyncio.get_running_loop().call_later(TIME_WAIT_SECONDS, peer._leave)

    @property
    def has_urgent(self) -> bool:
        return self.urgent is not None

    def data_taken(self) -> None:
        if self.peer is not None:
            self.peer.push()

    # Options

    def get_option(self, level: int, name: int) -> bytes:
        self._check_not_reset()
        return super().get_option(level, name)

    def set_option(self, level: int, name: int, value: bytes) -> None:
        self._check_not_reset()
        super().set_option(level, name, value)

    def _check_not_reset(self) -> None:
        if not self.is_attached:
            raise refuse("ECONNRESET")

    # Ending

    def stop_sending(self) -> None:
        self._check_attached()
        self.no_more_to_send()
        self._end()

    def _end(self) -> None:
        """tcp_usrclosed: the end follows what was sent; a socket that never connected is gone."""
        if self.peer is None:
            self._drop(None)
            return
        self._closing = True
        self.push()

    def disconnect(self) -> None:
        if self.options & SO_LINGER and self.linger == 0:
            self._reset_peer()
            self._drop(None)
            return
        self.is_disconnecting = True
        self.received.clear()
        self._end()

    def detach(self) -> None:
        self._has_no_descriptor = True
        if self.peer is not None:
            self.peer.push()  # what waited for room comes to nobody
        if self.peer is None and not self.sent_end:
            self._leave()

    def abort(self) -> None:
        self._reset_peer()
        self._drop("ECONNABORTED")

    def _reset_peer(self) -> None:
        peer, self.peer = self.peer, None
        if peer is not None:
            peer.peer = None
            _soon(lambda: peer._drop("ECONNRESET"))

    def _drop(self, error: str | None) -> None:
        """tcp_drop: the connection is over at once, with an error to tell or none."""
        if self._patience is not None:
            self._patience.cancel()
        if error is not None:
            self.pending_error = Errno[error]
        peer, self.peer = self.peer, None
        if peer is not None:
            peer.peer = None
            if peer._has_no_descriptor:
                peer._leave()
        self.waiting.clear()
        self._leave()
        self.disconnected()

    def _leave(self) -> None:
        super().detach()


def _soon(act: Callable[[], None]) -> None:
    """What the kernel's software interrupts do after the call."""
    asyncio.get_running_loop().call_soon(act)
