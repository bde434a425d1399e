# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sequences of system calls whose every answer is written down, so that two kernels can be compared.

A conversation is a function that is given a :class:`Scribe`. What differs from kernel to kernel by its nature
(times, random addresses, numbers of nodes in memory) is not written down, or in a form that does not differ.
"""

from __future__ import annotations

import gzip
import ipaddress
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.rawclient import Argument, Outcome, RawClient

O_WRONLY, O_RDWR, O_APPEND, O_NOFOLLOW, O_CREAT, O_TRUNC, O_EXCL = 0x1, 0x2, 0x8, 0x100, 0x200, 0x400, 0x800
O_DIRECTORY, O_CLOEXEC = 0x200000, 0x400000
MNT_RDONLY, MNT_UPDATE, MNT_FORCE, MNT_GETARGS = 0x1, 0x10000, 0x80000, 0x400000
AT_FDCWD: Final = -100
PATH_LIMIT: Final = 1024
COUNTERS = ("f_spare", "f_syncreads", "f_syncwrites", "f_asyncreads", "f_asyncwrites")
STAT_MEMBERS = (
    "st_mode st_nlink st_uid st_gid st_rdev st_size st_blocks st_blksize st_flags".split()  # noqa: SIM905
)


@dataclass
class Scribe:
    """A client, and what it was answered."""

    client: RawClient
    lines: list[tuple[str, Any]] = field(default_factory=list)

    def write(self, label: str, value: Any) -> None:
        self.lines.append((label, value))

    def __call__(self, name: str, *arguments: Argument, value: bool = True) -> Outcome:
        """Make a call and write down its end; ``value`` False leaves the result out."""
        outcome = self.client.call(name, *arguments)
        shown = ", ".join(f"<{len(a)} bytes>" if isinstance(a, (bytes, bytearray)) else repr(a) for a in arguments)
        self.write(f"{name}({shown})", (outcome.error, outcome.value if value and outcome else None))
        return outcome

    def stat(self, path: str, follow: bool = True, number: bool = False) -> None:
        found = self.client.stat(path, follow)
        if not isinstance(found, str):
            members = [member for member in STAT_MEMBERS if number or member != "st_ino"]
            found = {member: getattr(found, member) for member in members}
            found["st_mode"] = oct(found["st_mode"])
        self.write(f"stat {path}", found)

    def fstat(self, descriptor: int) -> None:
        layout = self.client.abi.struct("stat")
        buffer = bytearray(layout.size)
        outcome = self.client.call("__fstat50", descriptor, buffer)
        parsed = layout.parse(buffer)
        self.write("fstat", outcome.error or {member: getattr(parsed, member) for member in STAT_MEMBERS})

    def entries(self, path: str) -> None:
        """A directory's names and types in order, and how many bytes they took."""
        opened = self.client.call("open", path, 0, 0)
        if not opened:
            self.write(f"entries {path}", opened.error)
            return
        buffer = bytearray(4096)
        names, total = [], []
        while True:
            outcome = self.client.call("__getdents30", opened.value, buffer, len(buffer))
            total.append((outcome.error, outcome.value))
            if not outcome or not outcome.value:
                break
            names += directory_entries(self.client, bytes(buffer[: outcome.value]))
        self.client.ok("close", opened.value)
        self.write(f"entries {path}", (names, total))

    def numbers(self, path: str, fresh: bool = True) -> None:
        """What statvfs says."""
        layout = self.client.abi.struct("statvfs")
        buffer = bytearray(layout.size)
        outcome = self.client.call("statvfs1", path, buffer, 1 if fresh else 2)
        if not outcome:
            self.write(f"statvfs {path}", outcome.error)
            return
        parsed = layout.parse(buffer)
        self.write(f"statvfs {path}", {name: parsed[name] for name in layout.offsets if name not in COUNTERS})

    def mounted(self) -> None:
        layout = self.client.abi.struct("statvfs")
        buffer = bytearray(8 * layout.size)
        count = self.client.ok("getvfsstat", buffer, len(buffer), 2)
        found = [layout.parse(buffer, index * layout.size) for index in range(count)]
        self.write("mounts", [(f.f_mntfromname, f.f_mntonname, f.f_fstypename, hex(f.f_flag)) for f in found])


def directory_entries(client: RawClient, raw: bytes) -> list[tuple[str, int]]:
    head, offset, found = client.abi.struct("dirent_head"), 0, []
    start = head.offset_of("d_type") + 1
    while offset < len(raw):
        entry = head.parse(raw.ljust(len(raw) + head.size), offset)
        name = raw[offset + start : offset + start + entry.d_namlen]
        found.append((name.decode(), entry.d_type))
        offset += entry.d_reclen
    return found


def tmpfs_args(client: RawClient, size: int = 0, nodes: int = 0, mode: int = 0o755, **more: int) -> bytes:
    layout = client.abi.struct("tmpfs_args")
    return layout.build(ta_version=1, ta_size_max=size, ta_nodes_max=nodes, ta_root_mode=mode, **more)


def mount_tmpfs(scribe: Scribe, path: str, flags: int = 0, **arguments: int) -> Outcome:
    raw = tmpfs_args(scribe.client, **arguments)
    return scribe("__mount50", "tmpfs", path, flags, raw, len(raw))


# Files


def root_directory(scribe: Scribe) -> None:
    """What stands in the root at the start."""
    for path in ("/", "/tmp", "/dev", "/dev/null", "/dev/zero", "/none", "", "/dev/null/x", "//", "/dev/", "/tmp/.."):
        scribe.stat(path)
    scribe.entries("/")
    scribe.entries("/dev")
    for descriptor in range(4):
        scribe.fstat(descriptor)
    scribe.numbers("/", fresh=False)
    scribe.numbers("/")
    scribe.numbers("/", fresh=False)
    scribe.mounted()


def descriptors(scribe: Scribe) -> None:
    scribe("getpid", value=False)
    scribe("getuid")
    scribe("getegid")
    scribe("umask", 0o077)
    scribe("umask", 0o022)
    for descriptor in range(3):
        scribe("read", descriptor, bytearray(4), 4)
        scribe("write", descriptor, b"", 0)
        scribe("fcntl", descriptor, 3, 0)
        scribe("lseek", descriptor, 0, 1)
    scribe("open", "/tmp/f", O_RDWR | O_CREAT, 0o666)
    scribe("open", "/tmp/f", O_WRONLY | O_CLOEXEC, 0)
    scribe("open", "/tmp/f", 3, 0)
    scribe("dup", 3)
    scribe("dup2", 3, 10)
    scribe("dup2", 3, 3)
    scribe("dup2", 30, 3)
    scribe("dup2", 3, -1)
    scribe("dup2", 3, 500)
    for number in (3, 4, 5, 10):
        scribe("fcntl", number, 1, 0)
        scribe("fcntl", number, 3, 0)
    scribe("fcntl", 3, 2, 1)
    scribe("fcntl", 3, 1, 0)
    scribe("fcntl", 3, 4, O_APPEND | 0x4)
    scribe("fcntl", 3, 3, 0)
    scribe("fcntl", 3, 0, 20)
    scribe("fcntl", 3, 12, 20)
    scribe("fcntl", 3, 0, 1000)
    scribe("fcntl", 99, 3, 0)
    scribe("fcntl", 3, 77, 0)
    scribe("fcntl", 3, 11, 0)
    scribe("close", 10)
    scribe("close", 10)
    scribe("close", -1)
    for _index in range(130):
        opened = scribe.client.call("open", "/tmp/f", 0, 0)
        if not opened:
            break
    scribe.write("after too many", opened.error)
    scribe("fcntl", 8, 10, 0)
    scribe("open", "/tmp/f", 0, 0)


