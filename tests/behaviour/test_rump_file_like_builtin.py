# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_file beside ansible.builtin.file: the same task on the same files, here in a kernel, there on this machine.

Each scenario is run in check mode, for real, and for real again; the results and the files that come of it are
compared. What is left out of the comparison, and why, is said in :func:`comparable`. Where rump_file means to be
different, test_rump_file.py has the test.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible.modules import file as builtin_file
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import ModuleFailure
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.modules import rump_file, rump_mount
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, running
from ansible_collections.rumpkernel.rump.tests.support.modules import run_module

# What options mean: the same on every machine.
pytestmark = pytest.mark.one_abi

Step = tuple[str, ...]
IS_ROOT = os.geteuid() == 0

# Files to begin with: the calls of os that make them, with their arguments below the test's directory.
FILE: list[Step] = [("write", "f"), ("chmod", "f", "640")]
DIRECTORY: list[Step] = [("mkdir", "d"), ("chmod", "d", "700")]
LINK: list[Step] = [*FILE, ("symlink", "f", "l")]
LINK_TO_DIRECTORY: list[Step] = [*DIRECTORY, ("symlink", "d", "l")]
DANGLING: list[Step] = [("symlink", "nothing", "l")]
HARD: list[Step] = [*FILE, ("link", "f", "h")]
TWO_FILES: list[Step] = [*FILE, ("write", "g"), ("chmod", "g", "600")]
TREE: list[Step] = [
    *DIRECTORY,
    *FILE,
    ("mkdir", "d/sub"),
    ("write", "d/sub/x"),
    ("chmod", "d/sub/x", "755"),
    ("write", "d/y"),
    ("mkdir", "elsewhere"),
    ("write", "elsewhere/z"),
]
LINK_AND_FILE: list[Step] = [*LINK, *TWO_FILES[2:]]
HARD_AND_FILE: list[Step] = [*HARD, *TWO_FILES[2:]]
FILE_AND_DIRECTORY: list[Step] = [*FILE, *DIRECTORY]
KEPT = {"modification_time": "preserve", "access_time": "preserve"}
TREE_WITH_LINKS: list[Step] = [*TREE, ("symlink", "../elsewhere", "d/out"), ("symlink", "../../f", "d/sub/up")]

