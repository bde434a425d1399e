# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bytes over a stream socket, with a deadline on each wait and no system call more than it takes.

A socket with a time limit of Python's own polls before each read. This one blocks with a limit that the
operating system keeps (SO_RCVTIMEO), wakes up now and then to look at the clock, and polls only near the
deadline. While a send has to wait, what comes in is taken, so that two peers that both have much to
say do not wait for each other.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from collections.abc import Callable
from typing import Final

_RECEIVE_SIZE: Final = 1 << 18
_SLICE: Final = 0.25
"""Seconds that a read blocks before the clock is looked at."""
_LOOKS: Final = 20
"""How often an eager read looks before it blocks: some 40 microseconds, two or three calls of a server's."""
_INCOMING_LIMIT: Final = 3 << 23
"""Bytes that may wait for us while a send has to wait: more than honest servers say before they listen."""


class Channel:
    """The client's end of a connected stream."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._polled = select.poll()
        stream.setblocking(True)
        limit = struct.pack("@ll", 0, round(_SLICE * 10**6))
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)

    def receive(self, deadline: float, eager: bool = False) -> bytes:
        """What has come in, at least a byte; nothing at the stream's end.

        ``eager``: more is on its way. To sleep until it comes, and have the peer wake us, would cost both more than
        to look again a few times, the processor offered to others in between.

        :raises TimeoutError: nothing by ``deadline``, a time of time.monotonic.
        :raises OSError: the stream broke.
        """
        looks = _LOOKS if eager else 0
        while True:
            remaining = deadline - time.monotonic()
            if looks and remaining > 0:
                try:
                    return self._stream.recv(_RECEIVE_SIZE, socket.MSG_DONTWAIT)
                except BlockingIOError:
                    looks -= 1
                    os.sched_yield()
                    continue
            if remaining < _SLICE and (remaining <= 0 or not self._poll(select.POLLIN, remaining)):
                raise TimeoutError  # at the deadline what is there comes too late: a peer that trickles gains nothing
            try:
                return self._stream.recv(_RECEIVE_SIZE)
            except BlockingIOError:
                continue

    def send(self, data: bytes | bytearray, deadline: float, received: Callable[[bytes], None], taken: int = 0) -> None:
        """Send all of ``data``; what comes in while that has to wait is handed to ``received``.

        ``taken`` bytes wait for the caller already. When there are too many, nothing more is taken in before all is
        sent: a server that talks on and on and listens now and then does not fill our memory.

        :raises TimeoutError: not all of it was taken by ``deadline``.
        :raises OSError: the stream broke.
        """
        rest = memoryview(data)
        while True:
            try:
                rest = rest[self._stream.send(rest, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                remaining = deadline - time.monotonic()
                events = select.POLLOUT | (select.POLLIN if taken < _INCOMING_LIMIT else 0)
                ready = self._poll(events, remaining) if remaining > 0 else 0
                if not ready:
                    raise TimeoutError from None
                if ready & select.POLLIN and not ready & select.POLLOUT:
                    incoming = self._stream.recv(_RECEIVE_SIZE)
                    taken += len(incoming)
                    received(incoming)
                    if not incoming:
                        raise BrokenPipeError("the peer hung up") from None
            if not rest:
                return

    def endpoints(self) -> tuple[tuple[str, int], tuple[str, int]] | None:
        """Our address and port, and the peer's; None where they have no such thing (a unix socket, a pipe to ssh)."""
        if self._stream.family not in (socket.AF_INET, socket.AF_INET6):
            return None
        here, there = self._stream.getsockname(), self._stream.getpeername()
        return (here[0], here[1]), (there[0], there[1])

    def close(self) -> None:
        self._stream.close()

    def _poll(self, events: int, seconds: float) -> int:
        """The events that are there, or come within ``seconds``; 0 for none."""
        self._polled.register(self._stream, events)
        ready = self._polled.poll(max(0, seconds) * 1000)
        return ready[0][1] if ready else 0
