# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sysproxy protocol as pure state machines: bytes in, events out, no input or output.

:class:`Client` is our side; :class:`Server` is the other one, for the simulated kernel and for
tests that push two machines at each other. Both are fed with :meth:`receive_data` and asked with
:meth:`next_event` until it answers :data:`NEED_DATA`. Their other methods return the bytes to send.

A server greets with one line, the banner, of at most 96 bytes. After it both directions carry
frames: a header of 24 bytes in the server's byte order (length with the header, request number,
class, type, and one word that is the system call's number, an error, a handshake's kind or a
signal) and a body. Source: lib/librumpuser/sp_common.c and rumpuser_sp.c of NetBSD.

Nothing is kept that is longer than ``max_body``: a length is checked before its bytes are awaited.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, NamedTuple

from .errors import ProtocolError, StreamCut

BANNER_LIMIT: Final = 96
HEADER_SIZE: Final = 24
AUTH_SIZE: Final = 16
DEFAULT_MAX_BODY: Final = 1 << 24


class FrameClass(IntEnum):
    """Whether a frame asks, answers or refuses."""

    REQUEST = 0
    RESPONSE = 1
    ERROR = 2


class FrameType(IntEnum):
    """What a frame is about."""

    HANDSHAKE = 0
    SYSCALL = 1
    COPYIN = 2
    COPYINSTR = 3
    COPYOUT = 4
    COPYOUTSTR = 5
    ANONMMAP = 6
    PREFORK = 7
    RAISE = 8


# What the paths that most frames take compare with: plain numbers compare in half the time.
_REQUEST: Final = int(FrameClass.REQUEST)
_RESPONSE: Final = int(FrameClass.RESPONSE)
_SYSCALL: Final = int(FrameType.SYSCALL)
_COPYIN: Final = int(FrameType.COPYIN)
_COPYINSTR: Final = int(FrameType.COPYINSTR)
_COPYINS: Final = (_COPYIN, _COPYINSTR)
_COPYOUTS: Final = (int(FrameType.COPYOUT), int(FrameType.COPYOUTSTR))


class HandshakeKind(IntEnum):
    """The word of a handshake request."""

    GUEST = 0
    AUTH = 1
    FORK = 2
    EXEC = 3


@dataclass(frozen=True)
class Wire:
    """What both sides must agree on to read each other's numbers: the server's byte order and word."""

    byteorder: str
    word_size: int

    @property
    def prefix(self) -> str:
        """The struct module's character for the byte order."""
        return "<" if self.byteorder == "little" else ">"


class _Codec:
    """The packers of one wire format."""

    def __init__(self, wire: Wire) -> None:
        prefix, long, ulong = wire.prefix, "i", "I"
        if wire.word_size == 8:
            long, ulong = "q", "Q"
        self.header = struct.Struct(f"{prefix}QQHHI")
        self.integer = struct.Struct(f"{prefix}i")
        self.word = struct.Struct(f"{prefix}{ulong}")
        self.copy_head = struct.Struct(f"{prefix}{ulong}{ulong}")
        self.copy = struct.Struct(f"{prefix}QQHHI{ulong}{ulong}")  # the header and the head in one
        # int rsys_error; register_t rsys_retval[2]: the registers are aligned to their own size.
        self.syscall_reply = struct.Struct(f"{prefix}i{'4x' if wire.word_size == 8 else ''}{long}{long}")
        self.fork = struct.Struct(f"{prefix}16si")


class Banner(NamedTuple):
    """The server's greeting, without its newline."""

    text: str


class HandshakeReply(NamedTuple):
    reqno: int
    error: int


class SyscallReply(NamedTuple):
    """A call's end: an errno of NetBSD (0 for success, negative for the kernel's own) and two registers."""

    reqno: int
    error: int
    value0: int
    value1: int


class PreforkReply(NamedTuple):
    reqno: int
    auth: bytes


class ErrorReply(NamedTuple):
    """A refused request: its protocol error."""

    reqno: int
    type: int
    code: int


class CopyIn(NamedTuple):
    """The peer asks for ``length`` bytes at ``address``."""

    reqno: int
    address: int
    length: int


class CopyInStr(NamedTuple):
    """The peer asks for the string at ``address``, at most ``length`` bytes with its NUL."""

    reqno: int
    address: int
    length: int


