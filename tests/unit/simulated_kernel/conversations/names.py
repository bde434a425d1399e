# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names: links, renaming, removal, attributes, special files, the *at calls."""

from __future__ import annotations

import stat

from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.scribe import (
    AT_FDCWD,
    O_APPEND,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_NOFOLLOW,
    O_RDWR,
    O_TRUNC,
    O_WRONLY,
    PATH_LIMIT,
    Scribe,
)


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
