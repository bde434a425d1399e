# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of files, made and replaced on tmpfs, FFS and the root file system."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from pathlib import Path

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.content import (
    Content,
    ContentMismatch,
    Replaced,
    copy_within,
    replace,
    replace_many,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, KernelError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import UF
from ansible_collections.rumpkernel.rump.tests.support.filesystems import FOLDERS

MIB = 1 << 20
NEW = bytes(range(256)) * (5 * MIB // 512)  # 2.5 MiB: more than two chunks, the last in part


def atomic(folder: str) -> bool:
    return not folder.startswith(FOLDERS["rumpfs"])


def facts(kernel: Kernel, path: str) -> tuple[int, int, int]:
    found = kernel.lstat(path)
    return stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid


@pytest.mark.parametrize("data", [b"", b"new", NEW], ids=["empty", "small", "large"])
def test_make_and_replace(kernel_with_filesystems: Kernel, folder: str, tmp_path: Path, data: bytes) -> None:
    kernel, path = kernel_with_filesystems, f"{folder}/f"
    local = tmp_path / "source"
    local.write_bytes(data)
    checksum = hashlib.sha1(data).hexdigest()
    wanted = Replaced(path, len(data), checksum, atomic(folder))
    for source in (data, local, io.BytesIO(data)):
        assert replace(kernel, Content(path, source, checksum=checksum)) == wanted
        assert kernel.read_file(path) == data
        assert facts(kernel, path) == (0o644, 0, 0)
        assert kernel.listdir(folder) == ["f"]
        kernel.write_file(path, b"what was there" * 100)


def test_attributes_are_those_asked_for_or_the_old_ones(kernel_with_filesystems: Kernel, folder: str) -> None:
    kernel, path = kernel_with_filesystems, f"{folder}/f"
    times = (10**18 + 4_000_000, 10**18 + 8_000_000)
    replace(kernel, Content(path, b"1", mode=0o4711, uid=5, gid=6, times=times))
    assert facts(kernel, path) == (0o4711, 5, 6)
    assert kernel.stat(path).st_mtime_ns == times[1]
    replace(kernel, Content(path, b"2"))
    assert facts(kernel, path) == (0o4711, 5, 6)
    assert kernel.stat(path).st_mtime_ns > times[1]
    replace(kernel, Content(path, b"3", mode=0o600, gid=7, times=(None, times[1])))
    assert facts(kernel, path) == (0o600, 5, 7)
    assert kernel.stat(path).st_mtime_ns == times[1]


def test_flags_stay(kernel_with_filesystems: Kernel, folder: str) -> None:
    kernel, path = kernel_with_filesystems, f"{folder}/f"
    kernel.write_file(path, b"old")
    kernel.chflags(path, UF.NODUMP)
    replace(kernel, Content(path, b"new"))
    assert kernel.native_stat(path).st_flags == UF.NODUMP


@pytest.mark.parametrize("follow", [True, False])
def test_links(kernel_with_filesystems: Kernel, folder: str, follow: bool) -> None:
    kernel, path = kernel_with_filesystems, f"{folder}/link"
    kernel.write_file(f"{folder}/target", b"old", 0o600)
    kernel.symlink("target", path)
    done = replace(kernel, Content(path, b"new", follow=follow))
    assert done.path == (f"{folder}/target" if follow else path)
    assert kernel.islink(path) is follow
    assert kernel.read_file(path) == b"new"
    assert kernel.read_file(f"{folder}/target") == (b"new" if follow else b"old")
    assert facts(kernel, path)[0] == 0o644 or follow


def test_backup(kernel_with_filesystems: Kernel, folder: str) -> None:
    kernel, path = kernel_with_filesystems, f"{folder}/f"
    assert replace(kernel, Content(path, b"old", mode=0o640, uid=5, times=(10**18, 10**18), backup=True)) == Replaced(
        path, 3, hashlib.sha1(b"old").hexdigest(), atomic(folder)
    )
    done = replace(kernel, Content(path, b"new", backup=True))
    assert done.backup_file is not None
    assert done.backup_file.startswith(f"{path}.{os.getpid()}.20")
    assert kernel.read_file(path) == b"new"
    assert kernel.read_file(done.backup_file) == b"old"
    assert facts(kernel, done.backup_file) == (0o640, 5, 0)
    assert kernel.stat(done.backup_file).st_mtime == 10**9
    assert kernel.stat(done.backup_file).st_nlink == 1


def test_copy_within(kernel_with_filesystems: Kernel, folder: str) -> None:
    kernel, path = kernel_with_filesystems, f"{folder}/f"
    replace(kernel, Content(path, NEW, mode=0o604, uid=3, gid=4, times=(10**18, 10**18)))
    copy_within(kernel, path, f"{folder}/g")
    assert kernel.read_file(f"{folder}/g") == NEW
    assert facts(kernel, f"{folder}/g") == (0o604, 3, 4)
    assert kernel.stat(f"{folder}/g").st_mtime == 10**9


def test_many(kernel_with_filesystems: Kernel, folder: str) -> None:
    """One that cannot be made does not keep the others from it."""
    kernel = kernel_with_filesystems
    kernel.mkdir(f"{folder}/directory")
    contents = [Content(f"{folder}/{number}", b"%d" % number * number) for number in range(70)]
    contents.insert(40, Content(f"{folder}/directory", b""))
    contents.insert(50, Content(f"{folder}/none/f", b""))
    results = list(replace_many(kernel, contents))
    assert [content for content, _result in results] == contents
    failed = {content.path: result.name for content, result in results if isinstance(result, KernelError)}
    assert failed == {f"{folder}/directory": "EISDIR", f"{folder}/none/f": "ENOENT"}
    for number in range(70):
        assert kernel.read_file(f"{folder}/{number}") == b"%d" % number * number
    assert len(kernel.listdir(folder)) == 71


def test_nothing_is_left_of_what_failed(kernel_with_filesystems: Kernel, folder: str) -> None:
    kernel, path = kernel_with_filesystems, f"{folder}/f"
    if atomic(folder):
        kernel.write_file(path, b"old")
    with pytest.raises(ContentMismatch):
        replace(kernel, Content(path, b"new", checksum="0" * 40))

    class Broken(io.BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            raise PermissionError("no")

    with pytest.raises(PermissionError):
        replace(kernel, Content(path, Broken()))
    if atomic(folder):
        assert kernel.read_file(path) == b"old"
        assert kernel.listdir(folder) == ["f"]
    else:
        assert kernel.listdir(folder) == []


@pytest.mark.one_abi
def test_no_room(kernel_with_filesystems: Kernel) -> None:
    """A disk that is too small: the old content stays, and the temporary file does not."""
    kernel, folder = kernel_with_filesystems, FOLDERS["ffs"]
    before = kernel.listdir(folder)
    kernel.write_file(f"{folder}/f", b"old")
    with pytest.raises(KernelError, match="ENOSPC"):
        replace(kernel, Content(f"{folder}/f", bytes(20 * MIB)))
    assert kernel.read_file(f"{folder}/f") == b"old"
    kernel.unlink(f"{folder}/f")
    assert kernel.listdir(folder) == before
