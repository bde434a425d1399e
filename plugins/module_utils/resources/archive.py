# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The archive module's resource: an archive on the controller of files of the kernel's.

The same files make the same archive, byte for byte, which tells whether there is anything to change.
"""

from __future__ import annotations

import bz2
import contextlib
import fnmatch
import gzip
import lzma
import os
import posixpath
import re
import secrets
import shutil
import stat
import struct
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import IO, Any, Final, cast

from ..sysproxy import Kernel
from .archive_members import Archive
from .failures import OptionError
from .file import checked_path
from .file_mode import Mode, mode_text
from .plan import Change, Plan
from .tree import TOP, Entry, controller_files, scan
from .tree_kernel import KernelTree

_IN_MEMORY: Final = 1 << 26  # bytes; a larger archive is kept in a temporary file
_CHUNK: Final = 1 << 20
_TYPES: Final = {
    stat.S_IFREG: tarfile.REGTYPE,
    stat.S_IFDIR: tarfile.DIRTYPE,
    stat.S_IFLNK: tarfile.SYMTYPE,
    stat.S_IFIFO: tarfile.FIFOTYPE,
    stat.S_IFCHR: tarfile.CHRTYPE,
    stat.S_IFBLK: tarfile.BLKTYPE,
}
_FIRST_OF_ZIP: Final = 315532800  # seconds since the epoch of 1980, with which a zip's time begins
_LAST_OF_ZIP: Final = 4354819199
_UNIX: Final = 3
_NEW_FILE: Final = stat.S_IFREG | 0o644


def plan(kernel: Kernel, parameters: Mapping[str, Any]) -> Plan:
    """Pack what is at ``path`` into ``dest``."""
    return _Planner(kernel, parameters).plan()


class _Planner:
    """One task."""

    def __init__(self, kernel: Kernel, parameters: Mapping[str, Any]) -> None:
        self.kernel = kernel
        self.format = parameters["format"]
        self.dest = os.path.expanduser(checked_path("dest", parameters["dest"]))
        self.mode = None if parameters.get("mode") is None else Mode.parse(parameters["mode"])
        self.patterns = parameters["exclusion_patterns"]
        self.given = [_absolute("path", path) for path in parameters["path"]]
        self.paths = _expand(kernel, self.given)
        self.excluded = _expand(kernel, [_absolute("exclude_path", path) for path in parameters["exclude_path"]])
        self.found = [path for path in self.paths if kernel.lexists(path)]
        self.missing = [path for path in self.given if not any(map(kernel.lexists, _expand(kernel, [path])))]
        single = len(self.given) == 1 and self.given == self.found and kernel.isfile(self.given[0])
        self.only_compress = single and self.format in ("gz", "bz2", "xz") and not parameters["force_archive"]
        # The directory that all of them are in; of "/a/b/", what is in it.
        parents = [posixpath.dirname(path) for path in self.found]
        self.root = posixpath.commonpath(parents) if parents else "/"
        self.tree = KernelTree(kernel, self.root)
        self.made = Plan()

    def plan(self) -> Plan:
        if self.dest.endswith("/") or os.path.isdir(self.dest):
            raise OptionError("dest", "give the name of the archive, a file of the controller's")
        self.made.conditions.append(partial(_require_folder, os.path.dirname(self.dest) or "."))
        if not self.found:
            self.made.conditions.append(partial(_require_sources, self.given))
            self.made.changes.append(Change(f"make the archive {self.dest}", lambda: None))
            self.made.expected = self._facts([])
            return self.made
        entries = self._entries()
        archived = [self._path(name) for name, entry in entries.items() if not entry.is_directory]
        with controller_files("dest"):
            stream = cast("IO[bytes]", tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115 - gone with the task
            self._write(stream, entries)
            self._compare(stream)
        self.made.expected = self._facts(archived)
        return self.made

    def _entries(self) -> dict[str, Entry]:
        """What goes into the archive, by its names there."""
        roots = {posixpath.relpath(path.rstrip("/") or "/", self.root): True for path in self.found}
        found = scan(self.tree, roots).entries
        entries = {}
        for name in sorted(found):
            path = self._path(name)
            if any(path == one.rstrip("/") or path.startswith(f"{one.rstrip('/')}/") for one in self.excluded):
                continue
            if any(fnmatch.fnmatch(name, pattern) or fnmatch.fnmatch(path, pattern) for pattern in self.patterns):
                continue
            entry = found[name]
            odd = entry.kind not in _TYPES or (
                self.format == "zip" and not (entry.is_file or entry.is_directory or entry.is_link)
            )
            if odd:
                self.made.warnings.append(f"{path} is a {entry.word}, which the archive cannot hold")
            elif name != TOP:
                entries[name] = entry
        return entries

    def _path(self, name: str) -> str:
        return posixpath.join(self.root, name)

    def _write(self, sink: IO[bytes], entries: Mapping[str, Entry]) -> None:
        files = [name for name, entry in entries.items() if entry.is_file]
        if self.only_compress:
            with _compressed(self.format, sink) as packed:
                for _name, stream in self.tree.contents(files):
                    shutil.copyfileobj(stream, packed, _CHUNK)
        elif self.format == "zip":
            self._write_zip(sink, entries, files)
        else:
            with _compressed(self.format, sink) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
                for name, entry in entries.items():
                    if not entry.is_file:
                        tar.addfile(_tar_info(name, entry))
                for name, stream in self.tree.contents(files):
                    tar.addfile(_tar_info(name, entries[name]), stream)

    def _write_zip(self, sink: IO[bytes], entries: Mapping[str, Entry], files: Sequence[str]) -> None:
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, entry in entries.items():
                if not entry.is_file:
                    archive.writestr(_zip_info(name, entry), os.fsencode(entry.target))
            for name, stream in self.tree.contents(files):
                info = _zip_info(name, entries[name])
                with archive.open(info, "w", force_zip64=entries[name].size >= 1 << 31) as member:
                    shutil.copyfileobj(stream, member, _CHUNK)

    def _compare(self, stream: IO[bytes]) -> None:
        there = os.path.lexists(self.dest)
        with contextlib.ExitStack() as stack:
            old = stack.enter_context(open(self.dest, "rb")) if there else None
            stream.seek(0)
            mode = None
            if self.mode is not None:
                mode = self.mode.of(os.stat(self.dest).st_mode if there else _NEW_FILE)
            if old is None or not _same(old, stream):
                text = f"{'replace' if there else 'make'} the archive {self.dest}"
                self.made.before = {} if old is None else self._members(old)
                self.made.after = self._members(stream)
                self.made.add(text, self._guarded(partial(self._put, stream, mode)))
            elif mode is not None and mode != stat.S_IMODE(os.stat(self.dest).st_mode):
                self.made.before = {"mode": mode_text(os.stat(self.dest).st_mode)}
                self.made.after = {"mode": mode_text(mode)}
                self.made.add(
                    f"set the mode of {self.dest} to {mode_text(mode)}",
                    self._guarded(partial(os.chmod, self.dest, mode)),
                )

    def _members(self, stream: IO[bytes]) -> dict[str, str]:
        """The lines of the diff."""
        stream.seek(0)
        try:
            archive = Archive(stream, self.dest)
        except OptionError:  # one that is compressed, with nothing in it that has a name, or one that is damaged
            return {os.path.basename(self.dest): f"a file of {stream.seek(0, os.SEEK_END)} bytes"}
        return {name: str(member.entry) for name, member in archive.members.items()}

    def _guarded(self, work: Callable[[], object]) -> Callable[[], None]:
        def guarded() -> None:
            with controller_files("dest"):
                work()

        return guarded

    def _put(self, stream: IO[bytes], mode: int | None) -> None:
        """Write the archive beside its name, and then give it that."""
        temporary = os.path.join(os.path.dirname(self.dest), f".ansible_tmp{secrets.token_hex(6)}")
        kept = stat.S_IMODE(os.stat(self.dest).st_mode) if os.path.exists(self.dest) else stat.S_IMODE(_NEW_FILE)
        try:
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as sink:
                stream.seek(0)
                shutil.copyfileobj(stream, sink, _CHUNK)
                os.fchmod(sink.fileno(), kept if mode is None else mode)
            os.replace(temporary, self.dest)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise

    def _facts(self, archived: list[str]) -> dict[str, Any]:
        state = "compress" if self.only_compress else "incomplete" if self.missing else "archive"
        return {
            "dest": self.dest,
            "dest_state": state if self.found else "absent",
            "arcroot": self.root,
            "archived": archived,
            "missing": self.missing,
            "expanded_paths": self.paths,
            "expanded_exclude_paths": self.excluded,
        }


def _same(one: IO[bytes], other: IO[bytes]) -> bool:
    while True:
        chunk = one.read(_CHUNK)
        if chunk != other.read(_CHUNK):
            return False
        if not chunk:
            return True


def _compressed(kind: str, sink: IO[bytes]) -> contextlib.AbstractContextManager[Any]:
    """A stream that compresses into ``sink``, with no time of its own."""
    if kind == "gz":
        return gzip.GzipFile(filename="", mode="wb", fileobj=sink, mtime=0)
    if kind == "bz2":
        return bz2.BZ2File(sink, "wb")
    if kind == "xz":
        return lzma.LZMAFile(sink, "wb")
    return contextlib.nullcontext(sink)


def _tar_info(name: str, entry: Entry) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = _TYPES[entry.kind]
    info.mode, info.uid, info.gid = entry.mode, entry.uid, entry.gid
    info.size = entry.size if entry.is_file else 0
    info.linkname = entry.target
    info.devmajor, info.devminor = entry.device if entry.is_device else (0, 0)
    seconds, nanoseconds = divmod(entry.mtime, 10**9)
    info.mtime = seconds
    if nanoseconds:
        info.pax_headers = {"mtime": f"{seconds}.{nanoseconds:09}"}
    return info


def _zip_info(name: str, entry: Entry) -> zipfile.ZipInfo:
    seconds = entry.mtime // 10**9
    clipped = min(max(seconds, _FIRST_OF_ZIP + 86400), _LAST_OF_ZIP - 86400)  # in any time zone
    info = zipfile.ZipInfo(f"{name}/" if entry.is_directory else name, time.localtime(clipped)[:6])
    info.create_system = _UNIX
    info.external_attr = (entry.kind | entry.mode) << 16 | (0x10 if entry.is_directory else 0)
    info.compress_type = zipfile.ZIP_DEFLATED if entry.is_file else zipfile.ZIP_STORED
    if -(1 << 31) <= seconds < 1 << 31:
        info.extra = struct.pack("<HHBi", 0x5455, 5, 1, seconds)  # the time in UTC
    return info


def _absolute(option: str, path: str) -> str:
    whole = posixpath.normpath(posixpath.join("/", checked_path(option, path))).replace("//", "/")
    return f"{whole}/" if path.endswith("/") and whole != "/" else whole


def _expand(kernel: Kernel, paths: Sequence[str]) -> list[str]:
    """The paths, with those that patterns of a shell stand for; those without stay."""
    expanded: list[str] = []
    for path in paths:
        if not re.search(r"[*?[]", path):
            expanded.append(path)
            continue
        tops = ["/"]
        for part in path.strip("/").split("/"):
            tops = [posixpath.join(top, name) for top in tops for name in _fitting(kernel, top, part)]
        expanded += [f"{top}/" if path.endswith("/") else top for top in tops if kernel.lexists(top)]
    return expanded


def _fitting(kernel: Kernel, top: str, part: str) -> list[str]:
    if not re.search(r"[*?[]", part):
        return [part]
    if not kernel.isdir(top):
        return []
    names = [name for name in kernel.listdir(top) if part.startswith(".") or not name.startswith(".")]
    return sorted(name for name in names if fnmatch.fnmatchcase(name, part))


def _require_folder(folder: str) -> None:
    """:raises OptionError: there is none for the archive, as far as the controller tells."""
    if not os.path.isdir(folder):
        raise OptionError("dest", f"there is no folder {folder} (on the controller)")


def _require_sources(paths: Sequence[str]) -> None:
    """:raises OptionError: always; for a plan that found nothing to pack."""
    raise OptionError("path", f"nothing is at {', '.join(paths)}")
