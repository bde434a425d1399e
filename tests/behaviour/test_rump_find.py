# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_find on a kernel, beside ansible.builtin.find on the same files of this machine."""

from __future__ import annotations

import contextlib
import io
import json
import os
import stat
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible.modules import find as builtin_find
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import CLOCK
from ansible_collections.rumpkernel.rump.plugins.modules import rump_find, rump_mount
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running
from ansible_collections.rumpkernel.rump.tests.support.modules import refused, run_module

DAY = 86400
LARGE = b"line\n" * 30000 + b"the needle\n" + b"line\n" * 30000  # more than is read at once
# Name (a directory's ends with a slash), content or a link's target, mode, age in days.
FILES: list[tuple[str, bytes | str, int, float]] = [
    ("a.txt", b"alpha\nneedle in a line\n", 0o644, 10),
    ("b.txt", b"needle first\n", 0o600, 1),
    ("c.log", b"", 0o4755, 0.1),
    (".hidden", b"needle\n", 0o644, 0.1),
    ("d,e", b"x" * 5000, 0o666, 3),
    ("deep/", b"", 0o755, 2),
    ("deep/a.txt", b"beta\n", 0o640, 20),
    ("deep/large", LARGE, 0o444, 2),
    ("deep/er/", b"", 0o700, 2),
    ("deep/er/still/", b"", 0o1777, 2),
    ("deep/er/still/last.log", b"needle", 0o644, 5),
    ("deep/er/caf\u00e9.log", "entr\u00e9e\n".encode("latin-1"), 0o644, 5),
    (".secret/", b"", 0o755, 2),
    (".secret/a.txt", b"needle", 0o644, 2),
    ("link", "a.txt", 0, 0),
    ("way", "deep/er", 0, 0),
    ("up", "..", 0, 0),
    ("dangling", "nothing", 0, 0),
    ("pipe", b"", 0o600, 1),
]

SCENARIOS: dict[str, dict[str, Any]] = {
    "files": {},
    "all files": {"recurse": True},
    "any": {"file_type": "any"},
    "all of any": {"recurse": True, "file_type": "any", "hidden": True},
    "directories": {"file_type": "directory", "recurse": True},
    "links": {"file_type": "link", "recurse": True},
    "hidden": {"hidden": True},
    "depth 1": {"recurse": True, "depth": 1},
    "depth 2": {"recurse": True, "depth": 2, "file_type": "any"},
    "depth 2, hidden": {"recurse": True, "depth": 2, "hidden": True},
    "depth without recurse": {"depth": 3, "file_type": "any"},
    "depth 0": {"depth": 0, "recurse": True},
    "pattern": {"patterns": "*.txt", "recurse": True},
    "patterns": {"patterns": "*.txt,*.log", "recurse": True},
    "patterns as a list": {"pattern": ["d,*", "[ab].*"]},
    "excludes": {"patterns": ["*"], "excludes": ["*.txt", "c*"], "recurse": True},
    "excludes alone": {"exclude": "*.txt"},
    "regular expressions": {"patterns": [r"^[a-c]\.(txt|log)$"], "use_regex": True, "recurse": True},
    "regular expressions match from the start": {"patterns": ["txt", "a"], "use_regex": True},
    "excluded by regular expressions": {"excludes": [r".*\.txt"], "use_regex": True, "recurse": True},
    "old": {"age": "2d", "recurse": True},
    "old, any": {"age": "2d", "recurse": True, "file_type": "any", "patterns": ["*.*", "deep", "er"]},
    "young": {"age": "-2d", "recurse": True},
    "old by access": {"age": "1w", "age_stamp": "atime", "recurse": True},
    "young by change": {"age": "-1h", "age_stamp": "ctime", "recurse": True},
    "seconds": {"age": "100000", "recurse": True},
    "hours, in capitals": {"age": "30H", "recurse": True},
    "large": {"size": "1k", "recurse": True},
    "small": {"size": "-10", "recurse": True},
    "large, any": {"size": "1k", "file_type": "any", "patterns": ["*", ".*"], "excludes": ["link"]},
    "none so large": {"size": "1t", "recurse": True},
    "mode": {"mode": "0644", "recurse": True},
    "mode with set-id": {"mode": "4755", "recurse": True},
    "symbolic mode": {"mode": "u=rw,g=r,o=r", "recurse": True},
    "one of a mode's bits": {"mode": "0022", "exact_mode": False, "recurse": True},
    "directories by mode": {"mode": "0700", "file_type": "directory", "recurse": True},
    "contains": {"contains": "needle", "hidden": True, "recurse": True, "excludes": ["caf*"]},
    "contains anywhere": {"contains": "needle", "read_whole_file": True, "recurse": True, "excludes": ["caf*"]},
    "contains over lines": {"contains": "alpha\nneedle", "read_whole_file": True},
    "contains in a large file": {"contains": "the n.*e", "recurse": True, "excludes": ["caf*"]},
    "contains, by encoding": {"contains": "entr\u00e9e$", "encoding": "latin-1", "recurse": True},
    "contains counts for files alone": {"contains": "needle", "file_type": "any"},
    "contains, in another encoding": {"contains": "needle", "encoding": "utf-8", "path": "{top}/deep/er"},
    "contains, in an encoding that is none": {"contains": "needle", "encoding": "klingon"},
    "checksums": {"get_checksum": True, "recurse": True},
    "checksums of any": {"get_checksum": True, "checksum_algorithm": "sha256", "file_type": "any"},
    "no directory": {"paths": ["{top}/a.txt", "{top}/none", "{top}/deep"]},
    "paths": {"paths": ["{top}/deep", "{top}/.secret"], "recurse": True},
    "path of another form": {"path": "{top}//deep/../deep/", "recurse": True},
    "path that is a link": {"path": "{top}/way"},
    "limit that is not met": {"limit": 100, "recurse": True},
    "all together": {
        "recurse": True,
        "patterns": "*.txt,*.log",
        "excludes": "c*",
        "age": "1d",
        "size": "-100",
        "mode": "0600",
        "contains": "need",
        "get_checksum": True,
    },
}
# Inodes and the like are each system's own, as are the modes and sizes of links and what Linux' tmpfs says of itself.
OWN = {"inode", "dev", "uid", "gid", "pw_name", "gr_name", "atime", "mtime", "ctime"}
OWN_OF_OTHERS = OWN | {"size", "nlink"}
OWN_OF_LINKS = OWN_OF_OTHERS | {"mode", "rusr", "wusr", "xusr", "rgrp", "wgrp", "xgrp", "roth", "woth", "xoth"}


