# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_archive on a kernel: what Python's own modules find in the archives, and that they come back as they were."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import stat
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel
from ansible_collections.rumpkernel.rump.plugins.modules import rump_archive, rump_mount, rump_unarchive
from ansible_collections.rumpkernel.rump.tests.support.modules import refused, run_module
from ansible_collections.rumpkernel.rump.tests.support.trees import snapshot_of_kernel

THEN = 1_000_000_000_123_456_789


def pack(kernel: Kernel, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return run_module(kernel, rump_archive, check_mode, **options)


@pytest.fixture
def tree(kernel: Kernel) -> str:
    """/w/tree, on a tmpfs."""
    run_module(kernel, rump_mount, path="/w", fstype="tmpfs", opts="size=8m")
    kernel.makedirs("/w/tree/sub/deep")
    for name, data in {
        "a": b"one",
        "sub/b.log": b"two" * 1000,
        "sub/deep/c": os.urandom(300_000),
        ".hidden": b"",
    }.items():
        kernel.write_file(f"/w/tree/{name}", data)
        kernel.chmod(f"/w/tree/{name}", 0o640)
        kernel.chown(f"/w/tree/{name}", 5, 6)
        kernel.utime(f"/w/tree/{name}", ns=(THEN, THEN))
    kernel.symlink("sub/b.log", "/w/tree/link")
    for name in ("sub/deep", "sub", "."):
        kernel.utime(f"/w/tree/{name}", ns=(THEN, THEN))
    return "/w/tree"


@pytest.mark.parametrize(
    "kind", ["tar", "zip", *(pytest.param(kind, marks=pytest.mark.one_abi) for kind in ("gz", "bz2", "xz"))]
)
def test_pack_change_and_unpack(kernel: Kernel, tree: str, tmp_path: Path, kind: str) -> None:
    dest = tmp_path / "archive"
    options: dict[str, Any] = {"path": [tree], "dest": str(dest), "format": kind}
    before = snapshot_of_kernel(kernel, "/w")
    foretold = pack(kernel, True, **options)
    assert foretold["changed"]
    assert not dest.exists()
    made = pack(kernel, **options)
    assert made == foretold
    assert made["changes"] == [f"make the archive {dest}"]
    assert (made["dest_state"], made["arcroot"], made["missing"]) == ("archive", "/w", [])
    assert made["archived"] == [f"{tree}/{name}" for name in (".hidden", "a", "link", "sub/b.log", "sub/deep/c")]
    assert stat.S_IMODE(dest.stat().st_mode) == 0o644
    names = {
        "tree",
        "tree/a",
        "tree/.hidden",
        "tree/link",
        "tree/sub",
        "tree/sub/b.log",
        "tree/sub/deep",
        "tree/sub/deep/c",
    }
    if kind == "zip":
        with zipfile.ZipFile(dest) as archive:
            assert {name.rstrip("/") for name in archive.namelist()} == names
            assert archive.read("tree/sub/b.log") == b"two" * 1000
    else:
        with tarfile.open(dest, f"r:{'' if kind == 'tar' else kind}") as tar:  # type: ignore[call-overload]
            assert set(tar.getnames()) == names
            found = tar.getmember("tree/a")
            assert (found.mode, found.uid, found.gid, int(found.mtime)) == (0o640, 5, 6, THEN // 10**9)
    again = pack(kernel, **options)
    assert not again["changed"]
    assert snapshot_of_kernel(kernel, "/w") == before

    kernel.mkdir("/w/back")
    run_module(kernel, rump_unarchive, src=str(dest), dest="/w/back")
    packed, back = snapshot_of_kernel(kernel, tree), snapshot_of_kernel(kernel, "/w/back/tree")
    if kind == "zip":  # it has no owners, and times in seconds
        assert packed.keys() == back.keys()
    else:
        assert packed == back

    kernel.write_file(f"{tree}/a", b"changed")
    old = dest.read_bytes()
    assert pack(kernel, True, **options)["diff"]["after"]["tree/a"] != made["diff"]["after"]["tree/a"]
    assert dest.read_bytes() == old
    assert pack(kernel, **options)["changes"] == [f"replace the archive {dest}"]
    assert not pack(kernel, **options)["changed"]
    kernel.rmtree(f"{tree}/sub")
    assert "tree/sub" not in pack(kernel, **options)["diff"]["after"]
    assert [path.name for path in tmp_path.glob(".ansible*")] == []


def test_a_single_file(kernel: Kernel, tree: str, tmp_path: Path) -> None:
    for kind, unpack in {"gz": gzip.decompress, "bz2": bz2.decompress, "xz": lzma.decompress}.items():
        options: dict[str, Any] = {"path": [f"{tree}/sub/b.log"], "dest": str(tmp_path / kind), "format": kind}
        assert pack(kernel, **options)["dest_state"] == "compress"
        assert unpack((tmp_path / kind).read_bytes()) == b"two" * 1000
        assert not pack(kernel, **options)["changed"]
    pack(kernel, path=[f"{tree}/a"], dest=str(tmp_path / "forced"), force_archive=True)
    with tarfile.open(tmp_path / "forced") as tar:
        assert tar.getnames() == ["a"]


def names_in(kernel: Kernel, tmp_path: Path, **options: Any) -> list[str]:
    pack(kernel, dest=str(tmp_path / "names"), format="tar", **options)
    with tarfile.open(tmp_path / "names") as tar:
        return sorted(tar.getnames())


def test_which_files(kernel: Kernel, tree: str, tmp_path: Path) -> None:
    everything = [".hidden", "a", "link", "sub", "sub/b.log", "sub/deep", "sub/deep/c"]
    assert names_in(kernel, tmp_path, path=[f"{tree}/"]) == everything
    assert names_in(kernel, tmp_path, path=[f"{tree}/*"]) == everything[1:]
    assert names_in(kernel, tmp_path, path=[f"{tree}/a", f"{tree}/s[tu]b/*.log"]) == ["a", "sub/b.log"]
    assert names_in(kernel, tmp_path, path=[f"{tree}/"], exclude_path=[f"{tree}/s*"]) == [".hidden", "a", "link"]
    assert names_in(kernel, tmp_path, path=[f"{tree}/"], exclusion_patterns=["*.log", "*/deep*"]) == everything[:4]


def test_what_is_missing(kernel: Kernel, tree: str, tmp_path: Path) -> None:
    made = pack(kernel, path=[f"{tree}/a", f"{tree}/none", "/no/*"], dest=str(tmp_path / "x"))
    assert (made["dest_state"], made["missing"]) == ("incomplete", [f"{tree}/none", "/no/*"])
    options: dict[str, Any] = {"path": ["/soon"], "dest": str(tmp_path / "y")}
    assert pack(kernel, True, **options)["changed"]
    assert "path: nothing is at /soon" in refused(kernel, rump_archive, **options)["msg"]
    assert not (tmp_path / "y").exists()


def test_a_folder_of_the_controllers_that_is_not_there(kernel: Kernel, tree: str, tmp_path: Path) -> None:
    for paths in ([tree], ["/soon"]):
        options: dict[str, Any] = {"path": paths, "dest": str(tmp_path / "none" / "x.tgz")}
        assert pack(kernel, True, **options)["changed"]
        said = refused(kernel, rump_archive, **options)["msg"]
        assert said.endswith(f"dest: there is no folder {tmp_path}/none (on the controller)")
    assert "dest: a path cannot hold a NUL byte" in refused(kernel, rump_archive, path=[tree], dest="/a\0b")["msg"]


def test_the_archives_mode(kernel: Kernel, tree: str, tmp_path: Path) -> None:
    dest = tmp_path / "x"
    pack(kernel, path=[tree], dest=str(dest), mode="0600")
    assert stat.S_IMODE(dest.stat().st_mode) == 0o600
    kernel.write_file(f"{tree}/a", b"")
    pack(kernel, path=[tree], dest=str(dest))
    assert stat.S_IMODE(dest.stat().st_mode) == 0o600
    assert pack(kernel, path=[tree], dest=str(dest), mode="g+r")["changes"] == [f"set the mode of {dest} to 0640"]
    assert not pack(kernel, path=[tree], dest=str(dest), mode="g+r")["changed"]


def test_pipes_and_devices(kernel: Kernel, tree: str, tmp_path: Path) -> None:
    kernel.mkfifo(f"{tree}/pipe")
    kernel.mknod(f"{tree}/null", stat.S_IFCHR | 0o666, 0x203)
    pack(kernel, path=[tree], dest=str(tmp_path / "x"))
    with tarfile.open(tmp_path / "x") as tar:
        assert tar.getmember("tree/pipe").isfifo()
        assert (tar.getmember("tree/null").devmajor, tar.getmember("tree/null").devminor) == (2, 3)
    made = pack(kernel, path=[tree], dest=str(tmp_path / "z"), format="zip")
    assert made["warnings"] == [
        f"{tree}/null is a character device, which the archive cannot hold",
        f"{tree}/pipe is a fifo, which the archive cannot hold",
    ]


def test_what_it_refuses(kernel: Kernel, tree: str, tmp_path: Path) -> None:
    assert "dest: give the name" in refused(kernel, rump_archive, path=[tree], dest=str(tmp_path))["msg"]
    said = refused(kernel, rump_archive, path=[tree], dest=str(tmp_path / "none" / "x"))["msg"]
    assert "dest: " in said
    assert "(on the controller)" in said