def writing(scribe: Scribe, folder: str) -> None:
    """Reading, writing, seeking, sizes."""
    client = scribe.client
    path = f"{folder}/f"
    number = scribe("open", path, O_RDWR | O_CREAT, 0o666).value
    scribe.stat(path)
    for data, offset in ((b"a" * 10, None), (b"b" * 5000, None), (b"c" * 9000, 4090), (b"", 0), (b"x", 30000)):
        if offset is None:
            outcome = scribe("write", number, data, len(data))
        else:
            outcome = scribe("pwrite", number, data, len(data), offset)
        scribe.write("copies", outcome.trace)
        scribe.stat(path)
    scribe("lseek", number, 0, 1)
    scribe("lseek", number, -5, 2)
    scribe("lseek", number, -50000, 1)
    scribe("lseek", number, 0, 9)
    scribe("lseek", number, 1 << 33, 0)
    buffer = bytearray(10000)
    outcome = scribe("read", number, buffer, 100)
    outcome = scribe("pread", number, buffer, 9000, 4090)
    scribe.write("copies", outcome.trace)
    scribe.write("content", bytes(buffer[:9000]) == b"c" * 9000)
    outcome = scribe("pread", number, buffer, 10000, 29000)
    scribe.write("copies", outcome.trace)
    scribe.write("content", bytes(buffer[:1001]))
    scribe("pread", number, buffer, 10, -1)
    scribe("pwrite", number, b"abc", 3, -1)
    scribe("pread", number, buffer, 10, 1 << 40)
    scribe("lseek", number, 0, 0)
    scribe("read", number, None, 10)
    scribe("write", number, None, 10)
    scribe("read", number, buffer, 1 << 63 if client.abi.word_size == 8 else 1 << 31)
    for size in (100, 100, 5000, 0, -1):
        scribe("ftruncate", number, size)
        scribe.stat(path)
    scribe("truncate", path, 77)
    scribe("truncate", path, -3)
    scribe("truncate", folder, 0)
    scribe("truncate", f"{folder}/none", 0)
    reader = scribe("open", path, 0, 0).value
    scribe("ftruncate", reader, 5)
    scribe("write", reader, b"x", 1)
    scribe("fsync", reader)
    scribe("fsync", 77)
    appender = scribe("open", path, O_WRONLY | O_APPEND, 0).value
    scribe("write", appender, b"end", 3)
    scribe("pwrite", appender, b"END", 3, 0)
    scribe.stat(path)
    scribe("read", appender, buffer, 1)
    scribe("open", path, O_WRONLY | O_TRUNC, 0)
    scribe.stat(path)
    folder_number = scribe("open", folder, 0, 0).value
    scribe("read", folder_number, buffer, 10)
    scribe("write", folder_number, b"x", 1)
    scribe("ftruncate", folder_number, 0)
    scribe("lseek", folder_number, 0, 2, value=False)
    scribe("__getdents30", number, buffer, 100)
    scribe("__getdents30", folder_number, buffer, 4)
    scribe("readv", number, client.abi.integers("pointer", 0, 0), 0)
    scribe("poll", client.abi.integers("int", number, 0x00000005), 1, 0)
    scribe("__posix_fadvise50", number, 0, 0, 3)
    scribe("__posix_fadvise50", number, 0, 0, 99)


def naming(scribe: Scribe, folder: str) -> None:
    """Making, linking, renaming and removing, and what is refused."""
    f = folder
    scribe("mkdir", f"{f}/d", 0o7777)
    scribe("mkdir", f"{f}/d", 0o755)
    scribe("mkdir", f"{f}/d/e/", 0o755)
    scribe("mkdir", f"{f}/x/y", 0o755)
    scribe("mkdir", "", 0o755)
    scribe("mkdir", "/", 0o755)
    scribe("mkdir", f"{f}/.", 0o755)
    scribe("mkdir", f"{f}/..", 0o755)
    scribe("mkdir", f"{f}/d/.", 0o755)
    scribe("open", f"{f}/a", O_CREAT | O_WRONLY, 0o7666)
    scribe("open", f"{f}/a", O_CREAT | O_EXCL | O_WRONLY, 0o666)
    scribe("open", f"{f}/a/", O_CREAT | O_WRONLY, 0o666)
    scribe("open", f"{f}/n/", O_CREAT | O_WRONLY, 0o666)
    scribe("open", f"{f}/d", O_WRONLY, 0)
    scribe("open", f"{f}/d", O_CREAT, 0o666)
    scribe("open", f"{f}/d", O_CREAT | O_WRONLY, 0o666)
    scribe("open", f"{f}/d", O_TRUNC, 0)
    scribe("open", f"{f}/a", O_DIRECTORY, 0)
    scribe("open", f"{f}/a/b", 0, 0)
    scribe("open", "/", O_CREAT, 0o666)
    for path in ("a", "d", "d/e", "d/.", "d/..", "d/../d/e/..", "a/", "a/.", "d//e//", "."):
        scribe.stat(f"{f}/{path}")
    scribe("symlink", "a", f"{f}/l")
    scribe("symlink", "a", f"{f}/l")
    scribe("symlink", "", f"{f}/empty")
    scribe("symlink", "nowhere", f"{f}/dangling")
    scribe("symlink", "loop2", f"{f}/loop1")
    scribe("symlink", "loop1", f"{f}/loop2")
    scribe("symlink", "d", f"{f}/ld")
    scribe("symlink", "x" * 1023, f"{f}/long")
    scribe("symlink", "x" * 1024, f"{f}/longer")
    scribe("symlink", "a", f"{f}/slash/")
    for path in ("l", "empty", "dangling", "loop1", "ld", "ld/", "ld/e", "l/", "long", "dangling/"):
        scribe.stat(f"{f}/{path}")
        scribe.stat(f"{f}/{path}", follow=False)
    for path in ("l", "empty", "a", "ld", "ld/", "none", "d"):
        buffer = bytearray(20)
        scribe("readlink", f"{f}/{path}", buffer, 20)
        scribe.write("target", bytes(buffer))
    scribe("readlink", f"{f}/long", bytearray(4), 4)
    for path, flags in (
        ("l", O_NOFOLLOW), ("l", O_CREAT | O_EXCL), ("dangling", O_CREAT | O_WRONLY), ("dangling", 0),
        ("loop1", O_CREAT | O_WRONLY), ("ld", O_NOFOLLOW | O_DIRECTORY), ("empty", O_CREAT | O_WRONLY),
        ("newlink/", O_CREAT | O_WRONLY),
    ):  # fmt: skip
        scribe("open", f"{f}/{path}", flags, 0o644)
    scribe("unlink", f"{f}/nowhere")
    scribe("mkdir", f"{f}/dangling", 0o755)
    scribe("mkdir", f"{f}/dangling/", 0o755)
    scribe("link", f"{f}/a", f"{f}/b")
    scribe("link", f"{f}/a", f"{f}/b")
    scribe("link", f"{f}/d", f"{f}/d2")
    scribe("link", f"{f}/l", f"{f}/b2")
    scribe("link", f"{f}/none", f"{f}/b3")
    scribe("link", f"{f}/a", "/dev/b")
    scribe("link", f"{f}/a", f"{f}/no/b")
    for path in ("a", "b", "b2"):
        scribe.stat(f"{f}/{path}", follow=False)
    for old, new in (
        ("a", "c"), ("c", "a"), ("none", "c"), ("a", "d"), ("d", "a"), ("a", "a"), ("a", "b"), ("d", "d/e/x"),
        ("d/e", "d"), ("d/e", "e"), ("e", "d/e"), ("d", "d/."), (".", "x"), ("d/.", "x"), ("d/..", "x"), ("a", "d/.."),
        ("a", "no/x"), ("a", "a/x"), ("l", "l2"), ("l2", "l"), ("d", "empty2"), ("empty2", "d/"), ("a", "new/"),
        ("a/", "q"), ("ld/", "q"), ("ld", "q"), ("q", "ld"),
    ):  # fmt: skip
        scribe("rename", f"{f}/{old}", f"{f}/{new}")
    scribe("rename", f"{f}/a", "/dev/zz")
    scribe("rename", "/", f"{f}/zz")
    scribe("rename", f"{f}/d", "/")
    scribe("rename", f, f"{f}/zz")
    scribe.entries(f)
    for path in ("d", "d/e", "a", "none", "a/", "l", "ld/", "d/..", "d/.", ".", ""):
        scribe("rmdir", f"{f}/{path}" if path else "")
    scribe("mkdir", f"{f}/d", 0o755)
    scribe("mkdir", f"{f}/d/e", 0o755)
    scribe("rmdir", f"{f}/d")
    for path in ("d", "d/", "a", "a", "none", "l/", "l", "dangling", ".", "..", "d/e/.."):
        scribe("unlink", f"{f}/{path}")
    scribe("unlink", "")
    scribe("unlink", f)
    scribe("rmdir", f)
    scribe("open", f"{f}/{'n' * 255}", O_CREAT | O_WRONLY, 0o644)
    scribe("open", f"{f}/{'n' * 256}", O_CREAT | O_WRONLY, 0o644)
    scribe.stat(f"{f}/{'n' * 300}/x")
    scribe.stat("/" + "./" * 600)
    scribe.stat("/" + "a" * (PATH_LIMIT - 1))
    scribe.stat("/" + "./" * 511)
    scribe.entries(f)
    scribe.stat(f)


def removed_but_open(scribe: Scribe, folder: str) -> None:
    """What is left of files and directories that have no name any more."""
    f = folder
    number = scribe("open", f"{f}/gone", O_RDWR | O_CREAT, 0o644).value
    scribe("write", number, b"still", 5)
    scribe("unlink", f"{f}/gone")
    scribe.fstat(number)
    scribe("pread", number, bytearray(5), 5, 0)
    scribe("mkdir", f"{f}/dir", 0o755)
    scribe("chdir", f"{f}/dir")
    scribe("rmdir", f"{f}/dir")
    scribe.stat(".")
    scribe.stat("..")
    scribe("open", "x", O_CREAT | O_WRONLY, 0o644)
    scribe("mkdir", "y", 0o755)
    buffer = bytearray(100)
    scribe("__getcwd", buffer, 100)
    scribe("chdir", "/")
    scribe("__getcwd", buffer, 100)
    scribe("__getcwd", buffer, 1)
    scribe("__getcwd", buffer, 2)
    scribe("chdir", folder)
    outcome = scribe("__getcwd", buffer, 100)
    scribe.write("cwd", bytes(buffer[: outcome.value]))
    scribe("__getcwd", buffer, 3)
    scribe("chdir", f"{f}/none")
    scribe("chdir", "/dev/null")
    scribe("fchdir", number)
    scribe("fchdir", 99)
    scribe("fchdir", 1)
    scribe("chdir", "/")


