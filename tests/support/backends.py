# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernels that the tests meet: the simulated one always, a real rump_server where there is one.

A real one is found on PATH or named by the environment's RUMP_SERVER_BIN. Each backend starts a fresh
kernel in a moment, so that every test has its own.

RUMP_BACKENDS in the environment names other backends, separated by commas: ``simulated-MACHINE-RELEASE``
is the simulated kernel of a machine, and so a word size and byte order, and of a release.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import RumpError, connect
from ansible_collections.rumpkernel.rump.simulated_kernel import cli

from . import unikernels

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT = 60.0
STOP_LIMIT = 10.0
COMPONENTS = [
    *("rumpvfs", "rumpdev", "rumpdev_disk", "rumpdev_vnd", "rumpfs_tmpfs", "rumpfs_kernfs", "rumpfs_ffs"),
    *("rumpnet", "rumpnet_net", "rumpnet_netinet", "rumpnet_netinet6", "rumpnet_shmif", "rumpnet_bridge"),
]


def rump_server() -> str | None:
    """The path of a real rump_server, or None."""
    return os.environ.get("RUMP_SERVER_BIN") or shutil.which("rump_server")


def _backends() -> list[str]:
    if os.environ.get("RUMP_BACKENDS"):
        return os.environ["RUMP_BACKENDS"].split(",")
    return ["simulated", *(["rump_server"] if rump_server() else [])]


@dataclass
class Server:
    """A running kernel."""

    backend: str
    url: str
    process: subprocess.Popen[bytes] | multiprocessing.context.ForkProcess
    journal: Path | None = None
    log: Path | None = None
    description: str = field(default="")

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def ended(self) -> bool:
        if isinstance(self.process, subprocess.Popen):
            return self.process.poll() is not None
        return not self.process.is_alive()

    def kill(self) -> None:
        """Take the kernel away with no goodbye."""
        self.process.kill()
        self._wait()

    def stop(self) -> None:
        self.process.terminate()
        if not self._wait():
            self.kill()

    def _wait(self) -> bool:
        if isinstance(self.process, subprocess.Popen):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=STOP_LIMIT)
        else:
            self.process.join(STOP_LIMIT)
        return self.ended()


BACKENDS = _backends()


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
    log, journal = folder / "server.log", None
    process: subprocess.Popen[bytes] | multiprocessing.context.ForkProcess
    if backend == "rump_server":
        binary = rump_server()
        assert binary is not None
        command = [binary, "-s", *(f"-l{name}" for name in components), *options, url]
        with log.open("wb") as output:
            # In a session of its own as a daemon is: the scheduler shares the processors among sessions.
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder, start_new_session=True
            )
    elif backend == "rumprun":
        url, command = unikernels.launched(folder)
        with log.open("wb") as output:
            # In a session of its own as a daemon is: the scheduler shares the processors among sessions.
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder, start_new_session=True
            )
    else:
        journal = folder / "journal.jsonl"
        arguments = [
            "--journal",
            str(journal),
            "--components",
            ",".join(components),
            *_abi_options(backend),
            *options,
            url,
        ]
        # A fork of this process has all imported already, which a program of its own takes a while for.
        process = multiprocessing.get_context("fork").Process(
            target=_simulate, args=(arguments, folder, log), daemon=True
        )
        process.start()
    server = Server(backend, url, process, journal, log)
    try:
        server.description = f"{backend.partition('-')[0]} {_await(server)} over {url.partition(':')[0]}"
        yield server
    finally:
        server.stop()


def _abi_options(backend: str) -> list[str]:
    _simulated, *abi = backend.split("-")
    return [option for name, value in zip(("--machine", "--release"), abi, strict=False) for option in (name, value)]


def _simulate(arguments: list[str], folder: Path, log: Path) -> None:
    # The collector would look at all that came with the fork, and so make a copy of its pages.
    gc.freeze()
    os.chdir(folder)
    with log.open("wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    sys.exit(cli.main(arguments))


def _await(server: Server) -> str:
    """Wait until the kernel answers; its release and machine."""
    deadline = time.monotonic() + START_LIMIT
    while True:
        try:
            with connect(server.url, connect_timeout=1 if server.backend == "rumprun" else 5) as kernel:
                return kernel.session.banner.removeprefix("RUMPSP-0.4-").strip()
        except RumpError as error:
            if server.ended() or time.monotonic() > deadline:
                assert server.log is not None
                said = server.log.read_text(errors="replace")
                raise RuntimeError(f"{server.backend} does not answer: {error}; it said: {said}") from error
            time.sleep(0.02)