SCENARIOS: dict[str, tuple[list[Step], dict[str, Any]]] = {
    # state: directory
    "directory": ([], {"path": "d", "state": "directory"}),
    "directory, mode": ([], {"path": "d", "state": "directory", "mode": "0711"}),
    "directory, sticky": ([], {"path": "d", "state": "directory", "mode": "1777"}),
    "directory, symbolic mode": ([], {"path": "d", "state": "directory", "mode": "g+w,o-rx"}),
    "directory, bare clause": ([], {"path": "d", "state": "directory", "mode": "+w"}),
    "directory, parents": ([], {"path": "a/b/c", "state": "directory", "mode": "0750"}),
    "directory, trailing slash": ([], {"path": "d/", "state": "directory"}),
    "directory, below a file": (FILE, {"path": "f/d", "state": "directory"}),
    "directory, there": (DIRECTORY, {"path": "d", "state": "directory"}),
    "directory, other mode": (DIRECTORY, {"path": "d", "state": "directory", "mode": "0755"}),
    "directory, a file": (FILE, {"path": "f", "state": "directory"}),
    "directory, link followed": (LINK_TO_DIRECTORY, {"path": "l", "state": "directory", "mode": "0755"}),
    "directory, link not followed": (LINK_TO_DIRECTORY, {"path": "l", "state": "directory", "follow": False}),
    "directory, dangling link": (DANGLING, {"path": "l", "state": "directory"}),
    "directory, time": (DIRECTORY, {"path": "d", "state": "directory", "modification_time": "200001020304.05"}),
    "recurse": (TREE, {"path": "d", "state": "directory", "recurse": True, "mode": "u=rwX,g=rX,o="}),
    "recurse, octal": (TREE, {"path": "d", "state": "directory", "recurse": True, "mode": "0750"}),
    "recurse by default": (TREE, {"path": "d", "recurse": True, "mode": "go-w"}),
    "recurse, new": ([], {"path": "n", "recurse": True}),
    "recurse, links followed": (TREE_WITH_LINKS, {"path": "d", "recurse": True, "mode": "u=rwX,go="}),
    "recurse, a file": (FILE, {"path": "f", "recurse": True}),
    # state: file
    "file": (FILE, {"path": "f", "state": "file"}),
    "file, mode": (FILE, {"path": "f", "state": "file", "mode": "0600"}),
    "file, mode as a number": (FILE, {"path": "f", "mode": 0o600}),
    "file, symbolic mode": (FILE, {"path": "f", "mode": "u+x,o+X"}),
    "file, set-id": (FILE, {"path": "f", "mode": "u+s,g+s"}),
    "file, absent": ([], {"path": "f", "state": "file"}),
    "file, absent by default": ([], {"path": "f", "mode": "0600"}),
    "file, a directory": (DIRECTORY, {"path": "d", "state": "file"}),
    "file, link followed": (LINK, {"path": "l", "state": "file", "mode": "0600"}),
    "file, link not followed": (LINK, {"path": "l", "state": "file", "mode": "0600", "follow": False}),
    "file, dangling link": (DANGLING, {"path": "l", "state": "file"}),
    "file, hard": (HARD, {"path": "h", "state": "file", "mode": "0600"}),
    "file, times": (FILE, {"path": "f", "access_time": "200001020304.05", "modification_time": "200102030405.06"}),
    "file, one time": (FILE, {"path": "f", "access_time": "2000", "access_time_format": "%Y"}),
    "file, time now": (FILE, {"path": "f", "state": "file", "modification_time": "now"}),
    "file, time that is none": (FILE, {"path": "f", "access_time": "yesterday"}),
    "file, mode that is none": (FILE, {"path": "f", "mode": "u=rwz"}),
    "src without a link": (FILE, {"path": "f", "src": "g", "state": "file"}),
    "default of a directory": (DIRECTORY, {"path": "d", "mode": "0755"}),
    "default of a link": (LINK, {"path": "l", "mode": "0600"}),
    "default of a hard link": (HARD, {"path": "h", "mode": "0600"}),
    # state: touch
    "touch": ([], {"path": "f", "state": "touch"}),
    "touch, mode": ([], {"path": "f", "state": "touch", "mode": "0600"}),
    "touch, wide mode": ([], {"path": "f", "state": "touch", "mode": "0666"}),
    "touch, symbolic mode": ([], {"path": "f", "state": "touch", "mode": "u=rw,g=r,o="}),
    "touch, there": (FILE, {"path": "f", "state": "touch"}),
    "touch, times kept": (FILE, {"path": "f", "state": "touch", **KEPT}),
    "touch, new, times kept": ([], {"path": "f", "state": "touch", **KEPT}),
    "touch, time": ([], {"path": "f", "state": "touch", **KEPT, "modification_time": "200001020304.05"}),
    "touch, a directory": (DIRECTORY, {"path": "d", "state": "touch", "mode": "0755"}),
    "touch, a link": (LINK, {"path": "l", "state": "touch", "mode": "0600"}),
    # state: absent
    "absent": ([], {"path": "f", "state": "absent"}),
    "absent, no parent": ([], {"path": "a/b", "state": "absent"}),
    "absent, below a file": (FILE, {"path": "f/x", "state": "absent"}),
    "absent, a file": (FILE, {"path": "f", "state": "absent"}),
    "absent, a link": (LINK, {"path": "l", "state": "absent"}),
    "absent, a hard link": (HARD, {"path": "h", "state": "absent"}),
    "absent, link to a directory": (LINK_TO_DIRECTORY, {"path": "l", "state": "absent"}),
    "absent, a dangling link": (DANGLING, {"path": "l", "state": "absent"}),
    "absent, an empty directory": (DIRECTORY, {"path": "d", "state": "absent"}),
    "absent, a tree": (TREE_WITH_LINKS, {"path": "d", "state": "absent"}),
    # state: link
    "link": (FILE, {"path": "l", "src": "f", "state": "link"}),
    "link, absolute": (FILE, {"path": "l", "src": "{root}/f", "state": "link"}),
    "link, to a directory": (DIRECTORY, {"path": "l", "src": "d", "state": "link"}),
    "link, mode of the target": (FILE, {"path": "l", "src": "f", "state": "link", "mode": "0600"}),
    "link, relative to its directory": (TREE, {"path": "d/l", "src": "sub/x", "state": "link"}),
    "link, there": (LINK, {"path": "l", "src": "f", "state": "link"}),
    "link, there, no src": (LINK, {"path": "l", "state": "link", "mode": "0600"}),
    "link, other target": (LINK_AND_FILE, {"path": "l", "src": "g", "state": "link"}),
    "link, dangling": ([], {"path": "l", "src": "nothing", "state": "link"}),
    "link, dangling, forced": ([], {"path": "l", "src": "nothing", "state": "link", "force": True}),
    "link, dangling, forced, mode": ([], {"path": "l", "src": "n", "state": "link", "force": True, "mode": "0600"}),
    "link, dangling, not followed": ([], {"path": "l", "src": "n", "state": "link", "force": True, "follow": False}),
    "link, dangling, there": (DANGLING, {"path": "l", "src": "nothing", "state": "link"}),
    "link, no src": ([], {"path": "l", "state": "link"}),
    "link, a file": (TWO_FILES, {"path": "g", "src": "f", "state": "link"}),
    "link, a file, forced": (TWO_FILES, {"path": "g", "src": "f", "state": "link", "force": True}),
    "link, a hard link": (HARD_AND_FILE, {"path": "h", "src": "g", "state": "link"}),
    "link, a hard link, forced": (HARD_AND_FILE, {"path": "h", "src": "g", "state": "link", "force": True}),
    "link, a directory": (FILE_AND_DIRECTORY, {"path": "d", "src": "{root}/f", "state": "link"}),
    "link, a directory, forced": (FILE_AND_DIRECTORY, {"path": "d", "src": "{root}/f", "state": "link", "force": True}),
    "link, a full directory, forced": (TREE, {"path": "d", "src": "{root}/f", "state": "link", "force": True}),
    # state: hard; src is absolute, since a relative one starts at the process's directory
    "hard": (FILE, {"path": "h", "src": "{root}/f", "state": "hard"}),
    "hard, mode": (FILE, {"path": "h", "src": "{root}/f", "state": "hard", "mode": "0600"}),
    "hard, there": (HARD, {"path": "h", "src": "{root}/f", "state": "hard"}),
    "hard, there, no src": (HARD, {"path": "h", "state": "hard", "mode": "0600"}),
    "hard, no src": ([], {"path": "h", "state": "hard"}),
    "hard, no such src": ([], {"path": "h", "src": "{root}/f", "state": "hard"}),
    "hard, a file": (TWO_FILES, {"path": "g", "src": "{root}/f", "state": "hard"}),
    "hard, a file, forced": (TWO_FILES, {"path": "g", "src": "{root}/f", "state": "hard", "force": True}),
    "hard, another": (HARD_AND_FILE, {"path": "h", "src": "{root}/g", "state": "hard"}),
    "hard, another, forced": (HARD_AND_FILE, {"path": "h", "src": "{root}/g", "state": "hard", "force": True}),
    "hard, a link": (LINK_AND_FILE, {"path": "l", "src": "{root}/g", "state": "hard"}),
    "hard, no parent": (FILE, {"path": "a/h", "src": "{root}/f", "state": "hard"}),
    "hard, into a directory": (FILE_AND_DIRECTORY, {"path": "d", "src": "{root}/f", "state": "hard"}),
    "hard, over a directory": (
        [*FILE, *DIRECTORY, ("mkdir", "d/f")],
        {"path": "d", "src": "{root}/f", "state": "hard"},
    ),
}
AS_ROOT: dict[str, tuple[list[Step], dict[str, Any]]] = {
    "owner": (FILE, {"path": "f", "owner": "5", "group": "6"}),
    "owner of a new directory": ([], {"path": "a/b", "state": "directory", "owner": "5", "group": "6", "mode": "2750"}),
    "owner of a new file": ([], {"path": "f", "state": "touch", "owner": "5", "mode": "4711"}),
    "owner, recursively": (TREE_WITH_LINKS, {"path": "d", "recurse": True, "owner": "5"}),
    "owner, recursively, of links": (TREE_WITH_LINKS, {"path": "d", "recurse": True, "owner": "5", "follow": False}),
    "owner of a link": (LINK, {"path": "l", "state": "link", "owner": "5", "follow": False}),
    "owner of a new link": (FILE, {"path": "l", "src": "f", "state": "link", "owner": "5", "follow": False}),
    "owner of a link's target": (LINK, {"path": "l", "owner": "5"}),
    "owner that is root": (FILE, {"path": "f", "owner": "root"}),
}
ALL = {**SCENARIOS, **(AS_ROOT if IS_ROOT else {})}