def attributes(scribe: Scribe, folder: str) -> None:
    f = folder
    scribe("open", f"{f}/a", O_CREAT | O_RDWR, 0o644)
    scribe("mkdir", f"{f}/d", 0o755)
    scribe("symlink", "a", f"{f}/l")
    for mode in (0o600, 0o7777, 0o107644, 0o4755):
        scribe("chmod", f"{f}/a", mode)
        scribe.stat(f"{f}/a")
    scribe("chown", f"{f}/a", 10, 0xFFFFFFFF)
    scribe.stat(f"{f}/a")
    scribe("chmod", f"{f}/a", 0o6755)
    scribe("chown", f"{f}/a", 0xFFFFFFFF, 20)
    scribe.stat(f"{f}/a")
    scribe("chown", f"{f}/a", 0xFFFFFFFF, 0xFFFFFFFF)
    scribe.stat(f"{f}/a")
    scribe("__posix_chown", f"{f}/a", 11, 12)
    scribe.stat(f"{f}/a")
    scribe("chmod", f"{f}/l", 0o640)
    scribe("lchmod", f"{f}/l", 0o600)
    scribe("lchown", f"{f}/l", 5, 6)
    scribe.stat(f"{f}/l")
    scribe.stat(f"{f}/l", follow=False)
    scribe("chmod", f"{f}/none", 0o600)
    scribe("chown", f"{f}/none", 1, 1)
    scribe("fchmod", 3, 0o611)
    scribe("fchown", 3, 7, 8)
    scribe("fchmod", 99, 0o611)
    scribe("fchmod", 1, 0o611)
    scribe.stat(f"{f}/a")
    for flags in (0x1, 0x2, 0x4, 0x20000, 0x40000, 0x10001, 0):
        scribe("chflags", f"{f}/a", flags)
        scribe.stat(f"{f}/a")
        scribe("chmod", f"{f}/a", 0o644)
        scribe("chown", f"{f}/a", 1, 2)
        scribe("open", f"{f}/a", O_WRONLY, 0)
        scribe("open", f"{f}/a", O_WRONLY | O_APPEND, 0)
        scribe("truncate", f"{f}/a", 3)
        scribe("link", f"{f}/a", f"{f}/a2")
        scribe("rename", f"{f}/a", f"{f}/a3")
        scribe("rename", f"{f}/a3", f"{f}/a")
        scribe("unlink", f"{f}/a2")
    scribe("lchflags", f"{f}/l", 0x1)
    scribe("fchflags", 3, 0x0)
    scribe("chflags", f"{f}/none", 0)
    timespec = scribe.client.abi.struct("timespec")
    for seconds, nanoseconds in ((1_000_000, 5), (2_000_000_000, 999_999_999), (5, 0x3FFFFFFE)):
        pair = timespec.build(tv_sec=seconds, tv_nsec=nanoseconds) * 2
        scribe("utimensat", AT_FDCWD, f"{f}/a", pair, 0)
        times = scribe.client.stat(f"{f}/a")
        scribe.write("times", [(t.tv_sec, t.tv_nsec) for t in (times.st_atim, times.st_mtim)])
    scribe("utimensat", AT_FDCWD, f"{f}/none", pair, 0)
    scribe("utimensat", AT_FDCWD, f"{f}/l", pair, 0x200)
    timeval = scribe.client.abi.struct("timeval")
    scribe("__utimes50", f"{f}/a", timeval.build(tv_sec=77, tv_usec=5) * 2)
    times = scribe.client.stat(f"{f}/a")
    scribe.write("times", [(t.tv_sec, t.tv_nsec) for t in (times.st_atim, times.st_mtim, times.st_birthtim)])
    scribe("futimens", 3, timespec.build(tv_sec=99) * 2)
    scribe("futimens", 99, None)
    for mode in range(8):
        scribe("access", f"{f}/a", mode)
    scribe("access", f"{f}/a", 8)
    scribe("access", f"{f}/none", 0)
    scribe("chmod", f"{f}/a", 0o644)
    scribe("access", f"{f}/a", 1)
    scribe("access", f"{f}/d", 1)


def special_files(scribe: Scribe, folder: str) -> None:
    f = folder
    scribe("__mknod50", f"{f}/null", stat.S_IFCHR | 0o666, 0x202)
    scribe("__mknod50", f"{f}/null", stat.S_IFCHR | 0o666, 0x202)
    scribe("__mknod50", f"{f}/blk", stat.S_IFBLK | 0o600, 0x5000)
    scribe("__mknod50", f"{f}/none", stat.S_IFCHR | 0o600, 0x1234567)
    scribe("__mknod50", f"{f}/reg", stat.S_IFREG | 0o600, 0)
    scribe("__mknod50", f"{f}/dir", stat.S_IFDIR | 0o600, 0)
    scribe("__mknod50", f"{f}/fifo", stat.S_IFIFO | 0o600, 0)
    scribe("__mknod50", f"{f}/minus", stat.S_IFCHR | 0o600, (1 << 64) - 1)
    scribe("__mknod50", f"{f}/zero", 0o600, 0)
    scribe("mkfifo", f"{f}/fifo", 0o666)
    for name in ("null", "blk", "none", "reg", "fifo"):
        scribe.stat(f"{f}/{name}")
    for path in (f"{f}/null", f"{f}/blk", f"{f}/none", "/dev/zero", "/dev/null"):
        opened = scribe("open", path, O_RDWR, 0)
        if not opened:
            continue
        number = opened.value
        buffer = bytearray(b"x" * 1000)
        outcome = scribe("read", number, buffer, 1000)
        scribe.write("copies", outcome.trace)
        outcome = scribe("write", number, b"y" * 5000, 5000)
        scribe.write("copies", outcome.trace)
        scribe("lseek", number, 100, 0)
        scribe("lseek", number, -100, 0)
        scribe("ftruncate", number, 0)
        scribe.fstat(number)
        scribe("ioctl", number, 0x402C7413, bytearray(44))
        scribe("ioctl", number, 0x40386D02, bytearray(56))
        scribe("close", number)


def at_calls(scribe: Scribe, folder: str) -> None:
    f = folder
    number = scribe("open", folder, 0, 0).value
    scribe("mkdirat", number, "sub", 0o755)
    scribe("openat", number, "sub/f", O_CREAT | O_WRONLY, 0o644)
    scribe("openat", AT_FDCWD, f"{f}/sub/f", 0, 0)
    scribe("openat", 99, "x", 0, 0)
    scribe("openat", 1, "x", 0, 0)
    scribe("openat", 4, "x", 0, 0)
    scribe("openat", 99, f"{f}/sub/f", 0, 0)
    layout = scribe.client.abi.struct("stat")
    for flag in (0, 0x200, 0x4000):
        scribe("fstatat", number, "sub/f", bytearray(layout.size), flag)
    scribe("symlinkat", "f", number, "sub/l")
    scribe("readlinkat", number, "sub/l", bytearray(9), 9)
    scribe("linkat", number, "sub/f", number, "sub/g", 0)
    scribe("renameat", number, "sub/g", number, "sub/h")
    scribe("renameat", number, "sub/f", number, "sub/h")
    scribe("fchmodat", number, "sub/f", 0o600, 0)
    scribe("fchmodat", number, "sub/l", 0o600, 0x200)
    scribe("fchownat", number, "sub/f", 1, 1, 0)
    scribe("faccessat", number, "sub/f", 4, 0)
    scribe("mkfifoat", number, "sub/fifo", 0o600)
    scribe("mknodat", number, "sub/dev", stat.S_IFCHR | 0o600, 0x202)
    scribe("unlinkat", number, "sub", 0)
    scribe("unlinkat", number, "sub", 0x800)
    scribe("unlinkat", number, "sub/f", 0x800)
    scribe("unlinkat", number, "sub/f", 0)
    scribe.entries(f"{f}/sub")


# Mounts


