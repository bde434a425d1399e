# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writing down what a kernel answers."""

from __future__ import annotations

from dataclasses import dataclass, field
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