class CopyOut(NamedTuple):
    """The peer writes ``data`` at ``address``; no answer. ``copyoutstr`` looks the same."""

    reqno: int
    address: int
    data: bytes | bytearray


class AnonMmap(NamedTuple):
    """The peer asks for ``length`` bytes of new memory; the answer is its address."""

    reqno: int
    length: int


class Raise(NamedTuple):
    reqno: int
    signal: int


class HandshakeRequest(NamedTuple):
    reqno: int
    kind: int
    body: bytes


class SyscallRequest(NamedTuple):
    reqno: int
    number: int
    args: bytes


class PreforkRequest(NamedTuple):
    reqno: int


class CopyInReply(NamedTuple):
    """The answer to a copyin or a copyinstr."""

    reqno: int
    data: bytes


class AnonMmapReply(NamedTuple):
    reqno: int
    address: int


class ConnectionClosed(NamedTuple):
    """The peer ended the stream; ``greeted`` tells whether a banner came before."""

    greeted: bool


class _NeedData:
    def __repr__(self) -> str:
        return "NEED_DATA"


NEED_DATA: Final = _NeedData()
Event = Any


class _Machine:
    """What both sides share: the buffer, the header, and the bounds."""

    def __init__(self, max_body: int) -> None:
        self.max_body = max_body
        self._buffer = bytearray()
        self._offset = 0
        self._ended = False
        # A client has none until it knows the server's word size and byte order.
        self._codec: _Codec = None  # type: ignore[assignment]
        self._body_length = 0
        self._failed: ProtocolError | None = None

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes from the peer; none at all means that it ended the stream."""
        if not data:
            self._ended = True
            return
        if self._offset == len(self._buffer):
            self._buffer.clear()
            self._offset = 0
        elif self._offset > 1 << 16:
            del self._buffer[: self._offset]
            self._offset = 0
        self._buffer += data

    @property
    def waiting(self) -> int:
        """How many bytes came that no event was made of yet."""
        return len(self._buffer) - self._offset

    @property
    def pending(self) -> bool:
        """Whether :meth:`next_event` has anything to look at: bytes, or the stream's end."""
        return self._ended or self._offset < len(self._buffer)

    def next_event(self) -> Event:
        """The next event, or :data:`NEED_DATA`.

        :raises ProtocolError: the peer broke the protocol; it is raised again at every further call.
        """
        if self._failed is not None:
            raise self._failed
        try:
            return self._next_event()
        except ProtocolError as error:
            self._failed = error
            raise

    def _next_event(self) -> Event:
        raise NotImplementedError

    def _next_frame(self) -> tuple[int, int, int, int, int, int] | None:
        """(class, type, word, request number, body's start, body's end), or None for want of bytes."""
        buffer, offset = self._buffer, self._offset
        available = len(buffer) - offset
        if available < HEADER_SIZE:
            return None
        length, reqno, frame_class, frame_type, word = self._codec.header.unpack_from(buffer, offset)
        if not HEADER_SIZE <= length <= HEADER_SIZE + self.max_body:
            raise ProtocolError(
                f"the peer announced a frame of {length} bytes; "
                f"{HEADER_SIZE} to {HEADER_SIZE + self.max_body} are possible here"
            )
        if available < length:
            return None
        self._offset = offset + length
        return frame_class, frame_type, word, reqno, offset + HEADER_SIZE, offset + length

    def _need_data(self) -> Event:
        if not self._ended:
            return NEED_DATA
        if self._offset != len(self._buffer):
            raise StreamCut("the peer ended the stream in the middle of a frame")
        return ConnectionClosed(self._codec is not None)

    def _frame(self, frame_class: int, frame_type: int, reqno: int, word: int, *body: bytes | memoryview) -> bytes:
        length = HEADER_SIZE + sum(map(len, body))
        header = self._codec.header.pack(length, reqno, frame_class, frame_type, word)
        return b"".join((header, *body))

    @staticmethod
    def _unexpected(frame_class: int, frame_type: int, size: int) -> ProtocolError:
        try:
            what = f"{FrameType(frame_type).name.lower()} {FrameClass(frame_class).name.lower()}"
        except ValueError:
            what = f"frame of class {frame_class} and type {frame_type}"
        return ProtocolError(f"the peer sent a {what} with a body of {size} bytes, which makes no sense here")


