# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same file tasks by ansible.builtin's modules on the controller, and by others on a kernel.

The tasks are in files/chapters, written for ansible.builtin. They are run with its modules on a directory of the
controller; with the collection's, whose names take the place of theirs, on three file systems of each kernel; and
with ansible.builtin's modules as they are on a kernel. All tasks are run, and then all are run again. On a tmpfs the
collection's own are run in check mode too, each task before it is run for real. All must say the same of each task, and
leave the same files.

An unmodified module takes as long on a kernel as over a local connection. So these are run again on the tmpfs alone,
and once on the other file systems: the second run ends in the files that the first one left. Where there is a real
kernel, they are run on that alone: what the simulated one answers is held to it by the conversations of the unit tests
and by the collection's own modules here, and test_unmodified.py runs such modules on both. Where there is none, the
simulated kernel's FFS is left to the collection's own modules.

What a task's result may have that is not compared, and why, is said in :data:`NOT_COMPARED`, and what a file system
cannot do in :data:`LACKING`.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import stat
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.modules import rump_mount
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, ROOT, Server, running
from ansible_collections.rumpkernel.rump.tests.support.modules import run_module
from ansible_collections.rumpkernel.rump.tests.support.playbooks import Result, run_playbook

# What goes before the first test takes half a minute, on two cores that have nothing else to do.
pytestmark = pytest.mark.timeout(900)
TIME_LIMIT = 400  # of a playbook, in seconds

HERE = Path(__file__).parent / "files"
FFS_IMAGE = ROOT / "tests" / "data" / "ffs-512k.img.gz"
IS_ROOT = os.geteuid() == 0
NAMESAKES = ("file", "copy", "template", "fetch", "stat", "slurp", "find")
# Each chapter has a directory of its name to itself.
OURS = ("file", "links", "copy", "template", "read")
# What has no module of the collection's own.
UNMODIFIED = ("edit",)
# Where the files are in a kernel, by file system.
PLACES = {"tmpfs": "/t/files", "ffs": "/f/files", "rumpfs": "/files"}
TURNS = ("in check mode", "for real", "again")
# Where unmodified modules are not run, by kernel.
LEFT_OUT = {("simulated", "ffs")}

# What the root file system cannot do, and with which tasks it shows, by tag. These fail there: not foretold in check
# mode, since an earlier task of a play could have mounted another file system. What they would have made is left out.
LACKING = {"rumpfs": {"hard_links": ("rumpfs has no link(2): its answer is EOPNOTSUPP", "links/hard/")}}

# Keys of results that are not compared, by module ("*": of all), with the reason.
NOT_COMPARED: dict[str, set[str]] = {
    "*": {
        *("changed", "failed", "skipped"),  # compared by themselves
        *("invocation", "ansible_loop_var", "item", "ansible_facts"),  # what Ansible adds
        *("msg", "warnings", "deprecations", "exception"),  # texts
        *("owner", "group"),  # which numbers have a name, and which, is each system's own affair
        "diff",  # compared by itself
    },
    # The source is in a temporary folder when a module is not run in the worker.
    "copy": {"src"},
    "template": {"src"},
    "assemble": {"src"},
}
# What is said of a file, in results and in lists of files, that depends on the system or the file system below it.
OF_SYSTEMS = {
    *("inode", "dev", "device_type", "blocks", "block_size", "nlink", "pw_name", "gr_name", "flags", "generation"),
    *("atime", "mtime", "ctime", "birthtime"),  # those that were set are compared with the files
    *("mimetype", "charset", "attributes", "attr_flags", "version"),  # of file(1) and lsattr(1)
}
# Names that are made up: of backups and of temporary files.
MADE_UP = re.compile(r"\.\d+\.\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d~|(?<=/ansible\.)\w{8}(?=\.tmp)")


@dataclass(frozen=True)
class Told:
    """What one run of a task said; of a loop, of one of its items."""

    task: str
    turn: str
    module: str
    tags: tuple[str, ...]
    status: str
    changed: bool
    result: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.task} ({self.turn})"


