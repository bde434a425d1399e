# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a hostile server makes of honest frames, and the frames that it invents."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi

from .model import ODD, Model, interesting

_HEAD: Final = 24


@dataclass(frozen=True)
class Profile:
    """How a session's server misbehaves: the share of frames and of bytes' pieces that it touches, and the rest."""

    name: str
    lies: float = 0.0
    frames: float = 0.0
    pieces: float = 0.0
    banner: bool = False
    cut: bool = False
    stall: float = 0.0
    greedy: bool = False


PROFILES: Final = (
    *(Profile("honest"), Profile("lies", lies=0.05), Profile("liar", lies=0.5), Profile("frames", frames=0.05)),
    *(Profile("framer", frames=0.5), Profile("bytes", pieces=0.1), Profile("banner", banner=True)),
    *(Profile("cut", cut=True), Profile("stall", stall=0.05), Profile("cut lies", lies=0.1, cut=True)),
    Profile("greedy", greedy=True),
    *(Profile("all", lies=0.1, frames=0.1, pieces=0.01, stall=0.01), Profile("lying frames", lies=0.2, frames=0.1)),
)


def banner(abi: Abi, chance: random.Random) -> bytes:
    """A greeting that is none, or another machine's."""
    honest = abi.banner.encode()
    numbers = ("6.0", "7.99.34", "10.99", "0", "999999999999999999999.1", "x", "", "1." * 30, "10.0_RC6", "-1")
    machines = ("amd64", "i386", "vax", "evbarm", "evbmips", "pdp11", "", "a/b", "\u20ac", "amd64 ", "m68k")
    release = chance.choice((*numbers, str(chance.randrange(12)), f"{chance.randrange(99)}.{chance.randrange(99)}"))
    version = chance.choice(("0.4", "0.5", "1.0", "0.3", "9" * 50))
    return chance.choice(
        (
            honest,
            f"RUMPSP-0.4-NetBSD-{release}/{chance.choice(machines)}".encode(),
            f"RUMPSP-{version}-X-{release}/amd64".encode(),
            chance.randbytes(chance.choice((0, 1, 95, 96, 97, 4096))),
            b"R" * chance.choice((94, 95, 96, 97, 100000)),
            honest.replace(b"-", b"\0"),
            b"HTTP/1.1 400 Bad Request\r\n",
            b"",
            honest[: chance.randrange(len(honest))],
            honest + b"\xff",
            b"RUMPSP-0.4-NetBSD-\xd9\xa1.0/amd64",
        )
    ) + chance.choice((b"\n", b"\n", b"\n", b"", b"\r\n", b"\n\n"))


