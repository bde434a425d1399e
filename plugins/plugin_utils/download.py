# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file of a kernel's brought to the controller, whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel


def download(kernel: Kernel, path: str, local: str) -> int:
    """Write the content of the kernel's ``path`` to the controller's ``local``; the number of bytes.

    It is written beside it and renamed, so that a connection that breaks leaves what was there. A file that is there
    keeps its mode, and a symbolic link leads to where it led.
    """
    target = Path(os.path.realpath(local))
    try:
        mode = stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        mode = 0o666 & ~umask
    with tempfile.NamedTemporaryFile(prefix=".ansible_tmp", dir=target.parent, delete=False) as stream:
        try:
            size = kernel.copy_out(path, stream)
            os.fchmod(stream.fileno(), mode)
            stream.flush()
            os.replace(stream.name, target)
        except BaseException:
            os.unlink(stream.name)
            raise
    return size
