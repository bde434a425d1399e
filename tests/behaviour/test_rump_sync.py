# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_sync on a kernel: what it makes of two trees, and what it says when it cannot."""

from __future__ import annotations

import contextlib
import os
import random
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, RumpError, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.files import makedev
from ansible_collections.rumpkernel.rump.plugins.modules import rump_mount, rump_sync
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS
from ansible_collections.rumpkernel.rump.tests.support.filesystems import FOLDERS, running_with_filesystems
from ansible_collections.rumpkernel.rump.tests.support.modules import refused, run_module
from ansible_collections.rumpkernel.rump.tests.support.relay import cutting
from ansible_collections.rumpkernel.rump.tests.support.trees import snapshot_of_controller, snapshot_of_kernel

IS_ROOT = os.geteuid() == 0
THEN = 1_000_000_000_123_456_789


def sync(kernel: Kernel, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return run_module(kernel, rump_sync, check_mode, **options)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree of the controller's."""
    top = tmp_path / "tree"
    (top / "sub" / "deep").mkdir(parents=True)
    for name, text in {"a": "one", "b.swp": "", "sub/c": "three" * 1000, "sub/deep/d": "four"}.items():
        (top / name).write_text(text)
        (top / name).chmod(0o640)
        os.utime(top / name, ns=(THEN, THEN))
    (top / "big").write_bytes(os.urandom(700_000))
    (top / "link").symlink_to("sub/c")
    (top / "dangling").symlink_to("/nowhere")
    os.mkfifo(top / "pipe", 0o604)
    (top / "sub").chmod(0o2750)
    for name in ("sub/deep", "sub", "."):
        os.utime(top / name, ns=(THEN, THEN + len(name)))
    return top


def alike(kernel: Kernel, there: str, here: Path, **options: Any) -> bool:
    return snapshot_of_kernel(kernel, there, **options) == snapshot_of_controller(here, **options)


def four_steps(kernel: Kernel, there: str = "/w", **options: Any) -> dict[str, Any]:
    """Check mode, for real, and both again; the second's result."""
    before = snapshot_of_kernel(kernel, there)
    foretold = sync(kernel, True, **options)
    assert foretold["changed"]
    assert snapshot_of_kernel(kernel, there) == before
    made = sync(kernel, **options)
    for key in ("changed", "changes", "created", "updated", "deleted", "bytes", "diff"):
        assert made[key] == foretold[key], key
    after = snapshot_of_kernel(kernel, there)
    assert after != before
    for check_mode in (True, False):
        again = sync(kernel, check_mode, **options)
        assert not again["changed"], again["changes"]
        assert again["created"] == again["updated"] == again["deleted"] == []
        assert again["bytes"] == 0
        assert snapshot_of_kernel(kernel, there) == after
    return made


def test_push_makes_changes_and_removes(kernel: Kernel, place: str, tree: Path) -> None:
    options: dict[str, Any] = {"src": f"{tree}/", "dest": "/w/copy", "delete": True}
    made = four_steps(kernel, **options)
    names = ["a", "b.swp", "big", "dangling", "link", "pipe", "sub", "sub/c", "sub/deep", "sub/deep/d"]
    assert made["created"] == [".", *names]
    assert (made["updated"], made["deleted"]) == ([], [])
    assert made["bytes"] == 700_000 + 3 + 5000 + 4
    assert made["atomic"] == (place == "tmpfs")
    assert alike(kernel, "/w/copy", tree)
    assert kernel.read_file("/w/copy/big") == (tree / "big").read_bytes()

    # Another content of the same size, mode, time, target, kind, name; each in its own way.
    (tree / "a").write_text("two")
    (tree / "sub" / "c").chmod(0o4711)
    os.utime(tree / "b.swp", ns=(1, 1))
    (tree / "link").unlink()
    (tree / "link").symlink_to("a")
    (tree / "sub" / "deep" / "d").unlink()
    (tree / "sub" / "deep").rmdir()
    (tree / "sub" / "deep").write_text("a file now")
    (tree / "dangling").unlink()
    (tree / "dangling").mkdir()
    (tree / "dangling" / "new").write_text("new")
    (tree / "pipe").rename(tree / "tube")
    changed = four_steps(kernel, **options)
    assert changed["created"] == ["dangling/new", "tube"]
    assert {"a", "b.swp", "link", "sub/c", "sub/deep", "dangling"} <= set(changed["updated"])
    assert changed["deleted"] == ["pipe"]
    assert changed["diff"]["before"]["sub/c"] != changed["diff"]["after"]["sub/c"]
    assert "pipe" not in changed["diff"]["after"]
    assert alike(kernel, "/w/copy", tree)

    for name in ("tube", "link", "sub/deep", "sub/c"):
        (tree / name).unlink()
    (tree / "sub").rmdir()
    removed = four_steps(kernel, **options)
    assert removed["deleted"] == ["link", "sub", "sub/c", "sub/deep", "tube"]
    assert alike(kernel, "/w/copy", tree)


def test_pull_makes_changes_and_removes(kernel: Kernel, place: str, tree: Path, tmp_path: Path) -> None:
    (tree / "sub").chmod(0o750)  # set-id bits do not come out
    sync(kernel, src=f"{tree}/", dest="/w/copy")
    back = tmp_path / "back"
    options: dict[str, Any] = {"mode": "pull", "src": "/w/copy/", "dest": str(back), "delete": True}
    foretold = sync(kernel, True, **options)
    assert not back.exists()
    made = sync(kernel, **options)
    assert made["changes"] == foretold["changes"]
    assert made["atomic"]
    assert snapshot_of_controller(back) == snapshot_of_controller(tree)
    assert (back / "big").read_bytes() == (tree / "big").read_bytes()
    assert not sync(kernel, **options)["changed"]

    kernel.unlink("/w/copy/pipe")
    kernel.write_file("/w/copy/a", b"other")
    kernel.chmod("/w/copy/sub/c", 0o600)
    before = snapshot_of_controller(back)
    foretold = sync(kernel, True, **options)
    assert snapshot_of_controller(back) == before
    changed = sync(kernel, **options)
    assert changed["changes"] == foretold["changes"]
    assert changed["deleted"] == ["pipe"]
    assert {"a", "sub/c"} <= set(changed["updated"])
    assert changed["bytes"] == 5
    assert alike(kernel, "/w/copy", back)
    assert not sync(kernel, **options)["changed"]


def test_the_directory_itself_and_single_files(kernel: Kernel, place: str, tree: Path) -> None:
    assert sync(kernel, src=str(tree / "sub"), dest="/w")["created"] == ["sub", "sub/c", "sub/deep", "sub/deep/d"]
    assert alike(kernel, "/w/sub", tree / "sub")
    kernel.write_file("/w/kept", b"")
    assert not sync(kernel, src=str(tree / "sub"), dest="/w", delete=True)["changed"]
    assert sync(kernel, src=str(tree / "a"), dest="/w/other")["created"] == ["other"]
    assert kernel.read_file("/w/other") == b"one"
    assert not sync(kernel, src=str(tree / "a"), dest="/w/other")["changed"]
    assert sync(kernel, src=str(tree / "a"), dest="/w")["created"] == ["a"]
    assert sync(kernel, src=str(tree / "a"), dest="/w/new/")["created"] == ["a"]
    assert kernel.listdir("/w/new") == ["a"]


@pytest.mark.one_abi
def test_exclude(kernel: Kernel, place: str, tree: Path) -> None:
    options: dict[str, Any] = {
        "src": f"{tree}/",
        "dest": "/w",
        "delete": True,
        "exclude": ["*.swp", "/sub/deep/", "big", "link"],
    }
    kernel.write_file("/w/kept.swp", b"")
    kernel.mkdir("/w/gone")
    kernel.write_file("/w/gone/also.swp", b"")
    kernel.write_file("/w/gone/file", b"")
    made = four_steps(kernel, **options)
    assert made["deleted"] == ["gone/file"]
    assert sorted(kernel.listdir("/w")) == ["a", "dangling", "gone", "kept.swp", "pipe", "sub"]
    assert kernel.listdir("/w/sub") == ["c"]
    made = four_steps(kernel, **options, delete_excluded=True)
    assert made["deleted"] == ["gone", "gone/also.swp", "kept.swp"]


def test_by_size_and_time_or_by_content(kernel: Kernel, place: str, tree: Path) -> None:
    sync(kernel, src=f"{tree}/", dest="/w")
    kernel.write_file("/w/a", b"ONE")
    kernel.utime("/w/a", ns=(THEN, THEN))
    assert not sync(kernel, src=f"{tree}/", dest="/w")["changed"]
    # A file system that has only seconds.
    kernel.utime("/w/a", ns=(THEN, THEN // 10**9 * 10**9))
    assert not sync(kernel, src=f"{tree}/", dest="/w")["changed"]
    by_content = sync(kernel, src=f"{tree}/", dest="/w", checksum=True)
    assert by_content["updated"] == ["a"]
    assert kernel.read_file("/w/a") == b"one"
    # The same content and another time: nothing is sent.
    kernel.utime("/w/big", ns=(1, 1))
    by_content = four_steps(kernel, src=f"{tree}/", dest="/w", checksum=True)
    assert (by_content["updated"], by_content["bytes"]) == (["big"], 0)


def test_without_archive(kernel: Kernel, place: str, tree: Path) -> None:
    kernel.umask(0o022)
    (tree / "a").chmod(0o666)
    made = four_steps(kernel, src=f"{tree}/", dest="/w", archive=False, recursive=True)
    assert made["created"] == ["a", "b.swp", "big", "sub", "sub/c", "sub/deep", "sub/deep/d"]
    assert stat.S_IMODE(kernel.stat("/w/a").st_mode) == 0o644
    assert kernel.stat("/w/a").st_mtime_ns != THEN
    kernel.chmod("/w/a", 0o600)
    assert not sync(kernel, src=f"{tree}/", dest="/w", archive=False, recursive=True)["changed"]
    (tree / "a").write_text("two")
    assert sync(kernel, src=f"{tree}/", dest="/w", archive=False, recursive=True)["updated"] == ["a"]
    assert stat.S_IMODE(kernel.stat("/w/a").st_mode) == 0o600


def test_owners(kernel: Kernel, place: str, tree: Path) -> None:
    found = (tree / "a").stat()
    sync(kernel, src=f"{tree}/", dest="/w")
    assert (kernel.stat("/w/a").st_uid, kernel.stat("/w/a").st_gid) == (found.st_uid, found.st_gid)
    kernel.chown("/w/a", 5, 6)
    assert not sync(kernel, src=f"{tree}/", dest="/w", owner=False, group=False)["changed"]
    assert four_steps(kernel, src=f"{tree}/", dest="/w")["changes"] == ["set the owner and group of /w/a"]


@pytest.mark.skipif(not IS_ROOT, reason="only the superuser can make devices and give files away")
def test_devices_and_set_id_bits(kernel: Kernel, place: str, tree: Path, tmp_path: Path) -> None:
    os.chown(tree / "a", 5, 6)
    os.chmod(tree / "a", 0o6755)
    sync(kernel, src=f"{tree}/", dest="/w", exclude=["big"])
    found = kernel.stat("/w/a")
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (5, 6, 0o6755)
    devices = tmp_path / "devices"
    devices.mkdir()
    try:
        os.mknod(devices / "null", stat.S_IFCHR | 0o666, os.makedev(2, 70_002))
    except PermissionError:
        pytest.skip("this superuser may not make devices")
    four_steps(kernel, src=f"{devices}/", dest="/w")
    assert kernel.stat("/w/null").st_rdev == makedev(2, 70_002)


def test_a_kernels_devices_and_set_id_bits_do_not_come_out(kernel: Kernel, place: str, tmp_path: Path) -> None:
    """Whoever runs the task: as the superuser's they would be a disk for all, and a program with root's rights."""
    kernel.mkdir("/w/dev")
    kernel.chmod("/w/dev", 0o3777)
    kernel.mknod("/w/dev/sda", stat.S_IFBLK | 0o666, makedev(8, 0))
    kernel.mknod("/w/dev/mem", stat.S_IFCHR | 0o666, makedev(1, 1))
    kernel.write_file("/w/shell", b"#!/bin/sh")
    kernel.chmod("/w/shell", 0o6755)
    for perms in (True, False):
        back = tmp_path / f"back-{perms}"
        options: dict[str, Any] = {"mode": "pull", "src": "/w/", "dest": str(back), "perms": perms}
        foretold, made = sync(kernel, True, **options), sync(kernel, **options)
        assert made["changes"] == foretold["changes"]
        assert made["created"] == [".", "dev", "shell"]
        assert [warning.partition(" is a device")[0] for warning in made["warnings"]] == ["dev/mem", "dev/sda"]
        assert os.listdir(back / "dev") == []
        assert (back / "shell").read_bytes() == b"#!/bin/sh"
        assert stat.S_IMODE((back / "shell").stat().st_mode) == 0o755
        assert stat.S_IMODE((back / "dev").stat().st_mode) == (0o1777 if perms else 0o1755)
        assert not sync(kernel, **options)["changed"]

    # Nor do new bytes get them from the file that they replace.
    (back / "shell").chmod(0o4755)
    kernel.write_file("/w/shell", b"#!/bin/other")
    assert sync(kernel, **options)["updated"] == ["shell"]
    assert stat.S_IMODE((back / "shell").stat().st_mode) == 0o755
    assert not sync(kernel, **options)["changed"]


def test_links_followed(kernel: Kernel, place: str, tree: Path) -> None:
    said = refused(kernel, rump_sync, src=f"{tree}/", dest="/w", copy_links=True)["msg"]
    assert "src: " in said
    assert "dangling" in said
    (tree / "dangling").unlink()
    (tree / "round").symlink_to("..")
    assert "without end" in refused(kernel, rump_sync, src=f"{tree}/", dest="/w", copy_links=True)["msg"]
    (tree / "round").unlink()
    four_steps(kernel, src=f"{tree}/", dest="/w", copy_links=True)
    assert kernel.lstat("/w/link").st_size == 5000
    assert stat.S_ISREG(kernel.lstat("/w/link").st_mode)


def test_existing_only_and_dirs(kernel: Kernel, place: str, tree: Path) -> None:
    kernel.mkdir("/w/sub")
    kernel.write_file("/w/a", b"old")
    made = four_steps(kernel, src=f"{tree}/", dest="/w", existing_only=True)
    assert made["created"] == []
    assert set(made["updated"]) == {".", "a", "sub"}
    assert sync(kernel, src=f"{tree}/", dest="/w", recursive=False, dirs=True)["changed"]
    assert kernel.listdir("/w/sub") == []


def test_what_is_in_the_way(kernel: Kernel, place: str, tree: Path) -> None:
    kernel.makedirs("/w/a/inside")
    before = snapshot_of_kernel(kernel, "/w")
    assert "delete: true" in refused(kernel, rump_sync, src=f"{tree}/", dest="/w")["msg"]
    assert snapshot_of_kernel(kernel, "/w") == before
    run_module(kernel, rump_mount, path="/w/a/inside", fstype="tmpfs")
    said = refused(kernel, rump_sync, src=f"{tree}/", dest="/w", delete=True)["msg"]
    assert "holds what is to be kept" in said
    kernel.unmount("/w/a/inside")
    four_steps(kernel, src=f"{tree}/", dest="/w", delete=True)
    assert alike(kernel, "/w", tree)


def test_a_link_in_the_target_is_not_followed(kernel: Kernel, place: str, tree: Path) -> None:
    kernel.mkdir("/elsewhere")
    kernel.symlink("/elsewhere", "/w/sub")
    kernel.symlink("/elsewhere/x", "/w/a")
    four_steps(kernel, src=f"{tree}/", dest="/w")
    assert kernel.listdir("/elsewhere") == []
    assert alike(kernel, "/w", tree)


def test_what_is_mounted_is_not_removed(kernel: Kernel, place: str, tree: Path) -> None:
    run_module(kernel, rump_mount, path="/w/here/below", fstype="tmpfs")
    kernel.write_file("/w/here/below/kept", b"")
    made = sync(kernel, src=f"{tree}/", dest="/w", delete=True)
    assert made["deleted"] == []
    assert "/w/here/below is kept: a file system is mounted there" in made["warnings"]
    assert kernel.listdir("/w/here/below") == ["kept"]


@pytest.mark.one_abi
@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"src": "{tree}/none", "dest": "/w"}, "src: {tree}/none is not there (on the controller)"),
        ({"src": "{tree}/a/", "dest": "/w"}, "src: {tree}/a/ ends with a slash and is no directory"),
        ({"src": "{tree}/", "dest": "/w/f"}, "dest: /w/f is there and no directory"),
        ({"src": "{tree}", "dest": "/w/f"}, "dest: /w/f is there and no directory"),
        ({"src": "{tree}/", "dest": "/w", "recursive": False}, "takes recursive: true or dirs: true"),
        ({"src": "{tree}/", "dest": "/w", "delete_excluded": True}, "delete_excluded: goes with delete: true"),
        ({"src": "", "dest": "/w"}, "src: give a path"),
        ({"src": "{tree}/", "dest": "/w", "delete": True, "archive": False}, "delete: goes with recursive: true"),
    ],
)
def test_what_it_refuses(kernel: Kernel, tree: Path, check_mode: bool, options: dict[str, Any], said: str) -> None:
    kernel.mkdir("/w")
    kernel.write_file("/w/f", b"")
    before = snapshot_of_kernel(kernel, "/w")
    filled: dict[str, Any] = {
        key: value.format(tree=tree) if isinstance(value, str) else value for key, value in options.items()
    }
    result = refused(kernel, rump_sync, check_mode, **filled)
    assert said.format(tree=tree) in result["msg"]
    assert snapshot_of_kernel(kernel, "/w") == before


