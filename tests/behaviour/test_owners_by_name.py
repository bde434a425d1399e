# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Owners and groups by the names that the kernel's own files have, for every module that takes them."""

from __future__ import annotations

import json
import stat
import tarfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.modules import (
    rump_copy,
    rump_file,
    rump_find,
    rump_mount,
    rump_stat,
    rump_unarchive,
)
from ansible_collections.rumpkernel.rump.tests.support.actions import run_action
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running
from ansible_collections.rumpkernel.rump.tests.support.modules import refused, run_module
from ansible_collections.rumpkernel.rump.tests.support.networks import changing_calls

PASSWD = b"root:*:0:0:Charlie &:/root:/bin/sh\nwww:*:24:25:Web:/var/www:/sbin/nologin\n"
GROUP = b"wheel:*:0:root\nweb:*:25:\n"
NAMES = {"owner": "www", "group": "web"}
NUMBERS = 24, 25

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module", params=BACKENDS)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Kernel]]:
    """One kernel for all tests that only need users."""
    with running(request.param, tmp_path_factory.mktemp("k")) as server, connect(server.url, timeout=20) as kernel:
        kernel.mkdir("/etc")
        kernel.write_file("/etc/passwd", PASSWD)
        kernel.write_file("/etc/group", GROUP)
        yield server, kernel


@pytest.fixture
def known(shared: tuple[Server, Kernel], record_property) -> Iterator[Kernel]:  # type: ignore[no-untyped-def]
    """A kernel with users, and an empty /w."""
    record_property("backend", shared[0].description)
    kernel = shared[1]
    run_module(kernel, rump_mount, path="/w", fstype="tmpfs", state="mounted")
    yield kernel
    kernel.chdir("/")
    run_module(kernel, rump_mount, path="/w", state="absent", force=True)


def of_module(module: Any, **options: Any) -> Run:
    return lambda kernel, check_mode, _here, **more: run_module(kernel, module, check_mode, **options, **more)


def copied_file(kernel: Kernel, check_mode: bool, here: Path, **more: Any) -> dict[str, Any]:
    (here / "f").write_text("text")
    return run_action(kernel, "rump_copy", check_mode, src=f"{here}/f", dest="/w/f", **more)


def copied(kernel: Kernel, check_mode: bool, here: Path, **more: Any) -> dict[str, Any]:
    """A directory of the controller's, by the action."""
    (here / "site/d").mkdir(parents=True, exist_ok=True)
    for name in ("a", "b", "d/c"):
        (here / "site" / name).write_text(name)
    return run_action(kernel, "rump_copy", check_mode, src=f"{here}/site/", dest="/w/f", **more)


def templated(kernel: Kernel, check_mode: bool, here: Path, **more: Any) -> dict[str, Any]:
    (here / "f.j2").write_text("{{ 1 + 1 }}")
    return run_action(kernel, "rump_template", check_mode, src=str(here / "f.j2"), dest="/w/f", **more)


def unpacked(kernel: Kernel, check_mode: bool, here: Path, **more: Any) -> dict[str, Any]:
    with tarfile.open(here / "f.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("f"), BytesIO())
    return run_module(kernel, rump_unarchive, check_mode, src=str(here / "f.tar"), dest="/w", **more)


RUNS: dict[str, Run] = {
    "rump_file, a directory": of_module(rump_file, path="/w/f", state="directory"),
    "rump_file, a file": of_module(
        rump_file, path="/w/f", state="touch", access_time="preserve", modification_time="preserve"
    ),
    "rump_copy": of_module(rump_copy, dest="/w/f", content="text"),
    "rump_copy, a file of the controller": copied_file,
    "rump_copy, a directory": copied,
    "rump_template": templated,
    "rump_unarchive": unpacked,
}
ACTIONS = (copied_file, copied, templated)


def owners(kernel: Kernel) -> set[tuple[int, int]]:
    """Those of /w/f and all that is below it."""
    found = [kernel.stat("/w/f")]
    if stat.S_ISDIR(found[0].st_mode):
        found += [status for _path, status in kernel.stat_tree("/w/f")]
    return {(status.st_uid, status.st_gid) for status in found}


@pytest.mark.parametrize("name", RUNS)
def test_names(known: Kernel, tmp_path: Path, name: str) -> None:
    run = RUNS[name]
    before = changing_calls(known)
    assert run(known, True, tmp_path, **NAMES)["changed"]
    assert changing_calls(known) == before
    assert not known.exists("/w/f")
    assert run(known, False, tmp_path, **NAMES)["changed"]
    below = owners(known) if name != "rump_copy, a directory" else owners(known) - {(0, 0)}
    assert below == {NUMBERS}

    before = changing_calls(known)
    for check_mode in (True, False):
        again = run(known, check_mode, tmp_path, **NAMES)
        assert not again["changed"]
        if "owner" in again:
            assert (again["owner"], again["group"], again["uid"], again["gid"]) == ("www", "web", *NUMBERS)
        assert not run(known, check_mode, tmp_path, owner="24", group="25")["changed"]
    assert changing_calls(known) == before


def test_names_replace_others(known: Kernel) -> None:
    known.write_file("/w/f", b"")
    for owner, group, numbers in (("www", "wheel", (24, 0)), ("root", "web", (0, 25)), ("7", "root", (7, 0))):
        assert run_module(known, rump_file, True, path="/w/f", owner=owner, group=group)["changed"]
        made = run_module(known, rump_file, path="/w/f", owner=owner, group=group)
        assert made["owner"] == owner
        assert owners(known) == {numbers}
        assert not run_module(known, rump_file, path="/w/f", owner=owner, group=group)["changed"]


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"owner": "stranger"}, "owner: the kernel has no user 'stranger' in its /etc/master.passwd or /etc/passwd"),
        ({"group": "www"}, "group: the kernel has no group 'www' in its /etc/group; a number will do"),
    ],
)
def test_unknown_names(
    known: Kernel, tmp_path: Path, name: str, options: dict[str, str], said: str, check_mode: bool
) -> None:
    before = changing_calls(known)
    if RUNS[name] in ACTIONS:
        result = RUNS[name](known, check_mode, tmp_path, **options)
        assert said in result["msg"]
        assert not result.get("changed")
    else:
        with pytest.raises(Exception, match=said):
            RUNS[name](known, check_mode, tmp_path, **options)
    assert changing_calls(known) == before
    assert known.listdir("/w") == []


