# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is in a tar or zip archive, as a tree of files; an archive that reaches outside its directory is refused.

Refused are names that are absolute or climb with ``..``, what lies below a link of the archive's own, links that lead
out of the archive's directory, whatever other links they go through, and devices and pipes: what tarfile's data filter
refuses, and for zip, too. Unlike the filter this looks at no directory of the controller's, which has nothing to do
with that in the kernel.
"""

from __future__ import annotations

import contextlib
import lzma
import posixpath
import stat
import struct
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import IO, Final

from .failures import OptionError
from .tree import TOP, Entry, ancestors, depth, parent

_CHUNK: Final = 1 << 20
_MOST_LINKS: Final = 32  # MAXSYMLINKS of sys/param.h
_LONGEST_TIME: Final = 10**9 << 55  # nanoseconds
_UNIX: Final = 3  # ZipInfo.create_system
_TIMESTAMP: Final = 0x5455  # the extra field of a zip's member that has its time in UTC
_DAMAGE: Final = (EOFError, OSError, tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error)


@dataclass(frozen=True)
class Member:
    """A file of an archive: its name there, what it is, and how it is opened."""

    raw_name: str
    entry: Entry
    open: Callable[[], IO[bytes]] | None = None


class Archive:
    """An archive; the source of a comparison, see :class:`.tree.Tree`.

    ``members`` has what it holds by names in the tree, directories first, all else in the order of the archive.
    ``implied`` are the directories that it only names in paths. ``knows_owners``: as a tar does.
    """

    def __init__(self, stream: IO[bytes], source: str) -> None:
        """:raises OptionError: it is no archive, damaged, or not safe."""
        self.source = source
        self.entries: dict[str, Entry] = {}
        with self._damage():
            self._open(stream)
        self._check()

    def _open(self, stream: IO[bytes]) -> None:
        try:
            tar = tarfile.open(fileobj=stream, mode="r:*")  # noqa: SIM115 - it is read for as long as the task runs
        except tarfile.ReadError:
            tar = None
        if tar is not None:
            self.kind, self.knows_owners = "tar", True
            files: dict[str, tarfile.TarInfo] = {}
            members = [_tar_member(tar, info, files) for info in tar.getmembers()]
            while tar.fileobj is not None and tar.fileobj.read(_CHUNK):  # up to the checksum at its end
                pass
        elif zipfile.is_zipfile(stream):
            zip_file = zipfile.ZipFile(stream)
            self.kind, self.knows_owners = "zip", False
            members = [_zip_member(zip_file, info) for info in zip_file.infolist()]
            damaged = zip_file.testzip() if not any(info.flag_bits & 1 for info in zip_file.infolist()) else None
            if damaged is not None:
                raise zipfile.BadZipFile(f"{damaged} has another checksum than it should")
        else:
            text = f"{self.source} is no archive: a tar (as it is, or with gzip, bzip2 or xz) or a zip"
            raise OptionError("src", text)
        self.raw = members

    def _check(self) -> None:
        """Give the members names in the tree.

        :raises OptionError: one of them reaches outside.
        """
        found: dict[str, Member] = {}
        for member in self.raw:
            name = self._name(member)
            if member.entry.word not in ("file", "directory", "link"):
                raise self._unsafe(member, f"is a {member.entry.word}")
            if name != TOP:
                found.pop(name, None)  # the last one of a name is what the archive means, in its place
                found[name] = member
        links = {name: member.entry.target for name, member in found.items() if member.entry.is_link}
        for name, member in found.items():
            for above in ancestors(name):
                if above in found and not found[above].entry.is_directory:
                    raise self._unsafe(member, f"is below {found[above].raw_name}, a {found[above].entry.word}")
            if member.entry.is_link:
                self._check_link(name, member, links)
        self.members = found

    def _name(self, member: Member) -> str:
        raw = member.raw_name
        parts = [part for part in raw.split("/") if part not in ("", ".")]
        if raw.startswith("/"):
            raise self._unsafe(member, "is an absolute path")
        if ".." in parts:
            raise self._unsafe(member, "climbs out of its directory with '..'")
        if "\0" in raw:
            raise self._unsafe(member, "holds a NUL byte")
        return "/".join(parts) or TOP

    def _check_link(self, name: str, member: Member, links: Mapping[str, str]) -> None:
        """Follow a link by the archive's own links."""
        pending = member.entry.target.split("/")[::-1]
        where = [part for part in posixpath.dirname(name).split("/") if part]
        if member.entry.target.startswith("/"):
            raise self._unsafe(member, f"is a link to an absolute path, {member.entry.target}")
        followed = 0
        while pending:
            part = pending.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if not where:
                    raise self._unsafe(member, f"is a link that leads outside, {member.entry.target}")
                where.pop()
                continue
            where.append(part)
            target = links.get("/".join(where))
            if target is not None:
                followed += 1
                if followed > _MOST_LINKS:
                    return  # they go round, and so lead nowhere
                where.pop()
                pending += target.split("/")[::-1]

    def _unsafe(self, member: Member, what: str) -> OptionError:
        return OptionError("src", f"{self.source} is not safe to unpack: {member.raw_name!r} {what}")

    def select(self, wanted: Callable[[str], bool]) -> frozenset[str]:
        """Take those members that are wanted into :attr:`entries`, with the directories that they are in.

        The names of the directories that the archive only implies, the top among them.
        """
        names = [name for name in self.members if wanted(name)]
        directories = {name: self.members[name].entry for name in names if self.members[name].entry.is_directory}
        implied = {above for name in names for above in ancestors(name)} - directories.keys() | {TOP}
        directories |= {name: Entry(stat.S_IFDIR, 0o755) for name in implied}
        self.entries = {name: directories[name] for name in sorted(directories, key=lambda name: (depth(name), name))}
        self.entries |= {name: self.members[name].entry for name in names if name not in directories}
        return frozenset(implied)

    # As a tree; only its contents are asked for

    def look(self, names: Sequence[str], follow: bool = False) -> dict[str, Entry]:
        return {name: self.entries[name] for name in names if name in self.entries}

    def listdir(self, name: str) -> list[str]:
        return [posixpath.basename(one) for one in self.entries if parent(one) == name]

    def contents(self, names: Sequence[str]) -> Iterator[tuple[str, IO[bytes]]]:
        for name in names:
            opener = self.members[name].open
            if opener is not None:
                with opener() as stream:
                    yield name, stream

    @contextlib.contextmanager
    def _damage(self) -> Iterator[None]:
        try:
            yield
        except NotImplementedError as error:
            raise OptionError("src", f"{self.source} is packed in a way that Python does not know: {error}") from None
        except _DAMAGE as error:
            raise OptionError("src", f"{self.source} is damaged: {error}") from None