def test_a_source_in_the_kernel_that_is_not_there(kernel: Kernel, tmp_path: Path) -> None:
    options: dict[str, Any] = {"mode": "pull", "src": "/none/", "dest": str(tmp_path / "back")}
    assert sync(kernel, True, **options)["changed"]
    result = refused(kernel, rump_sync, **options)
    assert (result["errno"], result["call"]) == ("ENOENT", "lstat")
    assert f"src: File not found: {options['src']} (in the kernel)" in result["msg"]
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize("backend", BACKENDS)
def test_on_ffs(backend: str, tmp_path: Path, tree: Path) -> None:
    with running_with_filesystems(backend, tmp_path) as server, connect(server.url, timeout=20) as kernel:
        copy = f"{FOLDERS['ffs']}/copy"
        made = four_steps(kernel, FOLDERS["ffs"], src=f"{tree}/", dest=copy)
        assert made["atomic"]
        assert alike(kernel, copy, tree)
        (tree / "a").write_text("two and more")
        assert four_steps(kernel, FOLDERS["ffs"], src=f"{tree}/", dest=copy)["bytes"] == 12


def test_a_file_system_that_is_full(kernel: Kernel, tree: Path) -> None:
    """What was there is there, and the result tells how far it came."""
    run_module(kernel, rump_mount, path="/w", fstype="tmpfs", opts="size=512k")
    kernel.write_file("/w/big", b"old")
    result = refused(kernel, rump_sync, src=f"{tree}/", dest="/w")
    assert (result["errno"], result["object"]) == ("ENOSPC", "/w/big")
    assert result["changed"]
    assert kernel.read_file("/w/big") == b"old"
    assert not [name for name in kernel.listdir("/w") if name.startswith(".ansible")]