def test_names_in_results(known: Kernel) -> None:
    for path, uid, gid in (("/w/www", 24, 25), ("/w/root", 0, 0), ("/w/nobody", 5, 6)):
        known.write_file(path, b"")
        known.chown(path, uid, gid)
    names = {"/w/www": ("www", "web"), "/w/root": ("root", "wheel"), "/w/nobody": ("", "")}
    for path, (user, group) in names.items():
        found = run_module(known, rump_stat, path=path)["stat"]
        assert (found.get("pw_name", ""), found.get("gr_name", "")) == (user, group)
        result = run_module(known, rump_file, path=path)
        assert (result["owner"], result["group"]) == (user or "5", group or "6")
    found = run_module(known, rump_find, paths=["/w"])["files"]
    assert {file["path"]: (file["pw_name"], file["gr_name"]) for file in found} == names


def test_a_mount_by_name(known: Kernel) -> None:
    options: dict[str, Any] = {"path": "/w/m", "fstype": "tmpfs", "opts": ["uid=www", "gid=web"]}
    assert run_module(known, rump_mount, True, **options)["changed"]
    mounted = run_module(known, rump_mount, **options)
    assert (mounted["arguments"]["uid"], mounted["arguments"]["gid"]) == NUMBERS
    assert not run_module(known, rump_mount, **options)["changed"]
    status = known.stat("/w/m")
    run_module(known, rump_mount, path="/w/m", state="unmounted")
    assert (status.st_uid, status.st_gid) == NUMBERS
    said = refused(known, rump_mount, **options | {"opts": "uid=stranger"})["msg"]
    assert "opts: uid: the kernel has no user 'stranger'" in said


def test_without_files(kernel: Kernel) -> None:
    """As most rump kernels are: root and wheel are known, and nobody else."""
    made = run_module(kernel, rump_file, path="/f", state="touch", owner="root", group="wheel")
    assert (made["owner"], made["group"]) == ("root", "wheel")
    assert "the kernel has no user 'www'" in refused(kernel, rump_file, path="/f", owner="www")["msg"]
    assert run_module(kernel, rump_file, path="/f", owner="24")["owner"] == "24"


def test_files_that_are_none(kernel: Kernel) -> None:
    """A pipe would be waited for until the call's time is over."""
    kernel.mkdir("/etc")
    kernel.mkfifo("/etc/passwd")
    kernel.mkdir("/etc/group")
    kernel.write_file("/f", b"")
    said = refused(kernel, rump_file, path="/f", owner="www")["msg"]
    assert "(/etc/passwd was not read: it is no file)" in said
    assert "(/etc/group was not read: it is no file)" in refused(kernel, rump_file, path="/f", group="web")["msg"]
    assert run_module(kernel, rump_file, path="/f", owner="root")["group"] == "wheel"


def test_the_files_are_read_once(shared: tuple[Server, Kernel], known: Kernel, tmp_path: Path) -> None:
    """However many files a task is about."""
    journal = shared[0].journal
    if journal is None:
        pytest.skip("a real kernel keeps no journal of its calls")
    before = len(journal.read_text().splitlines())
    assert copied(known, False, tmp_path, **NAMES)["changed"]
    calls = [json.loads(line) for line in journal.read_text().splitlines()[before:]]
    opened = [call for call in calls if call["call"] == "open" and "/etc/" in json.dumps(call)]
    assert len(opened) == 2