@dataclass(frozen=True)
class Done:
    """All that the tasks said of one place, and the files that they left there and on the controller."""

    told: list[Told]
    files: dict[str, tuple[Any, ...]]
    fetched: dict[str, tuple[Any, ...]]


def tasks_of(chapters: tuple[str, ...], modules: str) -> list[dict[str, Any]]:
    """Tasks of chapters; ``modules`` says whose, ansible.builtin's or the collection's."""
    tasks = []
    for chapter in chapters:
        for task in yaml.safe_load((HERE / "chapters" / f"{chapter}.yml").read_text(encoding="utf-8")):
            renamed = {_renamed(key) if modules == "rump" else key: value for key, value in task.items()}
            tasks.append({**renamed, "ignore_errors": True})
    return tasks


def _renamed(key: str) -> str:
    name = key.removeprefix("ansible.builtin.")
    return f"rumpkernel.rump.rump_{name}" if key != name and name in NAMESAKES else key


def plays(tasks: list[dict[str, Any]], check: bool, again: str) -> list[dict[str, Any]]:
    """A play that runs each task, if asked in check mode before it runs it for real, and one that runs all again.

    ``again`` are the hosts of the second.
    """
    turns = [tuple(turn for turn in TURNS[:2] if check or turn != TURNS[0]), TURNS[2:]]
    return [
        {
            "name": " and ".join(own),
            "hosts": again if own == TURNS[2:] else "all",
            "gather_facts": False,
            "diff": True,
            "tasks": [in_turn(task, turn) for task in tasks for turn in own],
        }
        for own in turns
    ]


def in_turn(task: dict[str, Any], turn: str) -> dict[str, Any]:
    named = {**task, "name": f"{task['name']} ({turn})"}
    if turn != TURNS[0]:
        return named
    return {**named, "check_mode": True, "when": [task.get("when", True), "in_check_mode"]}


def play_on(
    folder: Path,
    modules: str,
    chapters: tuple[str, ...],
    hosts: dict[str, dict[str, Any]],
    again: str = "all",
    **variables: Any,
) -> dict[str, list[Result]]:
    """Run the tasks of chapters on hosts, and on those that ``again`` names once more; the results of each."""
    folder.mkdir()
    password = folder / "password"
    password.write_text("rump")
    for name, host in hosts.items():
        host |= {"fetched": str(folder / "fetched" / name)}
    inventory = {
        "all": {"hosts": hosts, "vars": {"sources": str(HERE / "sources"), "as_root": IS_ROOT, **variables}},
    }
    run = run_playbook(
        folder,
        plays(tasks_of(chapters, modules), check=modules == "rump", again=again),
        inventory,
        *("--vault-password-file", str(password), "--forks", str(len(hosts))),
        environment={"ANSIBLE_PIPELINING": "1"},
        limit=TIME_LIMIT,
    )
    assert run.code == 0, run.output
    return {name: run.of(name) for name in hosts}


def told(results: list[Result], chapters: tuple[str, ...], root: str, fetched: str) -> list[Told]:
    """What the tasks of chapters said, with the names of places as in every other one."""
    tasks = {task["name"]: task for task in tasks_of(chapters, "builtin")}
    found = []
    for result in results:
        name, turn = re.fullmatch(r"(.*) \((.*?)\)", result.task).groups()  # type: ignore[union-attr]
        module = next(key for key in tasks[name] if key.startswith("ansible.builtin."))
        looped = "results" in result.result
        for number, item in enumerate(result.result["results"] if looped else [result.result]):
            status = next((word for word in ("failed", "skipped") if item.get(word)), "ok") if looped else result.status
            text = json.dumps(item, ensure_ascii=False)
            for place, general in ((fetched, "FETCHED"), (root, "ROOT"), (root[1:], "ROOT"), (result.host, "HOST")):
                text = text.replace(place, general)
            found.append(
                Told(
                    f"{name} [{number}]" if looped else name,
                    turn,
                    module.removeprefix("ansible.builtin."),
                    tuple(tasks[name].get("tags", ())),
                    status,
                    bool(item.get("changed")),
                    json.loads(MADE_UP.sub("MADE UP", text)),
                )
            )
    return found


