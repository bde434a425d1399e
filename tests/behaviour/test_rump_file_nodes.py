# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_file's states and options that ansible.builtin.file has not: pipes, devices and flags.

On the root file system, a tmpfs and an FFS; what each holds is read with the library's lstat and flags.
"""

from __future__ import annotations

import gzip
import json
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.attributes import names_of_flags
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.files import major, makedev, minor
from ansible_collections.rumpkernel.rump.plugins.modules import rump_file, rump_mount
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, ROOT, Server, running
from ansible_collections.rumpkernel.rump.tests.support.modules import refused, run_module

FFS_IMAGE = ROOT / "tests" / "data" / "ffs-512k.img.gz"
NULL = makedev(2, 2)
ZERO = makedev(2, 12)


@pytest.fixture(scope="module", params=BACKENDS)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Kernel]]:
    """One kernel for all tests, with a tmpfs on /tmpfs and an FFS on /ffs."""
    folder = tmp_path_factory.mktemp("kernel")
    image = folder / "disk.img"
    image.write_bytes(gzip.decompress(FFS_IMAGE.read_bytes()))
    options = ("-d", f"key=/disk,hostpath={image},size=host")
    with running(request.param, folder, options=options) as server, connect(server.url, timeout=20) as kernel:
        kernel.mkdir("/rumpfs")
        run_module(kernel, rump_mount, path="/tmpfs", fstype="tmpfs", opts="size=4m")
        run_module(kernel, rump_mount, path="/ffs", fstype="ffs", src="/disk")
        yield server, kernel


@pytest.fixture
def kernel(shared: tuple[Server, Kernel], record_property) -> Kernel:  # type: ignore[no-untyped-def]
    record_property("backend", shared[0].description)
    return shared[1]


@pytest.fixture(params=["rumpfs", "tmpfs", "ffs"])
def top(request: pytest.FixtureRequest, kernel: Kernel) -> Iterator[str]:
    """An empty directory on one of the file systems."""
    path = f"/{request.param}/w"
    kernel.mkdir(path)
    yield path
    remove(kernel, path)


@pytest.fixture
def tmpfs(kernel: Kernel) -> Iterator[str]:
    kernel.mkdir("/tmpfs/w")
    yield "/tmpfs/w"
    remove(kernel, "/tmpfs/w")


def remove(kernel: Kernel, path: str) -> None:
    kernel.chflags(path, 0)
    for entry in list(kernel.scandir(path)):
        kernel.chflags(entry.path, 0, follow_symlinks=False)
        if entry.is_dir():
            remove(kernel, entry.path)
        else:
            kernel.unlink(entry.path)
    kernel.rmdir(path)


def facts(kernel: Kernel, path: str) -> tuple[Any, ...]:
    """Type and mode, device number, flags and owner of what is at a path; None in place of a number that is none."""
    found = kernel.native_stat(path, follow_symlinks=False)
    is_device = stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode)
    number = (major(found.st_rdev), minor(found.st_rdev)) if is_device else None
    return stat.filemode(found.st_mode), number, tuple(names_of_flags(found.st_flags)), found.st_uid


def tree(kernel: Kernel, path: str) -> dict[str, tuple[Any, ...]]:
    return {
        entry.path: (*facts(kernel, entry.path), kernel.lstat(entry.path).st_ctime_ns) for entry in kernel.scandir(path)
    }


def calls_that_changed(server: Server) -> int:
    """How many calls changed a simulated kernel so far, by its journal; 0 on a real one, which has none."""
    if server.journal is None:
        return 0
    return sum(json.loads(line)["changes"] for line in server.journal.read_text().splitlines())


@dataclass
class Case:
    """A task on ``x`` in an empty directory: what is there first, and what ``x`` is afterwards, or None."""

    options: dict[str, Any]
    becomes: tuple[Any, ...] | None
    first: Callable[[Kernel, str], object] = field(default=lambda kernel, path: None)


def make_file(kernel: Kernel, path: str) -> None:
    kernel.write_file(path, b"text", 0o644)


def make_directory(kernel: Kernel, path: str) -> None:
    kernel.mkdir(path, 0o755)


def make_pipe(kernel: Kernel, path: str) -> None:
    kernel.mkfifo(path, 0o644)


def make_null(kernel: Kernel, path: str) -> None:
    kernel.mknod(path, stat.S_IFCHR | 0o644, NULL)


def make_link(kernel: Kernel, path: str) -> None:
    kernel.symlink("/dev/null", path)


def make_flagged(kernel: Kernel, path: str) -> None:
    make_file(kernel, path)
    kernel.chflags(path, 0x3)


CASES: dict[str, Case] = {
    "make a pipe": Case({"state": "fifo"}, ("prw-r--r--", None, (), 0)),
    "make a pipe with all attributes": Case(
        {"state": "fifo", "mode": "u=rw,g=w,o=", "owner": "5", "flags": "nodump"},
        ("prw--w----", None, ("nodump",), 5),
    ),
    "change a pipe": Case({"state": "fifo", "mode": "0600"}, ("prw-------", None, (), 0), make_pipe),
    "change a pipe by default": Case({"mode": "0600"}, ("prw-------", None, (), 0), make_pipe),
    "remove a pipe": Case({"state": "absent"}, None, make_pipe),
    "replace a file by a pipe": Case({"state": "fifo", "force": True}, ("prw-r--r--", None, (), 0), make_file),
    "replace a directory by a pipe": Case(
        {"state": "fifo", "force": True}, ("prw-r--r--", None, (), 0), make_directory
    ),
    "make a character device": Case(
        {"state": "char", "major": 2, "minor": 2, "mode": "0666"}, ("crw-rw-rw-", (2, 2), (), 0)
    ),
    "make a character device by its driver": Case(
        {"state": "char", "driver": "vnd", "minor": 8}, ("crw-r--r--", (41, 8), (), 0)
    ),
    "make a block device by its driver": Case(
        {"state": "block", "driver": "vnd", "minor": 8, "mode": "0640"}, ("brw-r-----", (14, 8), (), 0)
    ),
    "make a device with the largest numbers": Case(
        {"state": "block", "major": 4095, "minor": 1048575}, ("brw-r--r--", (4095, 1048575), (), 0)
    ),
    "change a device's mode": Case({"mode": "0600"}, ("crw-------", (2, 2), (), 0), make_null),
    "change a device's number": Case(
        {"state": "char", "major": 2, "minor": 12, "owner": "5", "flags": ["nodump"]},
        ("crw-r--r--", (2, 12), ("nodump",), 5),
        make_null,
    ),
    "change a pipe into a device": Case(
        {"state": "block", "major": 14, "minor": 0}, ("brw-r--r--", (14, 0), (), 0), make_pipe
    ),
    "change a device into a pipe": Case({"state": "fifo"}, ("prw-r--r--", None, (), 0), make_null),
    "change a device into a link": Case(
        {"state": "link", "src": "/dev/null", "force": True, "follow": False}, ("lrwxr-xr-x", None, (), 0), make_null
    ),
    "replace a link by a device": Case(
        {"state": "char", "major": 2, "minor": 12, "follow": False, "force": True},
        ("crw-r--r--", (2, 12), (), 0),
        make_link,
    ),
    "remove a device": Case({"state": "absent"}, None, make_null),
    "make a file with flags": Case(
        {"state": "touch", "access_time": "preserve", "modification_time": "preserve", "flags": "uchg,nodump"},
        ("-rw-r--r--", None, ("nodump", "uchg"), 0),
    ),
    "make a directory with flags": Case(
        {"state": "directory", "flags": ["schg"], "mode": "0700"}, ("drwx------", None, ("schg",), 0)
    ),
    "set flags": Case({"flags": ["nodump", "sappnd"]}, ("-rw-r--r--", None, ("nodump", "sappnd"), 0), make_file),
    "set flags by their other names": Case(
        {"flags": ["uimmutable", "archived", "opaque"]},
        ("-rw-r--r--", None, ("uchg", "opaque", "arch"), 0),
        make_file,
    ),
    "set a link's own flags": Case(
        {"flags": "nodump", "follow": False, "state": "link"}, ("lrwxr-xr-x", None, ("nodump",), 0), make_link
    ),
    "change flags": Case({"flags": "nouchg,schg"}, ("-rw-r--r--", None, ("nodump", "schg"), 0), make_flagged),
    "clear a flag": Case({"flags": ["dump"]}, ("-rw-r--r--", None, ("uchg",), 0), make_flagged),
    "clear all flags": Case({"flags": "0"}, ("-rw-r--r--", None, (), 0), make_flagged),
    "change a locked file": Case(
        {"flags": "uchg", "mode": "0600", "owner": "5"}, ("-rw-------", None, ("nodump", "uchg"), 5), make_flagged
    ),
    "unlock and change a file": Case(
        {"flags": "nouchg", "mode": "0600"}, ("-rw-------", None, ("nodump",), 0), make_flagged
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_check_run_check_run(shared: tuple[Server, Kernel], kernel: Kernel, top: str, name: str) -> None:
    case, path, server = CASES[name], f"{top}/x", shared[0]
    case.first(kernel, path)
    before, changed_before = tree(kernel, top), calls_that_changed(server)

    foretold = run_module(kernel, rump_file, True, path=path, **case.options)
    assert foretold["changed"]
    assert (tree(kernel, top), calls_that_changed(server)) == (before, changed_before)

    made = run_module(kernel, rump_file, path=path, **case.options)
    assert made["changed"]
    assert (made["changes"], made["diff"]) == (foretold["changes"], foretold["diff"])
    if case.becomes is None:
        assert not kernel.lexists(path)
    else:
        assert facts(kernel, path) == case.becomes
        assert made["flags"] == list(case.becomes[2])
        assert (made.get("major"), made.get("minor")) == (case.becomes[1] or (None, None))

    after, changed_after = tree(kernel, top), calls_that_changed(server)
    for check_mode in (True, False):
        again = run_module(kernel, rump_file, check_mode, path=path, **case.options)
        assert not again["changed"]
        assert (tree(kernel, top), calls_that_changed(server)) == (after, changed_after)


def test_the_states_of_nodes(kernel: Kernel, tmpfs: str) -> None:
    make_pipe(kernel, f"{tmpfs}/p")
    make_null(kernel, f"{tmpfs}/c")
    kernel.mknod(f"{tmpfs}/b", stat.S_IFBLK | 0o600, makedev(14, 300000))
    found = [run_module(kernel, rump_file, path=f"{tmpfs}/{name}") for name in "pcb"]
    assert [result["state"] for result in found] == ["fifo", "char", "block"]
    assert (found[2]["major"], found[2]["minor"]) == (14, 300000)
    assert "major" not in found[0]
    # As with ansible.builtin.file, all of these are files that exist.
    assert run_module(kernel, rump_file, path=f"{tmpfs}/p", state="file", mode="0600")["changed"]


def test_a_device_works(kernel: Kernel, top: str) -> None:
    run_module(kernel, rump_file, path=f"{top}/zero", state="char", driver="zero", minor=12)
    fd = kernel.open(f"{top}/zero", 0)
    assert kernel.read(fd, 5) == bytes(5)
    kernel.close(fd)


def test_a_node_behind_a_link(kernel: Kernel, tmpfs: str) -> None:
    kernel.symlink("there", f"{tmpfs}/x")
    made = run_module(kernel, rump_file, path=f"{tmpfs}/x", state="fifo")
    assert made["path"] == f"{tmpfs}/there"
    assert facts(kernel, f"{tmpfs}/there")[0] == "prw-r--r--"
    assert not run_module(kernel, rump_file, path=f"{tmpfs}/x", state="fifo")["changed"]


def test_directories_with_flags_that_let_nothing_be_made_in_them(kernel: Kernel, top: str) -> None:
    options: dict[str, Any] = {"path": f"{top}/a/b/c", "state": "directory", "flags": "uchg"}
    foretold = run_module(kernel, rump_file, True, **options)
    made = run_module(kernel, rump_file, **options)
    assert made["changes"] == foretold["changes"]
    assert [facts(kernel, f"{top}/{name}")[2] for name in ("a", "a/b", "a/b/c")] == [("uchg",)] * 3
    assert not run_module(kernel, rump_file, **options)["changed"]


def test_flags_of_a_whole_tree(kernel: Kernel, top: str) -> None:
    kernel.makedirs(f"{top}/a/b")
    make_flagged(kernel, f"{top}/a/b/x")
    options: dict[str, Any] = {
        "path": f"{top}/a",
        "state": "directory",
        "recurse": True,
        "flags": "nouchg,nodump",
        "mode": "u=rwX,go=",
    }
    assert run_module(kernel, rump_file, True, **options)["changed"]
    run_module(kernel, rump_file, **options)
    assert [facts(kernel, f"{top}/{name}")[:3] for name in ("a", "a/b", "a/b/x")] == [
        *[("drwx------", None, ("nodump",))] * 2,
        ("-rw-------", None, ("nodump",)),
    ]
    assert not run_module(kernel, rump_file, **options)["changed"]


@pytest.mark.parametrize("folder", ["tmpfs", "ffs"])
@pytest.mark.parametrize(
    ("options", "call"),
    [
        ({"mode": "0600"}, "chmod"),
        ({"owner": "5"}, "lchown"),
        ({"state": "touch"}, "utimensat"),
        ({"state": "absent"}, "unlink"),
    ],
)
def test_a_locked_file_is_not_changed_unasked(kernel: Kernel, folder: str, options: dict[str, Any], call: str) -> None:
    path = f"/{folder}/locked"
    make_flagged(kernel, path)
    try:
        before = kernel.lstat(path)
        result = refused(kernel, rump_file, path=path, **options)
        assert (result["errno"], result["object"], result["changed"]) == ("EPERM", path, False)
        assert "flags" in result["msg"]
        assert kernel.lstat(path) == before
    finally:
        kernel.chflags(path, 0)
        kernel.unlink(path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"path": "f", "state": "fifo"}, "path: refusing to replace the file"),
        ({"path": "d", "state": "char", "major": 1, "minor": 1}, "path: refusing to replace the directory"),
        ({"path": "full", "state": "fifo", "force": True}, "is not empty"),
        ({"path": "l", "state": "fifo", "follow": False}, "path: refusing to replace the link"),
        ({"path": "l", "state": "block", "major": 1, "minor": 1}, "path: refusing to replace the file"),
        ({"path": "x", "state": "char", "driver": "nothing", "minor": 0}, "driver: the kernel has no character device"),
        ({"path": "x", "state": "block", "driver": "null", "minor": 0}, "driver: the kernel has no block device"),
        ({"path": "x", "state": "char", "major": 4096, "minor": 0}, "major: give a number from 0 to 4095, not 4096"),
        ({"path": "x", "state": "char", "major": 1, "minor": -1}, "minor: give a number from 0 to 1048575, not -1"),
        ({"path": "x", "state": "fifo", "minor": 0}, "minor: goes with the states 'char' and 'block'"),
        ({"path": "f", "flags": "nodump,shiny"}, "flags: 'shiny' is no file flag"),
        ({"path": "f", "flags": "nonodump,nouch"}, "flags: 'uch' is no file flag"),
        ({"path": "f", "flags": "777777777777"}, "flags: 777777777777 has more than 32 bits"),
        ({"path": "p", "state": "link", "src": "f"}, "path: refusing to convert from fifo to symlink"),
        ({"path": "p", "state": "hard", "src": "/tmpfs/w/f"}, "path: Cannot link, fifo exists at destination"),
    ],
)
@pytest.mark.parametrize("check_mode", [True, False])
def test_what_it_refuses(kernel: Kernel, tmpfs: str, options: dict[str, Any], said: str, check_mode: bool) -> None:
    make_file(kernel, f"{tmpfs}/f")
    kernel.makedirs(f"{tmpfs}/full/e")
    kernel.mkdir(f"{tmpfs}/d")
    kernel.symlink("f", f"{tmpfs}/l")
    make_pipe(kernel, f"{tmpfs}/p")
    before = tree(kernel, tmpfs)
    result = refused(kernel, rump_file, check_mode, **{**options, "path": f"{tmpfs}/{options['path']}"})
    assert said in result["msg"]
    assert tree(kernel, tmpfs) == before


def test_a_device_whose_directory_is_missing(kernel: Kernel, tmpfs: str) -> None:
    options: dict[str, Any] = {"path": f"{tmpfs}/no/x", "state": "char", "major": 1, "minor": 1}
    assert run_module(kernel, rump_file, True, **options)["changed"]
    result = refused(kernel, rump_file, **options)
    assert (result["call"], result["errno"]) == ("mknod", "ENOENT")
