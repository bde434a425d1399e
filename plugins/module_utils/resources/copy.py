# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The copy module's resource: a file with a content, with the meanings of ansible.builtin.copy."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
from collections.abc import Mapping
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final

from ..sysproxy import Kernel, KernelError
from .content import Content, ContentMismatch, Replaced, Source, of_kernel, replace
from .copy_tree import TreeCopy
from .failures import OptionError
from .file import describe
from .file_attributes import Attributes, Difference
from .file_mode import NEW_DIRECTORY, NEW_FILE, Mode, mode_text
from .plan import Plan
from .sums import Sums, sums_of, sums_of_kernel
from .users import Users

_NO_VALIDATION: Final = (
    "a rump kernel runs no programs, so that none can look at the file before it is put in its place: validate it on "
    "the controller, by a task with delegate_to: localhost, before it is copied"
)


def plan(kernel: Kernel, parameters: Mapping[str, Any], users: Users | None = None) -> Plan:
    """Make ``dest`` have the content of ``src``, of the machine that this runs on or of the kernel, or ``content``.

    A directory of the controller's is the action plugin's to walk. ``users``: the kernel's, if the task has read them.
    """
    users = users or Users(kernel)
    refuse_validation(parameters)
    content, src = parameters.get("content"), parameters.get("src")
    if content is not None:
        if str(parameters["dest"]).endswith("/"):
            raise OptionError("dest", "a file with content needs a name, not a directory")
        text = json.dumps(content) if isinstance(content, dict | list) else str(content)
        return plan_sent(kernel, parameters, BytesIO(text.encode("utf-8", "surrogateescape")), "", users)
    if src is None:
        raise OptionError("src", "either this or content is needed")
    if parameters.get("remote_src"):
        return _plan_within(kernel, parameters, src, users)
    path = Path(src)
    if path.is_dir():
        raise OptionError("src", f"{src} is a directory, which is copied where Ansible runs the module's action plugin")
    if parameters.get("mode") == "preserve":
        parameters = {**parameters, "mode": mode_text(path.stat().st_mode)}
    try:
        with path.open("rb") as stream:
            return plan_sent(kernel, parameters, stream, path.name, users, path)
    except OSError as error:
        if isinstance(error, KernelError):
            raise
        raise OptionError("src", f"cannot read {src}: {error.strerror}") from error


def refuse_validation(parameters: Mapping[str, Any]) -> None:
    """:raises OptionError: ``validate`` is given, and there is nothing to run it."""
    if parameters.get("validate") is not None:
        raise OptionError("validate", _NO_VALIDATION)


def directory_mode(parameters: Mapping[str, Any]) -> Mode | None:
    """That of directories which are made for a file.

    :raises OptionError: ``directory_mode`` is none.
    """
    mode = parameters.get("directory_mode")
    return None if mode is None else Mode.parse(mode, "directory_mode")


def plan_sent(
    kernel: Kernel,
    parameters: Mapping[str, Any],
    stream: IO[bytes],
    name: str,
    users: Users,
    source: Source | None = None,
    differs: bool | None = None,
) -> Plan:
    """Make ``dest`` have the content of ``stream``, a file of the controller's that can be read twice.

    ``name`` is what it is called in a directory. ``source``: where to read it the second time, if ``stream`` will be
    closed until then. ``differs``: whether the file that is there has another content, if that is known.
    """
    sums = sums_of(stream)
    stream.seek(0)
    return _FileCopy(kernel, parameters, users, name, source or stream, sums).plan(differs)


def _plan_within(kernel: Kernel, parameters: Mapping[str, Any], src: str, users: Users) -> Plan:
    try:
        found = kernel.stat(src)
    except KernelError as error:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            raise
        raise OptionError("src", f"Source {src} not found", call="stat", object=src, errno=error.name) from error
    if parameters.get("mode") == "preserve":
        parameters = {**parameters, "mode": mode_text(found.st_mode)}
    if stat.S_ISDIR(found.st_mode):
        return _DirectoryCopy(kernel, parameters, users).plan()
    if not stat.S_ISREG(found.st_mode):
        raise OptionError("src", f"Cannot copy invalid source '{src}': not a file")
    sums = sums_of_kernel(kernel, src)
    source = of_kernel(kernel, src)
    return _FileCopy(kernel, parameters, users, os.path.basename(src), source, sums, found).plan()


