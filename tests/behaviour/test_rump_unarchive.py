# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_unarchive on a kernel: what it makes of archives, and which ones it refuses."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.modules import rump_mount, rump_unarchive
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS
from ansible_collections.rumpkernel.rump.tests.support.filesystems import FOLDERS, running_with_filesystems
from ansible_collections.rumpkernel.rump.tests.support.modules import refused, run_module
from ansible_collections.rumpkernel.rump.tests.support.trees import snapshot_of_kernel

THEN = 1_000_000_000
MODES = {"tar": "w", "tar.gz": "w:gz", "tar.bz2": "w:bz2", "tar.xz": "w:xz"}


def unarchive(kernel: Kernel, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return run_module(kernel, rump_unarchive, check_mode, **options)


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", mode: int = 0o640) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.mtime = kind, target, mode, THEN
    info.uid, info.gid = 5, 6
    return info


def make_tar(path: Path, *members: tuple[tarfile.TarInfo, bytes], how: str = "w") -> Path:
    with tarfile.open(path, how) as tar:  # type: ignore[call-overload]
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def zip_info(name: str, mode: int = stat.S_IFREG | 0o640) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, time.localtime(THEN)[:6])
    info.create_system, info.external_attr = 3, mode << 16
    return info


def make_zip(path: Path, *members: tuple[zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, data in members:
            archive.writestr(info, data)
    return path


@pytest.fixture
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An archive of the kind that the parameter says, ``tar`` without one."""
    kind = getattr(request, "param", "tar")
    path = tmp_path / f"archive.{kind}"
    if kind == "zip":
        return make_zip(
            path,
            (zip_info("sub/", stat.S_IFDIR | 0o750), b""),
            (zip_info("sub/a"), b"one"),
            (zip_info("implied/deep/b"), b"two" * 1000),
            (zip_info("link", stat.S_IFLNK | 0o777), b"sub/a"),
        )
    return make_tar(
        path,
        (member("./", tarfile.DIRTYPE, mode=0o711), b""),
        (member("./sub", tarfile.DIRTYPE, mode=0o750), b""),
        (member("./sub/a"), b"one"),
        (member("implied/deep/b"), b"two" * 1000),
        (member("link", tarfile.SYMTYPE, "sub/a"), b""),
        (member("hard", tarfile.LNKTYPE, "./sub/a"), b""),
        how=MODES[kind],
    )


def four_steps(kernel: Kernel, there: str = "/w", **options: Any) -> dict[str, Any]:
    """Check mode, for real, and both again; the second's result."""
    before = snapshot_of_kernel(kernel, there)
    foretold = unarchive(kernel, True, **options)
    assert foretold["changed"]
    assert snapshot_of_kernel(kernel, there) == before
    made = unarchive(kernel, **options)
    for key in ("changed", "changes", "created", "updated", "bytes", "diff"):
        assert made[key] == foretold[key], key
    after = snapshot_of_kernel(kernel, there)
    assert after != before
    for check_mode in (True, False):
        again = unarchive(kernel, check_mode, **options)
        assert not again["changed"], again["changes"]
        assert snapshot_of_kernel(kernel, there) == after
    return made


def facts(kernel: Kernel, path: str) -> tuple[int, int, str, int]:
    found = kernel.lstat(path)
    return found.st_uid, found.st_gid, oct(stat.S_IMODE(found.st_mode)), int(found.st_mtime)


@pytest.mark.parametrize(
    "archive",
    [pytest.param(kind, marks=pytest.mark.one_abi if kind.startswith("tar.") else ()) for kind in [*MODES, "zip"]],
    indirect=True,
)
def test_unpack_and_unpack_over(kernel: Kernel, place: str, archive: Path) -> None:
    is_zip = archive.suffix == ".zip"
    owner = (0, 0) if is_zip else (5, 6)
    made = four_steps(kernel, src=str(archive), dest="/w", list_files=True)
    names = ["implied", "implied/deep", "implied/deep/b", "link", "sub", "sub/a"]
    assert made["created"] == sorted([*names, *([] if is_zip else ["hard"])])
    assert made["handler"] == ("zip" if is_zip else "tar")
    assert "sub/a" in made["files"]
    assert made["atomic"] == (place == "tmpfs")
    assert facts(kernel, "/w/sub/a") == (*owner, "0o640", THEN)
    assert facts(kernel, "/w/sub") == (*owner, "0o750", THEN)
    assert facts(kernel, "/w/implied")[:3] == (0, 0, "0o755")
    assert kernel.read_file("/w/implied/deep/b") == b"two" * 1000
    assert kernel.readlink("/w/link") == "sub/a"
    if not is_zip:
        assert kernel.read_file("/w/hard") == b"one"

    # Content of the same size and time, a mode, a time, a kind; and what is not of the archive stays.
    kernel.write_file("/w/sub/a", b"ONE")
    kernel.utime("/w/sub/a", ns=(THEN * 10**9, THEN * 10**9))
    kernel.chmod("/w/sub", 0o777)
    kernel.utime("/w/implied/deep/b", ns=(1, 1))
    kernel.unlink("/w/link")
    kernel.write_file("/w/link", b"")
    kernel.write_file("/w/mine", b"")
    made = four_steps(kernel, src=str(archive), dest="/w")
    assert made["updated"] == ["implied/deep/b", "link", "sub", "sub/a"]
    assert made["bytes"] == 3
    assert kernel.exists("/w/mine")


def test_in_the_kernel_already(kernel: Kernel, archive: Path) -> None:
    kernel.mkdir("/w")
    options: dict[str, Any] = {"src": "/archive", "dest": "/w", "remote_src": True}
    assert unarchive(kernel, True, **options)["changed"]
    result = refused(kernel, rump_unarchive, **options)
    assert (result["errno"], result["call"]) == ("ENOENT", "stat")
    assert f"src: File not found: {options['src']} (in the kernel)" in result["msg"]
    kernel.write_file("/archive", archive.read_bytes())
    assert "sub/a" in four_steps(kernel, **options)["created"]


def test_a_part_of_it(kernel: Kernel, archive: Path) -> None:
    kernel.mkdir("/w")
    made = four_steps(kernel, src=str(archive), dest="/w", include=["sub", "./implied/*"])
    assert made["created"] == ["implied", "implied/deep", "implied/deep/b", "sub", "sub/a"]
    kernel.rmtree("/w")
    kernel.mkdir("/w")
    made = four_steps(kernel, src=str(archive), dest="/w", exclude=["sub/", "*/b"], list_files=True)
    assert made["created"] == made["files"] == ["hard", "link"]
    assert (
        "include: nothing is not in"
        in refused(kernel, rump_unarchive, src=str(archive), dest="/w", include=["nothing"])["msg"]
    )


def test_with_other_attributes(kernel: Kernel, place: str, archive: Path) -> None:
    four_steps(kernel, src=str(archive), dest="/w", mode="u=rwX,go=rX", owner="7", group="wheel")
    assert facts(kernel, "/w/sub/a") == (7, 0, "0o644", THEN)
    assert facts(kernel, "/w/sub")[:3] == (7, 0, "0o755")
    assert facts(kernel, "/w/link")[:2] == (7, 0)


def test_keep_newer_and_creates(kernel: Kernel, archive: Path) -> None:
    kernel.makedirs("/w/sub")
    kernel.write_file("/w/sub/a", b"newer")
    kernel.write_file("/w/hard", b"older")
    kernel.utime("/w/hard", ns=(1, 1))
    made = four_steps(kernel, src=str(archive), dest="/w", keep_newer=True)
    assert "hard" in made["updated"]
    assert kernel.read_file("/w/sub/a") == b"newer"
    skipped = unarchive(kernel, src=str(archive), dest="/w", creates="/w/hard")
    assert (skipped["changed"], skipped["msg"]) == (False, "skipped, since /w/hard exists")
    assert kernel.read_file("/w/sub/a") == b"newer"
    assert unarchive(kernel, src=str(archive), dest="/w", creates="/w/none")["changed"]


HOSTILE: dict[str, tuple[list[tarfile.TarInfo], str]] = {
    "absolute": ([member("/etc/passwd")], "'/etc/passwd' is an absolute path"),
    "climbing": ([member("a/../../b")], "climbs out of its directory"),
    "climbing in the end": ([member("..", tarfile.DIRTYPE)], "climbs out of its directory"),
    "absolute link": ([member("l", tarfile.SYMTYPE, "/etc")], "link to an absolute path, /etc"),
    "link outside": ([member("d/l", tarfile.SYMTYPE, "../../x")], "leads outside, ../../x"),
    "link through a link": (
        [member("d/up", tarfile.SYMTYPE, ".."), member("l", tarfile.SYMTYPE, "d/up/../x")],
        "leads outside, d/up/../x",
    ),
    "below a link": ([member("l", tarfile.SYMTYPE, "."), member("l/f")], "is below l, a link"),
    "below a file": ([member("f"), member("f/g")], "is below f, a file"),
    "hard link outside": ([member("h", tarfile.LNKTYPE, "/etc/passwd")], "hard link to /etc/passwd"),
    "device": ([member("null", tarfile.CHRTYPE)], "is a character device"),
    "block device": ([member("disk", tarfile.BLKTYPE)], "is a block device"),
    "pipe": ([member("pipe", tarfile.FIFOTYPE)], "is a fifo"),
}


@pytest.mark.one_abi
@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_tar(kernel: Kernel, tmp_path: Path, name: str, check_mode: bool) -> None:
    members, said = HOSTILE[name]
    kernel.mkdir("/w")
    path = make_tar(tmp_path / "t.tar", (member("good"), b""), *((info, b"") for info in members))
    result = refused(kernel, rump_unarchive, check_mode, src=str(path), dest="/w")
    assert result["msg"].count("src: ") == 1
    assert "not safe to unpack" in result["msg"]
    assert said in result["msg"]
    assert kernel.listdir("/w") == []


@pytest.mark.one_abi
@pytest.mark.parametrize(
    ("info", "data", "said"),
    [
        (zip_info("/etc/passwd"), b"", "is an absolute path"),
        (zip_info("../x"), b"", "climbs out of its directory"),
        (zip_info("l", stat.S_IFLNK | 0o777), b"../x", "leads outside"),
        (zip_info("pipe", stat.S_IFIFO | 0o600), b"", "is a fifo"),
    ],
)
def test_a_hostile_zip(kernel: Kernel, tmp_path: Path, info: zipfile.ZipInfo, data: bytes, said: str) -> None:
    kernel.mkdir("/w")
    path = make_zip(tmp_path / "z.zip", (zip_info("good"), b""), (info, data))
    assert said in refused(kernel, rump_unarchive, src=str(path), dest="/w")["msg"]
    assert kernel.listdir("/w") == []


def test_links_inside_are_safe(kernel: Kernel, tmp_path: Path) -> None:
    kernel.mkdir("/w")
    path = make_tar(
        tmp_path / "t.tar",
        (member("a/b/up", tarfile.SYMTYPE, "../../c"), b""),
        (member("a/round", tarfile.SYMTYPE, "round"), b""),
        (member("a/dot", tarfile.SYMTYPE, "."), b""),
    )
    assert len(four_steps(kernel, src=str(path), dest="/w")["created"]) == 5


@pytest.mark.one_abi
def test_what_is_no_archive_or_a_damaged_one(kernel: Kernel, tmp_path: Path, archive: Path) -> None:
    kernel.mkdir("/w")
    whole, packed = archive.read_bytes(), gzip.compress(archive.read_bytes())
    wrong = bytearray(make_zip(tmp_path / "z", (zip_info("a"), b"some text")).read_bytes())
    wrong[40] ^= 1
    for number, (data, said) in enumerate(
        {
            b"text": "is no archive",
            b"": "is no archive",
            whole[:1700]: "is damaged",
            packed[: len(packed) // 2]: "is damaged",
            packed[:-6] + b"xx" + packed[-4:]: "is damaged",
            bytes(wrong): "is damaged",
        }.items()
    ):
        (tmp_path / "bad").write_bytes(data)
        result = refused(kernel, rump_unarchive, src=str(tmp_path / "bad"), dest="/w")
        assert said in result["msg"], number
        assert kernel.listdir("/w") == []


@pytest.mark.parametrize("moment", ["nan", "1e99", "soon", "-99999999999999999999"])
def test_a_time_that_is_none(kernel: Kernel, tmp_path: Path, moment: str) -> None:
    kernel.mkdir("/w")
    info = member("f")
    info.pax_headers = {"mtime": moment}
    path = make_tar(tmp_path / "t.tar", (info, b""))
    assert "the time of 'f' is none" in refused(kernel, rump_unarchive, src=str(path), dest="/w")["msg"]


def test_times_far_away(kernel: Kernel, tmp_path: Path) -> None:
    run_module(kernel, rump_mount, path="/w", fstype="tmpfs")
    for number, seconds in enumerate((-5_000_000_000, 300_000_000_000)):
        info = member(f"f{number}")
        info.pax_headers = {"mtime": f"{seconds}.25"}
        four_steps(kernel, src=str(make_tar(tmp_path / "t.tar", (info, b"x"))), dest="/w")
        assert kernel.stat(f"/w/f{number}").st_mtime_ns == seconds * 10**9 + (
            250_000_000 if seconds > 0 else -250_000_000
        )


@pytest.mark.one_abi
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dest": "/none"}, "dest: /none is to be a directory"),
        ({"dest": "/file"}, "dest: /file is "),
        ({"extra_opts": ["--strip-components=1"]}, "extra_opts: no program"),
        ({"src": "https://example.org/x.tar"}, "src: give a file"),
        ({"src": "/nowhere/at/all"}, "(on the controller)"),
        ({"src": "/a\0b"}, "src: a path cannot hold a NUL byte"),
        ({"src": "/a\0b", "remote_src": True}, "src: a path cannot hold a NUL byte"),
        ({"dest": "/w\0b"}, "dest: a path cannot hold a NUL byte"),
        ({"creates": "/w\0b"}, "creates: a path cannot hold a NUL byte"),
        ({"owner": "www"}, "owner: the kernel has no user 'www'"),
        ({"mode": "u=rwz"}, "mode: 'u=rwz' is no mode"),
        ({"dest": "/linked"}, "is a link, and what is to be in a directory there is not put there"),
    ],
)
def test_what_it_refuses(kernel: Kernel, archive: Path, options: dict[str, Any], said: str) -> None:
    kernel.mkdir("/w")
    kernel.write_file("/file", b"")
    kernel.mkdir("/linked")
    kernel.symlink("/w", "/linked/implied")
    assert said in refused(kernel, rump_unarchive, **{"src": str(archive), "dest": "/w", **options})["msg"]
    assert kernel.listdir("/w") == []


def test_check_mode_before_the_directory_is_there(kernel: Kernel, archive: Path) -> None:
    assert unarchive(kernel, True, src=str(archive), dest="/soon")["changed"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_on_ffs(backend: str, tmp_path: Path, archive: Path) -> None:
    with running_with_filesystems(backend, tmp_path) as server, connect(server.url, timeout=20) as kernel:
        assert four_steps(kernel, FOLDERS["ffs"], src=str(archive), dest=FOLDERS["ffs"])["atomic"]
        assert facts(kernel, f"{FOLDERS['ffs']}/sub/a") == (5, 6, "0o640", THEN)


def test_the_controllers_files_stay_as_they_are(kernel: Kernel, archive: Path) -> None:
    kernel.mkdir("/w")
    before = sorted(os.listdir(archive.parent))
    unarchive(kernel, src=str(archive), dest="/w")
    assert sorted(os.listdir(archive.parent)) == before
