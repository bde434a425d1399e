# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernels that are reached through their own network stack: simulated ones, on addresses of the loopback network."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from .backends import BACKENDS, COMPONENTS, Server, running

OWN_BACKENDS = [backend for backend in BACKENDS if backend.startswith("simulated")]
"""Of the real ones none listens in its own network but Rumprun unikernels, which take a machine of their own."""
_numbers = itertools.count(os.getpid())


def network() -> str:
    """The first three numbers of the addresses of a network that no other test of this machine uses just now."""
    number = next(_numbers)
    return f"127.{number // 200 % 200 + 20}.{number % 200 + 20}"


def url(host: str, port: int) -> str:
    return f"tcp://{host}:{port}"


def free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running_on_own_stack(
    backend: str, folder: Path, components: list[str] | None = None
) -> Iterator[tuple[Server, str, int]]:
    """A kernel whose shmif0 has the first address of a network; with that network and the port.

    It has bpf, as all images of Rumprun have, unless ``components`` says otherwise.
    """
    prefix = network()
    port = free_port(f"{prefix}.1")
    options = ("--own-stack", "shmif0")
    components = [*COMPONENTS, "rumpdev_bpf"] if components is None else components
    with running(backend, folder, url(f"{prefix}.1", port), components, options) as server:
        yield server, prefix, port
