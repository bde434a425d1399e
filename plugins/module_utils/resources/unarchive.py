# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The unarchive module's resource: a directory of the kernel that holds what an archive does."""

from __future__ import annotations

import fnmatch
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import IO, Any, Final, cast

from ..sysproxy import Kernel, KernelError
from .archive_members import Archive
from .failures import OptionError, not_there
from .file import checked_path
from .file_attributes import Attributes
from .plan import Change, Plan
from .tree import Entry, Scan, controller_files
from .tree_change import Comparison, Rules, TreePlan
from .tree_kernel import KernelTree
from .users import Users

_IN_MEMORY: Final = 1 << 26  # bytes of an archive of the kernel's; a larger one is kept in a temporary file


def plan(kernel: Kernel, parameters: Mapping[str, Any]) -> Plan:
    """Unpack ``src`` into ``dest``, but for what is there already."""
    src, dest = checked_path("src", parameters["src"]), checked_path("dest", parameters["dest"])
    if parameters["extra_opts"]:
        raise OptionError("extra_opts", "no program unpacks the archive that could take them; see include and exclude")
    if "://" in src:
        raise OptionError("src", "give a file; ansible.builtin.get_url on the controller downloads one")
    asked = {key: parameters.get(key) for key in ("mode", "owner", "group")}
    attributes = Attributes.parse(asked, "file", Users(kernel))
    creates = parameters["creates"]
    if creates and kernel.exists(checked_path("creates", creates)):
        return Plan(expected={"skipped": True, "msg": f"skipped, since {creates} exists", "src": src, "dest": dest})
    with controller_files("src"):
        stream = _opened(kernel, parameters)
        if stream is None:
            return _plan_without_source(kernel, parameters)
        archive = Archive(stream, src)
    chosen = _chosen(archive, parameters["include"], parameters["exclude"])
    implied = archive.select(chosen.__contains__)
    entries = {
        name: entry if name in implied else _with_attributes(entry, attributes)
        for name, entry in archive.entries.items()
    }
    comparison = Comparison(
        archive,
        Scan(entries),
        KernelTree(kernel, dest),
        Rules(
            owner=archive.knows_owners or attributes.uid is not None,
            group=archive.knows_owners or attributes.gid is not None,
            by_content=True,
            newer=parameters["keep_newer"],
            unmanaged=implied,
            directory_times=False,
        ),
    )
    comparison.compare()
    made = TreePlan(comparison, "src")
    made.conditions.append(partial(_require_directory, kernel, dest))
    told: dict[str, Any] = {"src": src, "dest": dest, "handler": archive.kind}
    if parameters["list_files"]:
        told["files"] = sorted(chosen)
    made.expected = {**told, **made.facts()}
    if made.changes:
        made.report = lambda: {**told, **made.facts(), "atomic": comparison.target.atomic}
    return made


def _opened(kernel: Kernel, parameters: Mapping[str, Any]) -> IO[bytes] | None:
    """The archive; None for one of the kernel's that is not there."""
    if not parameters["remote_src"]:
        return open(os.path.expanduser(parameters["src"]), "rb")
    if not kernel.exists(parameters["src"]):
        return None
    stream = cast("IO[bytes]", tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115 - gone with the task
    kernel.copy_out(parameters["src"], stream)
    stream.seek(0)
    return stream


def _plan_without_source(kernel: Kernel, parameters: Mapping[str, Any]) -> Plan:
    """An earlier task may be about to make it, which check mode cannot know."""
    src, dest = parameters["src"], parameters["dest"]
    made = Plan(expected={"src": src, "dest": dest})
    made.conditions.append(partial(_require_source, kernel, src))
    made.changes.append(Change(f"unpack {src}", lambda: None))
    return made


def _require_source(kernel: Kernel, src: str) -> None:
    """:raises OptionError: there is no archive."""
    try:
        kernel.stat(src)
    except KernelError as error:
        if error.name not in ("ENOENT", "ENOTDIR"):
            raise
        raise not_there("src", src, error) from None


def _chosen(archive: Archive, include: Sequence[str], exclude: Sequence[str]) -> set[str]:
    """The members that are wanted.

    :raises OptionError: one of ``include`` is not in the archive.
    """
    chosen = set(archive.members)
    if include:
        chosen = set()
        for pattern in include:
            fitting = {name for name in archive.members if _fits(name, pattern)}
            if not fitting:
                raise OptionError("include", f"{pattern} is not in the archive {archive.source}")
            chosen |= fitting
    return {name for name in chosen if not any(_fits(name, pattern) for pattern in exclude)}


def _fits(name: str, pattern: str) -> bool:
    """Whether a pattern fits a name, or a directory that it is in. ``*`` stands for ``/``, too, as in the namesake."""
    pattern = pattern.removeprefix("./").rstrip("/")
    parts = name.split("/")
    return any(fnmatch.fnmatchcase("/".join(parts[: count + 1]), pattern) for count in range(len(parts)))


def _with_attributes(entry: Entry, attributes: Attributes) -> Entry:
    mode = entry.mode
    if attributes.mode is not None and not entry.is_link:
        mode = attributes.mode.of(entry.kind | entry.mode)
    return replace(
        entry,
        mode=mode,
        uid=entry.uid if attributes.uid is None else attributes.uid,
        gid=entry.gid if attributes.gid is None else attributes.gid,
    )


def _require_directory(kernel: Kernel, dest: str) -> None:
    """:raises OptionError: ``dest`` is not there, or no directory."""
    if not kernel.isdir(dest):
        raise OptionError("dest", f"{dest} is to be a directory that is there: make it with rump_file")
