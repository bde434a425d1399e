# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in the root file system when a rump kernel has started: /dev with its devices, and /tmp."""

from __future__ import annotations

import stat
from importlib import resources
from typing import TYPE_CHECKING

from .vfs.permissions import Credentials
from .vfs.rumpfs import RumpFs

if TYPE_CHECKING:
    from .kernel import SimulatedKernel

DEVICE_MODE = 0o644
KINDS = {"character": stat.S_IFCHR, "block": stat.S_IFBLK}


def populate_root(kernel: SimulatedKernel, root: RumpFs) -> None:
    """Make the directories and the devices of the components that are there (data/devices.tsv)."""
    who = Credentials()
    dev = root.make(root.root, b"dev", stat.S_IFDIR, 0o755, who)
    root.make(root.root, b"tmp", stat.S_IFDIR, 0o1777, who)
    table = resources.files(__package__).joinpath("data", "devices.tsv").read_text("utf-8")
    for line in table.splitlines():
        if line.startswith("#"):
            continue
        name, component, kind, number = line.split("\t")
        if kernel.has(component):
            root.make(dev, name.encode(), KINDS[kind], DEVICE_MODE, who, rdev=int(number, 16))
