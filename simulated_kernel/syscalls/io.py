# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading and writing open files, and ioctl (sys/kern/sys_generic.c, vfs_syscalls.c)."""

from __future__ import annotations

from ..errors import SyscallError, refuse
from ..files import FREAD, FWRITE, OpenFile
from ..ioctls import IOC_IN, IOC_OUT, IoctlRequest, parameter_size
from ..rooms import Errno
from ..usermemory import UserIo
from .registry import Call, syscall

IOV_MAX = 1024
INTERRUPTIONS = frozenset({"EAGAIN", "EINTR"})
SEEK_SET, SEEK_CUR, SEEK_END = 0, 1, 2


def _readable(call: Call) -> OpenFile:
    file = call.file()
    if not file.flags & FREAD:
        raise refuse("EBADF")
    return file


def _writable(call: Call) -> OpenFile:
    file = call.file()
    if not file.flags & FWRITE:
        raise refuse("EBADF")
    return file


async def _finish_read(file: OpenFile, io: UserIo, offset: int | None) -> int:
    """An interruption after some bytes were moved is not told."""
    try:
        await file.read(io, offset)
    except SyscallError as error:
        if not io.done or error.errno.name not in INTERRUPTIONS:
            raise
    return io.done


async def _finish_write(file: OpenFile, io: UserIo, offset: int | None) -> int:
    try:
        await file.write(io, offset)
    except SyscallError as error:
        if not io.done or error.errno.name not in INTERRUPTIONS:
            raise
    return io.done


def _check_position(file: OpenFile, offset: int) -> None:
    if not file.seekable:
        raise refuse("ESPIPE")
    if offset < 0 and not file.node.is_device:
        raise refuse("EINVAL")


@syscall("read")
async def read(call: Call) -> int:
    count = await _finish_read(_readable(call), call.io(), None)
    await _trace_data(call, count, written=False)
    return count


@syscall("write")
async def write(call: Call) -> int:
    count = await _finish_write(_writable(call), call.io(), None)
    await _trace_data(call, count, written=True)
    return count


async def _trace_data(call: Call, count: int, written: bool) -> None:
    """Ask the client once more for what it read or wrote, if that is recorded."""
    if count and call.kernel.tracing.wants_data(call.process):
        data = await call.memory.copyin(call["buf"], count)
        call.kernel.tracing.data(call.process, call["fd"], written, data)


@syscall("pread", component="rumpvfs")
async def pread(call: Call) -> int:
    file = _readable(call)
    _check_position(file, call["offset"])
    count = await _finish_read(file, call.io(), call["offset"])
    await _trace_data(call, count, written=False)
    return count


@syscall("pwrite", component="rumpvfs")
async def pwrite(call: Call) -> int:
    file = _writable(call)
    _check_position(file, call["offset"])
    count = await _finish_write(file, call.io(), call["offset"])
    await _trace_data(call, count, written=True)
    return count


async def _vector(call: Call) -> UserIo:
    """The buffers of an iovec array."""
    count = call["iovcnt"]
    if not 0 < count <= IOV_MAX:
        raise refuse("EINVAL")
    abi, word = call.memory.abi, call.memory.abi.word_size
    raw = await call.memory.copyin(call["iovp"], 2 * word * count)
    words = [abi.read_integer("pointer", raw[word * index :]) for index in range(2 * count)]
    segments = list(zip(words[::2], words[1::2], strict=True))
    if sum(length for _address, length in segments) >= 1 << 8 * word - 1:
        raise refuse("EINVAL")
    return UserIo(call.memory, segments)


@syscall("readv")
async def readv(call: Call) -> int:
    return await _finish_read(_readable(call), await _vector(call), None)


@syscall("writev")
async def writev(call: Call) -> int:
    return await _finish_write(_writable(call), await _vector(call), None)


@syscall("preadv", component="rumpvfs")
async def preadv(call: Call) -> int:
    file = _readable(call)
    _check_position(file, call["offset"])
    return await _finish_read(file, await _vector(call), call["offset"])


@syscall("pwritev", component="rumpvfs")
async def pwritev(call: Call) -> int:
    file = _writable(call)
    _check_position(file, call["offset"])
    return await _finish_write(file, await _vector(call), call["offset"])