@pytest.fixture(scope="module", params=BACKENDS)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Kernel]]:
    """One kernel for all tests, which only read the files that are made here."""
    with running(request.param, tmp_path_factory.mktemp("k")) as server, connect(server.url, timeout=20) as kernel:
        run_module(kernel, rump_mount, path="/t", fstype="tmpfs", opts="size=16m")
        make_files(kernel, "/t/w")
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
    for name, content, mode, _age in FILES:
        path = f"{top}/{name}"
        if isinstance(content, str):
            system.symlink(content, path)
        elif name == "pipe":
            system.mkfifo(path)
        elif name.endswith("/"):
            system.mkdir(path)
        else:
            fd = system.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
            assert system.write(fd, content) == len(content)
            system.close(fd)
        if mode:
            system.chmod(path, mode)


def set_times(system: Any, top: str, now: float) -> None:
    """Whoever reads a file sets its time of access; modification times change when a directory is filled."""
    for name, content, _mode, age in reversed(FILES):
        if isinstance(content, bytes):
            system.utime(f"{top}/{name}", (int(now - age * DAY), int(now - age * DAY)))


def placed(options: dict[str, Any], top: str) -> dict[str, Any]:
    filled = json.loads(json.dumps(options).replace("{top}", top))
    return filled if {"path", "paths"} & filled.keys() else {"paths": [top], **filled}


def run_builtin(**options: Any) -> dict[str, Any]:
    output = io.StringIO()
    with patch_module_args(options), contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        builtin_find.main()
    return dict(json.loads(output.getvalue()))


def comparable(result: dict[str, Any], top: str) -> dict[str, Any]:
    """The part of a result that both must agree on; the order in a directory is its file system's own."""
    files = {}
    for one in json.loads(json.dumps(result["files"]).replace(top, "TOP")):
        own = OWN_OF_LINKS if one["islnk"] else OWN if one["isreg"] else OWN_OF_OTHERS
        assert one.keys() >= OWN
        files[one["path"]] = {key: value for key, value in one.items() if key not in own}
    return {
        "files": files,
        "skipped": sorted(json.loads(json.dumps(list(result["skipped_paths"])).replace(top, "TOP"))),
        **{key: result[key] for key in ("matched", "examined", "msg", "changed")},
    }


@pytest.mark.parametrize("name", SCENARIOS)
def test_like_builtin(kernel: Kernel, here: str, name: str) -> None:
    set_times(os, here, time.time())
    set_times(kernel, "/t/w", kernel.clock_gettime())
    wanted = run_builtin(**placed(SCENARIOS[name], here))
    for check_mode in (True, False):
        got = run_module(kernel, rump_find, check_mode, **placed(SCENARIOS[name], "/t/w"))
        assert comparable(got, "/t/w") == comparable(wanted, here)
        assert bool(got.get("warnings")) == ("warnings" in got["msg"])


def test_the_times_are_the_files(kernel: Kernel) -> None:
    for found in run_module(kernel, rump_find, paths="/t/w", recurse=True)["files"]:
        status = kernel.lstat(found["path"])
        assert (found["mtime"], found["atime"], found["ctime"]) == (status.st_mtime, status.st_atime, status.st_ctime)
        assert (found["uid"], found["pw_name"], found["gid"], found["gr_name"]) == (0, "root", 0, "wheel")
        assert (found["inode"], found["dev"]) == (status.st_ino, status.st_dev)


