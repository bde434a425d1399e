# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file module's resource: files, directories, links, pipes, devices, as ansible.builtin.file means them."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from ..sysproxy import Kernel, KernelError
from ..sysproxy.kernel.attributes import names_of_flags
from ..sysproxy.kernel.files import major, minor
from .failures import OptionError
from .file_attributes import Attributes, Difference
from .file_flags import flags_text
from .file_mode import NEW_DIRECTORY, NEW_FILE, mode_text
from .file_nodes import Node, number_text
from .plan import Plan
from .users import Users

_NODES: Final = {stat.S_IFIFO: "fifo", stat.S_IFCHR: "char", stat.S_IFBLK: "block"}
_FILES: Final = ("file", "hard", *_NODES.values())
"""The states of what is neither a directory nor a link."""


def plan(kernel: Kernel, parameters: Mapping[str, Any], users: Users | None = None) -> Plan:
    """Make ``path`` be in ``state``, with the attributes that are asked for.

    ``users``: the kernel's, if the task has read them.
    """
    return _Planner(kernel, parameters, users or Users(kernel)).plan()


def state_of(kernel: Kernel, path: str) -> str:
    """absent, link, directory, fifo, char, block, hard (a file with several names) or file, which is all else."""
    found = _lstat(kernel, path)
    return "absent" if found is None else _state(found)


def describe(kernel: Kernel, path: str, users: Users) -> dict[str, Any]:
    """What Ansible's modules return about a file; empty for one that is not there, and a link that leads nowhere."""
    if not kernel.exists(path):
        return {}
    found = kernel.native_stat(path, follow_symlinks=False)
    device = {"major": major(found.st_rdev), "minor": minor(found.st_rdev)} if _is_device(found) else {}
    return {
        "state": _state(found),
        "mode": mode_text(found.st_mode),
        "uid": found.st_uid,
        "gid": found.st_gid,
        # Ansible's modules have the number as text where there is no name.
        "owner": users.user_name(found.st_uid) or str(found.st_uid),
        "group": users.group_name(found.st_gid) or str(found.st_gid),
        "size": found.st_size,
        "flags": names_of_flags(found.st_flags),
        **device,
    }


def _state(found: Any) -> str:
    if stat.S_ISLNK(found.st_mode):
        return "link"
    if stat.S_ISDIR(found.st_mode):
        return "directory"
    if (node := _NODES.get(stat.S_IFMT(found.st_mode))) is not None:
        return node
    return "hard" if found.st_nlink > 1 else "file"


def _is_device(found: Any) -> bool:
    return stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode)


def _lstat(kernel: Kernel, path: str) -> os.stat_result | None:
    try:
        return kernel.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


