# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listens for clients of one simulated kernel."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import replace

from .connection import Connection
from .kernel import SimulatedKernel
from .own_stack import OwnStack
from .urls import Listener, parse_url

STOP_SECONDS = 2.0


class Server:
    """One kernel behind one URL."""

    def __init__(self, kernel: SimulatedKernel, url: str) -> None:
        self.kernel = kernel
        self._listener: Listener = parse_url(url)
        self._server: asyncio.Server | None = None
        self._clients: dict[Connection, asyncio.Task[None]] = {}
        self._count = 0
        self.stopped = asyncio.Event()
        """Set when the kernel has ended, by a client's reboot or by :meth:`stop`."""
        kernel.on_shutdown = self._begin_stop

    @property
    def url(self) -> str:
        """Where clients find the server: with the port that was picked, if it was 0."""
        return self._listener.url

    async def start(self) -> None:
        """:raises OSError: the address is taken.
        :raises ValueError: the kernel cannot be reached through its own stack there.
        """
        listener = self._listener
        if self.kernel.options.own_stack is not None:
            own = OwnStack(self.kernel, self.kernel.options.own_stack, listener.host, listener.port, self._accept)
            await own.update()
            self.kernel.own_stack = own
            return
        if listener.path is not None:
            self._server = await asyncio.start_unix_server(self._accept, listener.path)
            return
        self._server = await asyncio.start_server(self._accept, listener.host, listener.port)
        self._listener = replace(listener, port=self._server.sockets[0].getsockname()[1])

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._count += 1
        if len(self._clients) >= self.kernel.options.max_clients or self.kernel.halted:
            writer.close()
            return
        connection = Connection(self.kernel, self._count, reader, writer)
        task = asyncio.current_task()
        assert task is not None
        self._clients[connection] = task
        own = self.kernel.own_stack
        if own is not None:
            own.connected(connection, writer)
        try:
            await connection.serve()
        finally:
            self._clients.pop(connection, None)
            if own is not None:
                own.disconnected(connection)

    def _begin_stop(self) -> None:
        """The kernel halted: end once the answer is on its way. One that is a machine of its own only falls silent."""
        if self.kernel.own_stack is not None:
            self.kernel.own_stack.fall_silent()
            return
        asyncio.get_running_loop().create_task(self.stop())

    async def stop(self) -> None:
        """Stop listening, remove the socket's file, end every connection."""
        if self._server is not None:
            server, self._server = self._server, None
            server.close()
            if self._listener.path is not None:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self._listener.path)
        if self.kernel.own_stack is not None:
            self.kernel.own_stack.close()
        await self._end_connections()
        self.kernel.halted = True
        self.kernel.journal.close()
        self.stopped.set()

    async def _end_connections(self) -> None:
        """Close the streams, which ends their tasks; one that hangs on is cancelled."""
        for connection in list(self._clients):
            connection.close()
        tasks = {task for task in self._clients.values() if task is not asyncio.current_task()}
        if tasks:
            _done, late = await asyncio.wait(tasks, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()


@contextlib.asynccontextmanager
async def serve(kernel: SimulatedKernel, url: str) -> AsyncIterator[Server]:
    """Serve a kernel while the block runs: ``async with serve(kernel, url) as server``."""
    server = Server(kernel, url)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
