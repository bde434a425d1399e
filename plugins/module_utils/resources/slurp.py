# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole file as a value: the content as ansible.builtin.slurp returns it."""

from __future__ import annotations

import base64
import stat
from collections.abc import Mapping
from typing import Any

from ..sysproxy import Kernel, KernelError
from .failures import OptionError
from .file import checked_path
from .plan import Plan


def plan(kernel: Kernel, parameters: Mapping[str, Any]) -> Plan:
    """The plan of rump_slurp, which changes nothing."""
    src = checked_path("src", parameters["src"])
    try:
        found = kernel.stat(src)
    except KernelError as error:
        if error.name != "ENOENT":
            raise
        about = {"call": error.call, "object": error.subject, "errno": error.name}
        raise OptionError("src", f"File not found: {src}", **about) from error
    if stat.S_ISDIR(found.st_mode):
        raise OptionError(
            "src", f"Source is a directory and must be a file: {src}", call="read", object=src, errno="EISDIR"
        )
    if not stat.S_ISREG(found.st_mode):
        # A pipe would be waited for, and many a device has no end.
        raise OptionError("src", f"Source is a pipe, a socket or a device and must be a file: {src}")
    try:
        content = base64.b64encode(kernel.read_file(src)).decode("ascii")
    except KernelError as error:
        if error.name != "EACCES":
            raise
        about = {"call": error.call, "object": error.subject, "errno": error.name}
        raise OptionError("src", f"File is not readable: {src}", **about) from error
    return Plan(expected={"content": content, "source": src, "encoding": "base64"})
