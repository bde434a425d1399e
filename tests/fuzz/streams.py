# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the client talks to: a conversation, over a stream in memory or a real pair of sockets.

In memory nothing depends on time: where a real server would be silent, the stream says that the time is up.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final, Protocol

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi

from .model import Model
from .mutations import Mutator, Profile, banner

_MOST_SAID: Final = 4 << 20
_MOST_HEARD: Final = 64 << 20
_MOST_SILENCES: Final = 2


class Talk(Protocol):
    """The server's part."""

    def hear(self, data: bytes) -> None: ...

    def say(self) -> bytes | None:
        """What comes next: None for a silence, nothing for the end."""


class Conversation:
    """What a hostile server says, and a record of it."""

    def __init__(self, abi: Abi, profile: Profile, chance: random.Random) -> None:
        self.model = Model(abi, chance, profile.lies, profile.greedy)
        self.heard = 0
        self.said = 0
        self._mutator = Mutator(self.model, profile, chance)
        self._profile = profile
        self._chance = chance
        self._greeting: bytes | None = (
            banner(abi, chance) if profile.banner else b"" if chance.random() < 0.002 else abi.banner.encode() + b"\n"
        )
        self._cut = chance.choice((0, 1, 30, 60, 90, 200, 1000, 5000)) + chance.randrange(60) if profile.cut else None
        self._silences = 0
        self._silent = False

    def hear(self, data: bytes) -> None:
        self.heard += len(data)
        if self.heard > _MOST_HEARD:
            self.model.ended = True
        self._silent = False
        self.model.hear(data)

    def say(self) -> bytes | None:
        if self.said > _MOST_SAID:
            return b""
        if self._greeting is not None:
            data, self._greeting = self._greeting, None
        elif self._silent or self._chance.random() < self._profile.stall:
            data, self._silent = None, not self._silent
        else:
            data = self._next()
        if data is None:
            self._silences += 1
            return None if self._silences <= _MOST_SILENCES else b""
        if self._cut is not None and self.said + len(data) > self._cut:
            data = data[: max(self._cut - self.said, 0)]
        self.said += len(data)
        return data

    def _next(self) -> bytes | None:
        while frames := self.model.speak():
            if data := b"".join(map(self._mutator.frame, frames)):
                return data
        return self._mutator.rest() or (b"" if self.model.ended else None)


Saying = bytes | None


class Literal:
    """A server that says what is written, whatever it hears."""

    def __init__(self, sayings: Sequence[Saying]) -> None:
        self._sayings = list(sayings)

    def hear(self, data: bytes) -> None:
        """It does not listen."""

    def say(self) -> bytes | None:
        return self._sayings.pop(0) if self._sayings else b""


@cache
def _readable() -> int:
    """A descriptor that is always ready, for a stream that is none."""
    return os.open(os.devnull, os.O_RDWR)


class MemoryStream:
    """Has of a socket what a channel needs. ``sent`` is told all that the client sends."""

    def __init__(self, talk: Talk, sent: Callable[[bytes], None], chance: random.Random | None = None) -> None:
        """With ``chance``, sends and reads are of parts."""
        self.sayings: list[bytes | None] = []
        self.recording = False
        self._talk = talk
        self._sent = sent
        self._chance = chance
        self._pending = b""
        self._ended = False

    def fileno(self) -> int:
        return _readable()

    def setblocking(self, _flag: bool) -> None: ...

    def setsockopt(self, *_option: Any) -> None: ...

    def close(self) -> None:
        self._ended = True

    def recv(self, size: int, flags: int = 0) -> bytes:
        if flags & socket.MSG_DONTWAIT and self._chance is not None and self._chance.random() < 0.2:
            raise BlockingIOError
        if not self._pending and not self._ended:
            said = self._talk.say()
            if self.recording:
                self.sayings.append(said)
            if said is None:
                raise TimeoutError
            self._pending, self._ended = said, not said
        if self._chance is not None and self._pending:
            size = self._chance.choice((1, 10, 24, 100, size))
        data, self._pending = self._pending[:size], self._pending[size:]
        return data

    def send(self, data: memoryview, _flags: int = 0) -> int:
        if self._ended:
            raise BrokenPipeError(32, "Broken pipe")
        if self._chance is not None:
            data = data[: self._chance.choice((1, 24, 1000, len(data)))]
        sent = bytes(data)
        self._sent(sent)
        self._talk.hear(sent)
        return len(sent)


class SocketServer(threading.Thread):
    """A conversation at one end of a pair of sockets, the other end of which is the client's."""

    def __init__(self, talk: Talk, sent: Callable[[bytes], None], chance: random.Random) -> None:
        super().__init__(daemon=True)
        self.client, self._stream = socket.socketpair()
        self._talk = talk
        self._sent = sent
        self._chance = chance
        for end in (self.client, self._stream):
            if chance.random() < 0.5:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self._stream.settimeout(2.0)
        self.start()

    def run(self) -> None:
        with self._stream, contextlib.suppress(OSError):
            while True:
                said = self._talk.say()
                if said == b"":
                    return
                if said is None:  # it listens instead, and says nothing if there is nothing to hear
                    data = self._stream.recv(self._chance.choice((1, 100, 65536, 65536)))
                    if not data:
                        return
                    self._sent(data)
                    self._talk.hear(data)
                    continue
                for at in range(
                    0, len(said), step := self._chance.choice((7, 1000, len(said))) if len(said) < 2000 else len(said)
                ):
                    self._stream.sendall(said[at : at + step])
                if self._chance.random() < 0.01:
                    time.sleep(0.002)
