# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_fetch: files of a kernel's, from tmpfs, FFS and the root file system, on the controller."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.plugin_utils import file_action
from ansible_collections.rumpkernel.rump.tests.support.actions import run_action
from ansible_collections.rumpkernel.rump.tests.support.relay import cutting

MIB = 1 << 20
DATA = bytes(range(256)) * 100


def fetch(kernel: Kernel | None, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return run_action(kernel, "rump_fetch", check_mode, **options)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("link", [False, True])
def test_fetch(kernel_with_filesystems: Kernel, folder: str, tmp_path: Path, link: bool) -> None:
    kernel, path = kernel_with_filesystems, f"{folder}/f"
    kernel.write_file(path, DATA)
    if link:
        kernel.symlink("f", f"{folder}/link")
        path = f"{folder}/link"
    local = tmp_path / "logs" / "host" / path[1:]
    options: dict[str, Any] = {"src": path, "dest": f"{tmp_path}/logs"}

    assert fetch(kernel, check_mode=True, **options)["skipped"]
    assert names(tmp_path) == []
    sums = {"checksum": hashlib.sha1(DATA).hexdigest(), "md5sum": hashlib.md5(DATA).hexdigest()}
    done = fetch(kernel, **options)
    about = {"changed": True, "dest": str(local), **sums, "remote_checksum": sums["checksum"], "remote_md5sum": None}
    assert done.items() >= about.items()
    assert local.read_bytes() == DATA
    assert local.stat().st_mode & 0o777 == 0o644

    local.chmod(0o600)
    again = fetch(kernel, **options)
    assert again.items() >= {"changed": False, "dest": str(local), "file": path, **sums}.items()
    kernel.write_file(path, b"new")
    assert fetch(kernel, **options)["changed"]
    assert local.read_bytes() == b"new"
    assert local.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == [str(local.relative_to(tmp_path))]


def test_flat(kernel_with_filesystems: Kernel, folder: str, tmp_path: Path) -> None:
    kernel, path = kernel_with_filesystems, f"{folder}/f"
    kernel.write_file(path, DATA)
    for dest, local in ((f"{tmp_path}/x", "x"), (f"{tmp_path}/in/", "in/f")):
        assert fetch(kernel, src=path, dest=dest, flat=True)["changed"]
        assert not fetch(kernel, src=path, dest=dest, flat=True)["changed"]
        assert (tmp_path / local).read_bytes() == DATA
    refused = fetch(kernel, src=path, dest=f"{tmp_path}/in", flat=True)
    assert "use a trailing slash" in refused["msg"]


def test_what_is_missing_or_no_file(kernel_with_filesystems: Kernel, folder: str, tmp_path: Path) -> None:
    kernel = kernel_with_filesystems
    kernel.mkfifo(f"{folder}/fifo")
    for path, said in (
        (f"{folder}/none", "the remote file does not exist, not transferring, ignored"),
        (f"{folder}", "remote file is a directory, fetch cannot work on directories"),
        (f"{folder}/fifo", "device, pipe or socket"),
    ):
        result = fetch(kernel, src=path, dest=str(tmp_path))
        assert result["failed"], result
        assert said in result["msg"]
        assert "host: " in result["msg"]
        assert path in result["msg"]
        passed = fetch(kernel, src=path, dest=str(tmp_path), fail_on_missing=False)
        assert not passed.get("failed"), passed
    assert "src and dest are required" in fetch(kernel, src=folder)["msg"]
    nul = "a path cannot hold a NUL byte"
    assert fetch(kernel, src="/a\0b", dest=str(tmp_path))["msg"] == f"host: src: {nul}"
    assert fetch(kernel, src=folder, dest="/a\0b")["msg"] == f"host: dest: {nul}"
    assert names(tmp_path) == []


def test_an_empty_and_a_large_file(kernel_with_filesystems: Kernel, tmp_path: Path) -> None:
    kernel, path = kernel_with_filesystems, "/tmpfs/large"
    for data in (b"", os.urandom(3 * MIB + 5)):
        kernel.write_file(path, data)
        assert fetch(kernel, src=path, dest=f"{tmp_path}/x", flat=True)["changed"]
        assert (tmp_path / "x").read_bytes() == data


@pytest.mark.parametrize("validate", [True, False])
def test_checksum(
    kernel_with_filesystems: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, validate: bool
) -> None:
    """A file that changes between the look at it and the fetch."""
    kernel, path = kernel_with_filesystems, "/tmpfs/changing"
    kernel.write_file(path, b"old")
    take = file_action.download

    def download(kernel: Kernel, path: str, local: str) -> int:
        kernel.write_file(path, b"new")
        return take(kernel, path, local)

    monkeypatch.setattr(file_action, "download", download)
    result = fetch(kernel, src=path, dest=f"{tmp_path}/x", flat=True, validate_checksum=validate)
    assert result.get("failed", False) is validate
    assert ("checksum mismatch" in result.get("msg", "")) is validate


def test_a_cut_connection_leaves_what_was_there(kernel_with_filesystems: Kernel, tmp_path: Path) -> None:
    kernel, path, local = kernel_with_filesystems, "/tmpfs/cut", tmp_path / "x"
    kernel.write_file(path, os.urandom(MIB))
    local.write_bytes(b"old")
    with cutting(kernel.url, tmp_path) as (url, cutter):
        cutter.limit = 3 * MIB // 2  # the second time that it is read
        with connect(url) as cut, pytest.raises(AnsibleConnectionFailure):
            fetch(cut, src=path, dest=str(local), flat=True)
    assert local.read_bytes() == b"old"
    assert names(tmp_path) == ["x"]


def test_local_connection(kernel_with_filesystems: Kernel, tmp_path: Path) -> None:
    kernel_with_filesystems.write_file("/tmpfs/f", DATA)
    options: dict[str, Any] = {
        "src": "/tmpfs/f",
        "dest": f"{tmp_path}/x",
        "flat": True,
        "server": kernel_with_filesystems.url,
    }
    assert fetch(None, **options)["changed"]
    assert (tmp_path / "x").read_bytes() == DATA