# What is left


def files_of(system: Any, top: str) -> dict[str, tuple[Any, ...]]:
    """What is below ``top``: kind, mode, owner, content, target, number of names, times that were set (not now)."""
    found: dict[str, tuple[Any, ...]] = {}
    for entry in system.scandir(top):
        status = system.lstat(entry.path)
        kind = stat.S_IFMT(status.st_mode)
        link = kind == stat.S_IFLNK
        content: Any = system.readlink(entry.path).replace(top, "ROOT") if link else None
        if kind == stat.S_IFREG:
            content = _content(system, entry.path)
        # A link has no mode on Linux; a directory's number of names is the file system's.
        mode = None if link else oct(stat.S_IMODE(status.st_mode))
        names = status.st_nlink if kind == stat.S_IFREG else None
        owner = (status.st_uid, status.st_gid) if IS_ROOT else None
        modified = int(status.st_mtime) if status.st_mtime < 10**9 else "now"
        name = MADE_UP.sub("MADE UP", entry.name)
        found[name] = (stat.filemode(kind)[0], mode, owner, content, names, modified)
        if kind == stat.S_IFDIR:
            found |= {f"{name}/{below}": facts for below, facts in files_of(system, entry.path).items()}
    return found


def _content(system: Any, path: str) -> bytes:
    return system.read_file(path) if isinstance(system, Kernel) else Path(path).read_bytes()


def fetched_files(folder: str, host: str, root: str) -> dict[str, tuple[Any, ...]]:
    if not Path(folder).exists():
        return {}
    own = {name: facts[3] for name, facts in files_of(os, folder).items() if facts[0] == "-"}
    return {name.replace(f"{host}{root}", "HOST/ROOT"): content for name, content in own.items()}


# What is there before


READ = {
    "a.txt": ("alpha\nbeta\n", 0o644),
    "b.log": ("gamma\n", 0o600),
    ".hidden": ("", 0o644),
    "sub/c.txt": ("beta gamma\n", 0o755),
    "sub/deep/d.txt": ("x" * 3000, 0o644),
    "sub/ü": ("ü\n", 0o644),
}
FILES = {
    **{f"links/{name}": ("", 0o644) for name in ("file", "other", "sub/file", "hard/file", "hard/other")},
    "copy/text": ("the first line\n", 0o644),
    **{f"read/{name}": facts for name, facts in READ.items()},
    **{f"edit/parts/{name}": (f"part {name}\n", 0o644) for name in ("1", "2")},
}
LINKS = {
    "copy/link": "text",
    "read/a": "a.txt",
    "read/sub/c": "c.txt",
    "read/nothing": "nothing.txt",
    "read/directory": "sub",
}
DIRECTORIES = ("copy", "edit/parts", "links/hard", "links/sub", "read/sub/deep", "template")
A_TIME = 946695845  # in the year 2000