# What these lack an earlier task of a play may make: rump_file's check mode does not fail for it, and builtin's does.
LENIENT = ("link, dangling", "link, dangling, there", "hard, no such src")


@pytest.fixture(scope="module", params=BACKENDS)
def shared_kernel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """One kernel for all scenarios. Each has a directory on a tmpfs: rumpfs has neither rename nor hard links."""
    with running(request.param, tmp_path_factory.mktemp("kernel")) as server, connect(server.url, timeout=20) as kernel:
        run_module(kernel, rump_mount, path="/t", fstype="tmpfs", opts="size=16m")
        yield kernel


@pytest.mark.parametrize("name", ALL)
def test_like_builtin(shared_kernel: Kernel, tmp_path: Path, name: str) -> None:
    steps, options = ALL[name]
    here = str(tmp_path / "files")
    there = f"/t/{list(ALL).index(name)}"
    former = os.umask(0o022)
    try:
        for system, root in ((os, here), (shared_kernel, there)):
            system.mkdir(root)
            for step in steps:
                prepare(system, root, step)
        for turn in ("check mode", "the real run", "the run after it"):
            check = turn == "check mode"
            wanted = comparable(run_builtin(check, placed(options, here)), here)
            got = comparable(run_rump(shared_kernel, check, placed(options, there)), there)
            if "before" not in wanted and options.get("state") == "touch":
                got = {key: value for key, value in got.items() if key not in ("before", "after")}
            if not (check and name in LENIENT):
                assert got == wanted, f"{turn} returns something else"
            assert tree(shared_kernel, there) == tree(os, here), f"{turn} leaves something else"
    finally:
        os.umask(former)


