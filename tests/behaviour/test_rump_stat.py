# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_stat and rump_slurp on a kernel, beside ansible.builtin.stat and ansible.builtin.slurp on this machine."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible.modules import slurp as builtin_slurp
from ansible.modules import stat as builtin_stat
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.files import makedev
from ansible_collections.rumpkernel.rump.plugins.modules import rump_mount, rump_slurp, rump_stat
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running
from ansible_collections.rumpkernel.rump.tests.support.modules import refused, run_module
from ansible_collections.rumpkernel.rump.tests.support.utilities import RUMPCTRL, needs_rumpctrl

CONTENT = bytes(range(256)) * 9000  # more than two chunks of a read
# What of a file's status the two systems can agree on. Inode numbers, block counts and the like are their own affair.
SAME = (
    *("exists", "mode", "isdir", "ischr", "isblk", "isreg", "isfifo", "islnk", "issock", "size", "nlink", "mtime"),
    *("wusr", "rusr", "xusr", "wgrp", "rgrp", "xgrp", "woth", "roth", "xoth", "isuid", "isgid", "executable"),
    *("lnk_target", "checksum"),
)


@pytest.fixture(scope="module", params=BACKENDS)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Kernel]]:
    """One kernel for all tests, which only read the files that are made here."""
    with running(request.param, tmp_path_factory.mktemp("k")) as server, connect(server.url, timeout=20) as kernel:
        run_module(kernel, rump_mount, path="/t", fstype="tmpfs", opts="size=16m")
        make_files(kernel, "/t/w")
        kernel.mknod("/t/w/null", stat.S_IFCHR | 0o666, makedev(2, 2))
        kernel.write_file("/t/w/flagged", b"")
        kernel.chflags("/t/w/flagged", 0x10003)
        yield server, kernel