def mounts(scribe: Scribe) -> None:
    client = scribe.client
    scribe("mkdir", "/m", 0o755)
    scribe("mkdir", "/m/below", 0o755)
    args = tmpfs_args(client)
    size = len(args)
    scribe("__mount50", "tmpfs", "/none", 0, args, size)
    scribe("__mount50", "nosuch", "/m", 0, args, size)
    scribe("__mount50", "x" * 40, "/m", 0, args, size)
    scribe("__mount50", "tmpfs", "/dev/null", 0, args, size)
    scribe("__mount50", "tmpfs", "/m", 0, args, size - 1)
    scribe("__mount50", "tmpfs", "/m", 0, None, 0)
    scribe("__mount50", "tmpfs", "/m", 0, args, 9000)
    scribe("__mount50", "tmpfs", "/m", 0, bytes(size), size)
    scribe("__mount50", "tmpfs", "/m", MNT_UPDATE, args, size)
    scribe("__mount50", "tmpfs", "/m", MNT_GETARGS, bytearray(args), size)
    outcome = scribe("__mount50", "tmpfs", "/m", 0, args, 0)
    scribe.write("copies", outcome.trace)
    scribe.mounted()
    scribe("unmount", "/m/", 0)
    scribe("unmount", "/m", 0)
    mount_tmpfs(scribe, "/m", size=1 << 20, mode=0o1770, ta_root_uid=3, ta_root_gid=4)
    scribe.stat("/m")
    scribe.entries("/m")
    scribe.numbers("/m", fresh=False)
    scribe.numbers("/m")
    buffer = bytearray(size)
    scribe("__mount50", None, "/m", MNT_GETARGS, buffer, size)
    scribe.write("arguments", buffer.hex())
    scribe("__mount50", None, "/m", MNT_GETARGS | MNT_RDONLY, buffer, size)
    scribe("__mount50", None, "/m", MNT_GETARGS, None, 0)
    number = scribe("open", "/m/f", O_CREAT | O_RDWR, 0o644).value
    scribe("write", number, b"x" * 600_000, 600_000)
    scribe.numbers("/m")
    scribe("pwrite", number, b"x" * 600_000, 600_000, 600_000)
    scribe("ftruncate", number, 1 << 20)
    scribe.stat("/m/f")
    scribe("unmount", "/m", 0)
    scribe("unmount", "/m/f", 0)
    scribe("unmount", "/none", 0)
    scribe("unmount", "/", 0)
    scribe("close", number)
    scribe("chdir", "/m")
    scribe("unmount", "/m", 0)
    scribe("chdir", "/")
    mount_tmpfs(scribe, "/m", flags=MNT_UPDATE | MNT_RDONLY)
    scribe.mounted()
    for call in (
        ("open", "/m/new", O_CREAT | O_WRONLY, 0o644), ("open", "/m/f", O_WRONLY, 0), ("open", "/m/f", O_CREAT, 0),
        ("mkdir", "/m/d", 0o755), ("unlink", "/m/f"), ("rmdir", "/m/none"), ("rename", "/m/f", "/m/g"),
        ("link", "/m/f", "/m/g"), ("symlink", "x", "/m/g"), ("chmod", "/m/f", 0o600), ("chown", "/m/f", 1, 1),
        ("chflags", "/m/f", 0), ("truncate", "/m/f", 0), ("utimensat", AT_FDCWD, "/m/f", None, 0),
        ("access", "/m/f", 2), ("access", "/m/f", 4), ("mkdir", "/m/f", 0o755), ("open", "/m/f", O_WRONLY | O_TRUNC, 0),
        ("__mknod50", "/m/n", stat.S_IFCHR | 0o600, 0x202), ("unlink", "/m/none"),
    ):  # fmt: skip
        scribe(*call)
    mount_tmpfs(scribe, "/m", flags=MNT_UPDATE, mode=0o711)
    scribe.mounted()
    scribe.stat("/m")
    mount_tmpfs(scribe, "/m", flags=MNT_UPDATE, size=4096)
    mount_tmpfs(scribe, "/m", flags=MNT_UPDATE, size=1 << 21)
    mount_tmpfs(scribe, "/m", flags=MNT_UPDATE, nodes=4)
    scribe.numbers("/m")
    mount_tmpfs(scribe, "/m", flags=0x4 | 0x8 | 0x4000000)
    scribe.mounted()
    scribe("mkdir", "/m/deep", 0o755)
    mount_tmpfs(scribe, "/m/deep")
    scribe("unmount", "/m", 0)
    scribe("unmount", "/m/deep", 0)
    number = scribe("open", "/m/kept", O_CREAT | O_RDWR, 0o644).value
    scribe("unmount", "/m", MNT_FORCE)
    scribe.fstat(number)
    scribe("read", number, bytearray(3), 3)
    scribe("write", number, b"x", 1)
    scribe("close", number)
    scribe("unmount", "/m", 0)
    scribe.entries("/m")
    scribe("chdir", "/m")
    mount_tmpfs(scribe, "m")
    mount_tmpfs(scribe, "/m")
    buffer = bytearray(40)
    outcome = scribe("__getcwd", buffer, 40)
    scribe.write("cwd", bytes(buffer[: outcome.value]))
    scribe.entries(".")
    scribe("unmount", "/m", MNT_FORCE)
    scribe.stat(".")
    scribe.entries(".")
    scribe("__getcwd", buffer, 40)
    scribe("chdir", "/")


def small_tmpfs(scribe: Scribe) -> None:
    """Where the space ends."""
    scribe("mkdir", "/s", 0o755)
    mount_tmpfs(scribe, "/s", size=16384)
    scribe.numbers("/s")
    for index in range(60):
        outcome = scribe.client.call("open", f"/s/file{index}", O_CREAT | O_WRONLY, 0o644)
        if not outcome:
            break
        scribe.client.ok("close", outcome.value)
    scribe.write("files", (index, outcome.error))
    scribe.numbers("/s")
    scribe("mkdir", "/s/d", 0o755)
    scribe("symlink", "x", "/s/l")
    scribe("link", "/s/file0", "/s/hard")
    for index in range(60):
        scribe.client.call("unlink", f"/s/file{index}")
    scribe.numbers("/s")
    scribe("mkdir", "/s/d", 0o755)
    scribe("unmount", "/s", 0)
    mount_tmpfs(scribe, "/s", nodes=5)
    for index in range(6):
        scribe("mkdir", f"/s/{index}", 0o755)
    scribe.numbers("/s")


def kernfs(scribe: Scribe) -> None:
    scribe("mkdir", "/kern", 0o755)
    scribe("__mount50", "kernfs", "/kern", 0, None, 0)
    scribe.mounted()
    scribe.entries("/kern")
    scribe.numbers("/kern")
    for name in (".", "hostname", "boottime", "version", "none", "hz"):
        scribe.stat(f"/kern/{name}")
    for name in ("hz", "pagesize"):
        number = scribe("open", f"/kern/{name}", 0, 0).value
        buffer = bytearray(400)
        outcome = scribe("read", number, buffer, 400)
        scribe.write(name, bytes(buffer[: max(0, outcome.value)]))
        scribe("read", number, buffer, 400)
        scribe("close", number)
    scribe("mkdir", "/kern/d", 0o755)
    scribe("open", "/kern/new", O_CREAT | O_WRONLY, 0o644)
    scribe("unlink", "/kern/hz")
    scribe("rename", "/kern/hz", "/kern/x")
    scribe("chmod", "/kern/hz", 0o600)
    scribe("chown", "/kern/hz", 1, 1)
    number = scribe("open", "/kern/hostname", O_WRONLY, 0).value
    scribe("write", number, b"fromkernfs\n", 11)
    scribe.write("hostname", scribe.client.sysctl([1, 10])[1])
    scribe("close", number)
    scribe("open", "/kern/hz", O_WRONLY, 0)
    scribe("__mount50", "kernfs", "/kern", MNT_UPDATE, None, 0)
    scribe("unmount", "/kern", 0)


def chroots(scribe: Scribe) -> None:
    scribe("mkdir", "/jail", 0o755)
    scribe("mkdir", "/jail/in", 0o755)
    outside = scribe("open", "/tmp", 0, 0).value
    mount_tmpfs(scribe, "/jail/in")
    scribe("chroot", "/none")
    scribe("chroot", "/dev/null")
    scribe("chroot", "/jail")
    buffer = bytearray(40)
    outcome = scribe("__getcwd", buffer, 40)
    scribe.write("cwd", bytes(buffer[: outcome.value]))
    scribe.entries("/")
    scribe.entries("/..")
    scribe.entries("..")
    scribe("fchdir", outside)
    scribe.mounted()
    scribe.numbers("/in")
    scribe.numbers("/")
    scribe("mkdir", "/m", 0o755)
    mount_tmpfs(scribe, "/m")
    scribe.mounted()
    scribe("unmount", "/m", 0)
    scribe("chdir", "/in")
    outcome = scribe("__getcwd", buffer, 40)
    scribe.write("cwd", bytes(buffer[: outcome.value]))


# sysctl


def sysctl_errors(scribe: Scribe) -> None:
    client = scribe.client

    def ask(mib: list[int], room: int | None = 100, new: bytes | None = None) -> None:
        outcome, raw, told = client.sysctl(mib, room, new)
        scribe.write(f"sysctl {mib} {room} {new!r}", (outcome.error, raw, told, outcome.trace))

    integer = client.abi.integer
    ask([6, 7])
    ask([6, 7], None)
    ask([6, 7], 2)
    ask([6, 7], 0)
    ask([6, 7], 4, integer("int", 5))
    ask([6, 7], None, b"")
    ask([1, 1])
    ask([1, 1], 3)
    ask([1, 1], 100, b"x\0")
    ask([1])
    ask([1, 999])
    ask([1, 1, 1])
    ask([999])
    ask([])
    ask([1] * 13)
    ask([-2])
    ask([1, -2], None)
    ask([1, -7], None)
    ask([1, -9])
    ask([1, -3])
    ask([1, 1, -2])
    ask([1, -5], 100, bytes(96))
    ask([4, 2, 0, 3], None, integer("int", 33))
    ask([4, 2, 0, 3], 4)
    ask([4, 2, 0, 3], 4, integer("int", 64))
    ask([4, 2, 0, 3], None, b"\0\0")
    ask([4, 2, 0, 3], None, bytes(8))
    ask([4, 2, 0, 10], None, integer("int", 5))
    ask([4, 2, 0, 10], None, integer("int", 50000))
    ask([1, 10], None, b"web01\0")
    ask([1, 10])
    ask([1, 10], 3)
    ask([1, 10], None, b"web02")
    ask([1, 10])
    ask([1, 10], None, b"x" * 256)
    ask([1, 10], None, b"x" * 257)
    ask([1, 10], None, b"\0")
    ask([1, 10])
    ask([1, 22], None, b"example.org")
    ask([1, 22])
    ask([4, 24, 41, 12], None, integer("int", 1))
    ask([4, 24, 41, 12])
    ask([4, 34, 0, 0, 4, 0])
    ask([4, 34, 0, 0, 6, 0])
    ask([4, 34, 0, 0, 5])
    ask([4, 34, 0])
    ask([4, 34, 0, 0, 5, 0], 100, integer("int", 1))
    ask([4, 34, 0, 0, 5, 99])
    ask([4, 34, 0, 0, 5, 1], 10)
    ask([3, 1, 1])
    ask([1, 81], 600000)
    ask([10, 5, 2, 9, 1])
    scribe("__sysctl", None, 1, None, None, None, 0)
    scribe("__sysctl", client.abi.integers("int", 6, 7), 2, bytearray(4), None, None, 0)


