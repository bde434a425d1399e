# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A kernel with a file system of each kind: what is done to files is to work on all of them."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect
from ansible_collections.rumpkernel.rump.plugins.modules import rump_mount

from .backends import ROOT, Server, running
from .modules import run_module

FFS_IMAGE: Final = ROOT / "tests" / "data" / "ffs-16m.img.gz"  # empty, by newfs -O 1 -b 8192 -f 1024 -i 16384
FOLDERS: Final = {"tmpfs": "/tmpfs", "ffs": "/ffs", "rumpfs": "/rumpfs"}
"""A directory on each; the last is on the root file system, which has neither rename nor hard links."""


@contextlib.contextmanager
def running_with_filesystems(backend: str, folder: Path) -> Iterator[Server]:
    """A fresh kernel with a tmpfs and an FFS of 16 MiB, and a directory on its root file system."""
    image = folder / "disk.img"
    image.write_bytes(gzip.decompress(FFS_IMAGE.read_bytes()))
    with running(backend, folder, options=("-d", f"key=/disk,hostpath={image},size=host")) as server:
        with connect(server.url, timeout=20) as kernel:
            run_module(kernel, rump_mount, path=FOLDERS["tmpfs"], fstype="tmpfs", opts="size=64m")
            run_module(kernel, rump_mount, path=FOLDERS["ffs"], fstype="ffs", src="/disk")
            kernel.mkdir(FOLDERS["rumpfs"])
        yield server
