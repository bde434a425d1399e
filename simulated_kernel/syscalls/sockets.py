# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Making, naming, connecting and ending sockets (sys/kern/uipc_syscalls.c)."""

from __future__ import annotations

from ..errors import SyscallError, refuse
from ..network.addresses import AF_LOCAL
from ..rooms import Abi
from ..sockets.local import LocalSocket
from ..sockets.options import SOL_SOCKET, get_socket_option, set_socket_option
from ..sockets.protocols import make_socket
from ..sockets.socket import SO_NOSIGPIPE, SOCK_DGRAM, Socket
from .registry import Call, syscall

SOCK_TYPE_MASK = 0x0FFFFFFF
SOCK_CLOEXEC, SOCK_NONBLOCK = 0x10000000, 0x20000000
SOCK_NOSIGPIPE_FLAG = 0x40000000
O_NONBLOCK, O_NOSIGPIPE = 0x4, 0x1000000
LARGEST_OPTION = 2048
LARGEST_ADDRESS = 255
AF_MAX = 36
INT_MAX = (1 << 31) - 1


def file_flags(kind: int) -> int:
    """The flags of an open file for those that are given with a socket's type."""
    flags = O_NONBLOCK if kind & SOCK_NONBLOCK else 0
    return flags | (O_NOSIGPIPE if kind & SOCK_NOSIGPIPE_FLAG else 0)


def socket_of(call: Call, argument: str = "s") -> Socket:
    file = call.file(argument)
    if not isinstance(file, Socket):
        raise refuse("ENOTSOCK")
    return file


async def read_address(call: Call, address: int, length: int) -> bytes:
    """A sockaddr argument; its first byte becomes its length (sockargs)."""
    if not 2 < length <= LARGEST_ADDRESS:
        raise refuse("EINVAL")
    raw = bytearray(await call.memory.copyin(address, length))
    if raw[1] == 0 and raw[0] < AF_MAX and call.memory.abi.byteorder == "little":
        raw[1] = raw[0]
    raw[0] = length
    return bytes(raw)


async def give_address(call: Call, found: bytes | None, address: int, length_at: int) -> None:
    """Copy a sockaddr out, as much of it as the client has room for, and its length."""
    if not address:
        return
    room = await call.memory.integer("int", length_at)
    if room < 0:
        raise refuse("EINVAL")
    piece = (found or b"")[:room]
    await call.memory.copyout(address, piece)
    await call.memory.put_integer("int", length_at, len(piece))


@syscall("__socket30", component="rumpnet")
async def socket(call: Call) -> int:
    kind = call["type"] & 0xFFFFFFFF
    table = call.process.descriptors
    table.lowest_free()
    made = make_socket(call.kernel, call["domain"], kind & SOCK_TYPE_MASK, call["protocol"], file_flags(kind))
    return table.allocate(made, close_on_exec=bool(kind & SOCK_CLOEXEC))


@syscall("socketpair", component="rumpnet")
async def socketpair(call: Call) -> None:
    kind, table = call["type"] & 0xFFFFFFFF, call.process.descriptors
    ends = [
        make_socket(call.kernel, call["domain"], kind & SOCK_TYPE_MASK, call["protocol"], file_flags(kind))
        for _end in range(2)
    ]
    one, other = ends
    if not isinstance(one, LocalSocket) or not isinstance(other, LocalSocket):
        for end in ends:
            end.close()
        raise refuse("EOPNOTSUPP")
    one.join(other)
    other.join(one)
    if one.kind != SOCK_DGRAM:
        one.peer_identity = other.own_identity
    numbers = [table.allocate(end, close_on_exec=bool(kind & SOCK_CLOEXEC)) for end in ends]
    try:
        await call.memory.copyout(call["rsv"], call.memory.abi.integers("int", *numbers))
    except SyscallError:
        for number in numbers:
            table.close(number)
        raise


def _note_path(call: Call, argument: str, address: bytes) -> None:
    if address[1] == AF_LOCAL:
        call.note(argument, address[2:].split(b"\0")[0])