@pytest.mark.one_abi
def test_many_files(kernel: Kernel, tmp_path: Path) -> None:
    run_module(kernel, rump_mount, path="/w", fstype="tmpfs")
    for number in range(150):
        (tmp_path / "many" / str(number % 3)).mkdir(parents=True, exist_ok=True)
        (tmp_path / "many" / str(number % 3) / str(number)).write_text(f"number {number}")
    assert len(sync(kernel, src=f"{tmp_path}/many/", dest="/w/many")["created"]) == 154
    assert alike(kernel, "/w/many", tmp_path / "many")
    assert sync(kernel, src=f"{tmp_path}/many/", dest="/w/many", checksum=True)["changed"] is False
    assert kernel.umask(0o022) == 0o022


@pytest.mark.one_abi
def test_a_connection_that_is_cut(kernel: Kernel, tmp_path: Path) -> None:
    """Every file is an old or a new one, and the next run finishes the work and removes what is left over."""
    run_module(kernel, rump_mount, path="/w", fstype="tmpfs")
    top = tmp_path / "top"
    top.mkdir()
    chance = random.Random(20260223)
    old: dict[str, bytes] = {}
    with cutting(kernel.url, tmp_path) as (url, cutter):
        for turn in range(10):
            new = {f"{turn if number % 2 else 'same'}-{number}": chance.randbytes(500 + turn) for number in range(40)}
            for path in top.iterdir():
                path.unlink()
            for name, data in new.items():
                (top / name).write_bytes(data)
            cutter.limit = chance.randrange(1_000, 60_000)
            with contextlib.suppress(RumpError), connect(url, timeout=20) as cut:
                sync(cut, src=f"{top}/", dest="/w", delete=True)
            found = {name: kernel.read_file(f"/w/{name}") for name in kernel.listdir("/w")}
            for name, data in found.items():
                assert data in (old.get(name), new.get(name)) or name.startswith(".ansible_tmp"), name
            sync(kernel, src=f"{top}/", dest="/w", delete=True)
            assert alike(kernel, "/w", top)
            old = new
        assert cutter.passed == cutter.limit


