# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files by what they are: the filters, the walk and the results of ansible.builtin.find."""

from __future__ import annotations

import fnmatch
import os
import re
import stat
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from ..sysproxy import Kernel, KernelError
from ..sysproxy.kernel.directories import DirEntry
from ..sysproxy.netbsd.constants import DT
from .failures import OptionError
from .file import checked_path
from .file_facts import facts_of, names_of_ids, new_digest
from .file_mode import Mode
from .find_content import Unreadable, checksums, matching
from .plan import Plan
from .users import Users

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_BYTES: Final = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_TYPES: Final = {"directory": DT.DIR, "file": DT.REG, "link": DT.LNK}
_READ_AT_ONCE: Final = 64
_NOT_TO_BE_LISTED: Final = ("EPERM", "EACCES", "ENOENT")

Matcher = Callable[[str], object]


def plan(kernel: Kernel, parameters: Mapping[str, Any]) -> Plan:
    """The plan of rump_find, which changes nothing."""
    search = _Search(kernel, parameters)
    for path in parameters["paths"]:
        search.look_below(checked_path("paths", path))
    return Plan(expected=search.result(), warnings=search.warnings)


@dataclass(frozen=True)
class _Candidate:
    """A file on its way through the filters; ``examined``: how many files had been met when its directory was."""

    path: str
    examined: int


@dataclass(frozen=True)
class _Folder:
    """A directory to be listed, how deep it is, and where links are followed, its and its parents' (device, inode)."""

    path: str
    depth: int
    line: tuple[tuple[int, int], ...] = ()


class _Search:
    """One task: its filters, and what they found so far."""

    def __init__(self, kernel: Kernel, parameters: Mapping[str, Any]) -> None:
        """:raises OptionError: a filter means nothing."""
        self.kernel, self.users = kernel, Users(kernel)
        self.recurse, self.follow = bool(parameters["recurse"]), bool(parameters["follow"])
        self.hidden, self.file_type = bool(parameters["hidden"]), parameters["file_type"]
        self.depth = parameters.get("depth") or 0
        self.limit = _limit(parameters.get("limit"))
        use_regex = bool(parameters["use_regex"])
        patterns = parameters.get("patterns") or [".*" if use_regex else "*"]
        self.wanted = _patterns("patterns", patterns, use_regex)
        self.unwanted = _patterns("excludes", parameters.get("excludes") or [], use_regex)
        self.age = _scaled("age", parameters.get("age"), _SECONDS)
        self.age_stamp = f"st_{parameters['age_stamp']}"
        self.now = 0.0 if self.age is None else _now(kernel)
        self.size = _scaled("size", parameters.get("size"), _BYTES)
        self.mode, self.exact_mode = _mode(parameters.get("mode")), bool(parameters["exact_mode"])
        contains = parameters.get("contains")
        self.contains = None if contains is None else _compiled("contains", contains)
        self.encoding = parameters.get("encoding") or "utf-8"
        self.whole = bool(parameters["read_whole_file"])
        self.algorithm = parameters["checksum_algorithm"] if parameters["get_checksum"] else None
        if self.algorithm is not None:
            new_digest(self.algorithm)
        self.files: list[dict[str, Any]] = []
        self.skipped: dict[str, str] = {}
        self.warnings: list[str] = []
        self.examined = 0
        self.ended = False

    def result(self) -> dict[str, Any]:
        text = "All paths examined"
        if self.ended:
            text = "Limit of matches reached"
        if self.warnings:
            text = "Not all paths examined, check warnings for details"
        return {
            "files": self.files,
            "matched": len(self.files),
            "examined": self.examined,
            "skipped_paths": self.skipped,
            "msg": text,
        }

    def look_below(self, top: str) -> None:
        """Add what one of the paths has; what is wrong with it is told, and keeps nobody from the others."""
        if self.ended:
            return
        try:
            if not self.kernel.isdir(top):
                raise NotADirectoryError(f"'{top}' is not a directory")
            self._collect(top)
        except (KernelError, NotADirectoryError, Unreadable) as error:
            self.skipped[top] = str(error)
            self.warnings.append(f"Skipped '{top}' path due to this access issue: {error}")

    def _collect(self, top: str) -> None:
        found = self._with_content(self._with_status(top))
        while some := list(islice(found, self._batch())):
            regular = [(at.path, status.st_size) for at, status in some if stat.S_ISREG(status.st_mode)]
            sums = checksums(self.kernel, regular, self.algorithm) if self.algorithm else iter(())
            for at, status in some:
                facts = {"path": at.path, **facts_of(status), **names_of_ids(status, self.users)}
                if self.algorithm and stat.S_ISREG(status.st_mode):
                    facts["checksum"] = next(sums)
                self.files.append(facts)
            if len(self.files) == self.limit:
                # Later directories may have been listed already, while the stats of this one were in flight.
                self.examined, self.ended = some[-1][0].examined, True
                return

    def _batch(self) -> int:
        return _READ_AT_ONCE if self.limit is None else min(_READ_AT_ONCE, self.limit - len(self.files))

    # The filters, each on what the one before it lets through

    def _with_content(
        self, found: Iterator[tuple[_Candidate, os.stat_result]]
    ) -> Iterator[tuple[_Candidate, os.stat_result]]:
        """Those whose content is as asked for."""
        if self.contains is None or self.file_type != "file":
            yield from found
            return
        while some := list(islice(found, _READ_AT_ONCE)):
            files = [(at.path, status.st_size) for at, status in some]
            hits = matching(self.kernel, files, self.contains, self.encoding, self.whole)
            yield from (one for one, hit in zip(some, hits, strict=True) if hit)

    def _with_status(self, top: str) -> Iterator[tuple[_Candidate, os.stat_result]]:
        """Those whose type, age, mode and size are as asked for; many stats are in flight together."""
        started: deque[_Candidate] = deque()

        def paths() -> Iterator[str]:
            for candidate in self._with_name(top):
                started.append(candidate)
                yield candidate.path

        for path, status in self.kernel.stat_many(paths(), follow_symlinks=False):
            candidate = started.popleft()
            if isinstance(status, KernelError):
                self.skipped[path] = str(status)
                self.warnings.append(f"Skipped entry '{path}' due to access issue: {status}")
            elif self._fits(status):
                yield candidate, status

    def _fits(self, status: os.stat_result) -> bool:
        kind = stat.S_IFMT(status.st_mode) >> 12
        if self.file_type != "any" and kind != _TYPES[self.file_type]:
            return False
        if self.age is not None and not _at_least(self.now - getattr(status, self.age_stamp), self.age):
            return False
        if self.mode is not None:
            mode = stat.S_IMODE(status.st_mode)
            if not (mode == self.mode if self.exact_mode else mode & self.mode):
                return False
        return self.size is None or kind != DT.REG or _at_least(status.st_size, self.size)

    def _with_name(self, top: str) -> Iterator[_Candidate]:
        """Those whose name, and the type that their directory tells, are as asked for."""
        for entry, examined in self._walk(top):
            if entry.name.startswith(".") and not self.hidden:
                continue
            if self.file_type != "any" and entry.type != _TYPES[self.file_type]:
                continue
            if any(match(entry.name) for match in self.wanted) and not any(
                match(entry.name) for match in self.unwanted
            ):
                yield _Candidate(os.path.normpath(entry.path), examined)

    # The walk

    def _walk(self, top: str) -> Iterator[tuple[DirEntry, int]]:
        """All that is below ``top``, each with the number of files met so far, in the order of os.walk.

        A directory that is as deep as ``depth`` allows is listed still, and its files are counted.
        """
        todo = [_Folder(top, 0, (self._identity(top),) if self.follow else ())]
        while todo:
            folder = todo.pop()
            try:
                entries = list(self.kernel.scandir(folder.path))
            except KernelError as error:
                if error.name not in _NOT_TO_BE_LISTED:
                    raise
                self.skipped[folder.path] = str(error)
                continue
            self.examined += len(entries)
            if self.depth and folder.depth >= self.depth:
                continue
            below = self._below(folder, entries)
            for entry in (
                *(one for one in entries if one.name not in below),
                *(one for one in entries if one.name in below),
            ):
                yield entry, self.examined
            if self.recurse:
                todo += reversed([inner for inner in below.values() if inner is not None])

    def _below(self, folder: _Folder, entries: list[DirEntry]) -> dict[str, _Folder | None]:
        """The directories among a directory's entries; None for one that is above it, too, where links are followed."""
        if not self.follow:
            return {entry.name: _Folder(entry.path, folder.depth + 1) for entry in entries if entry.is_dir()}
        below: dict[str, _Folder | None] = {}
        ways = [entry for entry in entries if entry.is_dir() or entry.is_symlink()]
        for entry, (_path, status) in zip(ways, self.kernel.stat_many([way.path for way in ways]), strict=True):
            if isinstance(status, os.stat_result) and stat.S_ISDIR(status.st_mode):
                identity = status.st_dev, status.st_ino
                inner = _Folder(entry.path, folder.depth + 1, (*folder.line, identity))
                below[entry.name] = None if identity in folder.line else inner
        return below

    def _identity(self, path: str) -> tuple[int, int]:
        status = self.kernel.stat(path)
        return status.st_dev, status.st_ino


