# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs Python programs as modules of Ansible's are run: in a Python whose system is a kernel's."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.redirection.runner import Finished, run
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.redirection.world import Program

LIMIT = 60


def run_redirected(url: str, script: str, *arguments: str, limit: float = LIMIT, **program: Any) -> Finished:
    """``script`` on the kernel at ``url``; ``program`` has more of what a :class:`Program` is."""
    whole = Program(None, script, ("script.py", *arguments), **program)
    return run(lambda note: connect(url, timeout=20), whole, limit)


def run_here(script: str, *arguments: str) -> bytes:
    """What ``script`` says in a Python of its own on this machine."""
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=LIMIT).stdout
