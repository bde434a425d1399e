# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_mount on a kernel: what it mounts, changes and unmounts, and what it says when it cannot."""

from __future__ import annotations

import gzip
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.files import makedev
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.mounts import MountPoint
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import MNT
from ansible_collections.rumpkernel.rump.plugins.modules import rump_mount
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, ROOT, running
from ansible_collections.rumpkernel.rump.tests.support.modules import refused, run_module

FFS_IMAGE = ROOT / "tests" / "data" / "ffs-512k.img.gz"  # an empty file system, made by newfs -s 1024
MIB = 1 << 20


def mount(kernel: Kernel, path: str, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return run_module(kernel, rump_mount, check_mode, path=path, **options)


def failure(kernel: Kernel, path: str, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return refused(kernel, rump_mount, check_mode, path=path, **options)


def mounted(kernel: Kernel, path: str) -> MountPoint | None:
    found = [entry for entry in kernel.mounts() if entry.path == path]
    assert len(found) < 2
    return found[0] if found else None


def tmpfs_arguments(kernel: Kernel, path: str) -> tuple[int, ...]:
    """Size, nodes, mode, uid and gid, by a call of the test's own."""
    layout = kernel.abi.struct("tmpfs_args")
    data = bytearray(layout.build(ta_version=1))
    kernel.mount("tmpfs", path, MNT.GETARGS, data)
    found = layout.parse(data)
    return found.ta_size_max, found.ta_nodes_max, found.ta_root_mode & 0o7777, found.ta_root_uid, found.ta_root_gid


def state_of(kernel: Kernel) -> list[Any]:
    """All mount points, with the arguments of tmpfs, and the directories of the root."""
    points = [(entry.path, entry.source, entry.fstype, entry.flags) for entry in kernel.mounts()]
    arguments = [tmpfs_arguments(kernel, entry.path) for entry in kernel.mounts() if entry.fstype == "tmpfs"]
    return [points, arguments, sorted(kernel.listdir("/"))]


@dataclass(frozen=True)
class Case:
    """Options, what is done before them, and what holds after them and not before."""

    options: dict[str, Any]
    holds: Callable[[Kernel], bool]
    changes: list[str]
    prepare: list[dict[str, Any]] = field(default_factory=list)
    path: str = "/m"


CASES = {
    "mount a tmpfs": Case(
        {"fstype": "tmpfs"},
        lambda k: mounted(k, "/m") is not None and k.stat("/m").st_mode == stat.S_IFDIR | 0o755,
        ["mount tmpfs (tmpfs) on /m with rw, making the directory /m"],
    ),
    "mount a tmpfs with everything": Case(
        {"fstype": "tmpfs", "opts": "size=8m,nodes=100,mode=1770,uid=5,gid=6,noatime,nosuid"},
        lambda k: (
            tmpfs_arguments(k, "/m/a") == (8 * MIB, 100, 0o1770, 5, 6)
            and mounted(k, "/m/a").flags == MNT.LOCAL | MNT.NOATIME | MNT.NOSUID  # type: ignore[union-attr]
        ),
        [
            (
                "mount tmpfs (tmpfs) on /m/a with rw,noatime,nosuid,size=8388608,nodes=100,mode=1770,uid=5,gid=6, "
                "making the directories /m, /m/a"
            )
        ],
        path="/m/a",
    ),
    "mount a read-only tmpfs, options as a list": Case(
        {"fstype": "tmpfs", "opts": ["ro", "size=64k"]},
        lambda k: mounted(k, "/m").flags == MNT.LOCAL | MNT.RDONLY,  # type: ignore[union-attr]
        ["mount tmpfs (tmpfs) on /m with ro,size=65536, making the directory /m"],
    ),
    "mount kernfs": Case(
        {"fstype": "kernfs"},
        lambda k: mounted(k, "/m").fstype == "kernfs" and "version" in k.listdir("/m"),  # type: ignore[union-attr]
        ["mount kernfs (kernfs) on /m with rw, making the directory /m"],
    ),
    "change the size of a tmpfs": Case(
        {"fstype": "tmpfs", "opts": "size=16m"},
        lambda k: tmpfs_arguments(k, "/m")[0] == 16 * MIB and mounted(k, "/m").size == 16 * MIB,  # type: ignore[union-attr]
        ["remount /m with rw,size=16777216"],
        [{"fstype": "tmpfs", "opts": "size=8m,nodes=50,mode=0700,uid=3"}],
    ),
    "change owner, mode and nodes of a tmpfs": Case(
        {"fstype": "tmpfs", "opts": "mode=0711,gid=8,nodes=60"},
        lambda k: tmpfs_arguments(k, "/m") == (8 * MIB, 60, 0o711, 3, 8) and k.stat("/m").st_gid == 8,
        ["remount /m with rw,mode=0711,gid=8,nodes=60"],
        [{"fstype": "tmpfs", "opts": "size=8m,nodes=50,mode=0700,uid=3"}],
    ),
    "change flags, and leave the rest": Case(
        {"fstype": "tmpfs", "opts": "ro,noatime"},
        lambda k: (
            mounted(k, "/m").flags == MNT.LOCAL | MNT.RDONLY | MNT.NOATIME  # type: ignore[union-attr]
            and tmpfs_arguments(k, "/m") == (8 * MIB, 50, 0o700, 3, 0)
        ),
        ["remount /m with ro,noatime"],
        [{"fstype": "tmpfs", "opts": "nodev,size=8m,nodes=50,mode=0700,uid=3"}],
    ),
    "from read-only to writable": Case(
        {"fstype": "tmpfs", "opts": "defaults"},
        lambda k: mounted(k, "/m").flags == MNT.LOCAL,  # type: ignore[union-attr]
        ["remount /m with rw"],
        [{"fstype": "tmpfs", "opts": "ro"}],
    ),
    "unmount": Case(
        {"state": "unmounted"},
        lambda k: mounted(k, "/m") is None and k.listdir("/m") == [],
        ["unmount tmpfs (tmpfs) from /m"],
        [{"fstype": "tmpfs"}],
    ),
    "unmount and remove": Case(
        {"state": "absent"},
        lambda k: mounted(k, "/m") is None and not k.exists("/m"),
        ["unmount kernfs (kernfs) from /m", "remove the directory /m"],
        [{"fstype": "kernfs"}],
    ),
    "remove what is not mounted": Case(
        {"state": "absent"},
        lambda k: not k.exists("/m"),
        ["remove the directory /m"],
        [{"fstype": "tmpfs"}, {"state": "unmounted"}],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_check_run_run_again(kernel: Kernel, name: str) -> None:
    case = CASES[name]
    for options in case.prepare:
        mount(kernel, case.path, **options)
    before = state_of(kernel)
    foretold = mount(kernel, case.path, check_mode=True, **case.options)
    assert foretold["changed"]
    assert foretold["changes"] == case.changes
    assert state_of(kernel) == before
    made = mount(kernel, case.path, **case.options)
    assert made["changed"]
    assert made["changes"] == case.changes
    assert made["diff"] == foretold["diff"]
    assert "warnings" not in made
    assert {key: made[key] for key in foretold if key in ("path", "src", "fstype", "opts")} == {
        key: foretold[key] for key in foretold if key in ("path", "src", "fstype", "opts")
    }
    assert case.holds(kernel)
    after = state_of(kernel)
    again = mount(kernel, case.path, **case.options)
    assert not again["changed"]
    assert "diff" not in again
    assert state_of(kernel) == after


def test_the_result_is_what_the_kernel_holds(kernel: Kernel) -> None:
    made = mount(kernel, "/m", fstype="tmpfs", opts="size=8m,nodes=100,mode=0750,uid=1,gid=2,noatime")
    point = mounted(kernel, "/m")
    assert point is not None
    wanted = {
        "path": "/m",
        "src": "tmpfs",
        "fstype": "tmpfs",
        "opts": ["rw", "noatime"],
        "size": 8 * MIB,
        "arguments": {"size": 8 * MIB, "nodes": 100, "mode": "0750", "uid": 1, "gid": 2},
    }
    assert {key: made[key] for key in wanted} == wanted
    assert made["size"] == point.size
    assert 0 < made["available"] <= made["size"]
    assert made["diff"]["before"] == {"path": "/m", "state": "unmounted"}
    assert made["diff"]["after"] == {
        "path": "/m",
        "state": "mounted",
        "fstype": "tmpfs",
        "src": "tmpfs",
        "opts": ["rw", "noatime"],
        **wanted["arguments"],  # type: ignore[dict-item]
    }
    again = mount(kernel, "/m", fstype="tmpfs")
    assert {key: again[key] for key in wanted} == wanted
    changed = mount(kernel, "/m", fstype="tmpfs", opts="ro,size=4m")
    assert changed["diff"] == {
        "before": {"path": "/m", "state": "mounted", "opts": ["rw", "noatime"], "size": 8 * MIB},
        "after": {"path": "/m", "state": "mounted", "opts": ["ro"], "size": 4 * MIB},
    }


def test_mode_and_owner_of_the_mount_point_are_taken_over(kernel: Kernel) -> None:
    kernel.mkdir("/m", 0o711)
    kernel.chown("/m", 7, 8)
    mount(kernel, "/m", fstype="tmpfs")
    assert tmpfs_arguments(kernel, "/m")[2:] == (0o711, 7, 8)


def test_options_left_out_stay(kernel: Kernel) -> None:
    mount(kernel, "/m", fstype="tmpfs", opts="ro,noatime,size=8m")
    assert not mount(kernel, "/m", fstype="tmpfs")["changed"]
    assert mount(kernel, "/m", fstype="tmpfs", opts=[])["changed"]


def test_files_live_through_a_change(kernel: Kernel) -> None:
    mount(kernel, "/m", fstype="tmpfs", opts="size=1m")
    kernel.write_file("/m/f", b"text")
    mount(kernel, "/m", fstype="tmpfs", opts="size=2m,noatime")
    assert kernel.read_file("/m/f") == b"text"


def test_remount_every_time(kernel: Kernel) -> None:
    mount(kernel, "/m", fstype="tmpfs", opts="noatime,size=1m")
    before = state_of(kernel)
    for check_mode in (True, False, False):
        result = mount(kernel, "/m", check_mode, state="remounted")
        assert result["changed"]
        assert result["changes"] == ["remount /m with rw,noatime"]
        assert state_of(kernel) == before
    assert mount(kernel, "/m", state="remounted", opts="ro")["opts"] == ["ro"]
    assert mounted(kernel, "/m").flags == MNT.LOCAL | MNT.RDONLY  # type: ignore[union-attr]


def test_mounts_upon_mounts_are_all_unmounted(kernel: Kernel) -> None:
    mount(kernel, "/m", fstype="tmpfs")
    layout = kernel.abi.struct("tmpfs_args")
    kernel.mount("tmpfs", "/m", 0, layout.build(ta_version=1, ta_root_mode=0o755))
    assert mount(kernel, "/m", state="unmounted")["changes"] == ["unmount tmpfs (tmpfs) from /m"] * 2
    assert [entry.path for entry in kernel.mounts()] == ["/"]


def test_a_mount_point_behind_a_link(kernel: Kernel) -> None:
    kernel.mkdir("/real")
    kernel.symlink("real", "/l")
    assert mount(kernel, "/l/m/", fstype="tmpfs")["path"] == "/real/m"
    assert mounted(kernel, "/real/m")
    assert not mount(kernel, "/l/../real/./m", fstype="tmpfs")["changed"]
    assert mount(kernel, "/l/m", state="absent")["changed"]


def test_busy(kernel: Kernel) -> None:
    mount(kernel, "/m", fstype="tmpfs")
    kernel.write_file("/m/f", b"")
    kernel.chdir("/m")
    result = failure(kernel, "/m", state="unmounted")
    assert (result["call"], result["object"], result["errno"]) == ("unmount", "/m", "EBUSY")
    assert "force: true" in result["msg"]
    assert mounted(kernel, "/m")
    kernel.chdir("/")
    descriptor = kernel.open("/m/f", 0)
    failure(kernel, "/m", state="absent")
    assert mount(kernel, "/m", state="absent", force=True)["changed"]
    assert not kernel.exists("/m")
    kernel.close(descriptor)


def test_a_failed_mount_leaves_no_directories(kernel: Kernel) -> None:
    """No tmpfs refuses what the module lets through, so a refusal is made up."""
    kernel.mkdir("/a")
    before = state_of(kernel)

    def refuse(fstype: str, path: str, *_arguments: Any, **_options: Any) -> None:
        kernel.call("unmount", b"/a\0", 0, subject=path)

    kernel.mount = refuse  # type: ignore[assignment, method-assign]
    result = failure(kernel, "/a/b/c", fstype="tmpfs")
    assert (result["errno"], result["changed"]) == ("EINVAL", False)
    del kernel.mount
    assert state_of(kernel) == before
    assert kernel.listdir("/a") == []


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("path", "options", "said", "about"),
    [
        ("/x", {"fstype": "nosuchfs"}, "a component rumpfs_nosuchfs", ("mount", "nosuchfs on /x", "ENODEV")),
        ("/x", {"fstype": "tmpsf"}, "no file system 'tmpsf' in this kernel: check", ("mount", "tmpsf on /x", "ENODEV")),
        ("/x", {"fstype": "null"}, "(rump_server -lrumpfs_null)", ("mount", "null on /x", "ENODEV")),
        ("/x", {"fstype": "mfs"}, "(rump_server -lrumpfs_mfs)", ("mount", "mfs on /x", "ENODEV")),
        ("/x", {"fstype": "procfs"}, "no file system 'procfs' in this", ("mount", "procfs on /x", "ENODEV")),
        ("/x", {"fstype": "ext2fs", "src": "/dev/x"}, "component rumpfs_ext2fs", ("mount", "ext2fs on /x", "ENODEV")),
        ("/f", {"fstype": "tmpfs"}, "/f is not a directory", ("mount", "/f", "ENOTDIR")),
        ("/f/x", {"fstype": "tmpfs"}, "/f is not a directory", ("mount", "/f/x", "ENOTDIR")),
        ("/t", {"fstype": "kernfs"}, "fstype: /t has tmpfs mounted on it, not kernfs: unmount /t first", None),
        ("/", {"fstype": "tmpfs"}, "fstype: / has rumpfs mounted on it", None),
        ("/k", {"fstype": "kernfs", "opts": "ro"}, "opts: kernfs cannot be", ("mount", "kernfs on /k", "EOPNOTSUPP")),
        ("/k", {"state": "remounted"}, "state: kernfs cannot be changed", ("mount", "kernfs on /k", "EOPNOTSUPP")),
        ("/t", {"fstype": "tmpfs", "opts": "hidden"}, "opts: 'hidden' counts only", None),
        ("/t", {"fstype": "tmpfs", "opts": "size=0"}, "cannot lose it while it is mounted", None),
        ("/", {"state": "unmounted"}, "path: the root file system", ("unmount", "/", "EINVAL")),
        ("/", {"state": "absent"}, "path: the root file system", ("unmount", "/", "EINVAL")),
        ("/d", {"state": "absent"}, "is no empty directory", ("rmdir", "/d", "ENOTEMPTY")),
        ("/f", {"state": "absent"}, "is no empty directory", ("rmdir", "/f", "ENOTEMPTY")),
        ("/x", {"fstype": "ffs"}, "src: ffs is mounted from a device", None),
        ("/x", {"fstype": "tmpfs", "opts": "size=50%"}, "opts: size: give bytes", None),
        ("/x", {"fstype": "tmpfs", "opts": "fast"}, "opts: 'fast' is unknown", None),
        ("/x", {"fstype": "kernfs", "opts": "size=8m"}, "means nothing to kernfs", None),
        ("x", {"fstype": "tmpfs"}, "path: give an absolute path", None),
        ("", {"state": "unmounted"}, "path: give an absolute path", None),
    ],
)
def test_what_it_refuses(
    kernel: Kernel, path: str, options: dict[str, Any], said: str, about: tuple[str, str, str] | None, check_mode: bool
) -> None:
    kernel.write_file("/f", b"text")
    kernel.makedirs("/d/e")
    mount(kernel, "/t", fstype="tmpfs", opts="size=1m")
    mount(kernel, "/k", fstype="kernfs")
    before = state_of(kernel)
    result = failure(kernel, path, check_mode, **options)
    assert said in result["msg"]
    assert not result["changed"]
    if about:
        assert (result["call"], result["object"], result["errno"]) == about
    assert state_of(kernel) == before


@pytest.mark.parametrize(
    ("path", "options", "said", "about"),
    [
        ("/x", {"state": "remounted"}, "path: nothing is mounted on /x", None),
        ("/x", {"fstype": "ffs", "src": "/dev/none"}, "is no /dev/none", ("mount", "ffs /dev/none on /x", "ENOENT")),
        ("/x", {"fstype": "ffs", "src": "/f"}, "/f is not a block device", ("mount", "ffs /f on /x", "ENOTBLK")),
    ],
)
def test_what_an_earlier_task_may_make_is_refused_when_it_is_needed(
    kernel: Kernel, path: str, options: dict[str, Any], said: str, about: tuple[str, str, str] | None
) -> None:
    kernel.write_file("/f", b"text")
    before = state_of(kernel)
    assert mount(kernel, path, check_mode=True, **options)["changed"]
    result = failure(kernel, path, **options)
    assert said in result["msg"]
    assert not result["changed"]
    if about:
        assert (result["call"], result["object"], result["errno"]) == about
    assert state_of(kernel) == before


def test_a_size_that_is_too_small_for_what_is_there(kernel: Kernel) -> None:
    mount(kernel, "/m", fstype="tmpfs", opts="size=1m")
    kernel.write_file("/m/f", bytes(500_000))
    result = failure(kernel, "/m", fstype="tmpfs", opts="size=64k")
    assert (result["call"], result["errno"]) == ("mount", "EBUSY")
    assert tmpfs_arguments(kernel, "/m")[0] == MIB


def test_nothing_to_unmount(kernel: Kernel) -> None:
    for state in ("unmounted", "absent"):
        assert mount(kernel, "/nowhere", state=state) == {"changed": False, "path": "/nowhere"}


@pytest.fixture(params=BACKENDS)
def kernel_with_disk(request: pytest.FixtureRequest, tmp_path: Path, record_property) -> Iterator[Kernel]:  # type: ignore[no-untyped-def]
    """A kernel with an ffs on the block device /disk, and the same as a character device on /rdisk."""
    image = tmp_path / "disk.img"
    image.write_bytes(gzip.decompress(FFS_IMAGE.read_bytes()))
    disks = (f"key=/disk,hostpath={image},size=host", f"key=/rdisk,hostpath={image},size=host,type=chr")
    with running(request.param, tmp_path, options=("-d", disks[0], "-d", disks[1])) as server:
        record_property("backend", server.description)
        with connect(server.url, timeout=20) as kernel:
            yield kernel


def test_a_device_without_a_disk(kernel_with_disk: Kernel) -> None:
    kernel_with_disk.mknod("/nodisk", stat.S_IFBLK | 0o600, makedev(150, 0))
    result = failure(kernel_with_disk, "/m", fstype="ffs", src="/nodisk")
    assert "src: there is no disk behind the device /nodisk (mount ffs /nodisk on /m: ENXIO" in result["msg"]
    assert "key=/disk,hostpath=FILE" in result["msg"]
    assert (result["call"], result["object"], result["errno"]) == ("mount", "ffs /nodisk on /m", "ENXIO")
    assert not kernel_with_disk.exists("/m")
    assert "key=/disk,hostpath=FILE" in failure(kernel_with_disk, "/m", fstype="ffs", src="/none")["msg"]


def test_ffs(kernel_with_disk: Kernel) -> None:
    kernel = kernel_with_disk
    options = {"fstype": "ffs", "src": "/disk", "opts": "nosuid"}
    before = state_of(kernel)
    foretold = mount(kernel, "/m", check_mode=True, **options)
    assert state_of(kernel) == before
    made = mount(kernel, "/m", **options)
    assert made["changes"] == foretold["changes"] == ["mount /disk (ffs) on /m with rw,nosuid, making the directory /m"]
    assert (made["src"], made["fstype"], made["opts"]) == ("/disk", "ffs", ["rw", "nosuid"])
    point = mounted(kernel, "/m")
    assert point is not None
    assert (point.source, point.fstype, point.flags) == ("/disk", "ffs", MNT.LOCAL | MNT.NOSUID)
    assert 0 < made["available"] <= made["size"] < 512 * 1024
    kernel.write_file("/m/f", b"text")
    assert not mount(kernel, "/m", **options)["changed"]
    # ufs is another name for it, and a link to the device the same device.
    kernel.symlink("/disk", "/link")
    assert not mount(kernel, "/m", fstype="ufs", src="/link")["changed"]

    changed = mount(kernel, "/m", fstype="ffs", src="/disk", opts="noatime")
    assert changed["changes"] == ["remount /m with rw,noatime"]
    assert mounted(kernel, "/m").flags == MNT.LOCAL | MNT.NOATIME  # type: ignore[union-attr]
    assert mount(kernel, "/m", state="remounted")["opts"] == ["rw", "noatime"]
    assert kernel.read_file("/m/f") == b"text"

    # It cannot become read-only while it is mounted; unmounted and mounted again it keeps what was written.
    result = failure(kernel, "/m", fstype="ffs", src="/disk", opts="ro")
    assert (result["call"], result["object"], result["errno"]) == ("mount", "ffs on /m", "EOPNOTSUPP")
    assert "opts: ffs cannot be made read-only while it is mounted" in result["msg"]
    assert mount(kernel, "/m", state="unmounted")["changes"] == ["unmount /disk (ffs) from /m"]
    mount(kernel, "/m", fstype="ffs", src="/disk", opts="ro")
    assert kernel.read_file("/m/f") == b"text"
    with pytest.raises(OSError, match="EROFS"):
        kernel.mkdir("/m/d")
    assert mount(kernel, "/m", fstype="ffs", src="/disk", opts="rw")["changed"]
    kernel.mkdir("/m/d")
    mount(kernel, "/m", state="absent")
    assert state_of(kernel)[0] == before[0]


def test_another_device_is_not_unmounted(kernel_with_disk: Kernel) -> None:
    kernel = kernel_with_disk
    mount(kernel, "/m", fstype="ffs", src="/disk")
    for src in ("/rdisk", "/none"):
        result = failure(kernel, "/m", fstype="ffs", src=src)
        assert f"src: /m has /disk mounted on it, not {src}: unmount /m first" in result["msg"]
    result = failure(kernel, "/n", fstype="ffs", src="/rdisk")
    assert (result["object"], result["errno"]) == ("ffs /rdisk on /n", "ENOTBLK")
    result = failure(kernel, "/n", fstype="ffs", src="/disk")
    assert (result["call"], result["object"], result["errno"]) == ("mount", "ffs /disk on /n", "EBUSY")
    assert not kernel.exists("/n")