@pytest.mark.one_abi
def test_many_files_that_are_there(kernel: Kernel, place: str, tmp_path: Path) -> None:
    """Replaced side by side; their modes stay where none are asked for."""
    for number in range(70):
        (tmp_path / "many").mkdir(exist_ok=True)
        (tmp_path / "many" / str(number)).write_text(f"number {number}")
        kernel.write_file(f"/w/{number}", b"old", 0o600)
    made = four_steps(kernel, src=f"{tmp_path}/many/", dest="/w", perms=False)
    assert (made["atomic"], len(made["updated"])) == (place == "tmpfs", 71)
    assert {kernel.stat(f"/w/{number}").st_mode for number in range(70)} == {stat.S_IFREG | 0o600}
    assert {kernel.read_file(f"/w/{number}") for number in range(70)} == {b"number %d" % number for number in range(70)}


def test_names_of_the_kernels_do_nothing_to_a_terminal(kernel: Kernel, place: str, tmp_path: Path) -> None:
    """In warnings and errors; in the results they are as they are."""
    name, shown = "\x1b[31mred", "\\x1b[31mred"
    kernel.mkdir("/w/from")
    kernel.mknod(f"/w/from/{name}", stat.S_IFBLK | 0o600, makedev(8, 0))
    made = sync(kernel, mode="pull", src="/w/from/", dest=str(tmp_path / "back"))
    assert made["warnings"] == [f"{shown} is a device of the kernel's, which is not made on the controller"]
    kernel.makedirs(f"/w/to/{name}/inside")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / name).write_text("")
    said = refused(kernel, rump_sync, src=f"{tmp_path}/tree/", dest="/w/to")["msg"]
    assert f"dest: the directory /w/to/{shown} is in the way of a file" in said
    kernel.rmdir(f"/w/to/{name}/inside")
    assert sync(kernel, src=f"{tmp_path}/tree/", dest="/w/to", delete=True)["updated"] == [name, "."]
