# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""flock(2) and the locks of fcntl(2) (sys/kern/sys_descrip.c)."""

from __future__ import annotations

from ..errors import SyscallError, refuse
from ..files import FREAD, FWRITE, OpenFile
from ..rooms import Errno
from ..vfs.locks import END, Lock
from ..vfs.node import Node
from .registry import Call, syscall

LOCK_SH, LOCK_EX, LOCK_NB, LOCK_UN = 1, 2, 4, 8
F_RDLCK, F_UNLCK, F_WRLCK = 1, 2, 3
F_GETLK, F_SETLK, F_SETLKW = 7, 8, 9
SEEK_SET, SEEK_CUR, SEEK_END = 0, 1, 2
FLOCK_SIZE = 24
"""struct flock: start and length of 64 bits, pid, type and whence of 16 bits."""


def _node_of(file: OpenFile) -> Node:
    """The node to be locked; sockets, pipes and the console have none."""
    try:
        return file.node
    except SyscallError as error:
        if error.errno is Errno.EINVAL:
            raise refuse("EOPNOTSUPP") from None
        raise


@syscall("flock")
async def flock(call: Call) -> None:
    file, operation = call.file(), call["how"]
    node = _node_of(file)
    kind = operation & ~LOCK_NB
    if kind == LOCK_UN:
        node.locks.release(file)
    elif kind in (LOCK_SH, LOCK_EX):
        if not await node.locks.take(Lock(file, kind == LOCK_EX), wait=not operation & LOCK_NB):
            raise refuse("EAGAIN")
    else:
        raise refuse("EINVAL")


def _range(file: OpenFile, node: Node, start: int, length: int, whence: int) -> tuple[int, int]:
    """(first, last) byte of a range; a negative length ends before the start."""
    base = {SEEK_SET: 0, SEEK_CUR: file.offset, SEEK_END: node.filesystem.size_of(node)}.get(whence)
    if base is None:
        raise refuse("EINVAL")
    start += base
    if length < 0:
        start, length = start + length, -length
    if start < 0:
        raise refuse("EINVAL")
    return start, start + length - 1 if length else END


async def record_lock(call: Call, file: OpenFile) -> int:
    """F_GETLK, F_SETLK and F_SETLKW."""
    command, abi = call["cmd"], call.memory.abi
    try:
        node = file.node
    except SyscallError:
        raise refuse("EINVAL") from None
    raw = await call.memory.copyin(call["arg"], FLOCK_SIZE)
    start, length = abi.read_integer("int64", raw), abi.read_integer("int64", raw[8:])
    kind, whence = abi.read_integer("int16", raw[20:]), abi.read_integer("int16", raw[22:])
    call.note("arg", {"start": start, "length": length, "type": kind, "whence": whence})
    first, last = _range(file, node, start, length, whence)
    owner = call.process.pid
    if command == F_GETLK:
        if kind not in (F_RDLCK, F_UNLCK, F_WRLCK):
            raise refuse("EINVAL")
        await call.memory.copyout(call["arg"], _found(call, node, raw, Lock(owner, kind == F_WRLCK, first, last)))
        return 0
    if kind == F_UNLCK:
        node.locks.release(owner, first, last)
        return 0
    if kind not in (F_RDLCK, F_WRLCK):
        raise refuse("EINVAL")
    if not file.flags & (FWRITE if kind == F_WRLCK else FREAD):
        raise refuse("EBADF")
    call.process.locked_nodes.add(node)
    if not await node.locks.take(Lock(owner, kind == F_WRLCK, first, last), wait=command == F_SETLKW):
        raise refuse("EAGAIN")
    return 0


def _found(call: Call, node: Node, raw: bytes, wanted: Lock) -> bytes:
    """The struct flock of the lock that is in the way, or the question with F_UNLCK."""
    abi = call.memory.abi
    blocking = node.locks.blocking(wanted)
    if blocking is None:
        return raw[:20] + abi.integer("int16", F_UNLCK) + raw[22:]
    length = 0 if blocking.end == END else blocking.end - blocking.start + 1
    return (
        abi.integers("int64", blocking.start, length)
        + abi.integer("int", blocking.pid)
        + abi.integers("int16", F_WRLCK if blocking.exclusive else F_RDLCK, SEEK_SET)
    )