@pytest.fixture
def kernel(shared: tuple[Server, Kernel], record_property) -> Kernel:  # type: ignore[no-untyped-def]
    record_property("backend", shared[0].description)
    return shared[1]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same files on this machine."""
    top = str(tmp_path_factory.mktemp("files") / "w")
    make_files(os, top)
    return top


def make_files(system: Any, top: str) -> None:
    system.mkdir(top)
    system.chmod(top, 0o1755)
    for name, content, mode in (("file", CONTENT, 0o640), ("empty", b"", 0o6755), ("other", b"text\n", 0o606)):
        fd = system.open(f"{top}/{name}", os.O_WRONLY | os.O_CREAT, 0o600)
        view = memoryview(content)
        while view:
            view = view[system.write(fd, view) :]
        system.close(fd)
        system.chmod(f"{top}/{name}", mode)
        system.utime(f"{top}/{name}", (1e9, 1.5e9))
    system.link(f"{top}/other", f"{top}/second")
    system.symlink("file", f"{top}/link")
    system.symlink("nothing", f"{top}/dangling")
    system.symlink("round", f"{top}/round")
    system.mkfifo(f"{top}/pipe", 0o600)


def run_builtin(module: Any, **options: Any) -> dict[str, Any]:
    output = io.StringIO()
    with patch_module_args(options), contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        module.main()
    return dict(json.loads(output.getvalue()))


def status(kernel: Kernel, name: str, **options: Any) -> dict[str, Any]:
    """The result for a file of those that were made, which is the same in check mode."""
    result = run_module(kernel, rump_stat, path=f"/t/w/{name}", **options)
    assert result == {"changed": False, "stat": result["stat"]}
    assert run_module(kernel, rump_stat, True, path=f"/t/w/{name}", **options)["stat"].keys() == result["stat"].keys()
    return dict(result["stat"])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("file", {}),
        ("file", {"checksum_algorithm": "md5"}),
        ("file", {"checksum_algo": "sha512"}),
        ("file", {"get_checksum": False}),
        ("empty", {}),
        ("other", {"checksum": "sha256"}),
        ("second", {}),
        ("link", {}),
        ("link", {"follow": True}),
        ("dangling", {}),
        ("dangling", {"follow": True}),
        ("pipe", {}),
        ("none", {}),
        (".", {}),
    ],
)
def test_like_builtin(kernel: Kernel, here: str, name: str, options: dict[str, Any]) -> None:
    wanted = run_builtin(builtin_stat, path=f"{here}/{name}", get_mime=False, **options)["stat"]
    got = status(kernel, name, get_mime=False, **options)
    ours = set(SAME) - ({"size", "mtime", "nlink"} if wanted.get("isdir") else set())
    if wanted.get("islnk"):
        ours -= {"mode", "size", "mtime", "wgrp", "woth"}  # those of a link are Linux' own
        assert got["lnk_source"] == wanted["lnk_source"].replace(here, "/t/w")
    if wanted.get("isfifo"):
        ours -= {"mtime"}
    assert {key: got[key] for key in ours & got.keys()} == {key: wanted[key] for key in ours & wanted.keys()}
    # Members that not every Python or file system has apart, the two return the same.
    assert {"pw_name", "gr_name"} >= wanted.keys() - got.keys()
    assert {"flags", "generation", "birthtime", "pw_name", "gr_name"} >= got.keys() - wanted.keys()


def test_what_a_netbsd_kernel_has_beside(kernel: Kernel) -> None:
    found = status(kernel, "flagged")
    assert (found["flags"], found["attributes"], found["attr_flags"]) == (
        0x10003,
        ["nodump", "uchg", "arch"],
        "nodump,uchg,arch",
    )
    assert found["version"] == str(found["generation"])
    assert 0 < found["birthtime"] <= found["ctime"]
    assert (found["pw_name"], found["gr_name"]) == ("root", "wheel")
    assert not {"attributes", "attr_flags", "version"} & status(kernel, "flagged", get_attributes=False).keys()
    device = status(kernel, "null")
    assert (device["ischr"], device["major"], device["minor"], device["device_type"]) == (True, 2, 2, 0x202)


def test_nobody_knows_the_content(kernel: Kernel) -> None:
    found = status(kernel, "file")
    assert (found["mimetype"], found["charset"]) == ("unknown", "unknown")
    assert not {"mimetype", "charset"} & status(kernel, "file", mime=False).keys()


def test_an_owner_without_a_name(kernel: Kernel) -> None:
    kernel.write_file("/t/owned", b"")
    kernel.chown("/t/owned", 5, 6)
    found = run_module(kernel, rump_stat, path="/t/owned")["stat"]
    assert (found["uid"], found["gid"]) == (5, 6)
    assert not {"pw_name", "gr_name"} & found.keys()


def test_a_link_that_goes_round(kernel: Kernel) -> None:
    assert status(kernel, "round")["lnk_source"] == "/t/w/round"
    assert refused(kernel, rump_stat, path="/t/w/round", follow=True)["errno"] == "ELOOP"


@pytest.mark.parametrize(
    ("options", "said", "errno"),
    [
        ({"path": "/t/w/file/x"}, "lstat /t/w/file/x: ENOTDIR", "ENOTDIR"),
        ({"path": ""}, "path: give a path", None),
        ({"path": "/\0"}, "path: a path cannot hold a NUL byte", None),
    ],
)
def test_what_stat_refuses(kernel: Kernel, options: dict[str, Any], said: str, errno: str | None) -> None:
    result = refused(kernel, rump_stat, **options)
    assert said in result["msg"]
    assert result.get("errno") == errno


@needs_rumpctrl
def test_what_rumpctrl_sees(kernel: Kernel) -> None:
    """The flags, as ls -lo shows them."""
    if not kernel.url.startswith("unix://") or shutil.which("ls", path=RUMPCTRL) is None:
        pytest.skip("rumpctrl has no ls")
    found = subprocess.run(
        [f"{RUMPCTRL}/ls", "-lo", "/t/w/flagged"],
        env={"RUMP_SERVER": kernel.url},
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    shown = found.stdout.split()[4]
    assert sorted(shown.split(",")) == sorted(status(kernel, "flagged")["attributes"])


# slurp


@pytest.mark.parametrize("name", ["file", "empty", "link"])
def test_slurp_like_builtin(kernel: Kernel, here: str, name: str) -> None:
    wanted = run_builtin(builtin_slurp, src=f"{here}/{name}")
    for check_mode in (True, False):
        got = run_module(kernel, rump_slurp, check_mode, src=f"/t/w/{name}")
        assert got == {
            "changed": False,
            "content": wanted["content"],
            "encoding": wanted["encoding"],
            "source": f"/t/w/{name}",
        }


def test_slurp_what_has_no_size(kernel: Kernel) -> None:
    """The files of kernfs are made as they are read."""
    run_module(kernel, rump_mount, path="/kern", fstype="kernfs")
    result = run_module(kernel, rump_slurp, path="/kern/hostname")
    assert base64.b64decode(result["content"]).strip().decode() == kernel.uname().nodename
    found = run_module(kernel, rump_stat, path="/kern/hostname")["stat"]
    assert found["checksum"] == hashlib.sha1(base64.b64decode(result["content"])).hexdigest()


@pytest.mark.parametrize(
    ("src", "said", "errno"),
    [
        ("/t/w/none", "src: File not found: /t/w/none", "ENOENT"),
        ("/t/w", "src: Source is a directory and must be a file: /t/w", "EISDIR"),
        ("/t/w/pipe", "src: Source is a pipe, a socket or a device", None),
        ("/dev/zero", "src: Source is a pipe, a socket or a device", None),
        ("/t/w/file/x", "stat /t/w/file/x: ENOTDIR", "ENOTDIR"),
        ("", "src: give a path", None),
    ],
)
def test_what_slurp_refuses(kernel: Kernel, src: str, said: str, errno: str | None) -> None:
    result = refused(kernel, rump_slurp, src=src)
    assert said in result["msg"]
    assert result.get("errno") == errno