@syscall("bind", component="rumpnet")
async def bind(call: Call) -> None:
    address = await read_address(call, call["name"], call["namelen"])
    _note_path(call, "name", address)
    found = socket_of(call)
    if address[1] != found.family:
        raise refuse("EAFNOSUPPORT")
    found.bind(address, call.process)


@syscall("connect", component="rumpnet")
async def connect(call: Call) -> None:
    address = await read_address(call, call["name"], call["namelen"])
    _note_path(call, "name", address)
    await socket_of(call).connect(address, call.process)


@syscall("listen", component="rumpnet")
async def listen(call: Call) -> None:
    socket_of(call).listen(call["backlog"])


@syscall("accept", component="rumpnet")
async def accept(call: Call) -> int:
    listener = socket_of(call)
    return await _accept(call, listener, listener.flags)


@syscall("paccept", component="rumpnet")
async def paccept(call: Call) -> int:
    """accept with flags, and whose new descriptor does not have the listener's O_NONBLOCK."""
    if call["mask"]:
        await call.memory.copyin(call["mask"], 16)
    listener = socket_of(call)
    flags = call["flags"] & 0xFFFFFFFF
    number = await _accept(call, listener, listener.flags & ~O_NONBLOCK | file_flags(flags))
    call.process.descriptors.descriptor(number).close_on_exec = bool(flags & SOCK_CLOEXEC)
    return number


async def _accept(call: Call, listener: Socket, flags: int) -> int:
    table = call.process.descriptors
    table.lowest_free()
    found = await listener.accept()
    if found.was_disconnected and found.refuses_aborted:
        found.close()
        raise refuse("ECONNABORTED")
    found.flags = flags
    if isinstance(found, LocalSocket):
        found.accepted()
    number = table.allocate(found)
    try:
        await give_address(call, found.peer_name(), call["name"], call["anamelen"])
    except SyscallError:
        table.close(number)
        raise
    return number


@syscall("shutdown", component="rumpnet")
async def shutdown(call: Call) -> None:
    socket_of(call).shut_down(call["how"])


@syscall("getsockname", component="rumpnet")
async def getsockname(call: Call) -> None:
    await give_address(call, socket_of(call, "fdes").own_name(), call["asa"], call["alen"])


@syscall("getpeername", component="rumpnet")
async def getpeername(call: Call) -> None:
    found = socket_of(call, "fdes")
    if not found.is_connected:
        raise refuse("ENOTCONN")
    await give_address(call, found.peer_name(), call["asa"], call["alen"])


# Options


@syscall("setsockopt", component="rumpnet")
async def setsockopt(call: Call) -> None:
    size = call["valsize"]
    if (size and not call["val"]) or size > LARGEST_OPTION:
        raise refuse("EINVAL")
    found = socket_of(call)
    value = await call.memory.copyin(call["val"], size)
    try:
        _set_option(call.memory.abi, found, call["level"], call["name"], value)
    finally:
        silent = found.options & SO_NOSIGPIPE
        found.flags = found.flags | O_NOSIGPIPE if silent else found.flags & ~O_NOSIGPIPE


def _set_option(abi: Abi, found: Socket, level: int, name: int, value: bytes) -> None:
    """SOL_SOCKET's options also go to the protocol, which may know one that the socket does not."""
    known = False
    if level == SOL_SOCKET:
        try:
            set_socket_option(abi, found, name, value)
            known = True
        except SyscallError as error:
            if error.errno.name != "ENOPROTOOPT":
                raise
    try:
        found.set_option(level, name, value)
    except SyscallError as error:
        if not known or error.errno.name != "ENOPROTOOPT":
            raise


@syscall("getsockopt", component="rumpnet")
async def getsockopt(call: Call) -> None:
    room = await call.memory.integer("uint32", call["avalsize"]) if call["val"] else 0
    found = socket_of(call)
    found.options = found.options | SO_NOSIGPIPE if found.flags & O_NOSIGPIPE else found.options & ~SO_NOSIGPIPE
    if call["level"] == SOL_SOCKET:
        value = get_socket_option(call.memory.abi, found, call["name"])
    else:
        value = found.get_option(call["level"], call["name"])
    if room:
        await call.memory.copyout(call["val"], value[:room])
        await call.memory.put_integer("uint32", call["avalsize"], min(room, len(value)))
