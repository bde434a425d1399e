# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mount points: the lists of real kernels as mount(8) and df(1) printed them, and mount(2)'s arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.errors import ProtocolError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi, Errno, KernelError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import MNT
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import (
    AMD64,
    I386,
    ILP32_BIG,
    LP64_BIG,
    abi_name,
    transcript,
)
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.scripted_server import Answer, Called, serving

every_abi = pytest.mark.parametrize("abi", [AMD64, I386, LP64_BIG, ILP32_BIG], ids=abi_name)
every_machine = pytest.mark.parametrize("machine", ["amd64", "i386"])


def file_systems(data: bytes, count: int, second: int | None = None) -> Answer:
    """getvfsstat(2) of so many file systems; ``second`` is another count for the call with a buffer."""

    def getvfsstat(called: Called) -> tuple[int, int]:
        if not called["buf"]:
            return 0, count
        called.write("buf", data)
        return 0, count if second is None else second

    return getvfsstat


def recorded_file_systems(machine: str, prefix: str) -> tuple[Abi, str, bytes]:
    found = transcript(machine, prefix)
    call = found.calls("getvfsstat")[1]
    return found.abi, found.stdout, call.copied_out(found.arguments("getvfsstat", call)["buf"])


@every_machine
@pytest.mark.parametrize("prefix", ["52", "75"])
def test_mounts_as_mount_prints_them(machine: str, prefix: str, tmp_path: Path) -> None:
    abi, stdout, data = recorded_file_systems(machine, prefix)
    with serving(tmp_path, {"getvfsstat": file_systems(data, 2)}, abi=abi) as server:
        found = server.kernel.mounts()
    assert [f"{each.source} on {each.path} type {each.fstype} (local)" for each in found] == stdout.splitlines()
    assert found[0].flags == MNT.LOCAL | MNT.ROOTFS
    assert found[1].flags & MNT.LOCAL
    assert [arguments["flags"] for _name, arguments in server.calls] == [2, 1]


@every_machine
def test_sizes_as_df_prints_them(machine: str, tmp_path: Path) -> None:
    abi, stdout, data = recorded_file_systems(machine, "53")
    with serving(tmp_path, {"getvfsstat": file_systems(data, 2)}, abi=abi) as server:
        tmpfs = server.kernel.mounts()[1]
    _source, blocks, used, available, *_rest = stdout.splitlines()[2].split()
    assert tmpfs.size == int(blocks) * 512
    assert tmpfs.size - tmpfs.free == int(used) * 512
    assert tmpfs.available == int(available) * 512
    assert (tmpfs.files, tmpfs.files_free) == (8195, 8194)


@pytest.mark.parametrize("abi", [AMD64, I386, LP64_BIG, ILP32_BIG, Abi(8, 8, "little", release=(10, 0))])
def test_every_word_byte_order_and_release(abi: Abi, tmp_path: Path) -> None:
    layout = abi.struct("statvfs")
    data = layout.build(
        f_flag=0x80001001,
        f_frsize=512,
        f_blocks=1 << 40,
        f_bfree=3,
        f_bavail=2,
        f_fstypename=b"ffs",
        f_mntonname=b"/" + b"x" * 1022,
        f_mntfromname=b"/dev/\xff",
    )
    with serving(tmp_path, {"getvfsstat": file_systems(data, 1)}, abi=abi) as server:
        (found,) = server.kernel.mounts()
    assert (found.path, found.source, found.fstype) == ("/" + "x" * 1022, "/dev/\udcff", "ffs")
    assert found.flags == MNT.SOFTDEP | MNT.LOCAL | MNT.RDONLY
    assert (found.size, found.free, found.available) == (1 << 49, 3 * 512, 2 * 512)


def test_no_mounts(tmp_path: Path) -> None:
    with serving(tmp_path, {"getvfsstat": (0, 0)}) as server:
        assert server.kernel.mounts() == []


def test_what_is_mounted_meanwhile(tmp_path: Path) -> None:
    data = AMD64.struct("statvfs").build(f_mntonname=b"/") * 9
    with serving(tmp_path, {"getvfsstat": file_systems(data, 1, 9)}) as server:
        assert len(server.kernel.mounts()) == 9


def test_noise_for_numbers(tmp_path: Path) -> None:
    with serving(tmp_path, {"getvfsstat": file_systems(b"\xff" * 2256, 1)}) as server:
        (found,) = server.kernel.mounts()
    assert int(found.flags) == 0xFFFFFFFF