def _tar_member(tar: tarfile.TarFile, info: tarfile.TarInfo, files: dict[str, tarfile.TarInfo]) -> Member:
    """``files`` are those before it by their names, to which it is added."""
    contents = info
    if info.islnk():  # another name for a file that is in the archive before it
        target = files.get(posixpath.normpath(info.linkname))
        if target is None:
            text = f"not safe to unpack: {info.name!r} is a hard link to {info.linkname}, which the archive has not"
            raise OptionError("src", text)
        contents = target
    if contents.isfile():
        files[posixpath.normpath(info.name)] = contents
    kinds = (
        (contents.isfile(), stat.S_IFREG),
        (info.isdir(), stat.S_IFDIR),
        (info.issym(), stat.S_IFLNK),
        (info.isfifo(), stat.S_IFIFO),
        (info.ischr(), stat.S_IFCHR),
        (info.isblk(), stat.S_IFBLK),
    )
    entry = Entry(
        kind=next((kind for fits, kind in kinds if fits), 0),
        mode=stat.S_IMODE(info.mode),
        uid=info.uid,
        gid=info.gid,
        mtime=_tar_time(info),
        size=contents.size if contents.isfile() else 0,
        target=info.linkname if info.issym() else "",
    )

    def opened() -> IO[bytes]:
        stream = tar.extractfile(contents)
        if stream is None:
            raise tarfile.ReadError(f"{info.name} is no file")
        return stream

    return Member(info.name, entry, opened if entry.is_file else None)


def _tar_time(info: tarfile.TarInfo) -> int:
    """In nanoseconds, as exact as the archive has it.

    :raises ReadError: it is none, or one that no kernel could keep.
    """
    try:
        nanoseconds = int(Decimal(str(info.pax_headers.get("mtime", info.mtime))) * 10**9)
    except (ArithmeticError, ValueError):
        nanoseconds = _LONGEST_TIME
    if abs(nanoseconds) >= _LONGEST_TIME:
        raise tarfile.ReadError(f"the time of {info.name!r} is none")
    return nanoseconds


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    if info.flag_bits & 1:
        raise OptionError("src", f"{info.filename!r} is encrypted, and there is no password to give: decrypt it before")
    attributes = info.external_attr >> 16 if info.create_system == _UNIX else 0
    kind = stat.S_IFMT(attributes) or (stat.S_IFDIR if info.is_dir() else stat.S_IFREG)
    entry = Entry(
        kind=stat.S_IFDIR if info.is_dir() else kind,
        mode=stat.S_IMODE(attributes) or (0o755 if info.is_dir() else 0o644),
        mtime=_zip_time(info) * 10**9,
        size=info.file_size if kind == stat.S_IFREG else 0,
        target=archive.read(info).decode(errors="surrogateescape") if kind == stat.S_IFLNK else "",
    )
    return Member(info.filename, entry, (lambda: archive.open(info)) if entry.is_file else None)


def _zip_time(info: zipfile.ZipInfo) -> int:
    """In seconds since the epoch: by the extra field, or the time of the controller's zone that every member has."""
    extra = info.extra
    while len(extra) >= 4:
        tag, length = struct.unpack_from("<HH", extra)
        if tag == _TIMESTAMP and length >= 5 and len(extra) >= 9 and extra[4] & 1:
            return int(struct.unpack_from("<i", extra, 5)[0])
        extra = extra[4 + length :]
    return int(time.mktime((*info.date_time, 0, 0, -1)))
