# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A directory of the kernel's copied to another one, as ansible.builtin.copy does it with remote_src.

What is only in the source is copied with its modes, and its times where a whole directory is; what is in both and
differs is replaced; what is only in the destination stays. A file differs if its size or modification time and then
its content does.
"""

from __future__ import annotations

import os
import stat
from functools import partial
from typing import Any

from ..sysproxy import Kernel, KernelError
from .content import Content, Replaced, of_kernel, replace_many
from .failures import OptionError
from .file_attributes import Attributes
from .plan import Plan
from .sums import sums_of_kernel


class TreeCopy:
    """``owner`` are the attributes whose owner and group all copied files get; ``follow``: copy what links lead to."""

    def __init__(self, kernel: Kernel, owner: Attributes, follow: bool) -> None:
        self.kernel = kernel
        self.owner = Attributes(uid=owner.uid, gid=owner.gid)
        self.follow = follow
        self._files: list[Content] = []
        self._times: list[tuple[str, os.stat_result]] = []
        self._replaced: list[Replaced] = []

    def plan(self, source: str, dest: str, plan: Plan) -> None:
        """Add to ``plan`` what makes ``dest`` have all that ``source`` has."""
        if self.kernel.exists(dest):
            self._merge(source, dest, plan)
        else:
            self._copy_directory(source, dest, plan, set())
        if self._files:
            count = len(self._files)
            plan.add(f"write {count} file{'s' if count > 1 else ''} below {dest}", self._write)
        if self._times:
            plan.add(f"set the modes and times of the directories below {dest}", self._settle_directories)

    def report(self) -> dict[str, Any]:
        return {"atomic": all(replaced.atomic for replaced in self._replaced)} if self._replaced else {}

    def _copy_directory(self, source: str, dest: str, plan: Plan, above: set[tuple[int, int]]) -> None:
        found = self.kernel.stat(source)
        identity = found.st_dev, found.st_ino
        if identity in above:
            raise OptionError("src", f"the links in {source} go round, and cannot all be followed")
        plan.add(f"make the directory {dest}", partial(self.kernel.makedirs, dest, exist_ok=True))
        self._times.append((dest, found))
        for entry in list(self.kernel.scandir(source)):  # a scan holds a descriptor until its end
            self._copy(entry.path, os.path.join(dest, entry.name), plan, above | {identity}, times=True)

    def _copy(self, source: str, dest: str, plan: Plan, above: set[tuple[int, int]], times: bool) -> None:
        """One name that the destination lacks."""
        found = self.kernel.stat(source, follow_symlinks=self.follow)
        if stat.S_ISLNK(found.st_mode):
            plan.add(f"make the link {dest}", partial(self._link, self.kernel.readlink(source), dest))
        elif stat.S_ISDIR(found.st_mode):
            self._copy_directory(source, dest, plan, above)
        else:
            self._add_file(source, dest, found, times)

    def _add_file(self, source: str, dest: str, found: os.stat_result, times: bool) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise OptionError("src", f"{source} is neither a file nor a directory or link, and is not copied")
        # The owner is whoever copies; without one that is asked for, that of a file that is there stays.
        self._files.append(
            Content(
                dest,
                of_kernel(self.kernel, source),
                mode=stat.S_IMODE(found.st_mode),
                uid=self.owner.uid,
                gid=self.owner.gid,
                times=(found.st_atime_ns, found.st_mtime_ns) if times else None,
                follow=True,
            )
        )

    def _merge(self, source: str, dest: str, plan: Plan) -> None:
        self.owner.plan(self.kernel, plan, dest)
        there = {entry.name: entry for entry in self.kernel.scandir(dest)}
        for entry in list(self.kernel.scandir(source)):  # a scan holds a descriptor until its end
            path = os.path.join(dest, entry.name)
            if entry.name not in there:
                self._copy(entry.path, path, plan, set(), times=False)
                continue
            del there[entry.name]
            ours, theirs = self._stat(entry.path), self._stat(path)
            if ours is None or theirs is None or stat.S_IFMT(ours.st_mode) != stat.S_IFMT(theirs.st_mode):
                self.owner.plan(self.kernel, plan, path)
            elif stat.S_ISDIR(ours.st_mode):
                self._merge(entry.path, path, plan)
            elif stat.S_ISREG(ours.st_mode) and self._differ(entry.path, ours, path, theirs):
                self._add_file(entry.path, path, ours, times=False)
            else:
                self.owner.plan(self.kernel, plan, path)
        for entry in there.values():
            self._own(entry.path, plan)

    def _own(self, path: str, plan: Plan) -> None:
        """Owner and group for what is in the destination alone, and all that is below it."""
        if self.owner == Attributes():
            return
        self.owner.plan(self.kernel, plan, path)
        if stat.S_ISDIR(self.kernel.lstat(path).st_mode):
            for below, _found in self.kernel.stat_tree(path):
                self.owner.plan(self.kernel, plan, below)

    def _stat(self, path: str) -> os.stat_result | None:
        try:
            return self.kernel.stat(path)
        except KernelError as error:
            if error.name not in ("ENOENT", "ENOTDIR", "ELOOP"):
                raise
            return None

    def _differ(self, source: str, ours: os.stat_result, dest: str, theirs: os.stat_result) -> bool:
        """As filecmp.cmp, which ansible.builtin.copy asks, tells files apart."""
        if ours.st_size != theirs.st_size:
            return True
        if ours.st_mtime_ns == theirs.st_mtime_ns:
            return False
        return sums_of_kernel(self.kernel, source) != sums_of_kernel(self.kernel, dest)

    # The doing

    def _link(self, target: str, dest: str) -> None:
        self.kernel.symlink(target, dest)
        self.owner.settle(self.kernel, dest)

    def _write(self) -> None:
        for _content, result in replace_many(self.kernel, self._files):
            if isinstance(result, Exception):
                raise result
            self._replaced.append(result)

    def _settle_directories(self) -> None:
        for path, found in reversed(self._times):
            self.owner.settle(self.kernel, path)
            self.kernel.chmod(path, stat.S_IMODE(found.st_mode))
            self.kernel.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
