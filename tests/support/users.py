# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users of a kernel that has nothing but files, for tests without a kernel."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import cast

from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.users import Users
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Errno, Kernel, KernelError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.kernel_error import kernel_error

MASTER, PASSWD, GROUP = "/etc/master.passwd", "/etc/passwd", "/etc/group"


def users_of(files: dict[str, bytes] | None = None) -> Users:
    """The users that files tell of, by path."""
    return Users(cast(Kernel, _Files(files or {})))


class _Files:
    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files
        self._paths = list(files)
        self.session = SimpleNamespace(closed=False)

    def stat_many(self, paths: Iterable[str]) -> Iterator[tuple[str, os.stat_result | KernelError]]:
        for path in paths:
            if path in self._files:
                size = len(self._files[path])
                yield path, os.stat_result((stat.S_IFREG | 0o644, 2, 1, 1, 0, 0, size, 0, 0, 0))
            else:
                yield path, kernel_error(Errno.ENOENT, "stat", path)

    def open(self, path: str, _flags: int) -> int:
        return self._paths.index(path)

    def read(self, descriptor: int, count: int) -> bytes:
        return self._files[self._paths[descriptor]][:count]

    def close(self, _descriptor: int) -> None:
        return