class _Destination:
    """Where a copy goes, and the directories that are to be made for it."""

    def __init__(self, kernel: Kernel, parameters: Mapping[str, Any], users: Users, name: str) -> None:
        self.kernel = kernel
        self.src = parameters.get("src")
        self.attributes = Attributes.parse(parameters, "file", users)
        self.directory_mode = directory_mode(parameters)
        self.made = Plan()
        dest = str(parameters["dest"])
        if not dest or "\0" in dest:
            raise OptionError("dest", "give a path that is not empty and holds no NUL byte")
        self.makes_folder = False
        if dest.endswith("/"):
            dest = os.path.join(dest, name)  # which may be in directories below
            folder = os.path.dirname(dest)
            if not kernel.exists(folder):
                self._make_directories(folder)
        elif kernel.isdir(dest):
            dest = os.path.join(dest, name)
        self.dest = dest
        if kernel.islink(dest) and kernel.exists(dest) and parameters.get("follow"):
            self.dest = kernel.realpath(dest)
        if not self.makes_folder and not kernel.exists(self.dest):
            self.made.conditions.append(self._require_folder)

    @property
    def folder(self) -> str:
        return os.path.dirname(self.dest.rstrip("/")) or "."

    def _make_directories(self, folder: str) -> None:
        """Plan ``folder`` and the parents that it lacks, with the owner of the copy and a mode of their own."""
        wanted = dataclasses.replace(self.attributes, mode=self.directory_mode)
        missing = []
        while folder and not self.kernel.exists(folder):
            missing.append(folder)
            folder = os.path.dirname(folder)
        for path in reversed(missing):
            self.made.add(f"make the directory {path}", partial(self._make_directory, path, wanted))
        self.makes_folder = True

    def _make_directory(self, path: str, wanted: Attributes) -> None:
        self.kernel.mkdir(path, 0o777 if wanted.mode is None else wanted.mode.of(NEW_DIRECTORY))
        wanted.settle(self.kernel, path)

    def _require_folder(self) -> None:
        """:raises OptionError: the directory that the file goes into is not there."""
        if not self.kernel.isdir(self.folder):
            text = f"Destination directory {self.folder} does not exist (rump_file with state: directory makes it)"
            raise OptionError("dest", text, call="open", object=self.dest, errno="ENOENT")


class _FileCopy:
    """One file. ``within`` is the stat of a source that is the kernel's own, whose mode and times go along."""

    def __init__(
        self,
        kernel: Kernel,
        parameters: Mapping[str, Any],
        users: Users,
        name: str,
        source: Source,
        sums: Sums,
        within: os.stat_result | None = None,
    ) -> None:
        self.kernel = kernel
        self.parameters = parameters
        self.users = users
        self.source = source
        self.sums = sums
        self.within = within
        wanted = parameters.get("checksum")
        if wanted and wanted != sums.sha1:
            text = "Copied file does not match the expected checksum. Transfer failed."
            raise OptionError("checksum", text, checksum=sums.sha1, expected_checksum=wanted)
        self.place = _Destination(kernel, parameters, users, name)
        self.dest = self.place.dest

    def plan(self, differs: bool | None = None) -> Plan:
        made, kernel, dest = self.place.made, self.kernel, self.dest
        facts: dict[str, Any] = {"dest": dest, "src": self.place.src, "checksum": self.sums.sha1}
        if self.sums.md5 is not None:
            facts["md5sum"] = self.sums.md5
        if facts["src"] is None:
            del facts["src"]
        try:
            found = kernel.lstat(dest)
        except (FileNotFoundError, NotADirectoryError):
            found = None
        if found is not None and not self.parameters.get("force", True):
            made.changes.clear()
            made.expected = {"msg": "file already exists", **facts, **describe(kernel, dest, self.users)}
            return made
        if found is not None and stat.S_ISDIR(found.st_mode):
            raise OptionError("dest", f"{dest} is a directory, and the source a file")
        difference = Difference()
        replaced: list[Replaced] = []
        if self._differs(found) if differs is None else differs:
            if self.within is not None and found is not None and stat.S_ISREG(found.st_mode):
                difference.note("checksum", sums_of_kernel(kernel, dest).sha1, self.sums.sha1)
            what = f"write the {self.sums.size} bytes of {dest}"
            made.add(what, lambda: replaced.append(self._replace(self._content(found))))
        else:
            self.place.attributes.plan(kernel, made, dest, difference)
        if difference.before:
            made.before = {"path": dest, **difference.before}
            made.after = {"path": dest, **difference.after}
        made.expected = {**facts, **describe(kernel, dest, self.users)}
        if made.changes:
            made.report = lambda: {**facts, **_how(replaced), **describe(kernel, dest, self.users)}
        return made

    def _differs(self, found: os.stat_result | None) -> bool:
        if found is None or not stat.S_ISREG(found.st_mode) or found.st_size != self.sums.size:
            return True
        return sums_of_kernel(self.kernel, self.dest).sha1 != self.sums.sha1

    def _content(self, found: os.stat_result | None) -> Content:
        """The file as it is to be, with the attributes that ansible.builtin.copy gives it, on every file system."""
        kernel, wanted, within = self.kernel, self.place.attributes, self.within
        old = found if found is not None and not stat.S_ISLNK(found.st_mode) else None
        mode = stat.S_IMODE(NEW_FILE if old is None else (within or old).st_mode)
        uid, gid = wanted.uid, wanted.gid
        if old is not None and within is None:
            uid = old.st_uid if uid is None else uid
            gid = old.st_gid if gid is None else gid
        if uid is None:
            uid = kernel.geteuid()
        if gid is None:
            folder = kernel.stat(self.place.folder)
            gid = folder.st_gid if folder.st_mode & stat.S_ISGID else kernel.getegid()
        return Content(
            self.dest,
            self.source,
            mode=mode if wanted.mode is None else wanted.mode.of(stat.S_IFREG | mode),
            uid=uid,
            gid=gid,
            times=None if within is None else (within.st_atime_ns, within.st_mtime_ns),
            backup=bool(self.parameters.get("backup")),
            checksum=self.sums.sha1,
        )

    def _replace(self, content: Content) -> Replaced:
        try:
            return replace(self.kernel, content)
        except ContentMismatch as error:
            text = f"{self.place.src} changed while it was copied"
            about = {"checksum": error.found, "expected_checksum": error.expected}
            raise OptionError("src", text, **about) from error


