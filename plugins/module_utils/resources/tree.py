# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trees of files, wherever they are: what is in them, by names that are paths from their top.

The top itself is ``.``; all else is ``a``, ``a/b`` and so on, in a mapping that has parents before what is in them.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Final, Protocol

from ..sysproxy import KernelError, RumpError
from .exclude import Exclusion
from .failures import OptionError
from .file_mode import mode_text

TOP: Final = "."
SET_ID: Final = stat.S_ISUID | stat.S_ISGID
_CHUNK: Final = 1 << 20  # bytes
_FIRST_YEAR: Final = -62135596800  # seconds since the epoch, of the years 1 to 9999 that Python has
_LAST_YEAR: Final = 253402300799
_KINDS: Final = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "fifo",
    stat.S_IFCHR: "character device",
    stat.S_IFBLK: "block device",
    stat.S_IFSOCK: "socket",
}


@dataclass(frozen=True)
class Entry:
    """One file of a tree. ``kind`` is one of stat.S_IF*, ``mode`` the permission bits, ``mtime`` in nanoseconds since
    the epoch, ``size`` in bytes, ``target`` that of a link, ``device`` major and minor, ``identity`` that of its
    file system and its number there."""

    kind: int
    mode: int
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    size: int = 0
    target: str = ""
    device: tuple[int, int] = (0, 0)
    identity: tuple[int, int] = field(default=(0, 0), compare=False)

    @classmethod
    def from_stat(cls, found: os.stat_result, target: str, device: tuple[int, int]) -> Entry:
        """What a stat says. ``device`` is its st_rdev taken apart, in the way of the system that it is of."""
        return cls(
            kind=stat.S_IFMT(found.st_mode),
            mode=stat.S_IMODE(found.st_mode),
            uid=found.st_uid,
            gid=found.st_gid,
            mtime=found.st_mtime_ns,
            size=found.st_size,
            target=target,
            device=device,
            identity=(found.st_dev, found.st_ino),
        )

    @property
    def is_directory(self) -> bool:
        return self.kind == stat.S_IFDIR

    @property
    def is_file(self) -> bool:
        return self.kind == stat.S_IFREG

    @property
    def is_link(self) -> bool:
        return self.kind == stat.S_IFLNK

    @property
    def is_device(self) -> bool:
        return self.kind in (stat.S_IFCHR, stat.S_IFBLK)

    @property
    def word(self) -> str:
        """What it is, in a word."""
        return _KINDS.get(self.kind, "file of a kind that is not known")

    def __str__(self) -> str:
        """A line of the diff."""
        owners = f"owner={self.uid} group={self.gid}"
        if self.is_link:
            return f"link to {self.target} {owners}"
        seconds, nanoseconds = divmod(self.mtime, 10**9)
        size = f" size={self.size}" if self.is_file else ""
        device = f" device={self.device[0]},{self.device[1]}" if self.is_device else ""
        known = f"mode={mode_text(self.mode)} {owners}{size}{device}"
        return f"{self.word} {known} mtime={_moment(seconds)}.{nanoseconds:09}Z"


@functools.lru_cache
def _moment(seconds: int) -> str:
    if not _FIRST_YEAR <= seconds <= _LAST_YEAR:
        return str(seconds)
    return (datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)).isoformat()


@dataclass(frozen=True)
class Wish:
    """What a file is to have of these; None leaves it. ``mtime`` in nanoseconds since the epoch."""

    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    mtime: int | None = None


class Tree(Protocol):
    """A place that has files: the controller, a kernel, an archive.

    ``entries`` is all that was looked at.
    """

    entries: dict[str, Entry]

    def look(self, names: Sequence[str], follow: bool = False) -> dict[str, Entry]:
        """Those of ``names`` that there are; with ``follow`` what links lead to instead of the links."""

    def listdir(self, name: str) -> list[str]:
        """The names in a directory, without the directory's."""

    def contents(self, names: Sequence[str]) -> Iterator[tuple[str, IO[bytes]]]:
        """The files of these names, each open for reading until the next is asked for."""


