# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many simulated kernels at once, in few processes."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import select
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ansible_collections.rumpkernel.rump.simulated_kernel import cli

START_LIMIT = 60.0
STOP_LIMIT = 10.0
Process = multiprocessing.context.ForkProcess


@contextlib.contextmanager
def fleet(folder: Path, urls: Sequence[str], *options: str) -> Iterator[Process]:
    """A kernel at each URL, all in one process, with the same options; they listen when the block begins.

    Nobody has been connected to them, so that faults strike where the test meets them. Killing the process takes
    them all away.
    """
    log = folder / "fleet.log"
    reading, writing = os.pipe()
    process = multiprocessing.get_context("fork").Process(
        target=_simulate, args=([*options, *urls], folder, log, writing), daemon=True
    )
    process.start()
    os.close(writing)
    try:
        _await(reading, len(urls), log)
        yield process
    finally:
        os.close(reading)
        process.terminate()
        process.join(STOP_LIMIT)
        if process.is_alive():
            process.kill()
            process.join(STOP_LIMIT)


def _simulate(arguments: list[str], folder: Path, log: Path, writing: int) -> None:
    os.chdir(folder)
    with log.open("ab") as output:
        os.dup2(output.fileno(), 2)
    with os.fdopen(writing, "w") as said, contextlib.redirect_stdout(said):  # pytest has a stdout of its own
        sys.exit(cli.main(arguments))


def _await(reading: int, count: int, log: Path) -> None:
    """Wait for a line from each kernel."""
    deadline = time.monotonic() + START_LIMIT
    lines = 0
    while lines < count:
        ready, _writable, _failed = select.select([reading], [], [], max(0.0, deadline - time.monotonic()))
        said = os.read(reading, 1 << 16) if ready else b""
        if not said:
            raise RuntimeError(f"{lines} of {count} kernels began; they said: {log.read_text(errors='replace')}")
        lines += said.count(b"\n")
