# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_file on a kernel: what it makes of files, and what it says when it cannot.

How its results compare with those of ansible.builtin.file is in test_rump_file_like_builtin.py.
"""

from __future__ import annotations

import os
import stat
import time
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, KernelError
from ansible_collections.rumpkernel.rump.plugins.modules import rump_file, rump_mount
from ansible_collections.rumpkernel.rump.tests.support.modules import refused, run_module


def file(kernel: Kernel, path: str, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return run_module(kernel, rump_file, check_mode, path=path, **options)


def failure(kernel: Kernel, path: str, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return refused(kernel, rump_file, check_mode, path=path, **options)


def snapshot(kernel: Kernel, top: str = "/w") -> dict[str, tuple[Any, ...]]:
    """All that is at and below ``top``."""
    if not kernel.exists(top):
        return {}
    found = {}
    for directory, directories, others in kernel.walk(top):
        for path in (directory, *(os.path.join(directory, name) for name in directories + others)):
            status = kernel.lstat(path)
            target = kernel.readlink(path) if stat.S_ISLNK(status.st_mode) else ""
            found[path] = (oct(status.st_mode), status.st_uid, status.st_gid, status.st_mtime_ns, target)
    return found


def make_file(kernel: Kernel) -> None:
    kernel.write_file("/w/f", b"text", 0o644)


def make_link(kernel: Kernel) -> None:
    make_file(kernel)
    kernel.symlink("f", "/w/l")


def make_tree(kernel: Kernel) -> None:
    kernel.mkdir("/w/d")
    kernel.mkdir("/w/d/e", 0o700)
    kernel.write_file("/w/d/x", b"", 0o600)
    kernel.write_file("/w/d/e/y", b"", 0o755)


CASES: dict[str, tuple[Any, str, dict[str, Any], Any]] = {
    "make a directory": (
        None,
        "/w/a/b",
        {"state": "directory", "mode": "1770", "owner": "5", "group": "6"},
        lambda k: [(*owner(k, path), mode(k, path)) for path in ("/w/a", "/w/a/b")] == [(5, 6, 0o1770)] * 2,
    ),
    "make a directory with a symbolic mode": (
        None,
        "/w/a",
        {"state": "directory", "mode": "g+w,o="},
        lambda k: mode(k, "/w/a") == 0o770,
    ),
    "make a file": (
        None,
        "/w/f",
        {"state": "touch", "mode": "u=rw,go=", "access_time": "preserve", "modification_time": "preserve"},
        lambda k: mode(k, "/w/f") == 0o600 and k.stat("/w/f").st_size == 0,
    ),
    "change a mode": (make_file, "/w/f", {"mode": "u+x,g-r"}, lambda k: mode(k, "/w/f") == 0o704),
    "change a mode with set-id bits and the owner": (
        make_file,
        "/w/f",
        {"mode": "6755", "owner": "5", "group": "wheel"},
        lambda k: (mode(k, "/w/f"), *owner(k, "/w/f")) == (0o6755, 5, 0),
    ),
    "change times": (
        make_file,
        "/w/f",
        {"access_time": "19990101", "access_time_format": "%Y%m%d", "modification_time": "200001020304.05"},
        lambda k: (
            (k.stat("/w/f").st_atime, k.stat("/w/f").st_mtime)
            == (time.mktime((1999, 1, 1, 0, 0, 0, 0, 0, -1)), time.mktime((2000, 1, 2, 3, 4, 5, 0, 0, -1)))
        ),
    ),
    "change a tree": (
        make_tree,
        "/w/d",
        {"recurse": True, "mode": "g=u-w,o=", "owner": "9"},
        lambda k: (
            [mode(k, path) for path in ("/w/d", "/w/d/e", "/w/d/x", "/w/d/e/y")] == [0o750, 0o750, 0o640, 0o750]
            and {owner(k, path)[0] for path in ("/w/d", "/w/d/e", "/w/d/x", "/w/d/e/y")} == {9}
        ),
    ),
    "make a link": (make_file, "/w/l", {"src": "f", "state": "link"}, lambda k: k.readlink("/w/l") == "f"),
    "make a link to nothing": (
        None,
        "/w/l",
        {"src": "/nothing", "state": "link", "force": True, "follow": False, "owner": "4"},
        lambda k: (k.readlink("/w/l"), owner(k, "/w/l")[0]) == ("/nothing", 4),
    ),
    "change a link": (
        make_link,
        "/w/l",
        {"src": "/w", "state": "link"},
        lambda k: k.readlink("/w/l") == "/w" and sorted(k.listdir("/w")) == ["f", "l"],
    ),
    "replace a file by a link": (
        make_file,
        "/w/f",
        {"src": ".", "state": "link", "force": True},
        lambda k: k.readlink("/w/f") == "." and k.listdir("/w") == ["f"],
    ),
    "replace a directory by a link": (
        lambda k: k.mkdir("/w/d"),
        "/w/d",
        {"src": "..", "state": "link", "force": True},
        lambda k: k.readlink("/w/d") == "..",
    ),
    "remove a file": (make_file, "/w/f", {"state": "absent"}, lambda k: k.listdir("/w") == []),
    "remove a link": (make_link, "/w/l", {"state": "absent"}, lambda k: k.listdir("/w") == ["f"]),
    "remove a tree": (make_tree, "/w/d", {"state": "absent"}, lambda k: k.listdir("/w") == []),
}


def mode(kernel: Kernel, path: str) -> int:
    return stat.S_IMODE(kernel.lstat(path).st_mode)


def owner(kernel: Kernel, path: str) -> tuple[int, int]:
    status = kernel.lstat(path)
    return status.st_uid, status.st_gid


@pytest.mark.parametrize("name", CASES)
def test_check_run_run_again(kernel: Kernel, place: str, name: str) -> None:
    prepare, path, options, holds = CASES[name]
    if prepare:
        prepare(kernel)
    before = snapshot(kernel)
    foretold = file(kernel, path, check_mode=True, **options)
    assert foretold["changed"]
    assert snapshot(kernel) == before
    made = file(kernel, path, **options)
    assert made["changed"]
    assert made["changes"] == foretold["changes"]
    assert made["diff"] == foretold["diff"]
    assert holds(kernel)
    after = snapshot(kernel)
    again = file(kernel, path, **options)
    assert not again["changed"]
    assert "changes" not in again
    assert snapshot(kernel) == after


def test_the_result_is_what_the_kernel_holds(kernel: Kernel, place: str) -> None:
    kernel.write_file("/w/f", b"12345", 0o640)
    kernel.chown("/w/f", 7, 8)
    wanted = {"state": "file", "mode": "0640", "uid": 7, "gid": 8, "owner": "7", "group": "8", "size": 5, "flags": []}
    assert file(kernel, "/w/f") == {
        "path": "/w/f",
        "changed": False,
        "diff": {"before": {"path": "/w/f"}, "after": {"path": "/w/f"}},
        **wanted,
    }


def test_touch_sets_the_kernels_time(kernel: Kernel, place: str) -> None:
    make_file(kernel)
    kernel.utime("/w/f", (5, 6))
    touched = file(kernel, "/w/f", state="touch")
    assert touched["changed"]
    assert touched["diff"]["before"] == {"path": "/w/f", "state": "file", "atime": 5.0, "mtime": 6.0}
    assert touched["diff"]["after"] == {"path": "/w/f", "state": "touch", "atime": "now", "mtime": "now"}
    assert abs(kernel.stat("/w/f").st_mtime - time.time()) < 120
    kernel.utime("/w/f", (5, 6))
    file(kernel, "/w/f", state="touch", access_time="preserve")
    assert kernel.stat("/w/f").st_atime == 5
    assert kernel.stat("/w/f").st_mtime > 6
    assert kernel.read_file("/w/f") == b"text"


def test_hard_links_where_there_are_some(kernel: Kernel) -> None:
    run_module(kernel, rump_mount, path="/w", fstype="tmpfs")
    make_link(kernel)
    foretold = file(kernel, "/w/h", check_mode=True, src="/w/f", state="hard")
    assert foretold["changed"]
    assert not kernel.exists("/w/h")
    made = file(kernel, "/w/h", src="/w/f", state="hard")
    assert (made["state"], made["src"]) == ("hard", "/w/f")
    assert os.path.samestat(kernel.lstat("/w/h"), kernel.lstat("/w/f"))
    assert not file(kernel, "/w/h", src="/w/f", state="hard")["changed"]
    # Through a symbolic link, and of the symbolic link itself.
    assert not file(kernel, "/w/h", src="/w/l", state="hard")["changed"]
    file(kernel, "/w/m", src="/w/l", state="hard", follow=False)
    assert os.path.samestat(kernel.lstat("/w/m"), kernel.lstat("/w/l"))
    assert not file(kernel, "/w/m", src="/w/l", state="hard", follow=False)["changed"]
    # A symbolic link to the file is no hard link to it yet.
    assert file(kernel, "/w/l", src="/w/f", state="hard")["changed"]
    assert os.path.samestat(kernel.lstat("/w/l"), kernel.lstat("/w/f"))


def test_the_root_file_system_has_no_hard_links(kernel: Kernel) -> None:
    kernel.mkdir("/w")
    make_file(kernel)
    result = failure(kernel, "/w/h", src="/w/f", state="hard")
    assert "the file system of /w/h has no hard links" in result["msg"]
    assert (result["call"], result["object"], result["errno"]) == ("link", "/w/f -> /w/h", "EOPNOTSUPP")
    assert not result["changed"]


def test_the_root_file_system_has_no_rename(kernel: Kernel, place: str) -> None:
    make_link(kernel)
    made = file(kernel, "/w/l", src="/w", state="link")
    assert ("has no rename" in str(made.get("warnings"))) == (place == "rumpfs")


def test_a_mode_for_a_new_link_is_that_of_its_target(kernel: Kernel, place: str) -> None:
    make_link(kernel)
    kernel.write_file("/w/g", b"", 0o600)
    foretold = file(kernel, "/w/l", check_mode=True, src="g", state="link", mode="0640")
    assert foretold["changes"] == ["point the link /w/l to g", "set the mode of /w/g to 0640"]
    file(kernel, "/w/l", src="g", state="link", mode="0640")
    assert (mode(kernel, "/w/f"), mode(kernel, "/w/g")) == (0o644, 0o640)


def test_links_in_a_tree(kernel: Kernel, place: str) -> None:
    make_tree(kernel)
    make_file(kernel)
    kernel.symlink("../../f", "/w/d/e/up")
    kernel.symlink("..", "/w/d/e/round")
    kernel.symlink("nothing", "/w/d/dangling")
    file(kernel, "/w/d", recurse=True, owner="3", follow=False)
    assert owner(kernel, "/w/f")[0] == 0
    assert owner(kernel, "/w/d/e/up")[0] == owner(kernel, "/w/d/dangling")[0] == 3
    file(kernel, "/w/d", recurse=True, owner="4")
    assert owner(kernel, "/w/f")[0] == 4
    assert not file(kernel, "/w/d", recurse=True, owner="4")["changed"]


def test_links_that_go_round(kernel: Kernel, place: str) -> None:
    kernel.symlink("b", "/w/a")
    kernel.symlink("a", "/w/b")
    result = failure(kernel, "/w/a", state="file", mode="0600")
    assert (result["errno"], result["object"]) == ("ELOOP", "/w/a")
    assert file(kernel, "/w/a", state="absent")["changed"]


def test_a_directory_with_something_mounted_in_it_is_not_removed(kernel: Kernel) -> None:
    kernel.mkdir("/w")
    run_module(kernel, rump_mount, path="/w/a/b", fstype="tmpfs")
    kernel.write_file("/w/a/b/kept", b"")
    for path in ("/w", "/w/a/b"):
        for check_mode in (True, False):
            result = failure(kernel, path, check_mode, state="absent")
            assert "unmount /w/a/b first" in result["msg"]
            assert result["errno"] == "EBUSY"
    assert kernel.listdir("/w/a/b") == ["kept"]


WHAT_AN_EARLIER_TASK_MAY_MAKE = ("is not there", "is not a directory", "does not exist")


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("path", "options", "said", "about"),
    [
        ("/w/no/f", {"state": "touch"}, "/w/no is not there", ("open", "/w/no/f", "ENOENT")),
        ("/w/no/l", {"state": "link", "src": "/w"}, "/w/no is not there", ("symlink", "/w/no/l", "ENOENT")),
        ("/w/no/h", {"state": "hard", "src": "/w/f"}, "/w/no is not there", ("link", "/w/no/h", "ENOENT")),
        ("/w/f/x", {"state": "touch"}, "/w/f is not a directory", ("open", "/w/f/x", "ENOTDIR")),
        ("/w/f/x/y", {"state": "touch"}, "/w/f/x is not there", ("open", "/w/f/x/y", "ENOTDIR")),
        ("/w/f/x", {"state": "directory"}, "/w/f is not a directory", ("mkdir", "/w/f/x", "ENOTDIR")),
        ("/w/f", {"state": "directory"}, "path: /w/f already exists as a file", None),
        ("/w/none", {"state": "file"}, "path: file (/w/none) is absent, cannot continue", None),
        ("/w/none", {"mode": "0644"}, "path: file (/w/none) is absent, cannot continue", None),
        ("/w/d", {"state": "file"}, "path: file (/w/d) is directory, cannot continue", None),
        ("/w/l", {"state": "link", "src": "none"}, "src: file does not exist, use 'force=yes'", None),
        ("/w/l", {"state": "link"}, "src: src is required", None),
        ("/w/f", {"state": "link"}, "path: refusing to convert from file to symlink for /w/f", None),
        ("/w/f", {"state": "link", "src": "d"}, "path: refusing to convert from file to symlink for /w/f", None),
        ("/w/d", {"state": "link", "src": "f"}, "path: refusing to convert from directory to symlink for /w/d", None),
        ("/w", {"state": "link", "src": "f", "force": True}, "is not empty, refusing to convert it", None),
        ("/w/h", {"state": "hard"}, "src: src is required", None),
        ("/w/h", {"state": "hard", "src": "/w/none"}, "src: src does not exist: /w/none", None),
        ("/w/h", {"state": "hard", "src": "/w/d"}, "src: /w/d is a directory", None),
        ("/w/f", {"state": "hard", "src": "/w/g"}, "path: Cannot link, file exists at destination /w/f", None),
        ("/w/f", {"state": "file", "src": "/w/g"}, "src: src option requires state to be 'link' or 'hard'", None),
        ("/w/f", {"recurse": True}, "recurse: recurse option requires state to be 'directory'", None),
        ("/w/f", {"mode": "u=rwz"}, "mode: 'u=rwz' is no mode", None),
        ("/w/f", {"mode": "0100644"}, "mode: '0100644' has more than permission bits", None),
        (
            "/w/f",
            {"owner": "www"},
            "owner: the kernel has no user 'www' in its /etc/master.passwd or /etc/passwd; a number",
            None,
        ),
        ("/w/f", {"group": "-1"}, "group: give a number from 0", None),
        ("/w/f", {"access_time": "soon"}, "access_time: ", None),
        ("", {"state": "touch"}, "path: give a path", None),
        ("/w/\0", {"state": "touch"}, "path: a path cannot hold a NUL byte", None),
    ],
)
def test_what_it_refuses(
    kernel: Kernel, path: str, options: dict[str, Any], said: str, about: tuple[str, str, str] | None, check_mode: bool
) -> None:
    kernel.mkdir("/w")
    make_file(kernel)
    kernel.mkdir("/w/d")
    kernel.write_file("/w/g", b"")
    before = snapshot(kernel)
    if check_mode and any(lack in said for lack in WHAT_AN_EARLIER_TASK_MAY_MAKE):
        assert file(kernel, path, check_mode, **options)["changed"]
        assert snapshot(kernel) == before
        return
    result = failure(kernel, path, check_mode, **options)
    assert said in result["msg"]
    assert not result["changed"]
    if about:
        assert (result["call"], result["object"], result["errno"]) == about
        assert about[2] in result["msg"]
        assert about[0] in result["msg"]
    assert snapshot(kernel) == before


def test_a_refused_call_tells_how_far_it_came(kernel: Kernel) -> None:
    """A tmpfs with few nodes: the second directory has no room."""
    run_module(kernel, rump_mount, path="/w", fstype="tmpfs", opts="nodes=4")
    while True:
        path = f"/w/{len(kernel.listdir('/w'))}"
        try:
            kernel.mkdir(path)
        except KernelError:
            break
    kernel.rmdir(f"/w/{len(kernel.listdir('/w')) - 1}")
    result = failure(kernel, "/w/a/b", state="directory")
    assert (result["call"], result["object"], result["errno"]) == ("mkdir", "/w/a/b", "ENOSPC")
    assert result["changed"]
    assert result["changes"] == ["make the directory /w/a"]


def test_a_file_that_cannot_have_its_attributes_is_not_left(kernel: Kernel) -> None:
    """No kernel refuses them to the superuser, so a refusal is made up."""
    kernel.mkdir("/w")

    def refuse(*_arguments: Any, **_options: Any) -> None:
        kernel.chmod("/nowhere", 0)

    kernel.chown = refuse  # type: ignore[method-assign]
    assert failure(kernel, "/w/f", state="touch", owner="5")["errno"] == "ENOENT"
    assert kernel.listdir("/w") == []


@pytest.mark.one_abi
def test_recurse_goes_as_deep_as_paths_do(kernel: Kernel) -> None:
    """Deeper than a session has descriptors."""
    bottom = "/w/d" + "/n" * 150
    kernel.makedirs(bottom)
    kernel.write_file(f"{bottom}/f", b"", 0o644)
    assert file(kernel, "/w/d", recurse=True, mode="u=rwX,g=,o=")["changed"]
    assert stat.S_IMODE(kernel.stat(f"{bottom}/f").st_mode) == 0o600
    assert stat.S_IMODE(kernel.stat(bottom).st_mode) == 0o700
    assert not file(kernel, "/w/d", recurse=True, mode="u=rwX,g=,o=")["changed"]
