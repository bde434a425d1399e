# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Socket calls, as far as configuration needs them (sys/kern/uipc_syscalls.c)."""

from __future__ import annotations

from ..errors import refuse
from ..network.addresses import AF_LOCAL
from ..network.sockets import (
    SOCK_CLOEXEC,
    SOCK_NONBLOCK,
    SOCK_NOSIGPIPE,
    SOCK_TYPE_MASK,
    Socket,
    make_socket,
)
from .registry import Call, syscall

O_NONBLOCK, O_NOSIGPIPE = 0x4, 0x1000000
MAX_OPTION = 2048


@syscall("__socket30", component="rumpnet")
async def socket(call: Call) -> int:
    kind = call["type"] & 0xFFFFFFFF
    flags = O_NONBLOCK if kind & SOCK_NONBLOCK else 0
    if kind & SOCK_NOSIGPIPE:
        flags |= O_NOSIGPIPE
    made = make_socket(call.kernel, call["domain"], kind & SOCK_TYPE_MASK, call["protocol"], flags)
    return call.process.descriptors.allocate(made, close_on_exec=bool(kind & SOCK_CLOEXEC))


def _socket(call: Call, argument: str = "s") -> Socket:
    file = call.file(argument)
    if not isinstance(file, Socket):
        raise refuse("ENOTSOCK")
    return file


async def _local_path(call: Call, argument: str, length: int) -> bytes:
    """The path in a struct sockaddr_un."""
    raw = await call.memory.copyin(call[argument], length)
    path = raw[2:].split(b"\0")[0]
    call.note(argument, path)
    return path


@syscall("connect", component="rumpnet")
async def connect(call: Call) -> None:
    """Nobody listens here."""
    found = _socket(call)
    if not 2 <= call["namelen"] <= 128:
        raise refuse("EINVAL")
    if found.family == AF_LOCAL:
        path = await _local_path(call, "name", call["namelen"])
        node = call.resolve(path).existing()
        raise refuse("ENOTSOCK" if node.extra is None else "ECONNREFUSED")
    await call.memory.copyin(call["name"], call["namelen"])
    raise refuse("ENETUNREACH")


@syscall("bind", component="rumpnet")
async def bind(call: Call) -> None:
    _socket(call)
    raise refuse("EOPNOTSUPP")


@syscall("listen", component="rumpnet")
async def listen(call: Call) -> None:
    _socket(call)
    raise refuse("EOPNOTSUPP")


@syscall("shutdown", component="rumpnet")
async def shutdown(call: Call) -> None:
    found = _socket(call)
    if call["how"] not in (0, 1, 2):
        raise refuse("EINVAL")
    found.shut_down(call["how"])


@syscall("setsockopt", component="rumpnet")
async def setsockopt(call: Call) -> None:
    found = _socket(call)
    if call["valsize"] > MAX_OPTION:
        raise refuse("EINVAL")
    found.options[call["level"], call["name"]] = await call.memory.copyin(call["val"], call["valsize"])


@syscall("getsockopt", component="rumpnet")
async def getsockopt(call: Call) -> None:
    found = _socket(call)
    room = await call.memory.integer("uint32", call["avalsize"])
    value = found.options.get((call["level"], call["name"]), bytes(4))[:room]
    await call.memory.copyout(call["val"], value)
    await call.memory.put_integer("uint32", call["avalsize"], len(value))


@syscall("sendto", "sendmsg", component="rumpnet")
async def sendto(call: Call) -> int:
    _socket(call)
    raise refuse("ENETUNREACH")


@syscall("recvfrom", "recvmsg", component="rumpnet")
async def recvfrom(call: Call) -> int:
    _socket(call)
    raise refuse("EAGAIN")


@syscall("getsockname", component="rumpnet")
async def getsockname(call: Call) -> None:
    found = _socket(call, "fdes")
    room = await call.memory.integer("uint32", call["alen"])
    raw = bytes([16, found.family]) + bytes(14)
    await call.memory.copyout(call["asa"], raw[:room])
    await call.memory.put_integer("uint32", call["alen"], len(raw[:room]))


@syscall("getpeername", component="rumpnet")
async def getpeername(call: Call) -> None:
    _socket(call, "fdes")
    raise refuse("ENOTCONN")
