# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sync module's resource: a directory of the controller's in the kernel, or the other way, as rsync(1) has it."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..sysproxy import Kernel, KernelError
from .exclude import Exclusion
from .failures import OptionError, not_there
from .file import checked_path
from .plan import Change, Plan
from .tree import SET_ID, TOP, Entry, Scan, Tree, controller_files, scan
from .tree_change import Comparison, Rules, TreePlan
from .tree_controller import ControllerTree
from .tree_kernel import KernelTree

_PARTS_OF_ARCHIVE = ("recursive", "links", "perms", "times", "owner", "group")


def plan(kernel: Kernel, parameters: Mapping[str, Any]) -> Plan:
    """Make ``dest`` hold what ``src`` does."""
    return _Planner(kernel, parameters).plan()


class _Planner:
    """One task."""

    def __init__(self, kernel: Kernel, parameters: Mapping[str, Any]) -> None:
        self.kernel = kernel
        self.parameters = parameters
        self.push = parameters["mode"] == "push"
        self.src = checked_path("src", parameters["src"])
        self.dest = checked_path("dest", parameters["dest"])
        archive = parameters["archive"]
        self.parts = {part: archive if parameters.get(part) is None else parameters[part] for part in _PARTS_OF_ARCHIVE}
        if parameters["delete_excluded"] and not parameters["delete"]:
            raise OptionError("delete_excluded", "goes with delete: true")
        if parameters["delete"] and not (self.parts["recursive"] or parameters["dirs"]):
            raise OptionError("delete", "goes with recursive: true or dirs: true, which compare what is in directories")
        self.here = "src" if self.push else "dest"
        path = os.path.expanduser(self.src if self.push else self.dest)
        self.controllers = path

    def plan(self) -> Plan:
        with controller_files(self.here):
            return self._plan()

    def _plan(self) -> Plan:
        src, dest = (self.controllers, self.dest) if self.push else (self.src, self.controllers)
        found = self._source(src)
        if found is None:
            return self._plan_without_source()
        source, name, entry = found
        target_top = dest
        if name != TOP and not entry.is_directory and not dest.endswith("/") and not self._is_directory(dest):
            source.names[os.path.basename(dest)] = name
            name, target_top = os.path.basename(dest), os.path.dirname(dest) or "."
        elif self._is_other(dest):
            raise OptionError("dest", f"{dest} is there and no directory")
        wanted, warnings = self._wanted(source, name, entry)
        rules = Rules(
            mode=self.parts["perms"],
            owner=self.parts["owner"] and self._may_give(),
            group=self.parts["group"] and self._may_give(),
            times=self.parts["times"],
            by_content=self.parameters["checksum"] or not self.parts["times"],
            existing=self.parameters["existing_only"],
            delete=self.parameters["delete"],
            # A kernel is not trusted to say what on the controller runs with another user's rights.
            mode_bits=0o7777 if self.push else 0o7777 & ~SET_ID,
            exclusion=Exclusion([] if self.parameters["delete_excluded"] else self.parameters["exclude"]),
        )
        target = KernelTree(self.kernel, target_top) if self.push else ControllerTree(target_top)
        comparison = Comparison(source, wanted, target, rules)
        comparison.compare()
        made = TreePlan(comparison, self.here)
        made.warnings += warnings
        told = {"src": self.src, "dest": self.dest}
        made.expected = {**told, **made.facts()}
        if made.changes:
            made.report = lambda: {**told, **made.facts(), "atomic": target.atomic}
        return made

    def _source(self, src: str) -> tuple[ControllerTree | KernelTree, str, Entry] | None:
        """The source's tree, the name in it that is meant, and what that is. A slash at the end means what is in
        the directory, instead of itself."""
        whole = src.rstrip("/") or "/"
        inside = src.endswith("/") or os.path.basename(whole) in (".", "..")
        top, name = (whole, TOP) if inside else (os.path.dirname(whole) or ".", os.path.basename(whole))
        source = ControllerTree(top) if self.push else KernelTree(self.kernel, top)
        entry = source.look([name], self.parameters["copy_links"]).get(name)
        if entry is None:
            if self.push:
                raise OptionError("src", f"{src} is not there (on the controller)")
            return None
        if inside and not entry.is_directory:
            raise OptionError("src", f"{src} ends with a slash and is no directory, but a {entry.word}")
        if entry.is_directory and not (self.parts["recursive"] or self.parameters["dirs"]):
            raise OptionError("src", f"{src} is a directory, which takes recursive: true or dirs: true")
        return source, name, entry

    def _plan_without_source(self) -> Plan:
        """An earlier task may be about to make it, which check mode cannot know."""
        made = Plan()
        made.conditions.append(self._require_source)
        made.changes.append(Change(f"get {self.src}", lambda: None))
        made.expected = {"src": self.src, "dest": self.dest, "created": [], "updated": [], "deleted": [], "bytes": 0}
        return made

    def _require_source(self) -> None:
        """:raises OptionError: there is nothing to get."""
        try:
            self.kernel.lstat(self.src.rstrip("/") or "/")
        except KernelError as error:
            if error.name not in ("ENOENT", "ENOTDIR"):
                raise
            raise not_there("src", self.src, error) from None

    def _wanted(self, source: Tree, name: str, entry: Entry) -> tuple[Scan, list[str]]:
        """What of the source is to be in the target."""
        found = scan(
            source,
            {name: name == TOP},
            Exclusion(self.parameters["exclude"]),
            self.parts["recursive"],
            self.parameters["copy_links"],
        )
        entries, warnings = {}, []
        for key, one in found.entries.items():
            if one.is_directory or one.is_file or (one.is_link and self.parts["links"]):
                entries[key] = one
                continue
            found.skipped.add(key)
            if one.kind == stat.S_IFSOCK:
                warnings.append(f"{key} is a socket, which cannot be copied")
            elif one.is_device and not self.push:
                # Of the same numbers it would be another device here, perhaps a disk, with the kernel's mode.
                warnings.append(f"{key} is a device of the kernel's, which is not made on the controller")
            elif self.parameters["archive"] and not one.is_link:
                entries[key] = one
                found.skipped.remove(key)
        return replace(found, entries=entries), warnings

    def _may_give(self) -> bool:
        """Whether files can have any owner: in the kernel always, on the controller by the superuser."""
        return self.push or os.geteuid() == 0

    def _is_directory(self, dest: str) -> bool:
        return self.kernel.isdir(dest) if self.push else os.path.isdir(dest)

    def _is_other(self, dest: str) -> bool:
        exists = self.kernel.lexists(dest) if self.push else os.path.lexists(dest)
        return exists and not self._is_directory(dest)
