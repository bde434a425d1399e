# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernels for tests: served by a thread of this process, gone at the end of a ``with`` block."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from .journal import Journal
from .kernel import SimulatedKernel
from .options import KernelOptions
from .server import Server

START_SECONDS = 10.0
Value = TypeVar("Value")


@dataclass
class RunningKernel:
    """A kernel that is being served."""

    url: str
    kernel: SimulatedKernel
    _loop: asyncio.AbstractEventLoop
    _server: Server

    @property
    def journal(self) -> Journal:
        return self.kernel.journal

    def call(self, function: Callable[[SimulatedKernel], Value]) -> Value:
        """Run a function of the kernel where no system call can interfere, and return what it returns."""

        async def run() -> Value:
            return function(self.kernel)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(START_SECONDS)

    def stop(self) -> None:
        """End the kernel before the block ends: every client's connection closes."""
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(START_SECONDS)


@contextlib.contextmanager
def running_kernel(
    url: str | None = None, options: KernelOptions | None = None, **changes: Any
) -> Iterator[RunningKernel]:
    """Serve a fresh kernel: ``with running_kernel() as server: … server.url, server.journal, server.kernel``.

    :param url: where to listen; a unix socket in a directory of its own if it is not given.
    :param changes: members of :class:`KernelOptions`, such as ``hostname="web01"``.
    """
    options = replace(options or KernelOptions(), **changes)
    with contextlib.ExitStack() as stack:
        if url is None:
            # Short, because a unix socket's path has room for about a hundred bytes.
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="rump-"))
            url = f"unix://{Path(folder) / 'csock'}"
        thread = _ServerThread(url, options)
        stack.callback(thread.finish)
        thread.begin()
        assert thread.server is not None
        yield RunningKernel(thread.server.url, thread.server.kernel, thread.loop, thread.server)


class _ServerThread(threading.Thread):
    """The thread in which the kernel's event loop runs."""

    def __init__(self, url: str, options: KernelOptions) -> None:
        super().__init__(name=f"simulated kernel {url}", daemon=True)
        self.loop = asyncio.new_event_loop()
        self.server: Server | None = None
        self._url, self._options = url, options
        self._ready = threading.Event()
        self._failure: BaseException | None = None

    def begin(self) -> None:
        """Start, and wait until clients can connect."""
        self.start()
        if not self._ready.wait(START_SECONDS):
            raise TimeoutError(f"no server at {self._url} within {START_SECONDS} seconds")
        if self._failure is not None:
            raise self._failure

    def run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self._serve())
        finally:
            self.loop.close()

    async def _serve(self) -> None:
        try:
            self.server = Server(SimulatedKernel(self._options), self._url)
            await self.server.start()
        except BaseException as error:
            self._failure = error
            self._ready.set()
            return
        self._ready.set()
        await self.server.stopped.wait()

    def finish(self) -> None:
        """Stop the server and the thread."""
        if self.is_alive() and self.server is not None and not self.server.stopped.is_set():
            asyncio.run_coroutine_threadsafe(self.server.stop(), self.loop)
        self.join(START_SECONDS)