def test_links_are_followed_but_not_round(kernel: Kernel) -> None:
    """ansible.builtin.find goes round until the kernel stops it; here each directory is met once on each way."""
    result = run_module(kernel, rump_find, paths="/t/w", recurse=True, follow=True, patterns=["last.log", "er"])
    found = {one["path"] for one in result["files"]}
    assert found == {"/t/w/deep/er/still/last.log", "/t/w/way/still/last.log"}


def test_a_link_upwards_is_an_end(kernel: Kernel) -> None:
    kernel.mkdir("/round")
    kernel.symlink(".", "/round/self")
    kernel.symlink("..", "/round/up")
    kernel.write_file("/round/x", b"")
    result = run_module(kernel, rump_find, paths="/round", recurse=True, follow=True)
    assert "/round/x" in [one["path"] for one in result["files"]]
    assert not [one for one in result["files"] if "self" in one["path"] or "round/up/round" in one["path"]]


def test_the_limit_ends_the_search(kernel: Kernel) -> None:
    everything = run_module(kernel, rump_find, paths="/t/w", recurse=True)
    assert everything["matched"] > 4
    for limit in (1, 4):
        some = run_module(kernel, rump_find, paths=["/t/w", "/t/w/deep"], recurse=True, limit=limit)
        assert some["files"] == everything["files"][:limit]
        assert (some["matched"], some["msg"]) == (limit, "Limit of matches reached")
    # The directory's own files come first, and what is below it is not counted then.
    assert run_module(kernel, rump_find, paths="/t/w", recurse=True, limit=1)["examined"] == len(kernel.listdir("/t/w"))
    hits = run_module(kernel, rump_find, paths="/t/w", recurse=True, contains="needle", excludes="caf*", limit=1)
    assert [one["path"] for one in hits["files"]] in (["/t/w/a.txt"], ["/t/w/b.txt"])


def test_the_age_is_by_the_kernels_clock(kernel: Kernel) -> None:
    """A kernel whose clock is not the controller's: its file is new there, and from the past here."""
    here = kernel.clock_gettime()
    try:
        kernel.clock_settime(CLOCK.REALTIME, 1_000_000_000)
        kernel.write_file("/t/past", b"")
        assert run_module(kernel, rump_find, paths="/t", age="-1m", patterns="past")["matched"] == 1
    finally:
        kernel.clock_settime(CLOCK.REALTIME, here)
    assert run_module(kernel, rump_find, paths="/t", age="1w", patterns="past")["matched"] == 1


def test_a_large_tree(kernel: Kernel) -> None:
    """Many files in one task; each call of the kernel's is made once for each."""
    kernel.mkdir("/t/many")
    kernel.write_files({f"/t/many/{number}": b"" for number in range(300)})
    result = run_module(kernel, rump_find, paths="/t/many", get_checksum=True, patterns="*5")
    assert (result["examined"], result["matched"]) == (300, 30)
    assert {one["checksum"] for one in result["files"]} == {"da39a3ee5e6b4b0d3255bfef95601890afd80709"}


def test_a_file_that_is_gone_meanwhile(kernel: Kernel) -> None:
    """The kernel's list of a directory is older than the answers about what is in it."""
    kernel.mkdir("/t/fleeting")
    kernel.write_file("/t/fleeting/stays", b"")
    listed = list(kernel.scandir("/t/fleeting"))
    whole = kernel.scandir
    gone = type(listed[0])("gone", "/t/fleeting/gone", 1, listed[0].type)
    kernel.scandir = lambda path=".": iter([*whole(path), gone])  # type: ignore[method-assign]
    try:
        result = run_module(kernel, rump_find, paths="/t/fleeting")
    finally:
        del kernel.scandir
    assert [one["path"] for one in result["files"]] == ["/t/fleeting/stays"]
    assert "ENOENT" in result["skipped_paths"]["/t/fleeting/gone"]
    assert result["msg"] == "Not all paths examined, check warnings for details"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"age": "2y"}, "age: '2y' is no number with one of s, m, h, d, w after it"),
        ({"size": "much"}, "size: 'much' is no number with one of b, k, m, g, t after it"),
        ({"limit": 0}, "limit: give a number from 1, not 0"),
        ({"mode": 420}, "mode: 420 is not a string"),
        ({"mode": "u=z"}, "mode: 'u=z' is no mode"),
        ({"patterns": ["("], "use_regex": True}, "patterns: '(' is no regular expression"),
        ({"excludes": ["["], "use_regex": True}, "excludes: '[' is no regular expression"),
        ({"contains": "*"}, "contains: '*' is no regular expression"),
        ({"paths": ["/t", ""]}, "paths: give a path"),
    ],
)
def test_what_it_refuses(kernel: Kernel, options: dict[str, Any], said: str) -> None:
    for check_mode in (True, False):
        assert said in refused(kernel, rump_find, check_mode, **{"paths": "/t/w", **options})["msg"]


def test_a_mode_of_a_device(kernel: Kernel) -> None:
    """Of a rump kernel's own directory of devices."""
    found = run_module(kernel, rump_find, paths="/dev", file_type="any", patterns="null")["files"]
    assert [(one["path"], one["ischr"]) for one in found] == [("/dev/null", True)]
    assert stat.S_ISCHR(kernel.lstat("/dev/null").st_mode)
