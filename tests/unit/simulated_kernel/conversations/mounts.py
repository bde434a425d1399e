# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mounts, and what is peculiar to each type."""

from __future__ import annotations

import stat

from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.scribe import (
    AT_FDCWD,
    MNT_FORCE,
    MNT_GETARGS,
    MNT_RDONLY,
    MNT_UPDATE,
    O_CREAT,
    O_RDWR,
    O_TRUNC,
    O_WRONLY,
    Scribe,
    mount_tmpfs,
    tmpfs_args,
)


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
