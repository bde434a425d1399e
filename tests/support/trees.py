# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there is in a directory, of a kernel or of the controller, in a form that can be compared."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel

Snapshot = dict[str, tuple[Any, ...]]


def snapshot_of_kernel(kernel: Kernel, top: str, owners: bool = True) -> Snapshot:
    return _snapshot(kernel, kernel.read_file, top, owners) if kernel.exists(top) else {}


def snapshot_of_controller(top: Path, owners: bool = True) -> Snapshot:
    return _snapshot(os, lambda path: Path(path).read_bytes(), str(top), owners) if top.exists() else {}


def _snapshot(system: Any, read: Callable[[str], bytes], top: str, owners: bool) -> Snapshot:
    """By path: kind, mode, owner, time, and the target or content. Links have no mode on Linux, and no time here."""
    found: Snapshot = {}
    pending = [top]
    while pending:
        path = pending.pop()
        status = system.lstat(path)
        kind = stat.S_IFMT(status.st_mode)
        facts: tuple[Any, ...] = (kind, status.st_uid, status.st_gid) if owners else (kind,)
        if kind == stat.S_IFLNK:
            facts += (system.readlink(path),)
        else:
            facts += (oct(stat.S_IMODE(status.st_mode)), status.st_mtime_ns)
        if kind == stat.S_IFREG:
            facts += (status.st_size, hashlib.sha256(read(path)).hexdigest())
        if kind == stat.S_IFDIR:
            pending += [os.path.join(path, name) for name in system.listdir(path)]
        found[os.path.relpath(path, top)] = facts
    return found
