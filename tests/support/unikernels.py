# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rumprun unikernels under QEMU, from the image that RUMPRUN_IMAGE in the environment names.

Such a kernel serves sysproxy through its own network stack, so that it is met where that matters, and as a backend of
the whole suite only when RUMP_BACKENDS says ``rumprun``: it has other components and no shmif, and many tests do not
fit it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from ansible_collections.rumpkernel.rump.plugins.plugin_utils import rumprun

from .ports import free_port

QEMU = "qemu-system-x86_64"


def lacking() -> str | None:
    """Why no unikernel can be started here, or None."""
    if not os.environ.get("RUMPRUN_IMAGE"):
        return "no image of a Rumprun unikernel for QEMU in RUMPRUN_IMAGE"
    if not shutil.which(QEMU):
        return f"there is no {QEMU}, which runs the unikernel"
    return None


def launched(folder: Path, **more: Any) -> tuple[str, list[str]]:
    """The URL and the command of a guest with one interface, vioif0, on a network of QEMU's own."""
    guest = {
        "name": "guest",
        "platform": "qemu",
        "image": os.environ["RUMPRUN_IMAGE"],
        "forward": f"127.0.0.1:{free_port()}",
        "interfaces": [{"backend": "user", "ipv4": "dhcp", "options": "restrict=on"}],
        **more,
    }
    url = rumprun.server_url(guest)
    assert url is not None
    return url, rumprun.command(guest, QEMU)