class Client(_Machine):
    """The client's machine.

    It starts by awaiting the banner; after the :class:`Banner` event set :attr:`wire`, which the
    caller derives from the banner's machine, before asking for more events or building requests.
    """

    def __init__(self, max_body: int = DEFAULT_MAX_BODY) -> None:
        super().__init__(max_body)
        self._greeted = False
        self._next_reqno = 1
        self._outstanding: dict[int, int] = {}

    @property
    def wire(self) -> Wire | None:
        return self._wire if self._codec else None

    @wire.setter
    def wire(self, wire: Wire) -> None:
        self._wire = wire
        self._codec = _Codec(wire)

    @property
    def outstanding(self) -> int:
        """How many requests await their answer."""
        return len(self._outstanding)

    def _next_banner(self) -> Event:
        line, newline, _rest = bytes(self._buffer[:BANNER_LIMIT]).partition(b"\n")
        if newline:
            self._greeted = True
            self._offset = len(line) + 1
            try:
                return Banner(line.decode("ascii"))
            except UnicodeDecodeError:
                raise ProtocolError("the server's banner is not ASCII") from None
        if len(line) >= BANNER_LIMIT:
            raise ProtocolError(f"the server sent no banner line within {BANNER_LIMIT} bytes")
        if self._ended:
            if self._buffer:
                raise StreamCut("the server ended the stream in the middle of its banner")
            return ConnectionClosed(False)
        return NEED_DATA

    def _next_event(self) -> Event:
        if not self._greeted:
            return self._next_banner()
        if self._codec is None:
            raise RuntimeError("set wire after the banner, before asking for frames")
        frame = self._next_frame()
        if frame is None:
            return self._need_data()
        frame_class, frame_type, word, reqno, start, end = frame
        if frame_class == _REQUEST:
            return self._server_request(frame_type, word, reqno, start, end)
        expected = self._outstanding.pop(reqno, None)
        if expected != frame_type:
            raise ProtocolError(f"the server answered request {reqno}, which was not asked")
        if frame_class == _RESPONSE:
            return self._response(frame_type, reqno, start, end)
        if frame_class == FrameClass.ERROR:
            return ErrorReply(reqno, frame_type, word)
        raise self._unexpected(frame_class, frame_type, end - start)

    def drain(
        self,
        copyout: Callable[[int, memoryview], None],
        copyin: Callable[[int, int, int, bool], bool],
        reply: Callable[[SyscallReply], None],
    ) -> None:
        """Hand the frames at the front of what came in to the one of the sinks that they are for.

        These are nearly all that a server says, and this is :meth:`next_event` for them at a third of its price.
        ``copyout`` takes an address and bytes, which it may not keep; ``copyin`` a request number, an address, a
        length and whether a string is asked for, and says whether that is enough for now. A frame of another kind,
        one that is not as it should be and one at which its sink raises an error are left for next_event, with all
        that follows. No sink may call :meth:`receive_data`.
        """
        codec = self._codec
        if codec is None or self._failed is not None:
            return
        buffer, offset, outstanding = self._buffer, self._offset, self._outstanding
        end, longest = len(buffer), HEADER_SIZE + self.max_body
        # No frame of these kinds is shorter than the header with a copy's head.
        unpack, size = codec.copy.unpack_from, codec.copy.size
        unpack_reply, reply_size = codec.syscall_reply.unpack_from, HEADER_SIZE + codec.syscall_reply.size
        enough = False
        with memoryview(buffer) as view:
            while end - offset >= size and not enough:
                length, reqno, frame_class, frame_type, _word, count, address = unpack(buffer, offset)
                following = offset + length
                if length > longest or following > end:
                    return
                if frame_class == _RESPONSE:
                    whole = frame_type == _SYSCALL and length == reply_size
                    if not whole or outstanding.get(reqno) != _SYSCALL:
                        return
                    del outstanding[reqno]
                    self._offset = following
                    reply(SyscallReply(reqno, *unpack_reply(buffer, offset + HEADER_SIZE)))
                elif frame_class != _REQUEST:
                    return
                elif frame_type in _COPYOUTS and length == size + count:
                    with view[offset + size : following] as data:
                        copyout(address, data)
                    self._offset = following
                elif frame_type in _COPYINS and length == size:
                    enough = copyin(reqno, address, count, frame_type == _COPYINSTR)
                    self._offset = following
                else:
                    return
                offset = following

    def _server_request(self, frame_type: int, word: int, reqno: int, start: int, end: int) -> Event:
        codec, buffer, size = self._codec, self._buffer, end - start
        head = codec.copy_head
        if frame_type == _COPYIN and size == head.size:
            length, address = head.unpack_from(buffer, start)
            return CopyIn(reqno, address, length)
        if frame_type in _COPYOUTS and size >= head.size:
            length, address = head.unpack_from(buffer, start)
            start += head.size
            if length != end - start:
                raise ProtocolError(f"the server's copyout announces {length} bytes and carries {end - start}")
            return CopyOut(reqno, address, buffer[start:end])
        if frame_type == FrameType.COPYINSTR and size == head.size:
            length, address = head.unpack_from(buffer, start)
            return CopyInStr(reqno, address, length)
        if frame_type == FrameType.ANONMMAP and size == codec.word.size:
            return AnonMmap(reqno, codec.word.unpack_from(buffer, start)[0])
        if frame_type == FrameType.RAISE:
            return Raise(reqno, word)
        raise self._unexpected(FrameClass.REQUEST, frame_type, size)

    def _response(self, frame_type: int, reqno: int, start: int, end: int) -> Event:
        codec, size = self._codec, end - start
        if frame_type == _SYSCALL and size == codec.syscall_reply.size:
            return SyscallReply(reqno, *codec.syscall_reply.unpack_from(self._buffer, start))
        if frame_type == FrameType.HANDSHAKE and size == codec.integer.size:
            return HandshakeReply(reqno, codec.integer.unpack_from(self._buffer, start)[0])
        if frame_type == FrameType.PREFORK and size == AUTH_SIZE:
            return PreforkReply(reqno, bytes(self._buffer[start:end]))
        raise self._unexpected(FrameClass.RESPONSE, frame_type, size)

    def _request(self, frame_type: int, word: int, *body: bytes) -> tuple[int, bytes]:
        reqno = self._next_reqno
        self._next_reqno += 1
        self._outstanding[reqno] = frame_type
        return reqno, self._frame(FrameClass.REQUEST, frame_type, reqno, word, *body)

    def handshake(self, program: str, kind: HandshakeKind = HandshakeKind.GUEST) -> tuple[int, bytes]:
        """A guest's or an exec's handshake: (request number, bytes).

        Servers read an empty name as a null pointer, and write one NUL past the body, which at some
        lengths is the first byte past their own allocation: the name is never empty and is padded to
        a length at which neither a 64-bit nor a 32-bit allocator is hurt, nor that of a Rumprun unikernel,
        whose blocks are powers of two with a head of 16 bytes.
        """
        body = program.encode("utf-8", "replace").split(b"\0")[0][:63] or b"-"
        body += b"\0"
        while len(body) % 16 in (0, 8, 12):
            body += b"\0"
        return self._request(FrameType.HANDSHAKE, kind, body)

    def fork_handshake(self, auth: bytes, cancel: int = 0) -> tuple[int, bytes]:
        """The handshake of a new connection that takes over the prefork known by ``auth`` (16 bytes)."""
        return self._request(FrameType.HANDSHAKE, HandshakeKind.FORK, self._codec.fork.pack(auth, cancel))

    def syscall(self, number: int, args: bytes) -> tuple[int, bytes]:
        """A system call with its argument block: (request number, bytes)."""
        reqno = self._next_reqno
        self._next_reqno = reqno + 1
        self._outstanding[reqno] = _SYSCALL
        return reqno, self._codec.header.pack(HEADER_SIZE + len(args), reqno, _REQUEST, _SYSCALL, number) + args

    def prefork(self) -> tuple[int, bytes]:
        """Ask for a ticket with which another connection becomes this process's child."""
        return self._request(FrameType.PREFORK, 0)

    def copyin_reply(self, reqno: int, data: bytes | memoryview) -> bytes:
        """The answer to a copyin or copyinstr: servers know both by the type of copyin."""
        header = self._codec.header.pack(HEADER_SIZE + len(data), reqno, _RESPONSE, _COPYIN, 0)
        return b"".join((header, data))

    def anonmmap_reply(self, reqno: int, address: int) -> bytes:
        return self._frame(FrameClass.RESPONSE, FrameType.ANONMMAP, reqno, 0, self._codec.word.pack(address))