def prepare(system: Any, root: str) -> None:
    """Make what the tasks meet."""
    former = os.umask(0o022)
    try:
        for name in DIRECTORIES:
            system.makedirs(f"{root}/{name}")
        for name, (content, mode) in FILES.items():
            descriptor = system.open(f"{root}/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
            system.write(descriptor, content.encode())
            system.close(descriptor)
            system.utime(f"{root}/{name}", (A_TIME, A_TIME))
        for name, target in LINKS.items():
            system.symlink(target, f"{root}/{name}")
    finally:
        os.umask(former)


# The runs


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """ansible.builtin's modules on a directory of the controller; each task is a process, or several."""
    folder = tmp_path_factory.mktemp("controller")
    root = str(folder / "files")
    prepare(os, root)
    with ThreadPoolExecutor(max_workers=2) as pool:
        runs = list(pool.map(lambda chapter: _on_controller(folder / chapter, chapter, root), (*OURS, *UNMODIFIED)))
    fetched = {name: facts for _told, files in runs for name, facts in files.items()}
    return Done([part for told, _files in runs for part in told], files_of(os, root), fetched)


def _on_controller(folder: Path, chapter: str, root: str) -> tuple[list[Told], dict[str, Any]]:
    hosts = {"controller": {"root": root, "ansible_connection": "local", "ansible_python_interpreter": sys.executable}}
    results = play_on(folder, "builtin", (chapter,), hosts)["controller"]
    place = f"{folder}/fetched/controller"
    return told(results, (chapter,), root, place), fetched_files(place, "controller", root)


@pytest.fixture(scope="module", params=BACKENDS)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A kernel with a tmpfs on /t and an FFS on /f."""
    folder = tmp_path_factory.mktemp("kernel")
    image = folder / "disk.img"
    image.write_bytes(gzip.decompress(FFS_IMAGE.read_bytes()))
    with running(request.param, folder, options=("-d", f"key=/disk,hostpath={image},size=host")) as server:
        with connect(server.url, timeout=20) as kernel:
            run_module(kernel, rump_mount, path="/t", fstype="tmpfs", opts="size=16m")
            run_module(kernel, rump_mount, path="/f", src="/disk", fstype="ffs")
        yield server


def on_kernel(
    server: Server, folder: Path, modules: str, chapters: tuple[str, ...], run: str, places: tuple[str, ...]
) -> dict[str, Done]:
    """The tasks on file systems of a kernel, at once."""
    hosts: dict[str, dict[str, Any]] = {
        name: {"root": f"{PLACES[name]}/{run}", "in_check_mode": name == "tmpfs", "ansible_rump_server": server.url}
        for name in places
    }
    with connect(server.url, timeout=20) as kernel:
        for host in hosts.values():
            prepare(kernel, host["root"])
        results = play_on(
            folder / run,
            modules,
            chapters,
            hosts,
            again="all" if modules == "rump" else "tmpfs",
            ansible_connection="rumpkernel.rump.sysproxy",
        )
        return {
            name: Done(
                told(results[name], chapters, host["root"], host["fetched"]),
                files_of(kernel, host["root"]),
                fetched_files(host["fetched"], name, host["root"]),
            )
            for name, host in hosts.items()
        }


@pytest.fixture(scope="module")
def ours(served: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Done]:
    return on_kernel(served, tmp_path_factory.mktemp("ours"), "rump", OURS, "ours", tuple(PLACES))


@pytest.mark.parametrize("place", PLACES)
def test_ours(reference: Done, served: Server, ours: dict[str, Done], place: str, record_property) -> None:  # type: ignore[no-untyped-def]
    record_property("backend", served.description)
    assert_same(ours[place], reference, OURS, place)


@pytest.fixture(scope="module")
def unmodified(served: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Done]:
    places = tuple(place for place in PLACES if (served.backend, place) not in LEFT_OUT)
    chapters = (*OURS, *UNMODIFIED)
    return on_kernel(served, tmp_path_factory.mktemp("unmodified"), "builtin", chapters, "unmodified", places)


@pytest.mark.parametrize("served", BACKENDS[-1:], indirect=True)
@pytest.mark.parametrize("place", PLACES)
def test_unmodified(reference: Done, served: Server, unmodified: dict[str, Done], place: str, record_property) -> None:  # type: ignore[no-untyped-def]
    if (served.backend, place) in LEFT_OUT:
        pytest.skip("unmodified modules take long, and are not run on the simulated kernel's FFS")
    record_property("backend", served.description)
    turns = TURNS[1:] if place == "tmpfs" else TURNS[1:2]
    assert_same(unmodified[place], reference, (*OURS, *UNMODIFIED), place, turns)


def assert_same(
    got: Done, wanted: Done, chapters: tuple[str, ...], place: str, turns: tuple[str, ...] = TURNS[1:]
) -> None:
    """That all tasks were run in these turns, that all went as wanted, and that the files are the same.

    :raises AssertionError: with all that differs.
    """
    expected = {part.name: part for part in wanted.told}
    real = {part.task: part for part in got.told if part.turn == TURNS[1]}
    lacking = LACKING.get(place, {})
    run = {(part.task.partition(" [")[0], part.turn) for part in got.told}
    needed = [(task["name"], turn) for task in tasks_of(chapters, "builtin") for turn in turns]
    differences = [f"{task} ({turn}): was not run" for task, turn in needed if (task, turn) not in run]
    for part in got.told:
        lack = [reason for tag, (reason, _names) in lacking.items() if tag in part.tags]
        if part.turn == TURNS[0]:
            # What a task fails for may be what an earlier one of a play makes: check mode does not always fail too.
            # A fetch is skipped in check mode, as ansible.builtin's is.
            foretold = (part.status, part.changed)
            came = (real[part.task].status, real[part.task].changed)
            if part.status != "skipped" and foretold != came and came[0] != "failed":
                differences.append(f"{part.name}: {foretold}, and then it was {came}: {part.result.get('msg', '')}")
        elif not lack:
            differences += [f"{part.name}: {text}" for text in different(part, expected[part.name])]
        elif part.status != "failed":
            differences.append(f"{part.name}: should have failed, since {lack[0]}")
    left_out = tuple(names for _reason, names in lacking.values())
    differences += unlike("files", kept(got.files, chapters, left_out), kept(wanted.files, chapters, left_out))
    if "read" in chapters:
        differences += unlike("fetched files", got.fetched, wanted.fetched)
    assert not differences, "\n".join(["", *differences])


def kept(files: dict[str, Any], chapters: tuple[str, ...], left_out: tuple[str, ...]) -> dict[str, Any]:
    return {
        name: facts
        for name, facts in files.items()
        if name.partition("/")[0] in chapters and not (left_out and name.startswith(left_out))
    }


def different(got: Told, wanted: Told) -> list[str]:
    """What two runs of a task say differently. What a result has more than ansible.builtin's is no difference."""
    if (got.status, got.changed) != (wanted.status, wanted.changed):
        why = got.result.get("msg", "")
        return [f"{got.status}, changed={got.changed}, not {wanted.status}, changed={wanted.changed}: {why}"]
    if got.status != "ok":
        return []
    left_out = NOT_COMPARED["*"] | NOT_COMPARED.get(got.module, set())
    expected = {key: value for key, value in wanted.result.items() if key not in left_out}
    found = {key: got.result[key] for key in expected if key in got.result}
    return [
        *unlike("result", general(found), general(expected)),
        *unlike("diff", contents(got), contents(wanted)),
    ]


def contents(part: Told) -> dict[str, Any]:
    """The contents before and after that a task shows, if any. What else a diff may have is each module's own."""
    shown = part.result.get("diff") or []
    shown = [shown] if isinstance(shown, dict) else shown
    return {
        f"{side} {number}": one[side]
        for number, one in enumerate(shown)
        for side in ("before", "after")
        if isinstance(one.get(side), str)
    }


def general(value: Any) -> Any:
    """A result's values, without what depends on the system; lists of files in order."""
    if isinstance(value, list):
        values = [general(item) for item in value]
        return sorted(values, key=lambda item: item["path"]) if values and isinstance(values[0], dict) else values
    if not isinstance(value, dict):
        return value
    members = {name: general(item) for name, item in value.items() if name not in OF_SYSTEMS}
    if members.get("state") == "directory" or members.get("isdir"):
        members.pop("size", None)
    if members.get("state") == "link" or members.get("islnk"):
        left = [name for name in members if name == "mode" or re.fullmatch("[rwx](usr|grp|oth)", name)]
        members = {name: item for name, item in members.items() if name not in left}  # Linux has no mode of links
    if not IS_ROOT:
        members = {name: item for name, item in members.items() if name not in ("uid", "gid")}
    return members


def unlike(what: str, got: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    absent = object()
    return [
        f"{what}: {name} is {got.get(name, 'absent')!r}, not {wanted.get(name, 'absent')!r}"
        for name in sorted({*got, *wanted})
        if got.get(name, absent) != wanted.get(name, absent)
    ]
