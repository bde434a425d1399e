# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A relay in front of a kernel, which does something when enough bytes went through it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path


class Relay:
    """Passes one or more clients on to a unix socket; after ``limit`` bytes from clients it calls ``then``, once."""

    def __init__(self, listener: socket.socket, target: str, limit: int, then: Callable[[], None]) -> None:
        self._listener, self._target, self._limit, self._then = listener, target, limit, then
        self._lock = threading.Lock()
        self.passed = 0
        self.clients = 0

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                self.clients += 1
                server = socket.socket(socket.AF_UNIX)
                try:
                    server.connect(self._target)
                except OSError:
                    client.close()
                    continue
                for source, sink, counted in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass, args=(source, sink, counted), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 if counted and self.passed < self._limit else 65536):
                sink.sendall(data)
                if counted:
                    self._count(len(data))
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _count(self, count: int) -> None:
        with self._lock:
            before, self.passed = self.passed, self.passed + count
            if before < self._limit <= self.passed:
                self._then()


@contextlib.contextmanager
def relaying(target_url: str, folder: Path, limit: int, then: Callable[[], None]) -> Iterator[tuple[str, Relay]]:
    """The URL of a relay to the server at ``target_url`` (a unix one), and the relay."""
    path = folder / "relay"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(64)
        relay = Relay(listener, target_url.removeprefix("unix://"), limit, then)
        threading.Thread(target=relay.serve, daemon=True).start()
        yield f"unix://{path}", relay


class Cutter:
    """Passes clients on to a unix socket, and cuts each off when :attr:`limit` bytes went by, in both directions.

    ``limit`` is read when a client comes; None lets all pass. :attr:`passed` tells of the last client.
    """

    def __init__(self, listener: socket.socket, target: str) -> None:
        self._listener, self._target = listener, target
        self._lock = threading.Lock()
        self.limit: int | None = None
        self.passed = 0

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                self.passed = 0
                ways = [
                    threading.Thread(target=self._pass, args=(source, sink, self.limit), daemon=True)
                    for source, sink in ((client, server), (server, client))
                ]
                for way in ways:
                    way.start()
                for way in ways:
                    way.join()
                client.close()
                server.close()

    def _pass(self, source: socket.socket, sink: socket.socket, limit: int | None) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                with self._lock:
                    if limit is not None:
                        data = data[: limit - self.passed]
                    self.passed += len(data)
                    last = self.passed == limit
                sink.sendall(data)
                if last:
                    break
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def cutting(target_url: str, folder: Path) -> Iterator[tuple[str, Cutter]]:
    """The URL of a :class:`Cutter` in front of the server at ``target_url`` (a unix one), and the cutter."""
    path = folder / "cutter"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(64)
        cutter = Cutter(listener, target_url.removeprefix("unix://"))
        threading.Thread(target=cutter.serve, daemon=True).start()
        yield f"unix://{path}", cutter
