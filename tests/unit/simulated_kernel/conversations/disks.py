# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files as disks."""

from __future__ import annotations

import gzip
import stat
from pathlib import Path

from ansible_collections.rumpkernel.rump.simulated_kernel.storage import raw_partition
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.scribe import (
    MNT_FORCE,
    MNT_GETARGS,
    MNT_RDONLY,
    MNT_UPDATE,
    O_CREAT,
    O_RDWR,
    O_WRONLY,
    Scribe,
    mount_tmpfs,
)
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.rawclient import RawClient


def image() -> bytes:
    """An empty FFS of 512 KiB, made by newfs."""
    return gzip.decompress((Path(__file__).parents[3] / "data" / "ffs-512k.img.gz").read_bytes())


def vnd_argument(
    client: RawClient, file: bytes | None, flags: int = 0, geometry: tuple[int, ...] = (0, 0, 0, 0)
) -> bytearray:
    names = ("vng_secsize", "vng_nsectors", "vng_ntracks", "vng_ncylinders")
    pointer = client.lend(file) if file is not None else 0
    layout = client.abi.struct("vnd_ioctl")
    return bytearray(layout.build(vnd_file=pointer, vnd_flags=flags, vnd_geom=dict(zip(names, geometry, strict=True))))


def sparse(scribe: Scribe) -> None:
    """Files with holes on the file system at /m."""
    number = scribe("open", "/m/s", O_RDWR | O_CREAT, 0o644).value

    def look() -> None:
        scribe.stat("/m/s")
        scribe.numbers("/m")

    for data, offset in (
        (b"start", 0),
        (b"in the third block", 20000),
        (b"a fragment more", 27000),
        (b"indirect", 200_000),
        (b"fills a hole", 100_000),
        (b"doubly", 20_000_000),
        (b"doubly again", 40_000_000),
        (b"at the next table", 120_000_000),
        (b"end", (1 << 33) + 5),
    ):
        scribe("pwrite", number, data, len(data), offset)
        look()
    buffer = bytearray(30)
    scribe("pread", number, buffer, len(buffer), 19990)
    scribe.write("content", bytes(buffer))
    for size in (
        (1 << 33) + 1,
        40_000_005,
        20_000_000,
        30_000_000,
        200_004,
        150_000,
        20_010,
        20_000,
        9000,
        100_000,
        1,
        0,
    ):
        scribe("ftruncate", number, size)
        look()
    scribe("pwrite", number, bytes(600_000), 600_000, 50_000)
    look()
    scribe("close", number)
    scribe("unlink", "/m/s")
    scribe.numbers("/m")


def vnd(scribe: Scribe) -> None:
    """A file as a disk, with a file system on it."""
    client = scribe.client
    whole, unused = ("d", "c") if raw_partition(client.abi.machine) == 3 else ("c", "d")
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

    for name in ("rvnd0a", f"rvnd0{whole}", "vnd0a", f"vnd0{whole}", f"vnd1{whole}"):
        scribe("open", f"/dev/{name}", 0, 0)
    reader = scribe("open", f"/dev/rvnd0{whole}", 0, 0).value
    writer = scribe("open", f"/dev/rvnd0{whole}", O_RDWR, 0).value
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
    for name in ("rvnd0a", "rvnd0b", f"rvnd0{whole}", "vnd0a", f"vnd0{unused}", f"vnd0{whole}"):
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
    writer = scribe("open", f"/dev/rvnd0{whole}", O_RDWR, 0).value
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
    sparse(scribe)
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
    mount_ffs(f"/dev/vnd0{whole}\0".encode(), MNT_UPDATE)
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
