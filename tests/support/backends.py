# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernels that the tests meet: the simulated one always, a real rump_server where there is one.

A real one is found on PATH or named by the environment's RUMP_SERVER_BIN. Each backend starts a fresh
kernel in a moment, so that every test has its own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import RumpError, connect

ROOT = Path(__file__).resolve().parents[2]
SIMULATED = [sys.executable, str(ROOT / "bin" / "rump-simulated")]
START_LIMIT = 30.0
COMPONENTS = [
    *("rumpvfs", "rumpdev", "rumpdev_disk", "rumpdev_vnd", "rumpfs_tmpfs", "rumpfs_kernfs", "rumpfs_ffs"),
    *("rumpnet", "rumpnet_net", "rumpnet_netinet", "rumpnet_netinet6", "rumpnet_shmif", "rumpnet_bridge"),
]


def rump_server() -> str | None:
    """The path of a real rump_server, or None."""
    return os.environ.get("RUMP_SERVER_BIN") or shutil.which("rump_server")


@dataclass
class Server:
    """A running kernel."""

    backend: str
    url: str
    process: subprocess.Popen[bytes]
    journal: Path | None = None
    log: Path | None = None
    description: str = field(default="")

    def kill(self) -> None:
        """Take the kernel away with no goodbye."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=10)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.kill()


BACKENDS = ["simulated", *(["rump_server"] if rump_server() else [])]


@contextlib.contextmanager
def running(
    backend: str,
    folder: Path,
    url: str | None = None,
    components: list[str] | None = None,
    options: tuple[str, ...] = (),
) -> Iterator[Server]:
    """A fresh kernel that answers at its URL; stopped at the end. ``options`` go to its command as they are."""
    url = url or f"unix://{folder}/csock"
    components = COMPONENTS if components is None else components
    journal = None
    if backend == "rump_server":
        binary = rump_server()
        assert binary is not None
        command = [
            binary,
            "-s",
            *(f"-l{name}" for name in (COMPONENTS if components is None else components)),
            *options,
            url,
        ]
    else:
        journal = folder / "journal.jsonl"
        command = [*SIMULATED, "--journal", str(journal), "--components", ",".join(components), *options, url]
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder)
    server = Server(backend, url, process, journal, log)
    try:
        server.description = f"{backend} {_await(server)} over {url.partition(':')[0]}"
        yield server
    finally:
        server.stop()


def _await(server: Server) -> str:
    """Wait until the kernel answers; its release and machine."""
    deadline = time.monotonic() + START_LIMIT
    while True:
        try:
            with connect(server.url, connect_timeout=5) as kernel:
                return kernel.session.banner.removeprefix("RUMPSP-0.4-").strip()
        except RumpError as error:
            ended = server.process.poll() is not None
            if ended or time.monotonic() > deadline:
                assert server.log is not None
                said = server.log.read_text(errors="replace")
                raise RuntimeError(f"{server.backend} does not answer: {error}; it said: {said}") from error
            time.sleep(0.02)
