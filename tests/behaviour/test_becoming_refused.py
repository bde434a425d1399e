# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A kernel that refuses to make the session another user has the task fail, as any other call that it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.tests.support.actions import run_action


@pytest.mark.parametrize("action", ["rump_slurp", "rump_fetch", "rump_copy"])
def test_a_session_that_is_not_roots(kernel: Kernel, tmp_path: Path, action: str) -> None:
    kernel.write_file("/file", b"text")
    kernel.setuid(1001)
    options = {
        "rump_slurp": {"src": "/file"},
        "rump_fetch": {"src": "/file", "dest": f"{tmp_path}/"},
        "rump_copy": {"content": "new", "dest": "/file"},
    }
    done = run_action(kernel, action, become_user="1002", **options[action])
    assert done["failed"]
    assert (done["call"], done["errno"]) == ("setgroups", "EPERM")
    assert f"host: {kernel.url}: setgroups: EPERM" in done["msg"]
    with connect(kernel.url) as root:
        assert root.read_file("/file") == b"text"