def sysctl_tree(scribe: Scribe) -> None:
    """Every node's number, name, type, flags and size, and the values that a machine does not choose."""
    _walk(scribe, [], "")


MACHINE_VALUES = (
    "kern.hostname", "kern.boottime", "kern.arandom", "kern.urandom", "kern.hardclock", "kern.pool", "kern.file",
    "kern.evcnt", "kern.msgbuf", "hw.physmem", "hw.ncpu", "vm.", "kern.uidinfo", "vfs.namecache", ".stats",
    "nd6_prlist", "congctl.available", "fstypes",
    "kern.mbuf.stats", "net.bpf", "kern.timecounter", "rlimit", "hw.firmware", "pcblist", "kern.version",
    "rtadv_numroutes", "reserve", "kern.posix",
)  # fmt: skip


def _walk(scribe: Scribe, mib: list[int], path: str) -> None:
    client, layout = scribe.client, scribe.client.abi.struct("sysctlnode")
    question = layout.build(sysctl_flags=0x01000000)
    outcome, raw, told = client.sysctl([*mib, -2], 9600, question)
    if not outcome:
        scribe.write(f"query {path}", outcome.error)
        return
    nodes = [layout.parse(raw, start) for start in range(0, told, layout.size)]
    for node in nodes:
        name = f"{path}.{node.sysctl_name.decode()}".lstrip(".")
        flags = node.sysctl_flags
        # Numbers from 1024 on are given out as components start.
        scribe.write(name, (min(node.sysctl_num, 1024), hex(flags), node._sysctl_size))
        below = [*mib, node.sysctl_num]
        if flags & 0xF == 1:
            _walk(scribe, below, name)
        elif not any(part in name for part in MACHINE_VALUES):
            outcome, value, told = client.sysctl(below, 200)
            scribe.write(f"{name} =", (outcome.error, value, told))


# Interfaces

IFREQ_NAME: Final = 16


def ifreq(client: RawClient, name: str, kind: str = "int", value: int = 0) -> bytearray:
    raw = name.encode().ljust(IFREQ_NAME, b"\0") + client.abi.integer(kind, value)
    return bytearray(raw.ljust(client.abi.struct("ifreq").size, b"\0"))


def sin(address: str | None) -> bytes:
    if address is None:
        return bytes(16)
    return bytes([16, 2, 0, 0]) + ipaddress.IPv4Address(address).packed + bytes(8)


def sin6(client: RawClient, address: str | None, scope: int = 0) -> bytes:
    if address is None:
        return bytes(28)
    return bytes([28, 24]) + bytes(6) + ipaddress.IPv6Address(address).packed + client.abi.integer("uint32", scope)


def alias(name: str, address: str | None, mask: str | None = None, other: str | None = None) -> bytearray:
    return bytearray(name.encode().ljust(16, b"\0") + sin(address) + sin(other) + sin(mask))


def alias6(client: RawClient, name: str, address: str, length: int | None = 64, flags: int = 0,
           lifetimes: tuple[int, int] = (0xFFFFFFFF, 0xFFFFFFFF), other: str | None = None) -> bytearray:  # fmt: skip
    mask = None if length is None else str(ipaddress.IPv6Address((1 << 128) - (1 << 128 - length)))
    lifetime = client.abi.struct("in6_addrlifetime").build(ia6t_vltime=lifetimes[0], ia6t_pltime=lifetimes[1])
    raw = name.encode().ljust(16, b"\0") + sin6(client, address) + sin6(client, other) + sin6(client, mask)
    raw += client.abi.integer("int", flags)
    size = client.abi.struct("in6_aliasreq").size
    return bytearray(raw.ljust(size - len(lifetime), b"\0") + lifetime)


def in6_ifreq(client: RawClient, name: str, address: str, scope: int = 0) -> bytearray:
    raw = name.encode().ljust(16, b"\0") + sin6(client, address, scope)
    return bytearray(raw.ljust(client.abi.struct("in6_ifreq").size, b"\0"))


def linkstr(client: RawClient, name: str, command: int, length: int, pointer: int) -> bytearray:
    layout = client.abi.struct("ifdrv")
    return bytearray(layout.build(ifd_name=name.encode(), ifd_cmd=command, ifd_len=length, ifd_data=pointer))


@dataclass
class InterfaceScribe:
    """Asks and changes interfaces over one socket of each family."""

    scribe: Scribe
    inet: int
    inet6: int
    random: dict[bytes, bytes] = field(default_factory=dict)
    """Hardware addresses that the kernel made up, and the same bytes without chance."""

    def ask(self, request: str | int, data: bytearray | None, six: bool = False, shown: int | None = None) -> None:
        outcome = self.scribe.client.ioctl(self.inet6 if six else self.inet, request, data)
        name = bytes(data[:16]).rstrip(b"\0") if data else b""
        label = f"{request if isinstance(request, str) else hex(request)} {name!r}"
        answer = bytes(data[16:shown]) if data is not None and shown else b""
        self.scribe.write(label, (outcome.error, self.plain(answer)))

    def flags(self, name: str) -> None:
        self.ask("SIOCGIFFLAGS", ifreq(self.scribe.client, name), shown=18)

    def set_flags(self, name: str, flags: int) -> None:
        self.ask("SIOCSIFFLAGS", ifreq(self.scribe.client, name, "uint16", flags))
        self.flags(name)

    def plain(self, raw: bytes) -> bytes:
        for known, shown in self.random.items():
            raw = raw.replace(known, shown)
        return raw

    def all(self) -> None:
        """The interface list, with what chance made taken out of it."""
        client = self.scribe.client
        outcome, raw, told = client.sysctl([4, 34, 0, 0, 5, 0], 16384)
        self.scribe.write("interface list", (outcome.error, told))
        for message in messages(client, raw):
            self._learn(message)
            shown = tuple(self.plain(part) if isinstance(part, bytes) else part for part in message)
            self.scribe.write("message", shown)

    def _learn(self, message: tuple[Any, ...]) -> None:
        """Remember the hardware address in a link-layer sockaddr, and the addresses made of it."""
        for part in message:
            if isinstance(part, bytes) and len(part) > 8 and part[1] == 18 and part[6] == 6:
                hardware = part[8 + part[5] : 14 + part[5]]
                self.random.setdefault(hardware, b"HWADDR")
                made = bytes([hardware[0] ^ 2]) + hardware[1:3] + b"\xff\xfe" + hardware[3:]
                self.random.setdefault(made, b"HWIDENTI")