class Server(_Machine):
    """The server's machine. ``banner`` is the greeting without its newline."""

    def __init__(self, banner: str, wire: Wire, max_body: int = DEFAULT_MAX_BODY) -> None:
        super().__init__(max_body)
        self.banner = banner
        self.wire = wire
        self._codec = _Codec(wire)
        self._next_reqno = 0

    def banner_bytes(self) -> bytes:
        return self.banner.encode("ascii") + b"\n"

    def _next_event(self) -> Event:
        frame = self._next_frame()
        if frame is None:
            return self._need_data()
        frame_class, frame_type, word, reqno, start, end = frame
        body = bytes(memoryview(self._buffer)[start:end])
        if frame_class == FrameClass.REQUEST:
            if frame_type == FrameType.SYSCALL:
                return SyscallRequest(reqno, word, body)
            if frame_type == FrameType.HANDSHAKE:
                return HandshakeRequest(reqno, word, body)
            if frame_type == FrameType.PREFORK:
                return PreforkRequest(reqno)
        elif frame_class == FrameClass.RESPONSE:
            if frame_type == FrameType.COPYIN:
                return CopyInReply(reqno, body)
            if frame_type == FrameType.ANONMMAP and len(body) == self._codec.word.size:
                return AnonMmapReply(reqno, self._codec.word.unpack(body)[0])
        elif frame_class == FrameClass.ERROR:
            return ErrorReply(reqno, frame_type, word)
        raise self._unexpected(frame_class, frame_type, len(body))

    def next_reqno(self) -> int:
        """A number for the next request of the server's own."""
        reqno = self._next_reqno
        self._next_reqno += 1
        return reqno

    def handshake_reply(self, reqno: int, error: int = 0) -> bytes:
        return self._frame(FrameClass.RESPONSE, FrameType.HANDSHAKE, reqno, 0, self._codec.integer.pack(error))

    def syscall_reply(self, reqno: int, error: int, value0: int = 0, value1: int = 0) -> bytes:
        body = self._codec.syscall_reply.pack(error, self._register(value0), self._register(value1))
        return self._frame(FrameClass.RESPONSE, FrameType.SYSCALL, reqno, 0, body)

    def _register(self, value: int) -> int:
        """A value as a register holds it, which is signed."""
        bits = self.wire.word_size * 8
        value &= (1 << bits) - 1
        return value - (1 << bits) if value >> bits - 1 else value

    def error_reply(self, reqno: int, frame_type: int, code: int) -> bytes:
        return self._frame(FrameClass.ERROR, frame_type, reqno, code)

    def copyin(self, reqno: int, address: int, length: int) -> bytes:
        return self._copy(FrameType.COPYIN, reqno, address, length)

    def copyinstr(self, reqno: int, address: int, length: int) -> bytes:
        return self._copy(FrameType.COPYINSTR, reqno, address, length)

    def copyout(self, reqno: int, address: int, data: bytes) -> bytes:
        return self._copy(FrameType.COPYOUT, reqno, address, len(data), data)

    def copyoutstr(self, reqno: int, address: int, data: bytes) -> bytes:
        return self._copy(FrameType.COPYOUTSTR, reqno, address, len(data), data)

    def _copy(self, frame_type: FrameType, reqno: int, address: int, length: int, data: bytes = b"") -> bytes:
        head = self._codec.copy_head.pack(length, address)
        return self._frame(FrameClass.REQUEST, frame_type, reqno, 0, head, data)

    def anonmmap(self, reqno: int, length: int) -> bytes:
        return self._frame(FrameClass.REQUEST, FrameType.ANONMMAP, reqno, 0, self._codec.word.pack(length))

    def raise_signal(self, reqno: int, signal: int) -> bytes:
        return self._frame(FrameClass.REQUEST, FrameType.RAISE, reqno, signal)

    def prefork_reply(self, reqno: int, auth: bytes) -> bytes:
        return self._frame(FrameClass.RESPONSE, FrameType.PREFORK, reqno, 0, auth)