def _at_least(value: float, bound: int) -> bool:
    """A negative bound is an upper one."""
    return value >= bound if bound >= 0 else value <= -bound


def _now(kernel: Kernel) -> float:
    """The kernel's time, which its files' times are of; a release without that call has the controller's."""
    try:
        return kernel.clock_gettime()
    except KernelError as error:
        if error.name != "ENOSYS":
            raise
        return time.time()


# Options


def _limit(limit: int | None) -> int | None:
    if limit is not None and limit <= 0:
        raise OptionError("limit", f"give a number from 1, not {limit}, or leave it out for all matches")
    return limit


def _scaled(option: str, text: str | None, units: Mapping[str, int]) -> int | None:
    if text is None:
        return None
    match = re.fullmatch(rf"(-?\d+)([{''.join(units)}]?)", text.lower())
    if match is None:
        raise OptionError(
            option, f"{text!r} is no number with one of {', '.join(units)} after it, such as 2{min(units)}"
        )
    return int(match[1]) * units.get(match[2], 1)


def _mode(mode: Any) -> int | None:
    if not mode:
        return None
    if not isinstance(mode, str):
        raise OptionError("mode", f"{mode!r} is not a string: give octal digits in quotes such as '0644'")
    return Mode.parse(mode).of(0)


def _patterns(option: str, patterns: list[str], use_regex: bool) -> list[Matcher]:
    return [_compiled(option, text if use_regex else fnmatch.translate(text)).match for text in patterns]


def _compiled(option: str, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise OptionError(option, f"{text!r} is no regular expression: {error}") from None
