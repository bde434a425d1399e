# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The system calls, a module a subject; importing this package registers all of them."""

from __future__ import annotations

from . import (
    attributes,
    descriptors,
    directories,
    extended_attributes,
    identity,
    io,
    locks,
    misc,
    mounts,
    paths,
    socket_messages,
    sockets,
    sysctl,
    times,
    tracing,
)
from .registry import HANDLERS, Call

__all__ = [
    "HANDLERS",
    "Call",
    "attributes",
    "descriptors",
    "directories",
    "extended_attributes",
    "identity",
    "io",
    "locks",
    "misc",
    "mounts",
    "paths",
    "socket_messages",
    "sockets",
    "sysctl",
    "times",
    "tracing",
]
