# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to be done so that one tree of files becomes like another, and the doing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import IO, Any, Final

from .exclude import Exclusion
from .failures import OptionError
from .file_mode import UMASK
from .plan import Change, Plan
from .tree import (
    TOP,
    Entry,
    Scan,
    Target,
    Tree,
    Wish,
    ancestors,
    below,
    controller_files,
    depth,
    parent,
    same_content,
    scan,
)

_MICROSECOND: Final = 10**3  # nanoseconds
_SECOND: Final = 10**9


@dataclass(frozen=True)
class Rules:
    """What is made alike, and how it is known not to be.

    ``by_content``: the bytes of files of the same size are compared, instead of the modification times. ``existing``:
    nothing is made. ``delete``: what the source has not is removed, but for what ``exclusion`` keeps. ``newer``: a
    file that was changed later than the source's is left. ``unmanaged``: directories whose attributes are nobody's
    business. ``directory_times``: whether those of directories that are there count.
    """

    mode: bool = True
    owner: bool = True
    group: bool = True
    times: bool = True
    by_content: bool = False
    existing: bool = False
    delete: bool = False
    newer: bool = False
    exclusion: Exclusion = field(default_factory=Exclusion)
    unmanaged: frozenset[str] = frozenset()
    directory_times: bool = True
    mode_bits: int = 0o7777
    """Of the source's permission bits those that count; the others no file gets."""
    missing: str = "dest"
    """The option that names the target, for errors."""

    def wish(self, name: str, entry: Entry, is_new: bool) -> Wish:
        """What a file is to have of an entry of the source's."""
        mode = entry.mode & self.mode_bits
        if name in self.unmanaged:
            return Wish(mode=mode) if is_new else Wish()
        return Wish(
            mode=mode if self.mode else mode & ~UMASK if is_new else None,
            uid=entry.uid if self.owner else None,
            gid=entry.gid if self.group else None,
            mtime=entry.mtime if self.times else None,
        )


def same_time(source: int, found: int) -> bool:
    """Whether a modification time is the source's, as far as it could be noted: some file systems have only seconds,
    and release 6 sets microseconds."""
    return any(found == source - source % unit for unit in (1, _MICROSECOND, _SECOND))