def messages(client: RawClient, raw: bytes) -> list[tuple[Any, ...]]:
    """Each message of an interface list: type, numbers, sockaddrs; without times and padding."""
    offset, found = 0, []
    while offset < len(raw):
        length = client.abi.read_integer("uint16", raw[offset:])
        body = raw[offset : offset + length]
        if body[3] == 0x14:
            layout = client.abi.struct("if_msghdr")
            head = layout.parse(body)
            numbers = (
                head.ifm_addrs, head.ifm_flags, head.ifm_index, head.ifm_data.ifi_type, head.ifm_data.ifi_addrlen,
                head.ifm_data.ifi_hdrlen, head.ifm_data.ifi_link_state, head.ifm_data.ifi_mtu,
                head.ifm_data.ifi_metric, head.ifm_data.ifi_baudrate,
            )  # fmt: skip
            bits = head.ifm_addrs
        else:
            layout = client.abi.struct("ifa_msghdr")
            head = layout.parse(body)
            numbers = (head.ifam_addrs, head.ifam_flags, head.ifam_metric, head.ifam_index)
            bits = head.ifam_addrs
        found.append((body[3], length, numbers, *sockaddrs(body[-(-layout.size // 8) * 8 :], bits)))
        offset += length
    return found


def sockaddrs(raw: bytes, bits: int) -> list[bytes]:
    found, offset = [], 0
    for position in range(9):
        if bits >> position & 1:
            length = raw[offset]
            found.append(raw[offset : offset + max(length, 1)])
            offset += max(8, -(-length // 8) * 8)
    return found


def interfaces(scribe: Scribe) -> InterfaceScribe:
    inet = scribe("__socket30", 2, 2, 0).value
    inet6 = scribe("__socket30", 24, 2, 0).value
    return InterfaceScribe(scribe, inet, inet6)


def sockets(scribe: Scribe) -> None:
    for family in (0, 1, 2, 18, 24, 34, 16, 99, -1):
        for kind in (1, 2, 3, 5, 0):
            scribe("__socket30", family, kind, 0)
    scribe("__socket30", 2, 2, 6)
    scribe("__socket30", 2, 1, 17)
    scribe("__socket30", 2, 3, 1)
    scribe("__socket30", 2, 2 | 0x10000000, 0)
    layout = scribe.client.abi.struct("stat")
    number = scribe("__socket30", 2, 2, 0).value
    scribe.fstat(number)
    scribe("ioctl", number, 0x8004667E, scribe.client.abi.integer("int", 1))
    scribe("read", number, bytearray(1), 1)
    scribe("pread", number, bytearray(1), 1, 0)
    scribe("lseek", number, 0, 0)
    scribe("ftruncate", number, 0)
    scribe("fchmod", number, 0)
    scribe("ioctl", number, 0x402C7413, bytearray(44))
    scribe("ioctl", number, 0x8004667E, scribe.client.abi.integer("int", 1))
    scribe("ioctl", number, 0x4004667F, bytearray(4))
    scribe("ioctl", 99, 0x4004667F, bytearray(4))
    scribe("ioctl", 1, 0x402C7413, bytearray(44))
    scribe("ioctl", 1, 0x4004667F, bytearray(4))
    scribe("fchdir", number)
    scribe("__fstat50", number, None)
    scribe("__fstat50", 99, bytearray(layout.size))
    un = bytes([16, 1]) + b"/var/run/log\0"
    local = scribe("__socket30", 1, 2, 0).value
    scribe("connect", local, un, len(un))
    scribe("ioctl", local, scribe.client.abi.ioctl("SIOCGIFFLAGS"), ifreq(scribe.client, "lo0"))
    scribe("ioctl", local, scribe.client.abi.ioctl("SIOCGIFADDR"), ifreq(scribe.client, "lo0"))
    route = scribe("__socket30", 34, 3, 0).value
    scribe("ioctl", route, scribe.client.abi.ioctl("SIOCGIFADDR"), ifreq(scribe.client, "lo0"))
    scribe("shutdown", route, 0)
    scribe("shutdown", number, 2)


def cloning(scribe: Scribe) -> None:
    """Making and removing interfaces."""
    hand = interfaces(scribe)
    client = scribe.client
    hand.all()
    for name in ("shmif0", "shmif0", "shmif", "shmif01", "shmif1x", "0", "", "x0", "shmif10", "lo0", "lo1", "bridge0",
                 "abcdefghijklmnop", "shmif99999999999"):  # fmt: skip
        hand.ask("SIOCIFCREATE", ifreq(client, name))
    hand.all()
    for name in ("shmif0", "lo0", "bridge0", "lo1", "nosuch"):
        data = bytearray(client.abi.struct("ifreq").size)
        data[: len(name)] = name.encode()
        for request in ("SIOCGIFFLAGS", "SIOCGIFMTU", "SIOCGIFMETRIC", "SIOCGIFADDR"):
            hand.ask(request, bytearray(data), shown=32)
    for name in ("shmif0", "shmif0", "lo0", "lo1", "bridge0", "nosuch0", "shmif9", "shmif", ""):
        hand.ask("SIOCIFDESTROY", ifreq(client, name))
    hand.ask("SIOCIFCREATE", ifreq(client, "shmif0"))
    hand.all()


def shmif(scribe: Scribe, bus: str) -> None:
    """A shmif's life: its bus, up and down, its MTU."""
    hand = interfaces(scribe)
    client = scribe.client
    hand.ask("SIOCIFCREATE", ifreq(client, "shmif0"))

    def bus_call(request: str, command: int, length: int, text: bytes | bytearray | None) -> None:
        pointer = client.lend(text) if text is not None else 0
        data = linkstr(client, "shmif0", command, length, pointer)
        outcome = client.ioctl(hand.inet, request, data)
        answer = client.abi.struct("ifdrv").parse(data)
        shown = bytes(text) if isinstance(text, bytearray) else None
        scribe.write(f"{request} {command} {length}", (outcome.error, answer.ifd_len, shown))

    bus_call("SIOCGLINKSTR", 0, 100, bytearray(100))
    bus_call("SIOCGLINKSTR", 1, 0, None)
    hand.set_flags("shmif0", 0x8803)
    hand.ask("SIOCAIFADDR", alias("shmif0", "10.0.0.1", "255.255.255.0"))
    hand.flags("shmif0")
    hand.set_flags("shmif0", 0x8802)
    hand.ask("SIOCGIFADDR", ifreq(client, "shmif0"), shown=32)
    bus_call("SIOCSLINKSTR", 0, 0, b"")
    bus_call("SIOCSLINKSTR", 0, 2000, bus.encode() + b"\0")
    bus_call("SIOCSLINKSTR", 7, 9, bus.encode() + b"\0")
    bus_call("SIOCSLINKSTR", 0, 5, None)
    bus_call("SIOCSLINKSTR", 0, 3, bus.encode() + b"\0")
    bus_call("SIOCSLINKSTR", 2, 0, None)
    bus_call("SIOCSLINKSTR", 0, 30, b"/nonexistent/directory/bus\0")
    bus_call("SIOCSLINKSTR", 0, 5, b"/tmp\0")
    bus_call("SIOCSLINKSTR", 0, len(bus) + 1, bus.encode() + b"\0")
    bus_call("SIOCSLINKSTR", 0, len(bus) + 1, bus.encode() + b"\0")
    bus_call("SIOCGLINKSTR", 1, 0, None)
    bus_call("SIOCGLINKSTR", 0, 100, bytearray(100))
    bus_call("SIOCGLINKSTR", 5, 100, bytearray(100))
    for mtu in (1500, 1400, 45, 46, 1501, 0, -1, 1280):
        hand.ask("SIOCSIFMTU", ifreq(client, "shmif0", "int", mtu))
        hand.ask("SIOCGIFMTU", ifreq(client, "shmif0"), shown=20)
    hand.ask("SIOCSIFMETRIC", ifreq(client, "shmif0", "int", 5))
    hand.ask("SIOCGIFMETRIC", ifreq(client, "shmif0"), shown=20)
    hand.set_flags("shmif0", 0x8803)
    bus_call("SIOCSLINKSTR", 2, 0, None)
    bus_call("SIOCSLINKSTR", 0, len(bus) + 1, bus.encode() + b"\0")
    hand.all()
    hand.set_flags("shmif0", 0x8843 | 0x1000 | 0x4)
    hand.set_flags("shmif0", 0x8843)
    hand.ask("SIOCSIFMTU", ifreq(client, "shmif0", "int", 1300))
    hand.flags("shmif0")
    hand.set_flags("shmif0", 0)
    hand.all()
    bus_call("SIOCSLINKSTR", 2, 0, None)
    bus_call("SIOCGLINKSTR", 1, 0, None)
    hand.ask("SIOCIFDESTROY", ifreq(client, "shmif0"))
    bus_call("SIOCGLINKSTR", 1, 0, None)


def make_shmif(hand: InterfaceScribe, name: str, bus: str) -> None:
    client = hand.scribe.client
    hand.ask("SIOCIFCREATE", ifreq(client, name))
    pointer = client.lend(bus.encode() + b"\0")
    hand.ask("SIOCSLINKSTR", linkstr(client, name, 0, len(bus) + 1, pointer))


def inet_addresses(scribe: Scribe, bus: str) -> None:
    hand = interfaces(scribe)
    client = scribe.client
    make_shmif(hand, "shmif0", bus)
    n = "shmif0"

    def look() -> None:
        hand.flags(n)
        for request in ("SIOCGIFADDR", 0xC0906923, 0xC0906925, 0xC0906922):
            hand.ask(request, ifreq(client, n), shown=32)
        hand.all()

    for request in ("SIOCGIFADDR", "SIOCDIFADDR", "SIOCGIFALIAS", "SIOCGIFAFLAG_IN"):
        hand.ask(request, alias(n, "1.2.3.4") if request == "SIOCGIFALIAS" else _named(client, n, "1.2.3.4"), shown=32)
    hand.ask("SIOCAIFADDR", alias(n, None))
    hand.ask("SIOCAIFADDR", alias("nosuch0", "1.2.3.4"))
    hand.ask("SIOCAIFADDR", alias(n, "1.2.3.4", "255.255.255.0"))
    look()
    for extra in (alias(n, "1.2.3.5", "255.255.255.0"), alias(n, "1.2.3.6", "255.255.255.255"),
                  alias(n, "10.1.2.3"), alias(n, "172.16.0.1"), alias(n, "192.168.7.7", None, "192.168.7.200"),
                  alias(n, "1.2.3.4", "255.255.0.0"), alias(n, "1.2.3.4"), alias(n, "9.9.9.9", "0.0.0.0"),
                  alias(n, None, "255.255.255.0")):  # fmt: skip
        hand.ask("SIOCAIFADDR", extra)
        hand.all()
    for address in ("1.2.3.4", "1.2.3.5", "1.2.3.6", "10.1.2.3", "5.5.5.5"):
        hand.ask("SIOCGIFALIAS", alias(n, address), shown=64)
    hand.ask("SIOCGIFALIAS", alias(n, None), shown=64)
    for address in ("1.2.3.4", "5.5.5.5", "1.2.3.5", None, None):
        hand.ask("SIOCDIFADDR", _named(client, n, address))
        look()
    hand.ask("SIOCDIFADDR", _named(client, n, "1.2.3.6"), six=True)
    hand.ask("SIOCDIFADDR", _named(client, "lo0", "127.0.0.1"))
    hand.ask("SIOCAIFADDR", alias("lo0", "127.0.0.1", "255.0.0.0"))
    hand.ask("SIOCAIFADDR", alias("lo0", "127.0.0.2", "255.0.0.0"))
    hand.ask(0x8090690C, bytearray(n.encode().ljust(16, b"\0") + sin("44.1.2.3")).ljust(144, b"\0"))
    look()
    hand.ask(0x80906916, bytearray(n.encode().ljust(16, b"\0") + sin("255.255.255.0")).ljust(144, b"\0"))
    look()
    hand.set_flags(n, 0x8802)
    look()
    hand.set_flags(n, 0x8803)
    hand.flags(n)


def _named(client: RawClient, name: str, address: str | None) -> bytearray:
    raw = name.encode().ljust(16, b"\0") + sin(address)
    return bytearray(raw.ljust(client.abi.struct("ifreq").size, b"\0"))


def inet6_addresses(scribe: Scribe, bus: str) -> None:
    hand = interfaces(scribe)
    client = scribe.client
    make_shmif(hand, "shmif0", bus)
    n, six = "shmif0", True
    hand.ask("SIOCDIFADDR_IN6", in6_ifreq(client, n, "2001:db8::1"), six)
    hand.ask("SIOCGIFAFLAG_IN6", in6_ifreq(client, n, "2001:db8::1"), six)
    hand.ask("SIOCAIFADDR_IN6", alias6(client, n, "2001:db8::1", None), six)
    hand.ask("SIOCAIFADDR_IN6", alias6(client, n, "2001:db8::1", 0), six)
    hand.ask("SIOCAIFADDR_IN6", alias6(client, n, "2001:db8::1", 64, flags=0x2), six)
    hand.ask("SIOCAIFADDR_IN6", alias6(client, n, "2001:db8::1", 64, lifetimes=(10, 20)), six)
    hand.ask("SIOCAIFADDR_IN6", alias6(client, n, "2001:db8::1", 64, lifetimes=(0, 0)), six)
    hand.ask("SIOCAIFADDR_IN6", alias6(client, n, "2001:db8::1", 128, other="2001:db8::2"), six)
    hand.ask("SIOCAIFADDR_IN6", alias6(client, n, "::1", 128), six)
    hand.flags(n)
    hand.ask("SIOCAIFADDR_IN6", alias6(client, n, "2001:db8::1", 64), six)
    hand.flags(n)
    hand.all()
    for request in ("SIOCGIFNETMASK_IN6", "SIOCGIFALIFETIME_IN6", "SIOCGIFDSTADDR_IN6"):
        hand.ask(request, in6_ifreq(client, n, "2001:db8::1"), six, shown=44)
        hand.ask(request, in6_ifreq(client, n, "2001:db8::99"), six, shown=44)
    hand.ask("SIOCAIFADDR_IN6", alias6(client, n, "2001:db8::1", 48), six)
    hand.ask("SIOCAIFADDR_IN6", alias6(client, n, "2001:db8::1", None), six)
    hand.ask("SIOCAIFADDR_IN6", alias6(client, n, "2001:db8::1", 64, lifetimes=(1000, 500)), six)
    for address, length, flags in (("2001:db8::2", 128, 0), ("2001:db8:1::3", 48, 0x1), ("fe80::5", 64, 0)):
        hand.ask("SIOCAIFADDR_IN6", alias6(client, n, address, length, flags), six)
        hand.all()
    hand.ask("SIOCGIFAFLAG_IN6", in6_ifreq(client, n, "2001:db8:1::3"), six, shown=20)
    hand.ask("SIOCGIFNETMASK_IN6", in6_ifreq(client, n, "fe80::5"), six, shown=44)
    hand.ask("SIOCGIFNETMASK_IN6", in6_ifreq(client, n, "fe80::5", 2), six, shown=44)
    hand.ask("SIOCGIFNETMASK_IN6", in6_ifreq(client, n, "fe80::5", 1), six, shown=44)
    hand.ask("SIOCGIFNETMASK_IN6", in6_ifreq(client, n, "fe80::5", 9), six, shown=44)
    hand.ask("SIOCGIFNETMASK_IN6", in6_ifreq(client, n, "fe80:2::5"), six, shown=44)
    hand.ask("SIOCGIFFLAGS", ifreq(client, n), six, shown=18)
    hand.ask("SIOCGIFADDR", ifreq(client, n), six)
    hand.ask("SIOCGIFNETMASK_IN6", in6_ifreq(client, "lo0", "::1"), six, shown=44)
    hand.ask("SIOCGIFDSTADDR_IN6", in6_ifreq(client, "lo0", "::1"), six, shown=44)
    hand.ask("SIOCGIFAFLAG_IN6", in6_ifreq(client, "lo0", "::1"), six, shown=20)
    hand.ask("SIOCGIFAFLAG_IN6", in6_ifreq(client, "lo0", "fe80::1"), six, shown=20)
    hand.ask("SIOCDIFADDR_IN6", in6_ifreq(client, n, "2001:db8::2"), six)
    hand.ask("SIOCDIFADDR_IN6", in6_ifreq(client, n, "fe80::5"), six)
    hand.all()
    hand.set_flags(n, 0x8802)
    hand.ask("SIOCGIFAFLAG_IN6", in6_ifreq(client, n, "2001:db8::1"), six, shown=20)
    hand.set_flags(n, 0x8803)
    hand.ask("SIOCGIFAFLAG_IN6", in6_ifreq(client, n, "2001:db8::1"), six, shown=20)
    hand.all()


def duplicate_detection(scribe: Scribe, bus: str) -> None:
    """When addresses are tentative, whatever brings the interface up."""
    hand = interfaces(scribe)
    client = scribe.client
    for index, first in enumerate(("flags", "inet", "inet6")):
        n = f"shmif{index}"
        make_shmif(hand, n, f"{bus}{index}")
        if first == "flags":
            hand.set_flags(n, 0x8803)
        elif first == "inet":
            hand.ask("SIOCAIFADDR", alias(n, f"10.{index}.0.1", "255.255.255.0"))
        else:
            hand.ask("SIOCAIFADDR_IN6", alias6(client, n, f"2001:db8:{index}::1"), True)
        hand.ask("SIOCAIFADDR", alias(n, f"10.{index}.0.2", "255.255.255.0"))
        hand.ask("SIOCAIFADDR_IN6", alias6(client, n, f"2001:db8:{index}::2"), True)
        hand.ask("SIOCGIFAFLAG_IN", _named(client, n, f"10.{index}.0.1"), shown=20)
        hand.ask("SIOCGIFAFLAG_IN", _named(client, n, f"10.{index}.0.2"), shown=20)
        hand.ask("SIOCGIFAFLAG_IN6", in6_ifreq(client, n, f"2001:db8:{index}::1"), True, shown=20)
        hand.ask("SIOCGIFAFLAG_IN6", in6_ifreq(client, n, f"2001:db8:{index}::2"), True, shown=20)
        local = _link_local(client, index + 2)
        scribe.write(f"{n} has a link-local address", local is not None)
        if local is not None:
            hand.ask("SIOCGIFAFLAG_IN6", in6_ifreq(client, n, local), True, shown=20)
        hand.set_flags(n, 0x8802)
        hand.ask("SIOCGIFAFLAG_IN", _named(client, n, f"10.{index}.0.2"), shown=20)
        hand.set_flags(n, 0x8803)
        hand.ask("SIOCGIFAFLAG_IN", _named(client, n, f"10.{index}.0.2"), shown=20)
        hand.ask("SIOCGIFAFLAG_IN6", in6_ifreq(client, n, f"2001:db8:{index}::2"), True, shown=20)
    hand.all()


def _link_local(client: RawClient, index: int) -> str | None:
    _outcome, raw, _told = client.sysctl([4, 34, 0, 24, 5, index], 8192)
    for message in messages(client, raw):
        for part in message:
            if isinstance(part, bytes) and len(part) == 28 and part[1] == 24 and part[8:10] == b"\xfe\x80":
                return str(ipaddress.IPv6Address(part[8:10] + bytes(2) + part[12:24]))
    return None


def other_interfaces(scribe: Scribe) -> None:
    hand = interfaces(scribe)
    client = scribe.client
    for name in ("bridge0", "lo1"):
        hand.ask("SIOCIFCREATE", ifreq(client, name))
        hand.flags(name)
        for mtu in (0, 68, 1280, 1500, 9000, 66392, 66393, -1):
            hand.ask("SIOCSIFMTU", ifreq(client, name, "int", mtu))
        hand.ask("SIOCSIFMTU", ifreq(client, name, "int", 1500))
        hand.set_flags(name, 0x8049 if name == "lo1" else 0x1)
        hand.ask("SIOCAIFADDR", alias(name, "77.0.0.1", "255.0.0.0"))
        hand.all()
        hand.set_flags(name, 0)
        hand.flags(name)
    capabilities = bytearray(client.abi.struct("ifcapreq").size)
    capabilities[:3] = b"lo0"
    hand.ask("SIOCGIFCAP", capabilities, shown=32)
    capabilities[24] = 1
    hand.ask("SIOCSIFCAP", capabilities)


# Disks


def image() -> bytes:
    """An empty FFS of 512 KiB, made by newfs."""
    return gzip.decompress((Path(__file__).parents[2] / "data" / "ffs-512k.img.gz").read_bytes())


def vnd_argument(
    client: RawClient, file: bytes | None, flags: int = 0, geometry: tuple[int, ...] = (0, 0, 0, 0)
) -> bytearray:
    names = ("vng_secsize", "vng_nsectors", "vng_ntracks", "vng_ncylinders")
    pointer = client.lend(file) if file is not None else 0
    layout = client.abi.struct("vnd_ioctl")
    return bytearray(layout.build(vnd_file=pointer, vnd_flags=flags, vnd_geom=dict(zip(names, geometry, strict=True))))


def vnd(scribe: Scribe) -> None:
    """A file as a disk, with a file system on it."""
    client = scribe.client
    scribe("mkdir", "/t", 0o755)
    mount_tmpfs(scribe, "/t")
    number = scribe("open", "/t/img", O_RDWR | O_CREAT, 0o644).value
    content = image()
    scribe("write", number, content, len(content))
    scribe("close", number)
    scribe("mkdir", "/m", 0o755)

    def configure(device: int, file: bytes | None, flags: int = 0, geometry: tuple[int, ...] = (0, 0, 0, 0)) -> None:
        data = vnd_argument(client, file, flags, geometry)
        outcome = client.ioctl(device, "VNDIOCSET", data)
        parsed = client.abi.struct("vnd_ioctl").parse(data)
        scribe.write(f"VNDIOCSET {file!r} {flags} {geometry}", (outcome.error, parsed.vnd_size, parsed.vnd_osize))

    def unit(device: int, number: int) -> None:
        layout = client.abi.struct("vnd_user")
        data = bytearray(layout.build(vnu_unit=number))
        outcome = client.ioctl(device, "VNDIOCGET", data)
        parsed = layout.parse(data)
        scribe.write(f"VNDIOCGET {number}", (outcome.error, parsed.vnu_unit, bool(parsed.vnu_ino)))

    def clear(device: int, flags: int = 0) -> None:
        outcome = client.ioctl(device, "VNDIOCCLR", vnd_argument(client, None, flags))
        scribe.write(f"VNDIOCCLR {flags}", outcome.error)

    for name in ("rvnd0a", "rvnd0d", "vnd0a", "vnd0d", "vnd1d"):
        scribe("open", f"/dev/{name}", 0, 0)
    reader, writer = scribe("open", "/dev/rvnd0d", 0, 0).value, scribe("open", "/dev/rvnd0d", O_RDWR, 0).value
    unit(writer, -1)
    unit(writer, 0)
    unit(writer, 1)
    unit(writer, -2)
    scribe("read", writer, bytearray(512), 512)
    clear(writer)
    configure(reader, b"/t/img\0")
    configure(writer, b"/none\0")
    configure(writer, b"/t\0")
    configure(writer, b"/dev/null\0")
    configure(writer, None)
    configure(writer, b"/t/img\0", 1, (512, 1000, 1000, 1))
    configure(writer, b"/t/img\0", 1, (100, 1, 1, 1))
    configure(writer, b"/t/img\0")
    configure(writer, b"/t/img\0")
    unit(writer, -1)
    scribe("ioctl", writer, 0x40086484, bytearray(8))
    scribe("ioctl", writer, 0x402C7413, bytearray(44))
    for name in ("rvnd0a", "rvnd0b", "rvnd0d", "vnd0a", "vnd0c", "vnd0d"):
        outcome = scribe("open", f"/dev/{name}", O_RDWR, 0)
        if outcome:
            buffer = bytearray(4096)
            outcome = scribe("pread", outcome.value, buffer, 4096, 8192)
            scribe.write("content", (outcome.trace, bytes(buffer) == content[8192 : 8192 + 4096]))
            scribe("fcntl", outcome.value, 11, 0)
    scribe("pread", writer, bytearray(100), 100, 0)
    scribe("pread", writer, bytearray(512), 512, 100)
    scribe("pread", writer, bytearray(1024), 1024, len(content) - 512)
    scribe("pread", writer, bytearray(512), 512, len(content))
    scribe("pread", writer, bytearray(512), 512, len(content) + 512)
    scribe("pwrite", writer, bytes(1024), 1024, len(content) - 512)
    scribe("pwrite", writer, bytes(512), 512, len(content))
    scribe("pwrite", writer, bytes(512), 512, len(content) + 512)
    outcome = scribe("pwrite", writer, content[:131072], 131072, 0)
    scribe.write("copies", outcome.trace)
    clear(writer)
    scribe("fcntl", 4, 10, 0)
    writer = scribe("open", "/dev/rvnd0d", O_RDWR, 0).value
    layout = client.abi.struct("ufs_args")

    def mount_ffs(device: bytes | None, flags: int = 0) -> None:
        pointer = client.lend(device) if device is not None else 0
        scribe("__mount50", "ffs", "/m", flags, layout.build(fspec=pointer), layout.size)

    mount_ffs(None)
    mount_ffs(b"/none\0")
    mount_ffs(b"/t/img\0")
    mount_ffs(b"/dev/rvnd0a\0")
    mount_ffs(b"/dev/vnd0b\0")
    mount_ffs(b"/dev/vnd0a\0", 0x8)
    mount_ffs(b"/dev/vnd0a\0")
    scribe.mounted()
    scribe.stat("/m")
    scribe.entries("/m")
    scribe.numbers("/m", fresh=False)
    scribe.numbers("/m")
    clear(writer)
    number = scribe("open", "/m/f", O_RDWR | O_CREAT, 0o644).value
    for size in (1, 1500, 20000, 60000):
        outcome = scribe("pwrite", number, b"x" * size, size, 0)
        scribe.write("copies", outcome.trace)
        scribe.stat("/m/f")
    scribe("mkdir", "/m/d", 0o755)
    scribe("symlink", "f", "/m/l")
    scribe("link", "/m/f", "/m/h")
    scribe("__mknod50", "/m/dev", stat.S_IFCHR | 0o600, 0x202)
    for name in ("d", "l", "h", "dev", "."):
        scribe.stat(f"/m/{name}", follow=False)
    scribe.numbers("/m")
    scribe("rename", "/m/h", "/m/d/h2")
    scribe.entries("/m")
    scribe.entries("/m/d")
    mount_ffs(None, MNT_UPDATE | MNT_RDONLY)
    mount_ffs(None, MNT_UPDATE | 0x4000000)
    mount_ffs(b"/dev/vnd0d\0", MNT_UPDATE)
    mount_ffs(b"/none\0", MNT_UPDATE)
    scribe.mounted()
    scribe("__mount50", None, "/m", MNT_GETARGS, bytearray(layout.size), layout.size)
    scribe("unmount", "/m", 0)
    scribe("close", number)
    scribe("unmount", "/m", 0)
    mount_ffs(b"/dev/vnd0a\0", MNT_RDONLY)
    scribe.mounted()
    scribe.entries("/m")
    scribe("open", "/m/new", O_CREAT | O_WRONLY, 0o644)
    scribe("open", "/m/f", O_WRONLY, 0)
    mount_ffs(None, MNT_UPDATE)
    scribe("open", "/m/new", O_CREAT | O_WRONLY, 0o644)
    scribe("unmount", "/m", MNT_FORCE)
    clear(writer)
    configure(writer, b"/t/img\0", 2)
    mount_ffs(b"/dev/vnd0a\0")
    mount_ffs(b"/dev/vnd0a\0", MNT_RDONLY)
    scribe("unmount", "/m", 0)
    clear(writer)
    scribe("unmount", "/t", 0)


# name: (the conversation's function, its further arguments)
Conversation = Callable[[Scribe], None]


def in_root(conversation: Callable[[Scribe, str], None]) -> Conversation:
    """Hold a conversation about a folder of the root file system."""

    def run(scribe: Scribe) -> None:
        scribe("mkdir", "/r", 0o755)
        conversation(scribe, "/r")

    return run


def in_tmpfs(conversation: Callable[[Scribe, str], None]) -> Conversation:
    """… of a tmpfs."""

    def run(scribe: Scribe) -> None:
        scribe("mkdir", "/t", 0o755)
        mount_tmpfs(scribe, "/t", size=8 << 20)
        conversation(scribe, "/t")

    return run


ABOUT_FOLDERS = (writing, naming, removed_but_open, attributes, special_files, at_calls)
ABOUT_BUSES = (shmif, inet_addresses, inet6_addresses, duplicate_detection)
CONVERSATIONS: dict[str, Conversation] = {
    **{f"{function.__name__} in the root": in_root(function) for function in ABOUT_FOLDERS},
    **{f"{function.__name__} in a tmpfs": in_tmpfs(function) for function in ABOUT_FOLDERS},
    **{
        function.__name__: function
        for function in (
            root_directory, descriptors, mounts, small_tmpfs, kernfs, chroots, sysctl_errors, sysctl_tree, sockets,
            cloning, other_interfaces,
            vnd,
        )
    },
    **{function.__name__: (lambda scribe, function=function: function(scribe, "busmem")) for function in ABOUT_BUSES},
}  # fmt: skip
