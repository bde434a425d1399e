# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sending and receiving over sockets (sys/kern/uipc_syscalls.c, do_sys_sendmsg and do_sys_recvmsg)."""

from __future__ import annotations

from typing import Any

from ..errors import SyscallError, refuse
from ..files import OpenFile
from ..sockets.buffers import SCM_RIGHTS, Control
from ..sockets.options import SOL_SOCKET
from ..sockets.socket import MSG_CTRUNC, MSG_DONTWAIT, Received, Socket
from ..usermemory import UserIo
from .registry import Call, syscall
from .sockets import give_address, read_address, socket_of

MSG_USERFLAGS = 0x00FFFFFF
MSG_CMSG_CLOEXEC, MSG_WAITFORONE = 0x800, 0x2000
IOV_MAX = 1024
PAGE = 4096
MOST_MESSAGES = 1024
INTERRUPTIONS = frozenset({"EAGAIN", "EINTR"})


def _check_length(call: Call, length: int) -> None:
    if length >= 1 << 8 * call.memory.abi.word_size - 1:
        raise refuse("EINVAL")


async def _vector(call: Call, message: Any) -> UserIo:
    """The buffers of a struct msghdr."""
    count = message.msg_iovlen & 0xFFFFFFFF
    if count > IOV_MAX:
        raise refuse("EMSGSIZE")
    abi, word = call.memory.abi, call.memory.abi.word_size
    raw = await call.memory.copyin(message.msg_iov, 2 * word * count)
    words = [abi.read_integer("pointer", raw[word * place :]) for place in range(2 * count)]
    segments = list(zip(words[::2], words[1::2], strict=True))
    total = 0
    for _address, length in segments:
        total += length
        _check_length(call, length)
        _check_length(call, total)
    return UserIo(call.memory, segments)


# Control messages


def _aligned(call: Call, size: int) -> int:
    mask = call.kernel.sysctl.value("hw.alignbytes", call.memory.abi.word_size - 1)
    return size + mask & ~mask


async def _read_control(call: Call, address: int, length: int) -> list[Control]:
    """The first control message of a send: there may be one, and it passes descriptors (unp_internalize)."""
    layout, abi = call.memory.abi.struct("cmsghdr"), call.memory.abi
    start = _aligned(call, layout.size)
    if length < start or length > PAGE:
        raise refuse("EINVAL")
    raw = await call.memory.copyin(address, length)
    head = layout.parse(raw)
    if not start <= head.cmsg_len <= length:
        return [Control(-1, -1)]
    if head.cmsg_level != SOL_SOCKET or head.cmsg_type != SCM_RIGHTS:
        return [Control(head.cmsg_level, head.cmsg_type, raw[start:])]
    numbers = [abi.read_integer("int", raw[place:]) for place in range(start, head.cmsg_len - 3, 4)]
    files: list[OpenFile] = [call.process.descriptors.file(number) for number in numbers]
    return [Control(head.cmsg_level, head.cmsg_type, b"", files)]


async def _give_control(call: Call, message: Any, result: Received) -> None:
    """Copy control messages out; descriptors become the receiver's (copyout_msg_control)."""
    address, room, given = message.msg_control, message.msg_controllen, 0
    layout = call.memory.abi.struct("cmsghdr")
    start = _aligned(call, layout.size)
    for entry in result.control:
        data = _externalise(call, entry, bool(result.flags & MSG_CMSG_CLOEXEC)) if entry.files else entry.data
        head = layout.build(cmsg_len=start + len(data), cmsg_level=entry.level, cmsg_type=entry.kind)
        raw = (head.ljust(start, b"\0") + data).ljust(_aligned(call, start + len(data)), b"\0")
        if room < len(raw):
            result.flags |= MSG_CTRUNC
            if entry.files:
                _take_back(call, data)
                break
        piece = raw[:room]
        await call.memory.copyout(address + given, piece)
        given += len(piece)
        room -= len(piece)
        if room <= 0:
            break
    message.msg_controllen = given


def _externalise(call: Call, entry: Control, close_on_exec: bool) -> bytes:
    """Give the receiver descriptors for files that were sent."""
    table, numbers = call.process.descriptors, []
    for file in entry.files:
        numbers.append(table.allocate(file, close_on_exec))
        file.references -= 1
    return call.memory.abi.integers("int", *numbers)


