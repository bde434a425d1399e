# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lists of open sockets that sysctl gives: sysctl_inpcblist of sys/netinet/tcp_usrreq.c, and sysctl_unpcblist
of sys/kern/uipc_domain.c."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from ..errors import refuse
from ..network.addresses import AF_INET, AF_INET6, AF_LOCAL, sockaddr_in
from .internet import InternetSocket
from .local import LocalSocket
from .ports import is_any
from .raw import RawSocket
from .socket import SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM
from .tcp import TcpSocket

if TYPE_CHECKING:
    from ..sysctl.node import SysctlNode
    from ..sysctl.request import SysctlRequest

SIZE = 640  # sizeof (struct kinfo_pcb), on every machine
ADDRESS_SIZE = 264
SLOP = 20  # PCB_SLOP
BOUND, CONNECTED = 1, 2  # INP_*, for ki_prstate
CLOSED, LISTEN, SYN_SENT, ESTABLISHED, CLOSE_WAIT, FIN_WAIT_2 = 0, 1, 2, 4, 5, 9
PROTOCOLS = {SOCK_STREAM: 6, SOCK_DGRAM: 17}

ListFunction = Callable[["SysctlRequest", "SysctlNode", list[int]], Awaitable[None]]


def internet_list(family: int, kind: int) -> ListFunction:
    """The function of the node with the sockets of a family and kind; the newest come first."""

    async def serve(request: SysctlRequest, _node: SysctlNode, rest: list[int]) -> None:
        sockets = [socket for socket in request.kernel.ports(kind) if socket.family == family]
        own = request.kernel.own_stack if (family, kind) == (AF_INET, SOCK_STREAM) else None
        servers = [_describe_server(request, *ends) for ends in own.sockets()] if own is not None else []
        entries = [*(_describe(request, socket) for socket in sockets), *servers]
        if request.kernel.own_stack is not None and request.old and _room(request, rest) and entries:
            await request.kernel.own_stack.copy_out_while_locked()
        await _give(request, rest, entries)

    return serve


def local_list(kind: int) -> ListFunction:
    """The function of the node with the sockets of AF_LOCAL of a kind that have a descriptor."""

    async def serve(request: SysctlRequest, _node: SysctlNode, rest: list[int]) -> None:
        tables = {id(process.descriptors): process.descriptors for process in request.kernel.processes.values()}
        files = [table.file(number) for table in tables.values() for number in table.numbers()]
        sockets = {id(file): file for file in files if isinstance(file, LocalSocket) and file.kind == kind}
        await _give(request, rest, [_describe_local(request, socket) for socket in sockets.values()])

    return serve


async def _give(request: SysctlRequest, rest: list[int], entries: list[bytes]) -> None:
    """As many entries as there is room for; the length of all of them is told in any case, and of some more to who
    only asks for that."""
    room = _room(request, rest)
    if request.old:
        await request.memory.copyout(request.old, b"".join(entries[:room]))
    request.old_length = SIZE * (len(entries) + (0 if request.old else SLOP))


def _room(request: SysctlRequest, rest: list[int]) -> int:
    """How many entries there is room for."""
    if len(rest) != 4 or (request.old and rest[2] != SIZE):
        raise refuse("EINVAL")
    return min(rest[3], request.old_length // SIZE)


def _describe_local(request: SysctlRequest, socket: LocalSocket) -> bytes:
    return request.abi.struct("kinfo_pcb").build(
        ki_family=AF_LOCAL,
        ki_type=socket.kind,
        ki_rcvq=socket.received.used,
        ki_s=_padded(socket.bound_name or bytes([2, AF_LOCAL])),
        ki_d=_padded(b"" if socket.peer is None else socket.peer.bound_name or bytes([2, AF_LOCAL])),
    )


def _describe(request: SysctlRequest, socket: InternetSocket) -> bytes:
    is_raw = isinstance(socket, RawSocket)
    is_connected = not is_any(socket.remote_address)
    state = CONNECTED if is_connected else BOUND if socket.local_port else 0
    return request.abi.struct("kinfo_pcb").build(
        ki_family=socket.family,
        ki_type=socket.kind,
        ki_protocol=socket.protocol if isinstance(socket, RawSocket) else PROTOCOLS[socket.kind],
        ki_prstate=state,
        ki_tstate=_tcp_state(socket),
        ki_rcvq=socket.received.used,
        ki_sndq=len(socket.waiting) if isinstance(socket, TcpSocket) else 0,
        ki_s=_padded(socket.name(socket.local_address, 0 if is_raw else socket.local_port)),
        ki_d=_padded(socket.name(socket.remote_address, socket.remote_port) if is_connected else b""),
    )


def _describe_server(request: SysctlRequest, local: tuple[bytes, int], remote: tuple[bytes, int] | None) -> bytes:
    """The server's own socket, or that of one of its clients."""

    def name(end: tuple[bytes, int]) -> bytes:
        return sockaddr_in(end[0])[:2] + end[1].to_bytes(2, "big") + sockaddr_in(end[0])[4:]

    return request.abi.struct("kinfo_pcb").build(
        ki_family=AF_INET,
        ki_type=SOCK_STREAM,
        ki_protocol=PROTOCOLS[SOCK_STREAM],
        ki_prstate=CONNECTED if remote else BOUND,
        ki_tstate=ESTABLISHED if remote else LISTEN,
        ki_s=_padded(name(local)),
        ki_d=_padded(name(remote) if remote else b""),
    )


def _padded(address: bytes) -> bytes:
    return address.ljust(ADDRESS_SIZE, b"\0")


def _tcp_state(socket: InternetSocket) -> int:
    if not isinstance(socket, TcpSocket):
        return 0
    if socket.is_listening:
        return LISTEN
    if socket.is_connecting:
        return SYN_SENT
    if not socket.is_connected:
        return CLOSED
    if socket.sent_end:
        return FIN_WAIT_2
    return CLOSE_WAIT if socket.cannot_receive else ESTABLISHED


LISTS = {
    "net.inet.tcp.pcblist": internet_list(AF_INET, SOCK_STREAM),
    "net.inet.udp.pcblist": internet_list(AF_INET, SOCK_DGRAM),
    "net.inet.raw.pcblist": internet_list(AF_INET, SOCK_RAW),
    "net.inet6.tcp6.pcblist": internet_list(AF_INET6, SOCK_STREAM),
    "net.inet6.udp6.pcblist": internet_list(AF_INET6, SOCK_DGRAM),
    "net.inet6.raw6.pcblist": internet_list(AF_INET6, SOCK_RAW),
    "net.local.stream.pcblist": local_list(SOCK_STREAM),
    "net.local.dgram.pcblist": local_list(SOCK_DGRAM),
    "net.local.seqpacket.pcblist": local_list(SOCK_SEQPACKET),
}