class _Planner:
    """One task: its options, and the plan that grows."""

    def __init__(self, kernel: Kernel, parameters: Mapping[str, Any], users: Users) -> None:
        self.kernel = kernel
        self.users = users
        self.path = checked_path("path", parameters["path"])
        self.src = None if parameters.get("src") is None else checked_path("src", parameters["src"])
        self.follow = bool(parameters.get("follow", True))
        self.force = bool(parameters.get("force"))
        self.recurse = bool(parameters.get("recurse"))
        wanted = parameters.get("state")
        # A hard link, like a file, goes into a directory that is there already.
        if self.src is not None and wanted not in ("link", "absent") and kernel.isdir(self.path):
            self.path = os.path.join(self.path, os.path.basename(self.src))
        self.found = state_of(kernel, self.path)
        self.state = wanted or self._default_state()
        if self.recurse and self.state != "directory":
            text = f"recurse option requires state to be 'directory', and that of {self.path} is {self.state!r}"
            raise OptionError("recurse", text, path=self.path)
        if self.src is not None and self.state not in ("link", "hard"):
            text = f"src option requires state to be 'link' or 'hard', and it is {self.state!r}"
            raise OptionError("src", text, path=self.path)
        self.node = Node.parse(kernel, parameters, self.state)
        self.attributes = Attributes.parse(parameters, self.state, users)
        self.difference = Difference()
        self.made = Plan()

    def _default_state(self) -> str:
        if self.found != "absent":
            return self.found
        return "directory" if self.recurse else "file"

    def plan(self) -> Plan:
        states: dict[str, Callable[[], dict[str, Any]]] = {
            "absent": self._absent,
            "block": self._node,
            "char": self._node,
            "directory": self._directory,
            "fifo": self._node,
            "file": self._file,
            "hard": self._hard,
            "link": self._link,
            "touch": self._touch,
        }
        facts = states[self.state]()
        path = facts.get("path") or facts["dest"]
        made = self.made
        if self.state != "absent" or made.changes:
            made.before = {"path": path, **self.difference.before}
            made.after = {"path": path, **self.difference.after}
        # As with Ansible's own module, check mode tells of the file as it is.
        made.expected = {**facts, **describe(self.kernel, path, self.users)}
        if made.changes:
            made.report = lambda: {**facts, **describe(self.kernel, path, self.users)}
        return made

    # The states. Each returns what its result has beside the file's description.

    def _absent(self) -> dict[str, Any]:
        if self.found == "absent":
            return {"path": self.path, "state": "absent"}
        self.difference.note("state", self.found, "absent")
        if self.found == "directory":
            self._spare_mounts()
            content: dict[str, list[str]] = {"directories": [], "files": []}
            for top, directories, others in self.kernel.walk(self.path):
                content["directories"] += [os.path.join(top, name) for name in directories]
                content["files"] += [os.path.join(top, name) for name in others]
            self.difference.before["path_content"] = content
            self.made.add(f"remove the directory {self.path}", lambda: self.kernel.rmtree(self.path))
        else:
            self.made.add(f"remove the {self.found} {self.path}", lambda: self.kernel.unlink(self.path))
        return {"path": self.path, "state": "absent"}

    def _spare_mounts(self) -> None:
        """:raises OptionError: a file system is mounted in the directory, whose files are not to be removed."""
        real = self.kernel.realpath(self.path)
        inside = [mount.path for mount in self.kernel.mounts() if f"{mount.path}/".startswith(f"{real.rstrip('/')}/")]
        if inside:
            raise OptionError(
                "path",
                f"{self.path} is not removed while file systems are mounted in it: unmount {', '.join(inside)} first",
                call="rmdir",
                object=inside[-1],
                errno="EBUSY",
            )

    def _directory(self) -> dict[str, Any]:
        path, found = self._followed()
        if found == "absent":
            self.difference.note("state", "absent", "directory")
            self._make_directories(path)
        elif found == "directory":
            self._plan_attributes(path)
            if self.recurse:
                self._plan_recursion(path, set())
        else:
            raise OptionError("path", f"{path} already exists as a {found}", path=path)
        return {"path": path}

    def _make_directories(self, path: str) -> None:
        """Plan ``path`` and the parents that it lacks; all of them get the attributes."""
        missing = []
        parent = path
        while parent and not self.kernel.exists(parent):
            missing.append(parent)
            parent = os.path.dirname(parent.rstrip("/"))
        self.made.conditions.append(partial(self._require_directory, parent or ".", path))
        self.attributes.note_new(self.difference, NEW_DIRECTORY)
        for directory in reversed(missing):
            self.made.add(f"make the directory {directory}", partial(self._make_directory, directory))
        if self.attributes.flags is not None:
            # Some of them would not let the next directory be made in one that has them.
            for directory in missing:
                text = f"set the flags of {directory} to {flags_text(self.attributes.flags.of(0))}"
                self.made.add(text, partial(self.attributes.only_flags().settle, self.kernel, directory))

    def _make_directory(self, path: str) -> None:
        mode = self.attributes.mode
        self.kernel.mkdir(path, 0o777 if mode is None else mode.of(NEW_DIRECTORY))
        self.attributes.but_flags().settle(self.kernel, path)

    def _file(self) -> dict[str, Any]:
        path, found = self._followed()
        if found not in _FILES:
            more = " (the state 'touch' makes an empty file)" if found == "absent" else ""
            raise OptionError("path", f"file ({path}) is {found}, cannot continue{more}", path=path, state=found)
        self._plan_attributes(path)
        return {"path": path}

    def _touch(self) -> dict[str, Any]:
        self.difference.note("state", self.found, "touch")
        if self.found == "absent":
            self.made.conditions.append(partial(self._require_parent, "open"))
            self.attributes.note_new(self.difference, NEW_FILE)
            self.made.add(f"make the empty file {self.path}", self._make_file)
        else:
            path, _found = self._followed()
            self._plan_attributes(path)
        return {"dest": self.path}

    def _make_file(self) -> None:
        mode = self.attributes.mode
        flags = os.O_WRONLY | os.O_CREAT
        self.kernel.close(self.kernel.open(self.path, flags, 0o666 if mode is None else mode.of(NEW_FILE)))
        try:
            self.attributes.settle(self.kernel, self.path)
        except KernelError:
            self.kernel.unlink(self.path)
            raise

    def _node(self) -> dict[str, Any]:
        """A pipe or a device."""
        self.path, self.found = self._followed()
        kernel, node, path, found = self.kernel, self.node, self.path, self.found
        if found == self.state and node.is_at(kernel.lstat(path)):
            self._plan_attributes(path)
            return {"path": path}
        if found == "absent":
            self.made.conditions.append(partial(self._require_parent, node.call))
            self.made.add(f"make the {node.text} {path}", partial(self._make_node, path))
        else:
            self._require_replaceable()
            self.made.add(f"replace the {found} {path} by a {node.text}", partial(self._put_in_place, self._make_node))
        if found == self.state:
            self.difference.note("device", number_text(kernel.lstat(path).st_rdev), number_text(node.device or 0))
        else:
            self.difference.note("state", found, self.state)
        self.attributes.note_new(self.difference, node.type | NEW_FILE & 0o777)
        if self.attributes.flags is not None:
            text = f"set the flags of {path} to {flags_text(self.attributes.flags.of(0))}"
            self.made.add(text, lambda: self.attributes.only_flags().settle(self.kernel, path))
        return {"path": path}

    def _make_node(self, path: str) -> None:
        mode = self.attributes.mode
        self.node.make(self.kernel, path, 0o666 if mode is None else mode.of(self.node.type | NEW_FILE & 0o777))
        self.attributes.but_flags().settle(self.kernel, path)

    def _require_replaceable(self) -> None:
        """:raises OptionError: what is at ``path`` may hold something that is not to be lost."""
        if self.found == "directory" and self.force and self.kernel.listdir(self.path):
            raise OptionError("path", f"the directory {self.path} is not empty, refusing to replace it")
        if self.found not in _NODES.values() and not self.force:
            text = f"refusing to replace the {self.found} {self.path} by a {self.node.text} (force: true does it)"
            raise OptionError("path", text, path=self.path, state=self.found)

    def _link(self) -> dict[str, Any]:
        src = self.src
        if src is None and self.follow and self.found == "link" and self.kernel.exists(self.path):
            src = self.kernel.readlink(self.path)
        target = None if src is None else os.path.join(os.path.dirname(self.path), src)
        if target is not None and not self.force:
            self.made.conditions.append(partial(self._require_target, target))
        if self.found == "directory":
            if not self.force:
                raise OptionError("path", f"refusing to convert from directory to symlink for {self.path}")
            if self.kernel.listdir(self.path):
                raise OptionError("path", f"the directory {self.path} is not empty, refusing to convert it")
        elif self.found in _FILES and not self.force:
            raise OptionError("path", f"refusing to convert from {self.found} to symlink for {self.path}")
        if self.found != "link":
            if src is None:
                raise OptionError("src", "src is required for creating new symlinks")
            self.difference.note("state", self.found, "link")
            make = partial(self.kernel.symlink, src)
            if self.found == "absent":
                self.made.conditions.append(partial(self._require_parent, "symlink"))
                self.made.add(f"make the link {self.path} to {src}", partial(make, self.path))
            else:
                text = f"replace the {self.found} {self.path} by a link to {src}"
                self.made.add(text, partial(self._put_in_place, make))
        elif src is not None and (old := self.kernel.readlink(self.path)) != src:
            self.difference.note("src", old, src)
            text = f"point the link {self.path} to {src}"
            self.made.add(text, partial(self._put_in_place, partial(self.kernel.symlink, src)))
        if not self.follow:
            self._plan_link_attributes()
        elif target is not None or self.found == "link":
            self._plan_target_attributes(target or self.path)
        return {"dest": self.path, "src": src}

    def _plan_target_attributes(self, target: str) -> None:
        real = self.kernel.realpath(target)
        if self.kernel.exists(real):
            self._plan_attributes(real)
        else:
            self.made.warnings.append(
                "Cannot set fs attributes on a non-existent symlink target. "
                "follow should be set to False to avoid this."
            )

    def _plan_link_attributes(self) -> None:
        """The attributes of the link itself, which may be about to be made."""
        if not self.made.changes:
            self._plan_attributes(self.path)
        elif self.attributes != Attributes():
            self.attributes.note_new(self.difference, stat.S_IFLNK | 0o755)
            text = f"set the attributes of the link {self.path}"
            self.made.add(text, lambda: self.attributes.settle(self.kernel, self.path))

    def _hard(self) -> dict[str, Any]:
        src, found = self.src, self.found
        if src is None:
            if found != "hard":
                raise OptionError("src", "src is required for creating new hardlinks")
            self._plan_attributes(self.path)
            return {"dest": self.path, "src": None}
        here = _lstat(self.kernel, self.path)
        if not self.kernel.exists(src):
            self.made.conditions.append(partial(self._require_source, src))
            self._plan_hard_link(src, here)
            return {"dest": self.path, "src": src}
        source = self.kernel.stat(src, follow_symlinks=self.follow)
        if here is not None and os.path.samestat(here, source):
            self._plan_attributes(self.path)
        else:
            self._check_hard(src, source)
            self._plan_hard_link(src, here)
            self._plan_attributes(self.kernel.realpath(src) if self.follow else src)
        return {"dest": self.path, "src": src}

    def _plan_hard_link(self, src: str, here: os.stat_result | None) -> None:
        self.difference.note("state", self.found, "hard")
        if self.found == "link":
            self.difference.note("src", self.kernel.readlink(self.path), src)
        if here is None:
            self.made.conditions.append(partial(self._require_parent, "link"))
            self.made.add(f"make the hard link {self.path} to {src}", partial(self._link_hard, src, self.path))
        else:
            text = f"replace the {self.found} {self.path} by a hard link to {src}"
            self.made.add(text, partial(self._put_in_place, partial(self._link_hard, src)))

    def _check_hard(self, src: str, source: os.stat_result) -> None:
        """:raises OptionError: what is at ``path`` or ``src`` cannot become, or have, a hard link."""
        if stat.S_ISDIR(source.st_mode):
            raise OptionError("src", f"{src} is a directory, which has no hard links")
        if self.found == "directory":
            raise OptionError("path", f"refusing to convert from directory to hard link for {self.path}")
        if self.found == "hard" and not self.force:
            raise OptionError("path", f"Cannot link, different hard link exists at destination {self.path}")
        if self.found in _FILES and not self.force:
            raise OptionError("path", f"Cannot link, {self.found} exists at destination {self.path}")

    def _link_hard(self, src: str, path: str) -> None:
        try:
            self.kernel.link(src, path, follow_symlinks=self.follow)
        except KernelError as error:
            if error.name != "EOPNOTSUPP":
                raise
            about = {"call": error.call, "object": error.subject, "errno": error.name}
            text = f"the file system of {path} has no hard links ({error}); tmpfs and ffs have them"
            raise OptionError("state", text, **about) from error

    def _put_in_place(self, make: Callable[[str], object]) -> None:
        """Make a link beside ``path`` and move it over it, so that there is always the old or the new one."""
        kernel, path = self.kernel, self.path
        temporary = os.path.join(os.path.dirname(path), f".ansible.{secrets.token_hex(6)}.tmp")
        make(temporary)
        try:
            if self.found == "directory":
                kernel.rmdir(path)
            kernel.rename(temporary, path)
        except KernelError as error:
            kernel.unlink(temporary)
            if error.call != "rename" or error.name != "EOPNOTSUPP":
                raise
            if self.found != "directory":
                kernel.unlink(path)
            make(path)
            self.made.warnings.append(
                f"the file system of {path} has no rename: between the old one and the new, there was none for a moment"
            )

    # Attributes

    def _followed(self) -> tuple[str, str]:
        """The path that the task is about and its state: the target's, if links are to be followed."""
        if not self.follow or self.found != "link":
            return self.path, self.found
        real = self.kernel.realpath(self.path)
        return real, state_of(self.kernel, real)

    def _plan_attributes(self, path: str, difference: bool = True) -> None:
        self.attributes.plan(self.kernel, self.made, path, self.difference if difference else None)

    def _plan_recursion(self, top: str, seen: set[str]) -> None:
        """All below ``top``. The walk follows no link; a link's target gets the attributes if links are followed."""
        real = self.kernel.realpath(top)
        if real in seen:
            return
        seen.add(real)
        for entry in list(self.kernel.scandir(top)):  # a scan holds one of the session's descriptors until its end
            self._plan_attributes(entry.path, difference=False)
            if entry.is_dir():
                self._plan_recursion(entry.path, seen)
            elif entry.is_symlink() and self.follow:
                target = os.path.join(top, self.kernel.readlink(entry.path))
                if self.kernel.isdir(target):
                    self._plan_recursion(target, seen)
                if self.kernel.exists(target):
                    self._plan_attributes(target, difference=False)

    def _require_target(self, target: str) -> None:
        """:raises OptionError: a link would lead to nothing."""
        if not self.kernel.exists(target):
            text = f"file does not exist, use 'force=yes' if you really want to create the link: {target}"
            raise OptionError("src", text, path=self.path)

    def _require_source(self, src: str) -> None:
        """:raises OptionError: there is nothing to make a hard link to."""
        if not self.kernel.exists(src):
            raise OptionError("src", f"src does not exist: {src}", path=self.path)

    def _require_directory(self, parent: str, path: str) -> None:
        """:raises OptionError: ``path`` cannot be made in what is no directory."""
        if not self.kernel.isdir(parent):
            raise _not_a_directory(parent, path, "mkdir")

    def _require_parent(self, call: str) -> None:
        """:raises OptionError: the directory that ``path`` is to be made in is not there."""
        parent = os.path.dirname(self.path.rstrip("/")) or "."
        try:
            found = self.kernel.stat(parent)
        except KernelError as error:
            if not isinstance(error, FileNotFoundError | NotADirectoryError):
                raise
            text = f"{self.path} cannot be made ({call}: {error.name}): the directory {parent} is not there"
            raise OptionError("path", text, call=call, object=self.path, errno=error.name) from None
        if not stat.S_ISDIR(found.st_mode):
            raise _not_a_directory(parent, self.path, call)


def _not_a_directory(parent: str, path: str, call: str) -> OptionError:
    text = f"{path} cannot be made ({call}: ENOTDIR): {parent} is not a directory"
    return OptionError("path", text, call=call, object=path, errno="ENOTDIR")


def checked_path(option: str, path: str) -> str:
    """
    :raises OptionError: no kernel could take it for a path.
    """
    if not path or "\0" in path:
        raise OptionError(option, "give a path, not an empty one" if not path else "a path cannot hold a NUL byte")
    return str(path)
