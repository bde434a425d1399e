# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's sockets in the shape of Python's ``socket``: its network, not the controller's.

No call waits in the kernel: a socket is always non-blocking there, and waiting for it is done by poll, some seconds
at a time. So a socket's time limit may be longer than that of the session's calls, and a socket that waits for long
does not keep one of the server's workers, which all its clients share, for longer than that.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import IO, TYPE_CHECKING, Any, Final, Self, TypeVar

from ..errors import RumpError
from ..memory import Buffer
from ..netbsd import Errno, KernelError
from ..netbsd.constants import AF, POLL, SO, SOL
from ..netbsd.kernel_error import kernel_error
from .addresses import LARGEST, Address, host_family, pack, unpack
from .ancillary import Ancillary, host_flags
from .base import LARGEST_DESCRIPTOR
from .socket_options import creation_flags, native_flags, native_option
from .streams import DEFAULT_BUFFER_SIZE, buffered

if TYPE_CHECKING:
    from . import Kernel

_LARGEST_OPTION: Final = 1 << 12
_Result = TypeVar("_Result")


class SocketTimeout(RumpError, TimeoutError):
    """A socket's time limit struck. The socket and the session go on."""


class Socket:
    """A socket of the kernel's. Made by :meth:`~.network.Network.socket` and its kin.

    Its methods are those of ``socket.socket`` and raise what they raise. Families, types, options and flags may be
    the controller's of Python's ``socket``, or NetBSD's of :mod:`~..netbsd.constants`.
    """

    def __init__(self, kernel: Kernel, family: AF, kind: int, proto: int, descriptor: int) -> None:
        self._kernel = kernel
        self._family = family
        self._type = kind
        self.proto = proto
        self._descriptor = descriptor
        self._timeout: float | None = None
        self._files = 0
        self._closed = False

    @property
    def family(self) -> int:
        """Python's number for the family where it has one, else NetBSD's."""
        return host_family(self._family)

    @property
    def type(self) -> int:
        return self._type

    def fileno(self) -> int:
        """The kernel's descriptor, for the kernel's calls alone: -1 after the socket was closed."""
        return self._descriptor

    def settimeout(self, value: float | None) -> None:
        """Seconds that a call waits before it raises TimeoutError; None waits for ever, 0 never."""
        if value is not None and value < 0:
            raise ValueError("a time limit is not negative")
        self._timeout = value

    def gettimeout(self) -> float | None:
        return self._timeout

    def setblocking(self, flag: bool) -> None:
        self.settimeout(None if flag else 0.0)

    def getblocking(self) -> bool:
        return self._timeout != 0

    # Connections

    def bind(self, address: Address) -> None:
        data = self._pack(address)
        self._call("bind", data, len(data), subject=_text(address))

    def listen(self, backlog: int = 128) -> None:
        self._call("listen", max(backlog, 0))

    def accept(self) -> tuple[Socket, Address]:
        """A connection, and the address it comes from."""
        flags = creation_flags(self._kernel.abi)

        def attempt() -> tuple[Socket, Address]:
            name = bytearray(LARGEST)
            size = bytearray(self._kernel.abi.integer("uint32", LARGEST))
            fd = self._number(LARGEST_DESCRIPTOR, "paccept", name, size, None, flags)
            accepted = Socket(self._kernel, self._family, self._type, self.proto, fd)
            return accepted, self._unpack(name, size)

        return self._when(POLL.IN, attempt)

    def connect(self, address: Address) -> None:
        data = self._pack(address)
        subject = _text(address)
        try:
            self._call("connect", data, len(data), subject=subject)
        except KernelError as error:
            if error.name != "EINPROGRESS" or self._timeout == 0:
                raise
        else:
            return
        self._wait(POLL.OUT, self._deadline(), f"connect {subject}")
        number = self._native_error()
        if number:
            raise kernel_error(number, "connect", subject)

    def connect_ex(self, address: Address) -> int:
        """0, or the errno of the error with which :meth:`connect` ended."""
        try:
            self.connect(address)
        except KernelError as error:
            return error.errno or 0
        return 0

    def shutdown(self, how: int) -> None:
        """``how``: ``socket.SHUT_RD``, ``SHUT_WR`` or ``SHUT_RDWR``."""
        self._call("shutdown", how)

    def getsockname(self) -> Address:
        return self._name("getsockname")

    def getpeername(self) -> Address:
        return self._name("getpeername")

    # Data

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        buffer = bytearray(bufsize)
        count = self.recv_into(buffer, flags=flags)
        return bytes(memoryview(buffer)[:count])

    def recv_into(self, buffer: bytearray | memoryview, nbytes: int = 0, flags: int = 0) -> int:
        return self._receive(buffer, nbytes, flags, None, None)

    def recvfrom(self, bufsize: int, flags: int = 0) -> tuple[bytes, Address]:
        buffer = bytearray(bufsize)
        count, address = self.recvfrom_into(buffer, flags=flags)
        return bytes(memoryview(buffer)[:count]), address

    def recvfrom_into(self, buffer: bytearray | memoryview, nbytes: int = 0, flags: int = 0) -> tuple[int, Address]:
        name = bytearray(LARGEST)
        size = bytearray(self._kernel.abi.integer("uint32", LARGEST))
        count = self._receive(buffer, nbytes, flags, name, size)
        return count, self._unpack(name, size)

    def send(self, data: Buffer, flags: int = 0) -> int:
        return self._send(memoryview(data).toreadonly().cast("B"), native_flags(flags), None, self._deadline())

    def sendall(self, data: Buffer, flags: int = 0) -> None:
        deadline = self._deadline()
        view = memoryview(data).toreadonly().cast("B")
        while view:
            count = self._send(view, native_flags(flags), None, deadline)
            if not count:
                raise self._kernel.broken(f"send took nothing of {len(view)} bytes")
            view = view[count:]

    def sendto(self, data: Buffer, *flags_and_address: Any) -> int:
        """``sendto(data, address)`` or ``sendto(data, flags, address)``."""
        if not 1 <= len(flags_and_address) <= 2:
            raise TypeError("sendto takes data, perhaps flags, and an address")
        *flags, address = flags_and_address
        view = memoryview(data).toreadonly().cast("B")
        return self._send(view, native_flags(flags[0] if flags else 0), address, self._deadline())

    def sendmsg(
        self,
        buffers: Iterable[Buffer],
        ancdata: Iterable[tuple[int, int, Buffer]] = (),
        flags: int = 0,
        address: Address = None,
    ) -> int:
        """Send from several buffers, with ancillary data: descriptors of the kernel's to another of its processes,
        for example, as C integers of the kernel's."""
        views = [memoryview(buffer).toreadonly().cast("B") for buffer in buffers]
        control = Ancillary(self._kernel).pack(ancdata)
        name = b"" if address is None else self._pack(address)
        most = sum(map(len, views))
        with Ancillary(self._kernel).message(views, control, name) as (message, _parsed):
            return self._when(POLL.OUT, lambda: self._number(most, "sendmsg", message, native_flags(flags)), "sendmsg")

    def recvmsg(
        self, bufsize: int, ancbufsize: int = 0, flags: int = 0
    ) -> tuple[bytes, list[tuple[int, int, bytes]], int, Address]:
        """Data, ancillary data, flags and the address that it comes from."""
        buffer, control, name = bytearray(bufsize), bytearray(ancbufsize), bytearray(LARGEST)
        ancillary = Ancillary(self._kernel)

        def attempt() -> tuple[bytes, list[tuple[int, int, bytes]], int, Address]:
            with ancillary.message([buffer], control, name) as (message, parsed):
                count = self._number(bufsize, "recvmsg", message, native_flags(flags))
                found = parsed()
            address = self._address(name[: found.msg_namelen])
            received = ancillary.unpack(bytes(control[: found.msg_controllen]))
            return bytes(buffer[:count]), received, host_flags(found.msg_flags), address

        return self._when(POLL.IN, attempt, "recvmsg")

    # Options

    def setsockopt(self, level: int, optname: int, value: int | Buffer) -> None:
        """Set an option. A structure is given as bytes in the kernel's layout.

        For time limits there is :meth:`settimeout`: SO_RCVTIMEO and SO_SNDTIMEO are for calls that wait in the kernel.
        """
        level, option = native_option(level, optname)
        data = self._kernel.abi.integer("int", value) if isinstance(value, int) else bytes(value)
        self._call("setsockopt", level, option, data, len(data), subject=_option(level, optname))

    def getsockopt(self, level: int, optname: int, buflen: int = 0) -> int | bytes:
        """The value of an option that is a C int, or of at most ``buflen`` bytes. SO_ERROR is an errno of
        the controller's."""
        if not 0 <= buflen <= _LARGEST_OPTION:
            raise ValueError(f"buflen is 0 to {_LARGEST_OPTION}")
        level, option = native_option(level, optname)
        data = self._option(level, option, buflen or 4, _option(level, optname))
        if buflen:
            return data
        value = self._kernel.abi.read_integer("int", data.ljust(4, b"\0"))
        if (level, option) == (SOL.SOCKET, SO.ERROR) and value:
            return kernel_error(value, "getsockopt").errno or value
        return value

    # Its end

    def detach(self) -> int:
        """Give the descriptor away: the socket is closed, the descriptor is not."""
        descriptor, self._descriptor = self._descriptor, -1
        self._closed = True
        return descriptor

    def close(self) -> None:
        """Close the socket; if there are files of :meth:`makefile`, once they are closed too."""
        self._closed = True
        if self._files == 0 and self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            if not self._kernel.session.closed:
                self._kernel.close(descriptor)

    def makefile(
        self,
        mode: str = "r",
        buffering: int | None = None,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> IO[Any]:
        """A file object that reads from and writes to the socket, as ``socket.makefile``."""
        if not mode or set(mode) - set("rwb"):
            raise ValueError(f"{mode!r} is no mode of a socket's file: r, w, rw, with b for bytes")
        raw = SocketStream(self, reading="r" in mode or "w" not in mode, writing="w" in mode)
        self._files += 1
        if buffering == 0:
            if "b" not in mode:
                raise ValueError("text cannot be unbuffered")
            return raw  # type: ignore[return-value] # as makefile(), which has many types
        stream = buffered(raw, DEFAULT_BUFFER_SIZE if buffering in (None, -1, 1) else buffering)
        if "b" in mode:
            return stream
        return io.TextIOWrapper(stream, encoding or "utf-8", errors, newline, buffering == 1)

    def file_closed(self) -> None:
        """One of the files of :meth:`makefile` was closed."""
        self._files -= 1
        if self._closed:
            self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Socket descriptor={self._descriptor}, family={self._family.name}, type={self._type}>"

    # Below

    def _open(self) -> int:
        if self._descriptor < 0:
            raise kernel_error(Errno.EBADF, "socket", "that is closed")
        return self._descriptor

    def _call(self, name: str, *arguments: Any, subject: str = "") -> tuple[int, int]:
        return self._kernel.call(name, self._open(), *arguments, subject=subject)

    def _number(self, most: int, name: str, *arguments: Any, subject: str = "") -> int:
        return self._kernel.number_call(most, name, self._open(), *arguments, subject=subject)

    def _deadline(self) -> float | None:
        return None if self._timeout is None else time.monotonic() + self._timeout

    def _when(
        self, event: POLL, attempt: Callable[[], _Result], what: str = "", deadline: float | None = None
    ) -> _Result:
        """What ``attempt`` gives, tried again when the socket is ready for it."""
        if deadline is None:
            deadline = self._deadline()
        while True:
            try:
                return attempt()
            except BlockingIOError:
                if self._timeout == 0:
                    raise
            self._wait(event, deadline, what)

    def _wait(self, event: POLL, deadline: float | None, what: str) -> None:
        poll = self._kernel.poll()
        poll.register(self._open(), event)
        remaining = None if deadline is None else (deadline - time.monotonic()) * 1000
        # Past its deadline a socket is not ready, whatever the kernel says: it may say so for ever, and then refuse.
        if (remaining is not None and remaining <= 0) or not poll.poll(remaining):
            raise SocketTimeout(f"{self._kernel.url}: {what or 'the socket'} timed out")

    def _receive(
        self,
        buffer: bytearray | memoryview,
        nbytes: int,
        flags: int,
        name: bytearray | None,
        size: bytearray | None,
    ) -> int:
        view = memoryview(buffer).cast("B")
        if not 0 <= nbytes <= len(view):
            raise ValueError(f"{nbytes} bytes do not fit a buffer of {len(view)}")
        length = nbytes or len(view)
        arguments = view, length, native_flags(flags), name, size

        def attempt() -> int:
            return self._kernel.came(self._number(length, "recvfrom", *arguments), "recvfrom")

        return self._when(POLL.IN, attempt, "recv")

    def _send(self, view: memoryview, flags: int, address: Address, deadline: float | None) -> int:
        name = None if address is None else self._pack(address)
        arguments = view, len(view), flags, name, len(name or b"")
        return self._when(POLL.OUT, lambda: self._number(len(view), "sendto", *arguments), "send", deadline)

    def _name(self, call: str) -> Address:
        name = bytearray(LARGEST)
        size = bytearray(self._kernel.abi.integer("uint32", LARGEST))
        self._call(call, name, size)
        return self._unpack(name, size)

    def _native_error(self) -> int:
        return self._kernel.abi.read_integer("int", self._option(SOL.SOCKET, SO.ERROR, 4, "SO_ERROR").ljust(4, b"\0"))

    def _option(self, level: int, option: int, length: int, subject: str) -> bytes:
        buffer = bytearray(length)
        size = bytearray(self._kernel.abi.integer("uint32", length))
        self._call("getsockopt", level, option, buffer, size, subject=subject)
        return bytes(buffer[: self._kernel.abi.read_integer("uint32", size)])

    def _pack(self, address: Address) -> bytes:
        return pack(self._kernel.abi, self._family, address, self._kernel.if_nametoindex)

    def _unpack(self, name: bytearray, size: bytearray) -> Address:
        return self._address(name[: self._kernel.abi.read_integer("uint32", size)])

    def _address(self, name: bytearray) -> Address:
        try:
            return unpack(self._kernel.abi, bytes(name))
        except ValueError as error:
            raise self._kernel.broken(f"the kernel gave an address that is none: {error}") from error


class SocketStream(io.RawIOBase):
    """A socket as a raw stream, for :meth:`Socket.makefile`."""

    def __init__(self, owner: Socket, reading: bool, writing: bool) -> None:
        self._owner = owner
        self._reading = reading
        self._writing = writing

    def readable(self) -> bool:
        return self._reading

    def writable(self) -> bool:
        return self._writing

    def readinto(self, buffer: Any) -> int | None:
        try:
            return self._owner.recv_into(memoryview(buffer).cast("B"))
        except BlockingIOError:
            return None

    def write(self, data: Any) -> int | None:
        try:
            return self._owner.send(data)
        except BlockingIOError:
            return None

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._owner.file_closed()


def _option(level: int, option: int) -> str:
    return f"{level} {option.name if isinstance(option, IntEnum) else option}"


def _text(address: Address) -> str:
    return address if isinstance(address, str) else repr(address)
