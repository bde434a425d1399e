# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rump kernel in Python, for tests and demonstrations.

It speaks sysproxy from the server's side and behaves, for what the collection uses, as the real
NetBSD rump kernel does. It uses the collection's frames and ABI and nothing else of it, and nothing
but tests, demonstrations and the role that starts servers uses it.

In a test: ``with running_kernel() as server: … server.url, server.journal, server.kernel``.
"""

from __future__ import annotations

from .faults import Fault
from .journal import Journal, JournalEntry
from .kernel import SimulatedKernel
from .options import DEFAULT_COMPONENTS, Disk, KernelOptions, abi_for, parse_components
from .server import Server, serve
from .testing import RunningKernel, running_kernel

__all__ = [
    "DEFAULT_COMPONENTS",
    "Disk",
    "Fault",
    "Journal",
    "JournalEntry",
    "KernelOptions",
    "RunningKernel",
    "Server",
    "SimulatedKernel",
    "abi_for",
    "parse_components",
    "running_kernel",
    "serve",
]