@dataclass
class Difference:
    """What is to be done. Names, and what is said of each; parents before what is in them."""

    remove: dict[str, Entry] = field(default_factory=dict)  # all that goes, also to make way
    deleted: dict[str, Entry] = field(default_factory=dict)  # what the source has not
    create: dict[str, Entry] = field(default_factory=dict)
    content: dict[str, Entry] = field(default_factory=dict)  # files and links that are there and hold something else
    settle: dict[str, Wish] = field(default_factory=dict)  # what only has other attributes
    reasons: dict[str, list[str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def updated(self) -> list[str]:
        return sorted({*self.content, *self.settle, *(name for name in self.create if name in self.reasons)})

    @property
    def created(self) -> list[str]:
        return sorted(name for name in self.create if name not in self.reasons)


class Comparison:
    """A source and a target, and what makes the one like the other."""

    def __init__(self, source: Tree, wanted: Scan, target: Target, rules: Rules) -> None:
        """``wanted``: all of the source that is to be in the target."""
        self.source = source
        self.wanted = wanted
        self.target = target
        self.rules = rules
        self.found: dict[str, Entry] = {}
        self.difference = Difference()

    def compare(self) -> Difference:
        """:raises OptionError: something is in the way that is not to be removed."""
        self._look()
        suspects = []
        for name, entry in self.wanted.entries.items():
            have = self.found.get(name)
            if have is None or have.kind != entry.kind:
                if not self.rules.existing:
                    self._create(name, entry, have)
            elif entry.is_file and self._may_differ(entry, have):
                suspects.append(name)
            elif entry.is_link and entry.target != have.target:
                self._change(name, entry, "target")
            elif entry.is_device and entry.device != have.device:
                self._create(name, entry, have)
            else:
                self._attributes(name, entry, have)
        self._contents(suspects)
        return self.difference

    def _look(self) -> None:
        """What the target has of the names of the source, and what it has beyond them where that is to go."""
        names = dict.fromkeys(self.wanted.entries)
        level = [name for name in names if parent(name) not in names]
        while level:
            seen = self.target.look(level)
            self.found.update(seen)
            directories = {
                name for name, entry in seen.items() if entry.is_directory and self.wanted.entries[name].is_directory
            }
            if self.rules.delete:
                for name in directories & self.wanted.listed:
                    self._extraneous(name)
            level = [name for name in names if parent(name) in directories and name != TOP]

    def _extraneous(self, directory: str) -> None:
        known = self.wanted.entries.keys() | self.wanted.skipped
        strange = [below(directory, name) for name in self.target.listdir(directory)]
        found = scan(self.target, dict.fromkeys((name for name in strange if name not in known), False)).entries
        kept = self._kept(found)
        gone = {name: entry for name, entry in found.items() if name not in kept}
        self.difference.deleted |= gone
        self.difference.remove |= gone

    def _kept(self, entries: Mapping[str, Entry]) -> set[str]:
        """Those that stay: what is excluded, mount points, what is in these, and the directories that hold them."""
        kept: set[str] = set()
        for name, entry in entries.items():
            mounted = entry.is_directory and self.target.is_mounted(name)
            if mounted:
                text = f"{self.target.path(name)} is kept: a file system is mounted there"
                self.difference.warnings.append(text)
            if mounted or parent(name) in kept or self.rules.exclusion.covers(name, entry.is_directory):
                kept.add(name)
        for name in list(kept):
            kept.update(above for above in ancestors(name) if above in entries)
        return kept

    def _create(self, name: str, entry: Entry, have: Entry | None) -> None:
        if have is not None and name in self.rules.unmanaged:
            text = f"{self.target.path(name)} is a {have.word}, and what is to be in a directory there is not put there"
            raise OptionError(self.rules.missing, text)
        if have is not None:
            self._make_way(name, entry, have)
            self.difference.reasons[name] = [
                f"{have.word} becomes {entry.word}" if have.kind != entry.kind else "device"
            ]
        self.difference.create[name] = entry

    def _make_way(self, name: str, entry: Entry, have: Entry) -> None:
        path = self.target.path(name)
        if name == TOP:
            raise OptionError(self.rules.missing, f"{path} is a {have.word}, and a directory is to be there")
        if have.is_directory:
            inside = scan(self.target, {name: True}).entries
            if len(inside) > 1 and not self.rules.delete:
                text = f"the directory {path} is in the way of a {entry.word}, and not empty: delete: true removes it"
                raise OptionError(self.rules.missing, text)
            if self._kept({key: found for key, found in inside.items() if key != name}) or self.target.is_mounted(name):
                text = f"the directory {path} is in the way of a {entry.word}, and holds what is to be kept"
                raise OptionError(self.rules.missing, text)
            self.difference.remove |= inside
        elif not (entry.is_file or entry.is_link):  # these take a name's place at once
            self.difference.remove[name] = have

    def _may_differ(self, entry: Entry, have: Entry) -> bool:
        if self.rules.newer and have.mtime > entry.mtime:
            return False
        return self.rules.by_content or entry.size != have.size or not same_time(entry.mtime, have.mtime)

    def _contents(self, suspects: list[str]) -> None:
        """Of files that may differ, those that do; by their content only where that is asked for."""
        entries, found = self.wanted.entries, self.found
        equal = (
            {name for name in suspects if entries[name].size == found[name].size} if self.rules.by_content else set()
        )
        same = same_content(self.source, self.target, [name for name in suspects if name in equal])
        for name in suspects:
            if name in same:
                self._attributes(name, entries[name], found[name])
            else:
                self._change(name, entries[name], "size" if entries[name].size != found[name].size else "content")

    def _change(self, name: str, entry: Entry, reason: str) -> None:
        self.difference.content[name] = entry
        self.difference.reasons[name] = [reason]

    def _attributes(self, name: str, entry: Entry, have: Entry) -> None:
        if self.rules.newer and entry.is_file and have.mtime > entry.mtime:
            return
        wish = self.rules.wish(name, entry, False)
        untimed = entry.is_link or (entry.is_directory and not self.rules.directory_times)
        wanted = {
            "owner": (wish.uid, have.uid),
            "group": (wish.gid, have.gid),
            "mode": (None if entry.is_link else wish.mode, have.mode),
            "time": (None if untimed else wish.mtime, have.mtime),
        }
        reasons = [
            what
            for what, (wished, has) in wanted.items()
            if wished is not None and not (same_time(wished, has) if what == "time" else wished == has)
        ]
        if reasons:
            # A change of the owner takes set-id bits away, so that the mode goes with it.
            mode = wish.mode if {"mode", "owner", "group"} & set(reasons) else None
            self.difference.settle[name] = Wish(
                mode,
                wish.uid if "owner" in reasons else None,
                wish.gid if "group" in reasons else None,
                wish.mtime if "time" in reasons else None,
            )
            self.difference.reasons[name] = reasons


class TreePlan(Plan):
    """A plan whose changes are made many at once."""

    def __init__(self, comparison: Comparison, option: str) -> None:
        """``option`` is the one that names the controller's files."""
        super().__init__()
        self.comparison = comparison
        self.option = option
        self._sent = 0
        self._executed = False
        self._texts: dict[tuple[str, str], str] = {}
        self._describe()

    def facts(self) -> dict[str, Any]:
        """The lists for the module's result."""
        difference = self.comparison.difference
        return {
            "created": difference.created,
            "updated": difference.updated,
            "deleted": sorted(difference.deleted),
            "bytes": self._sent if self._executed else self._to_send(),
        }

    def _to_send(self) -> int:
        difference = self.comparison.difference
        sent = {**difference.create, **difference.content}
        return sum(entry.size for entry in sent.values() if entry.is_file)

    def _describe(self) -> None:
        comparison, difference = self.comparison, self.comparison.difference
        before: dict[str, str] = {}
        after: dict[str, str] = {}
        for name in sorted(difference.remove, key=lambda name: (-depth(name), name)):
            self._say("remove", name, f"remove the {difference.remove[name].word} {comparison.target.path(name)}")
            before[name] = str(difference.remove[name])
        for name, entry in difference.create.items():
            if name in comparison.found:
                before[name] = str(comparison.found[name])
            after[name] = str(self._future(name, entry))
            self._say("create", name, f"make the {entry.word} {comparison.target.path(name)}")
        for name, entry in difference.content.items():
            reason = difference.reasons[name][0]
            what = f"point the link {comparison.target.path(name)} to {entry.target}"
            if entry.is_file:
                what = f"send the content of {comparison.target.path(name)}"
            self._say("create", name, what)
            before[name] = str(comparison.found[name])
            after[name] = str(self._future(name, entry)) + (" (other content)" if reason == "content" else "")
        for name in difference.settle:
            reasons = " and ".join(difference.reasons[name])
            self._say("settle", name, f"set the {reasons} of {comparison.target.path(name)}")
            before[name] = str(comparison.found[name])
            after[name] = str(self._future(name, comparison.wanted.entries[name]))
        self.before = dict(sorted(before.items()))
        self.after = dict(sorted(after.items()))
        self.warnings += difference.warnings

    def _future(self, name: str, entry: Entry) -> Entry:
        """What an entry of the source's will be in the target, as far as it is known."""
        have = self.comparison.found.get(name)
        have = have if have is not None and have.kind == entry.kind else None
        wish = self.comparison.rules.wish(name, entry, have is None)
        # Without replace of dataclasses, which takes its time with thousands of files.
        return Entry(
            entry.kind,
            (entry if have is None else have).mode if wish.mode is None else wish.mode,
            (0 if have is None else have.uid) if wish.uid is None else wish.uid,
            (0 if have is None else have.gid) if wish.gid is None else wish.gid,
            (entry if have is None else have).mtime if wish.mtime is None else wish.mtime,
            entry.size,
            entry.target,
            entry.device,
        )

    def _say(self, step: str, name: str, text: str) -> None:
        self._texts[step, name] = text
        self.changes.append(Change(text, _together))

    def execute(self) -> None:
        for condition in self.conditions:
            condition()
        self._executed = True
        if not self.changes:
            return
        with controller_files(self.option):
            for step, name in self._run():
                if (step, name) in self._texts:
                    self.done.append(self._texts[step, name])

    def _run(self) -> Iterator[tuple[str, str]]:
        """Make the changes; the step and the name of each that is done."""
        target, difference = self.comparison.target, self.comparison.difference
        sent = {**difference.create, **difference.content}
        existing = {name for name in difference.content if self.comparison.found[name].is_file}
        wishes = {name: self.comparison.rules.wish(name, entry, name not in existing) for name, entry in sent.items()}
        directories = [name for name, entry in sent.items() if entry.is_directory]
        links = {name: entry.target for name, entry in sent.items() if entry.is_link}
        files = [name for name, entry in sent.items() if entry.is_file]
        nodes = {
            name: entry for name, entry in sent.items() if not (entry.is_directory or entry.is_link or entry.is_file)
        }
        for name in target.remove(list(difference.remove)):
            yield "remove", name
        if TOP not in self.comparison.found:
            target.make_top()
        for name in target.make_directories([name for name in directories if name != TOP]):
            yield "create", name
        for name, size in target.put_files(self._contents(files), wishes):
            self._sent += size
            yield "create", name
        for name in target.make_links(links):
            yield "create", name
        for name in target.make_nodes(nodes):
            yield "create", name
        target.settle({name: wishes[name] for name in (*links, *nodes)}, links)
        others = {name: wish for name, wish in difference.settle.items() if not self._is_directory(name)}
        target.settle(others, [name for name in others if self.comparison.wanted.entries[name].is_link])
        for name in others:
            yield "settle", name
        yield from self._settle_directories(set(directories), wishes)

    def _settle_directories(self, made: set[str], wishes: Mapping[str, Wish]) -> Iterator[tuple[str, str]]:
        """Last, the deepest first: whatever is made in a directory changes its time, and its mode may forbid it."""
        rules, difference = self.comparison.rules, self.comparison.difference
        touched = {parent(name) for name in (*difference.create, *difference.content, *difference.remove)}
        last: dict[str, Wish] = {name: wishes[name] for name in made}
        last |= {name: wish for name, wish in difference.settle.items() if self._is_directory(name)}
        for name in touched:
            entry = self.comparison.wanted.entries.get(name or "")
            if name is None or entry is None or name in made or not (rules.times and rules.directory_times):
                continue
            if name not in rules.unmanaged:
                last[name] = replace(last.get(name, Wish()), mtime=entry.mtime)
        ordered = sorted(last, key=depth, reverse=True)
        self.comparison.target.settle({name: last[name] for name in ordered})
        for name in ordered:
            yield ("create" if name == TOP and name in made else "settle"), name

    def _is_directory(self, name: str) -> bool:
        return self.comparison.wanted.entries[name].is_directory

    def _contents(self, names: list[str]) -> Iterator[tuple[str, IO[bytes], int]]:
        for name, stream in self.comparison.source.contents(names):
            yield name, stream, self.comparison.wanted.entries[name].size


def _together() -> None:
    """The changes of a :class:`TreePlan` are made by the plan."""