class Target(Tree, Protocol):
    """A tree that can be changed. What does many things at once yields the names that are done.

    ``atomic`` is False once something was changed in place, for want of a rename.
    """

    atomic: bool

    def path(self, name: str) -> str:
        """The whole path."""

    def is_mounted(self, name: str) -> bool:
        """Whether a file system is mounted on a directory."""

    def remove(self, names: Sequence[str]) -> Iterator[str]:
        """Names of all kinds; directories after what is in them."""

    def make_top(self) -> None:
        """The top, with its parents."""

    def make_directories(self, names: Sequence[str]) -> Iterator[str]:
        """With a mode that lets only the owner in, until :meth:`settle` gives them theirs."""

    def make_links(self, targets: Mapping[str, str]) -> Iterator[str]:
        """Symbolic links, new ones or in the place of others."""

    def make_nodes(self, nodes: Mapping[str, Entry]) -> Iterator[str]:
        """Named pipes and devices."""

    def put_files(
        self, files: Iterable[tuple[str, IO[bytes], int]], wishes: Mapping[str, Wish]
    ) -> Iterator[tuple[str, int]]:
        """Files with their content, and its size as it is known; with what they are to have. The number of bytes."""

    def settle(self, wishes: Mapping[str, Wish], links: Iterable[str] = ()) -> None:
        """Give files what they are to have; ``links`` are those that are symbolic links."""


def below(directory: str, name: str) -> str:
    return name if directory == TOP else f"{directory}/{name}"


def parent(name: str) -> str | None:
    """The directory that a name is in; None for the top."""
    if name == TOP:
        return None
    return name.rpartition("/")[0] or TOP


def ancestors(name: str) -> Iterator[str]:
    """The directories that a name is in, up to the top."""
    above = parent(name)
    while above is not None:
        yield above
        above = parent(above)


def depth(name: str) -> int:
    return 0 if name == TOP else name.count("/") + 1


def levels(names: Iterable[str]) -> Iterator[list[str]]:
    """The names by their depth, so that those of a level do not depend on each other."""
    by_depth: dict[int, list[str]] = {}
    for name in names:
        by_depth.setdefault(depth(name), []).append(name)
    for _depth, level in sorted(by_depth.items()):
        yield level


@dataclass
class Scan:
    """What was found: the entries, the directories that were listed, and names that are there and not wanted."""

    entries: dict[str, Entry] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)
    skipped: set[str] = field(default_factory=set)


def scan(
    tree: Tree,
    roots: Mapping[str, bool],
    exclusion: Exclusion | None = None,
    recursive: bool = True,
    follow: bool = False,
) -> Scan:
    """All that there is at ``roots`` and below them.

    :param roots: names, and whether what is in them is wanted even without ``recursive``.
    :raises OptionError: links that are followed lead to a directory that they are in.
    """
    exclusion = exclusion or Exclusion()
    found = Scan()
    wanted = list(roots)
    while wanted:
        level = {
            name: entry
            for name, entry in tree.look(wanted, follow).items()
            if name == TOP or not exclusion.excludes(name, entry.is_directory)
        }
        found.entries.update(level)
        wanted = []
        for name, entry in level.items():
            if entry.is_directory and (recursive or roots.get(name)):
                if follow:
                    _check_round(found.entries, name, entry)
                found.listed.add(name)
                wanted += [below(name, child) for child in sorted(tree.listdir(name))]
    return found


def _check_round(entries: Mapping[str, Entry], name: str, entry: Entry) -> None:
    for above in ancestors(name):
        if above in entries and entries[above].identity == entry.identity:
            raise OptionError("copy_links", f"{name} leads to {above}, in which it is: without end")


def same_content(one: Tree, other: Tree, names: Sequence[str]) -> set[str]:
    """Those of ``names``, files of the same size in both, that hold the same bytes."""
    same = set()
    for (name, left), (_name, right) in zip(one.contents(names), other.contents(names), strict=True):
        while True:
            chunk = left.read(_CHUNK)
            if chunk != right.read(_CHUNK):
                break
            if not chunk:
                same.add(name)
                break
    return same


@contextlib.contextmanager
def controller_files(option: str) -> Iterator[None]:
    """A block that works on the controller's files, which ``option`` names.

    :raises OptionError: they refuse.
    """
    try:
        yield
    except (KernelError, RumpError):
        raise
    except OverflowError as error:  # a time that the controller cannot have
        raise OptionError(option, f"{error} (on the controller)") from None
    except OSError as error:
        about = f"{os.fsdecode(error.filename)}: " if error.filename else ""
        raise OptionError(option, f"{about}{error.strerror or error} (on the controller)") from None