def _take_back(call: Call, data: bytes) -> None:
    for place in range(0, len(data), 4):
        call.process.descriptors.close(call.memory.abi.read_integer("int", data[place:]))


# Sending


async def _send(
    call: Call, socket: Socket, io: UserIo, address: bytes | None, control: list[Control], flags: int
) -> int:
    """An interruption after some bytes went is a short send."""
    try:
        await socket.send(io, address, control, flags, call.process)
    except SyscallError as error:
        if not io.done or error.errno.name not in INTERRUPTIONS:
            raise
    return io.done


@syscall("sendto", component="rumpnet")
async def sendto(call: Call) -> int:
    socket = socket_of(call)
    _check_length(call, call["len"])
    address = await read_address(call, call["to"], call["tolen"]) if call["to"] else None
    return await _send(call, socket, UserIo(call.memory, [(call["buf"], call["len"])]), address, [], call["flags"])


async def _send_message(call: Call, message: Any, flags: int) -> int:
    socket = socket_of(call)
    io = await _vector(call, message)
    address = await read_address(call, message.msg_name, message.msg_namelen) if message.msg_name else None
    control = []
    if message.msg_control:
        control = await _read_control(call, message.msg_control, message.msg_controllen)
    return await _send(call, socket, io, address, control, flags)


@syscall("sendmsg", component="rumpnet")
async def sendmsg(call: Call) -> int:
    return await _send_message(call, await call.memory.struct("msghdr", call["msg"]), call["flags"])


@syscall("sendmmsg", component="rumpnet")
async def sendmmsg(call: Call) -> int:
    layout, abi = call.memory.abi.struct("msghdr"), call.memory.abi
    entry = layout.size + abi.word_size
    socket_of(call)
    count = 0
    try:
        while count < min(call["vlen"], MOST_MESSAGES):
            address = call["mmsg"] + count * entry
            sent = await _send_message(call, await call.memory.struct("msghdr", address), call["flags"])
            await call.memory.put_integer("uint32", address + layout.size, sent)
            count += 1
    except SyscallError:
        if not count:
            raise
    return count


# Receiving


async def _receive(socket: Socket, io: UserIo, flags: int) -> Received:
    try:
        return await socket.receive(io, flags & MSG_USERFLAGS)
    except SyscallError as error:
        if not io.done or error.errno.name not in INTERRUPTIONS:
            raise
    return Received(flags & MSG_USERFLAGS)


@syscall("recvfrom", component="rumpnet")
async def recvfrom(call: Call) -> int:
    socket = socket_of(call)
    _check_length(call, call["len"])
    io = UserIo(call.memory, [(call["buf"], call["len"])])
    result = await _receive(socket, io, call["flags"])
    socket.dispose_control(result.control)
    await give_address(call, result.address, call["from"], call["fromlenaddr"])
    return io.done


async def _receive_message(call: Call, address: int, flags: int) -> int:
    layout = call.memory.abi.struct("msghdr")
    message = await call.memory.struct("msghdr", address)
    socket = socket_of(call)
    io = await _vector(call, message)
    result = await _receive(socket, io, flags)
    if message.msg_control:
        await _give_control(call, message, result)
    else:
        socket.dispose_control(result.control)
    if message.msg_name:
        name = (result.address or b"")[: message.msg_namelen]
        await call.memory.copyout(message.msg_name, name)
        message.msg_namelen = len(name)
    members = {name: message[name] for name in layout.offsets} | {"msg_flags": result.flags}
    await call.memory.copyout(address, layout.build(**members))
    return io.done


@syscall("recvmsg", component="rumpnet")
async def recvmsg(call: Call) -> int:
    return await _receive_message(call, call["msg"], call["flags"])


@syscall("recvmmsg", component="rumpnet")
async def recvmmsg(call: Call) -> int:
    layout, abi = call.memory.abi.struct("msghdr"), call.memory.abi
    entry, flags, count = layout.size + abi.word_size, call["flags"], 0
    try:
        while count < min(call["vlen"], MOST_MESSAGES):
            address = call["mmsg"] + count * entry
            received = await _receive_message(call, address, flags & ~MSG_WAITFORONE)
            await call.memory.put_integer("uint32", address + layout.size, received)
            count += 1
            if flags & MSG_WAITFORONE:
                flags |= MSG_DONTWAIT
    except SyscallError:
        if not count:
            raise
    return count