def prepare(system: Any, root: str, step: Step) -> None:
    call, *names = step
    paths = [os.path.join(root, name) for name in names]
    if call == "write":
        descriptor = system.open(paths[0], os.O_WRONLY | os.O_CREAT, 0o644)
        system.write(descriptor, b"text")
        system.close(descriptor)
    elif call == "chmod":
        system.chmod(paths[0], int(names[1], 8))
    elif call == "symlink":
        system.symlink(names[0], paths[1])
    else:
        getattr(system, call)(*paths)


def placed(options: dict[str, Any], root: str) -> dict[str, Any]:
    """The options with their paths in ``root``. ``src`` is as it is, for the sake of relative links."""
    made = dict(options, path=os.path.join(root, options["path"]))
    if "src" in made:
        made["src"] = made["src"].format(root=root)
    return made


def run_builtin(check_mode: bool, options: dict[str, Any]) -> dict[str, Any]:
    output = io.StringIO()
    arguments = {**options, "_ansible_check_mode": check_mode, "_ansible_diff": True}
    with patch_module_args(arguments), contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        builtin_file.main()
    return json.loads(output.getvalue())


def run_rump(kernel: Kernel, check_mode: bool, options: dict[str, Any]) -> dict[str, Any]:
    try:
        return run_module(kernel, rump_file, check_mode, **options)
    except ModuleFailure as failure:
        return failure.result


def comparable(result: dict[str, Any], root: str) -> dict[str, Any]:
    """A result's part that both must agree on.

    Left out: texts of errors; the size of directories; the mode of links, which Linux has none of; names of owners;
    and of the diff the attributes of what is new, and times, which builtin does not foretell in check mode, as it
    does not tell of a new file at all; that a file with two names becomes one in the state 'file', which is no
    change; and which links lead to directories, of what is removed.
    """
    if result.get("failed"):
        return {"failed": True}
    keys = ["changed", "path", "dest", "src", "state"]
    if result.get("state") != "link":
        keys.append("mode")
    if result.get("state") in ("file", "hard"):
        keys.append("size")
    if IS_ROOT:
        keys += ["uid", "gid"]
    kept: dict[str, Any] = {key: result[key] for key in keys if key in result}
    diff = result.get("diff") or {}
    states = [diff.get(side, {}).get("state") for side in ("before", "after")]
    new = states[0] == "absent"
    for side, members in diff.items():
        kept[side] = {
            key: value
            for key, value in members.items()
            if key in ("path", "src")
            or (key in ("mode", "owner", "group") and not new)
            or (key == "state" and states != ["hard", "file"])
        }
        if "path_content" in members:
            kept[side]["path_content"] = sorted(itertools.chain(*members["path_content"].values()))
    return json.loads(json.dumps(kept).replace(root, "ROOT"))


def tree(system: Any, top: str) -> dict[str, tuple[Any, ...]]:
    """What is below ``top``: kind, mode, owner, target of a link, number of names, times that were set."""
    found: dict[str, tuple[Any, ...]] = {}
    for entry in sorted(system.scandir(top), key=lambda entry: entry.name):
        status = system.lstat(entry.path)
        kind = stat.S_IFMT(status.st_mode)
        target = system.readlink(entry.path).replace(top, "ROOT") if kind == stat.S_IFLNK else ""
        mode = stat.S_IMODE(status.st_mode) if not target else None
        names = status.st_nlink if kind == stat.S_IFREG else None
        owner = (status.st_uid, status.st_gid) if IS_ROOT else ()
        past = [moment if moment < 10**9 else None for moment in (int(status.st_atime), int(status.st_mtime))]
        found[entry.name] = (kind, mode, target, names, owner, past)
        if kind == stat.S_IFDIR:
            found |= {f"{entry.name}/{name}": facts for name, facts in tree(system, entry.path).items()}
    return found