@every_abi
@pytest.mark.parametrize("count", [4097, 0x7FFFFFFF, -1])
def test_more_mounts_than_there_can_be(abi: Abi, count: int, tmp_path: Path) -> None:
    with serving(tmp_path, {"getvfsstat": (0, count)}, abi=abi) as server:
        with pytest.raises(ProtocolError, match=f"getvfsstat ended with {count}"):
            server.kernel.mounts()
        assert server.kernel.session.closed
    assert len(server.calls) == 1


@pytest.mark.parametrize("count", [10, 1 << 40, -1])
def test_more_mounts_than_there_was_room_for(count: int, tmp_path: Path) -> None:
    data = AMD64.struct("statvfs").build(f_mntonname=b"/")
    with (
        serving(tmp_path, {"getvfsstat": file_systems(data, 1, count)}) as server,
        pytest.raises(ProtocolError, match=f"getvfsstat ended with {count}, and 0 to 9 are possible"),
    ):
        server.kernel.mounts()


def mount_arguments(seen: dict[str, Any], size: int) -> Answer:
    def mount(called: Called) -> int:
        seen.update(called.arguments)
        seen["type"], seen["path"] = called.string("type"), called.string("path")
        seen["data"] = called.read("data", size) if called["data"] else b""
        return 0

    return mount


@every_machine
def test_mounting_a_tmpfs_as_real_clients_do(machine: str, tmp_path: Path) -> None:
    found = transcript(machine, "51")
    (call,) = found.calls("__mount50")
    recorded = found.arguments("__mount50", call)
    data = found.abi.struct("tmpfs_args").build(ta_version=1, ta_size_max=8 << 20, ta_root_mode=0o40755)
    seen: dict[str, Any] = {}
    with serving(tmp_path, {"__mount50": mount_arguments(seen, len(data))}, abi=found.abi) as server:
        server.kernel.mount("tmpfs", "/data", MNT(0), data)
    assert (seen["type"].encode(), seen["path"].encode()) == (b"tmpfs", b"/data")
    assert call.copied_in(recorded["type"]) == b"tmpfs\0"
    assert call.copied_in(recorded["path"]) == b"/data\0"
    assert seen["data"] == call.copied_in(recorded["data"])
    assert (seen["flags"], seen["data_len"]) == (recorded["flags"], recorded["data_len"])


@every_machine
def test_mounting_a_device_as_real_clients_do(machine: str, tmp_path: Path) -> None:
    found = transcript(machine, "74")
    (call,) = found.calls("__mount50")
    recorded = found.arguments("__mount50", call)
    seen: list[Any] = []

    def mount(called: Called) -> int:
        data = called.read("data", called["data_len"])
        seen.extend((called.string("type"), called.string("path"), called["data_len"]))
        seen.append(called.peer.copyinstr(found.abi.read_integer("pointer", data)))
        return 0

    with serving(tmp_path, {"__mount50": mount}, abi=found.abi) as server:
        server.kernel.mount_device("ffs", "/dev/vnd0a", "/mnt")
    assert seen == ["ffs", "/mnt", recorded["data_len"], b"/dev/vnd0a\0"]


def test_mounting_without_arguments(tmp_path: Path) -> None:
    seen: dict[str, Any] = {}
    with serving(tmp_path, {"__mount50": mount_arguments(seen, 0)}) as server:
        server.kernel.mount("kernfs", "/kern", MNT.RDONLY)
    assert (seen["type"], seen["path"], seen["flags"]) == ("kernfs", "/kern", 1)
    assert (seen["data"], seen["data_len"]) == (b"", 0)


@every_abi
def test_the_arguments_in_force(abi: Abi, tmp_path: Path) -> None:
    layout = abi.struct("tmpfs_args")

    def mount(called: Called) -> int:
        assert called["flags"] == MNT.GETARGS
        assert layout.parse(called.read("data", layout.size)).ta_version == 1
        called.write("data", layout.build(ta_version=1, ta_size_max=1 << 33))
        return 0

    with serving(tmp_path, {"__mount50": mount}, abi=abi) as server:
        assert server.kernel.mount_arguments("tmpfs", "/data", "tmpfs_args").ta_size_max == 1 << 33


def test_what_errors_say(tmp_path: Path) -> None:
    with serving(tmp_path, {"__mount50": Errno.ENODEV, "unmount": Errno.EBUSY}) as server:
        with pytest.raises(KernelError, match=r"^mount tmpfs on /data: ENODEV"):
            server.kernel.mount("tmpfs", "/data")
        with pytest.raises(KernelError, match=r"^mount ffs /dev/x on /data: ENODEV"):
            server.kernel.mount_device("ffs", "/dev/x", "/data")
        with pytest.raises(KernelError, match=r"^unmount /data: EBUSY"):
            server.kernel.unmount("/data", MNT.FORCE)
    assert server.calls[-1][1]["flags"] == MNT.FORCE