class _DirectoryCopy:
    """A directory of the kernel's, copied or merged into another."""

    def __init__(self, kernel: Kernel, parameters: Mapping[str, Any], users: Users) -> None:
        self.kernel = kernel
        self.users = users
        self.src = str(parameters["src"])
        # The destination's own attributes are set, wherever below it the files go.
        self.place = _Destination(kernel, parameters, users, os.path.basename(self.src))
        self.parameters = parameters
        top = str(parameters["dest"])
        self.top = top if self.src.endswith("/") else os.path.join(top, os.path.basename(self.src))

    def plan(self) -> Plan:
        made, kernel, dest = self.place.made, self.kernel, self.place.dest
        if kernel.exists(str(self.parameters["dest"])) and not kernel.isdir(str(self.parameters["dest"])):
            raise OptionError("dest", f"{self.parameters['dest']} is no directory, and the source is one")
        if kernel.exists(dest) and not self.parameters.get("force", True):
            made.expected = {
                "msg": "file already exists",
                "src": self.src,
                "dest": dest,
                **describe(kernel, dest, self.users),
            }
            return made
        inner, outer = (f"{kernel.realpath(path).rstrip('/')}/" for path in (self.top, self.src))
        if inner.startswith(outer):
            raise OptionError("dest", f"{self.top} is in {self.src}, which cannot be copied into itself")
        copy = TreeCopy(kernel, self.place.attributes, bool(self.parameters.get("local_follow")))
        copy.plan(self.src.rstrip("/") or "/", self.top.rstrip("/") or "/", made)
        if kernel.exists(dest):
            self.place.attributes.plan(kernel, made, dest)
        else:
            late = partial(self.place.attributes.settle, kernel, dest)
            if made.changes and self.place.attributes != Attributes():
                made.add(f"set the attributes of {dest}", late)
        facts = {"src": self.src, "dest": dest, "checksum": None, "md5sum": None}
        made.expected = {**facts, **describe(kernel, dest, self.users)}
        if made.changes:
            made.report = lambda: {**facts, **copy.report(), **describe(kernel, dest, self.users)}
        return made


def _how(replaced: list[Replaced]) -> dict[str, Any]:
    """What is told of a file that was written."""
    if not replaced:
        return {}
    (done,) = replaced
    return {"atomic": done.atomic, **({"backup_file": done.backup_file} if done.backup_file else {})}