@syscall("lseek", component="rumpvfs")
async def lseek(call: Call) -> tuple[int, int]:
    """The new position, which spans both registers on a 32-bit machine."""
    file = call.file()
    if not file.seekable:
        raise refuse("ESPIPE")
    node, offset = file.node, call["offset"]
    match call["whence"]:
        case 0:
            position = offset
        case 1:
            position = file.offset + offset
        case 2:
            position = (0 if node.is_device else node.filesystem.size_of(node)) + offset
        case _:
            raise refuse("EINVAL")
    if position < 0 and not node.is_device:
        raise refuse("EINVAL")
    file.offset = position
    return split_registers(call, position)


def split_registers(call: Call, value: int) -> tuple[int, int]:
    """A 64-bit result: one register of 64 bits, or two of 32 in the machine's byte order."""
    abi = call.memory.abi
    if abi.word_size == 8:
        return value, 0
    raw = abi.integer("int64", value)
    return abi.read_integer("int32", raw), abi.read_integer("int32", raw[4:])


@syscall("ftruncate", component="rumpvfs")
async def ftruncate(call: Call) -> None:
    file = _file_to_write(call)
    node = file.node
    if node.is_directory:
        raise refuse("EISDIR")
    if call["length"] < 0:
        raise refuse("EINVAL")
    node.filesystem.check_writable(node)
    node.filesystem.truncate(node, call["length"])


def _file_to_write(call: Call) -> OpenFile:
    """ftruncate refuses a file that is not open for writing with EINVAL."""
    file = call.file()
    _node = file.node
    if not file.flags & FWRITE:
        raise refuse("EINVAL")
    return file


@syscall("fsync", "fdatasync", component="rumpvfs")
async def fsync(call: Call) -> None:
    _node = call.file().node


@syscall("fsync_range", component="rumpvfs")
async def fsync_range(call: Call) -> None:
    file = call.file()
    _node = file.node
    if not file.flags & FWRITE:
        raise refuse("EBADF")


@syscall("__posix_fadvise50", component="rumpvfs")
async def fadvise(call: Call) -> int:
    """The error is the result, and no errno."""
    if not call.file().seekable:
        return 29
    return 0 if 0 <= call["advice"] <= 5 else 22


@syscall("posix_fallocate", component="rumpvfs")
async def fallocate(call: Call) -> int:
    """The error is the result, and no errno; no file system can do it."""
    if call["fd"] not in call.process.descriptors:
        return int(Errno.EBADF)
    return int(Errno.EOPNOTSUPP)


@syscall("fdiscard", component="rumpvfs")
async def fdiscard(call: Call) -> None:
    call.file()
    raise refuse("EOPNOTSUPP")


@syscall("ioctl")
async def ioctl(call: Call) -> None:
    file = call.file()
    if not file.flags & (FREAD | FWRITE):
        raise refuse("EBADF")
    code = call["com"]
    size = parameter_size(code)
    data = bytearray(size)
    request = IoctlRequest(code, call["data"], data, call.memory, call.process, call.memory.abi)
    request.descriptor = call.process.descriptors.descriptor(call["fd"])
    call.note("com", request.name)
    if code & IOC_IN and size:
        data[:] = await call.memory.copyin(call["data"], size)
    call.note("request", request.notes)
    await _serve_ioctl(file, request)
    if code & IOC_OUT and size:
        await call.memory.copyout(call["data"], bytes(request.data))


async def _serve_ioctl(file: OpenFile, request: IoctlRequest) -> None:
    abi = request.abi
    match request.name:
        case "FIOCLEX" | "FIONCLEX":
            request.descriptor.close_on_exec = request.name == "FIOCLEX"
        case "FIONBIO":
            on = abi.read_integer("int", request.data)
            file.flags = file.flags | 0x4 if on else file.flags & ~0x4
            await _tolerate(file, request)
        case "FIOASYNC":
            on = abi.read_integer("int", request.data)
            file.flags = file.flags | 0x40 if on else file.flags & ~0x40
            await _tolerate(file, request)
        case _:
            await file.ioctl(request)


async def _tolerate(file: OpenFile, request: IoctlRequest) -> None:
    """Files and sockets take these two; whatever knows no ioctl refuses them."""
    try:
        await file.ioctl(request)
    except SyscallError as error:
        if error.errno.name != "ENOTTY":
            raise
