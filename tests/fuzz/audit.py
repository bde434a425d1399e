# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watches what a client sends: that each byte of an answer is of a buffer that it lent, or a zero.

It keeps its own list of what is lent, and reads what is sent with a parser of its own. A marker that lies in the
process's memory, beside the buffers and all over it, is looked for as well.
"""

from __future__ import annotations

import secrets
import struct
from collections import deque
from typing import Any, Final

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import frames
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.session import Session

MARKER: Final = secrets.token_bytes(16)
TICKET: Final = bytes(range(16))
"""Of a prefork."""
_PROGRAM: Final = b"rumpkernel.rump\0\0"
_LONGEST_BLOCK: Final = 128


class Leak(AssertionError):
    """The client sent what it must not send."""


def scatter() -> list[Any]:
    """Objects with the marker, to be kept; and much freed memory that is full of it."""
    for size in (16, 32, 48, 64, 100, 200, 500, 2000, 10000, 70000):
        freed = [MARKER * (size // 16) for _time in range(8)]
        del freed
    return [
        MARKER + b"!",
        bytearray(MARKER * 3),
        {"marker": MARKER * 2},
        memoryview(MARKER * 10),
        MARKER.decode("latin-1"),
    ]


class Audit:
    """Of one session."""

    def __init__(self) -> None:
        self._lent: dict[int, memoryview] = {}
        self._asked: Any = None
        self._expected: deque[tuple[int, bytes]] = deque()
        self._sent = bytearray()
        self._header: struct.Struct | None = None
        self._word_size = 8
        self._tail = b""
        self.failure: Leak | None = None

    def watch(self, session: Session) -> None:
        """Put ourselves between the session and its parts."""
        memory, machine = session._memory, session._machine
        lend, take_back, next_event, drain, copyin_reply = (
            memory.lend,
            memory.take_back,
            machine.next_event,
            machine.drain,
            machine.copyin_reply,
        )

        def lend_watched(buffer: Any) -> int:
            address = lend(buffer)
            self._lent[address] = memoryview(buffer).cast("B")
            return address

        def take_back_watched(address: int) -> Any:
            del self._lent[address]
            return take_back(address)

        def next_event_watched() -> Any:
            self._asked = next_event()
            return self._asked

        def drain_watched(copyout: Any, copyin: Any, reply: Any) -> None:
            def copyin_watched(reqno: int, address: int, length: int, string: bool) -> bool:
                self._asked = (frames.CopyInStr if string else frames.CopyIn)(reqno, address, length)
                return copyin(reqno, address, length, string)

            drain(copyout, copyin_watched, reply)

        def copyin_reply_watched(reqno: int, data: Any) -> bytes:
            self._check(reqno, bytes(data))
            return copyin_reply(reqno, data)

        for owner, name, function in (
            *((memory, "lend", lend_watched), (memory, "take_back", take_back_watched)),
            *((machine, "next_event", next_event_watched), (machine, "drain", drain_watched)),
            (machine, "copyin_reply", copyin_reply_watched),
        ):
            setattr(owner, name, function)
        self._machine = machine

    @property
    def lent(self) -> int:
        """How many buffers are lent."""
        return len(self._lent)

    def _check(self, reqno: int, data: bytes) -> None:
        """Whether ``data`` is what lies where the server asked for it."""
        asked = self._asked
        if not isinstance(asked, frames.CopyIn | frames.CopyInStr) or asked.reqno != reqno:
            raise Leak(f"an answer to what was not asked: {asked}")
        piece = b""
        for address, view in self._lent.items():
            start = asked.address - address
            if 0 <= start <= len(view) and (isinstance(asked, frames.CopyInStr) or start + asked.length <= len(view)):
                piece = bytes(view[start : start + asked.length])
                break
        if isinstance(asked, frames.CopyInStr):
            string, nul, _rest = piece.partition(b"\0")
            piece = string + nul
        if data != piece and data.strip(b"\0"):
            raise Leak(f"{asked} was answered with {data[:64]!r}")
        if len(data) > asked.length or (isinstance(asked, frames.CopyIn) and len(data) != asked.length):
            raise Leak(f"{asked} was answered with {len(data)} bytes")
        self._expected.append((reqno, data))

    def sent(self, data: bytes) -> None:
        """Take what the client sent."""
        try:
            seen = self._tail + data
            if MARKER in seen:
                raise Leak("the marker was sent")
            self._tail = seen[-15:]
            self._sent += data
            self._parse()
        except Leak as failure:
            self.failure = self.failure or failure

    def _parse(self) -> None:
        if self._header is None:
            wire = self._machine.wire
            if wire is None:
                raise Leak("something was sent before the banner was read")
            self._header, self._word_size = struct.Struct(f"{wire.prefix}QQHHI"), wire.word_size
        at = 0
        while len(self._sent) - at >= 24:
            length, reqno, frame_class, frame_type, _word = self._header.unpack_from(self._sent, at)
            if length < 24:
                raise Leak(f"a frame of {length} bytes was sent")
            if len(self._sent) - at < length:
                break
            self._frame(frame_class, frame_type, reqno, bytes(self._sent[at + 24 : at + length]))
            at += length
        del self._sent[:at]

    def _frame(self, frame_class: int, frame_type: int, reqno: int, body: bytes) -> None:
        match frame_class, frame_type:
            case 1, 2:
                if not self._expected or self._expected.popleft() != (reqno, body):
                    raise Leak(f"the answer {reqno} with {body[:64]!r} was not to be sent")
                return
            case 0, 0:
                rest = body.removeprefix(TICKET if body.startswith(TICKET) else _PROGRAM)
                fits = len(rest) < len(body) and not rest.strip(b"\0")
            case 0, 1:
                fits = len(body) <= _LONGEST_BLOCK
            case 0, 7:
                fits = not body
            case 1, 6:
                fits = len(body) == self._word_size and self._is_lent(body)
            case _:
                fits = False
        if not fits:
            raise Leak(f"a frame of class {frame_class} and type {frame_type} with {body[:64]!r} was sent")

    def _is_lent(self, body: bytes) -> bool:
        assert self._machine.wire is not None
        address = int.from_bytes(body, self._machine.wire.byteorder)  # type: ignore[arg-type]
        return not address or 0x10000 <= address < 0xFFF00000