class Mutator:
    """Between a kernel and the wire."""

    def __init__(self, model: Model, profile: Profile, chance: random.Random) -> None:
        self._model = model
        self._profile = profile
        self._chance = chance
        prefix = model.abi.wire.prefix
        self._header = struct.Struct(f"{prefix}QQHHI")
        self._word = struct.Struct(f"{prefix}{'Q' if model.abi.word_size == 8 else 'I'}")
        self._held: list[bytes] = []
        self._past: list[bytes] = []

    def frame(self, frame: bytes) -> bytes:
        """What is said in the place of a frame."""
        if self._profile.frames and self._chance.random() < self._profile.frames:
            said = self._chance.choice(_OPERATIONS)(self, frame)
        else:
            said = frame
        if self._held and said:
            said += self._held.pop()
        if len(frame) < 4096:
            self._past = [*self._past[-7:], frame]
        return self._piece(said)

    def rest(self) -> bytes:
        """What was held back, for when there is nothing else to say."""
        said, self._held = b"".join(self._held), []
        return said

    def _piece(self, said: bytes) -> bytes:
        chance = self._chance
        if not said or not self._profile.pieces or chance.random() >= self._profile.pieces:
            return said
        changed = bytearray(said)
        at = chance.randrange(min(len(changed), 200))
        match chance.randrange(4):
            case 0:
                changed[at] ^= 1 << chance.randrange(8)
            case 1:
                del changed[at : at + chance.choice((1, 2, 4, 24))]
            case 2:
                changed[at:at] = chance.randbytes(chance.choice((1, 2, 4, 24)))
            case 3:
                changed[at] = chance.choice((0, 1, 2, 127, 128, 255))
        return bytes(changed)

    # Of frames that are there

    def _with(self, frame: bytes, place: int, value: int) -> bytes:
        fields = list(self._header.unpack_from(frame))
        fields[place] = value & ((1 << 64) - 1, (1 << 64) - 1, 0xFFFF, 0xFFFF, 0xFFFFFFFF)[place]
        return self._header.pack(*fields) + frame[_HEAD:]

    def _length(self, frame: bytes) -> bytes:
        number = self._chance.choice((0, 23, 24, 25, len(frame) - 1, len(frame) + 1, 1 << 31, 1 << 63, (1 << 64) - 1))
        return self._with(frame, 0, number)

    def _number(self, frame: bytes) -> bytes:
        number = self._header.unpack_from(frame)[1]
        return self._with(frame, 1, self._chance.choice((number + 1, number - 1, 0, interesting(self._chance))))

    def _class(self, frame: bytes) -> bytes:
        return self._with(frame, 2, self._chance.choice((0, 1, 2, 3, 0xFFFF)))

    def _type(self, frame: bytes) -> bytes:
        return self._with(frame, 3, self._chance.choice((*range(10), 0xFFFF)))

    def _last_word(self, frame: bytes) -> bytes:
        return self._with(frame, 4, self._chance.choice((*range(10), interesting(self._chance))))

    def _truncated(self, frame: bytes) -> bytes:
        """A shorter body that its header announces."""
        return self._announced(frame[: self._chance.randrange(_HEAD, len(frame) + 1)])

    def _extended(self, frame: bytes) -> bytes:
        return self._announced(frame + self._chance.randbytes(self._chance.choice((1, 4, 8, 100, 5000))))

    def _announced(self, frame: bytes) -> bytes:
        return self._with(frame, 0, len(frame))

    def _body(self, frame: bytes) -> bytes:
        if len(frame) == _HEAD:
            return frame
        changed = bytearray(frame)
        at = self._chance.randrange(_HEAD, min(len(changed), _HEAD + 64))
        width = min(self._chance.choice((1, 4, 8)), len(changed) - at)
        changed[at : at + width] = self._chance.choice((bytes(width), b"\xff" * width, self._chance.randbytes(width)))
        return bytes(changed)

    def _copy_head(self, frame: bytes) -> bytes:
        """Another length or address, if it is a copyin or copyout."""
        size = self._word.size
        if len(frame) < _HEAD + 2 * size:
            return frame
        place = _HEAD + self._chance.choice((0, size))
        (number,) = self._word.unpack_from(frame, place)
        number = self._chance.choice((number + 1, number - 1, number + 4096, 0, interesting(self._chance)))
        return frame[:place] + self._pack(number) + frame[place + size :]

    def _twice(self, frame: bytes) -> bytes:
        return frame * self._chance.choice((2, 2, 2, 50))

    def _dropped(self, _frame: bytes) -> bytes:
        return b""

    def _late(self, frame: bytes) -> bytes:
        self._held.append(frame)
        return b""

    def _again(self, frame: bytes) -> bytes:
        return frame + (self._chance.choice(self._past) if self._past else b"")

    # Inventions

    def _pack(self, number: int) -> bytes:
        return self._word.pack(number & (1 << 8 * self._word.size) - 1)

    def _make(self, frame_class: int, frame_type: int, body: bytes, word: int = 0, reqno: int | None = None) -> bytes:
        reqno = self._chance.randrange(40) if reqno is None else reqno
        return self._header.pack(_HEAD + len(body), reqno, frame_class, frame_type, word) + body

    def _address(self) -> int:
        lent = self._chance.choice(self._model.addresses or [0x10000])
        return self._chance.choice(
            (lent, lent, lent + 1, lent - 1, lent + 64, lent + 4096, 0x10000, 0xFFEFFFF0, self._odd())
        )

    def _odd(self) -> int:
        return self._chance.choice(ODD)

    def _copy(self) -> bytes:
        chance = self._chance
        length = chance.choice((0, 1, 4, 16, 24, 100, 4096, 65536, 65537, self._odd()))
        kind = chance.choice((2, 2, 3, 4, 5))
        data = chance.randbytes(min(length, 200)) if kind in (4, 5) else b""
        if kind in (4, 5) and chance.random() < 0.8:
            length = len(data)
        return self._make(0, kind, self._pack(length) + self._pack(self._address()) + data)

    def _copied(self, frame: bytes) -> bytes:
        return self._copy() + frame

    def _copied_much(self, frame: bytes) -> bytes:
        """Many copyins of the largest that is lent."""
        request = self._make(0, 2, self._pack(self._chance.choice((64, 4096, 65536))) + self._pack(self._address()))
        return request * self._chance.choice((10, 100)) + frame

    def _mapped(self, frame: bytes) -> bytes:
        request = self._make(0, 6, self._pack(self._chance.choice((0, 1, 4096, 65536, 1 << 20, self._odd()))))
        return request * self._chance.choice((1, 2, 300)) + frame

    def _mapped_much(self, frame: bytes) -> bytes:
        """As many of them as there may be, now and then: each of a byte."""
        times = 20000 if self._chance.random() < 0.02 else 500
        return self._make(0, 6, self._pack(1)) * times + frame

    def _raised(self, frame: bytes) -> bytes:
        return self._make(0, 8, b"", self._chance.randrange(64)) * self._chance.choice((1, 300)) + frame

    def _answered(self, frame: bytes) -> bytes:
        """An answer to a request that is perhaps none."""
        chance = self._chance
        kind = chance.randrange(10)
        body = chance.choice((b"", bytes(4), bytes(12), bytes(16), bytes(24), chance.randbytes(24)))
        return self._make(chance.choice((1, 1, 2)), kind, body, chance.randrange(10)) + frame

    def _noise(self, frame: bytes) -> bytes:
        return self._chance.randbytes(self._chance.choice((1, 23, 24, 25, 1000))) + frame

    def _any_frame(self, frame: bytes) -> bytes:
        chance = self._chance
        body = chance.randbytes(chance.choice((0, 4, 8, 12, 16, 20, 24, 32)))
        return self._make(chance.randrange(4), chance.randrange(11), body, interesting(chance) & 0xFFFFFFFF) + frame


_OPERATIONS: Final[tuple[Callable[[Mutator, bytes], bytes], ...]] = (
    *(Mutator._length, Mutator._number, Mutator._class, Mutator._type, Mutator._last_word, Mutator._truncated),
    *(Mutator._extended, Mutator._body, Mutator._copy_head, Mutator._twice, Mutator._dropped, Mutator._late),
    *(Mutator._again, Mutator._copied, Mutator._copied_much, Mutator._mapped, Mutator._mapped_much, Mutator._raised),
    *(Mutator._answered, Mutator._noise, Mutator._any_frame, Mutator._copied, Mutator._copy_head, Mutator._raised),
)
