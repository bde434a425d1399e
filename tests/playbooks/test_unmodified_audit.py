# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Unmodified modules neither read nor change anything of the controller's: what strace and access times say.

A module's process is told from others by the system call with which it leaves the controller's working directory.
From there on it may read Python's installation and Ansible, write into its pipes, and talk over the session that it
has; all else is a finding.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ansible
import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running
from ansible_collections.rumpkernel.rump.tests.support.http_server import serving
from ansible_collections.rumpkernel.rump.tests.support.playbooks import inventory_of, play, run_playbook

BUILTIN = "ansible.builtin."
ENTERED = 'chdir("/")'
LOOKING = {
    "newfstatat",
    "fstatat64",
    "stat",
    "lstat",
    "statx",
    "access",
    "faccessat",
    "faccessat2",
    "readlink",
    "readlinkat",
}
OPENING = {"open", "openat", "openat2"}
READ_ONLY = re.compile(r"O_RDONLY(\|O_(CLOEXEC|DIRECTORY|NONBLOCK|LARGEFILE|NOFOLLOW|PATH))*$")
INSIDE = {"exit", "exit_group", "fstat", "getcwd"}  # of the process itself
LIBRARIES = re.compile(r"^/etc/ld\.so\.cache$|/lib\w+\.so(\.\d+)*$")  # the dynamic linker's, of _ssl for example
# What has to do with files, processes and connections. What only moves data of those that are open is left out, but for
# writes: there is much of it. With seccomp the kernel sorts that out, at next to no cost.
TRACED = (
    "%file,%process,write,writev,pwrite64,pwritev,ftruncate,fallocate,fchmod,fchown,fsetxattr,copy_file_range,sendfile,"
    "splice,tee,flock,socket,connect,bind,listen,accept,accept4"
)
STRACE = ["strace", "-ff", "--seccomp-bpf", "-qq", "-y", "-e", f"trace={TRACED}", "-e", "signal=none"]
CALL = re.compile(r"^(\w+)\((.*)\)\s+= (-?\w+)")
WRITTEN_TO = re.compile(r"^\d+<(pipe:|socket:|UNIX|TCP)")


def _usable() -> bool:
    if not shutil.which("strace"):
        return False
    with tempfile.TemporaryDirectory() as folder:
        tried = subprocess.run([*STRACE, "-o", f"{folder}/of", "true"], capture_output=True, check=False)
    return tried.returncode == 0


needs_strace = pytest.mark.skipif(not _usable(), reason="strace is not on PATH, or must not trace here")


# The real kernel where there is one: it is the controller that is looked at here, not the kernel.
@pytest.fixture(scope="module", params=BACKENDS[-1:])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(request.param, tmp_path_factory.mktemp("shared")) as server:
        yield server


def builtin(module: str, **options: Any) -> dict[str, Any]:
    return {"name": module, BUILTIN + module: options}


def tasks(top: str, folder: Path, port: int) -> list[dict[str, Any]]:
    """``top`` is a directory that the kernel has, and the controller too."""
    (folder / "motd.j2").write_text("This is {{ inventory_hostname }}.\n")
    return [
        builtin("setup"),
        builtin("copy", content="one\ntwo\n", dest=f"{top}/file"),
        builtin("template", src=str(folder / "motd.j2"), dest=f"{top}/templated"),
        builtin("lineinfile", path=f"{top}/file", line="three", backup=True),
        builtin("stat", path=f"{top}/file"),
        builtin("find", paths=top, recurse=True),
        builtin("tempfile", state="directory"),
        builtin("get_url", url=f"http://127.0.0.1:{port}/page", dest=f"{top}/page"),
        builtin("wait_for", path=f"{top}/page", search_regex="page"),
        {**builtin("slurp", src="/etc/passwd"), "ignore_errors": True},  # the kernel has none
        {**builtin("command", cmd="touch /tmp/x"), "ignore_errors": True},
    ]


def prepared(server: Server, folder: Path) -> Path:
    """A directory with files that the controller and the kernel both have, by the same path."""
    top = folder / "canary"
    (top / "d").mkdir(parents=True)
    with connect(server.url) as kernel:
        kernel.makedirs(f"{top}/d")
        for name in ("file", "templated", "page", "d/deep"):
            (top / name).write_text("the controller's\n")
            kernel.write_file(f"{top}/{name}", b"the kernel's\n")
    return top


@needs_strace
def test_what_modules_do_on_the_controller(shared: Server, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    record_property("backend", shared.description)
    top = prepared(shared, tmp_path)
    traces = tmp_path / "traces"
    traces.mkdir()
    with serving(shared.url, {"/page": b"a page"}) as site:
        wanted = tasks(str(top), tmp_path, site.port)
        inventory = inventory_of({"k1": {"ansible_rump_server": shared.url}})
        run = run_playbook(tmp_path, play(*wanted), inventory, under=[*STRACE, "-o", str(traces / "of")])
    assert run.code == 0, run.output
    modules = [text for text in (path.read_text(errors="replace") for path in traces.iterdir()) if ENTERED in text]
    assert len(modules) >= len(wanted) - 1  # command is refused before
    findings = {line for text in modules for line in _findings(text.partition(ENTERED)[2])}
    assert findings == set()
    assert any("site-packages" in text or "ansible" in text.partition(ENTERED)[2] for text in modules), (
        "nothing was read"
    )


def _findings(trace: str) -> Iterator[str]:
    """The lines of a module's trace that are more than it may do."""
    for line in trace.splitlines()[1:]:
        found = CALL.match(line)
        if found is None:
            if not line.startswith(("+++", "---", "exit_group(")) and "<unfinished" not in line:
                yield line
            continue
        name, arguments, _result = found.groups()
        if name in ("write", "writev"):
            allowed = bool(WRITTEN_TO.match(arguments))
        elif name in LOOKING:
            allowed = _is_pythons(arguments) or '""' in arguments
        elif name in OPENING:
            flags = arguments.rpartition('", ')[2]
            allowed = bool(READ_ONLY.match(flags)) and _is_pythons(arguments)
        else:
            allowed = name in INSIDE
        if not allowed:
            yield line


def _is_pythons(arguments: str) -> bool:
    """Whether the path in a call's arguments is one that modules, and libraries for them, are loaded from."""
    found = re.search(r'"((?:[^"\\]|\\.)*)"', arguments)
    path = found.group(1) if found else ""
    return bool(LIBRARIES.search(path)) or any(f"{path}/".startswith(f"{folder}/") for folder in _folders())


def _folders() -> list[str]:
    """Python's folders, and that of Ansible."""
    found = [folder for folder in sys.path if os.path.isabs(folder)]
    found += [sys.prefix, sys.base_prefix, os.path.dirname(os.__file__), os.path.dirname(ansible.__file__)]
    return [*found, *(os.path.realpath(folder) for folder in found)]


def test_files_of_the_same_name_are_not_even_read(shared: Server, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    """Reading sets the access time of a file that was changed since it was last read."""
    record_property("backend", shared.description)
    probe = tmp_path / "probe"
    probe.write_text("x")
    os.utime(probe, (1, 2))
    probe.read_text()
    if probe.stat().st_atime == 1:
        pytest.skip("the file system of the temporary folder keeps no access times")
    top = prepared(shared, tmp_path)
    paths = [top, *top.rglob("*")]
    for path in paths:
        os.utime(path, (1, 2))
    with serving(shared.url, {"/page": b"a page"}) as site:
        inventory = inventory_of({"k1": {"ansible_rump_server": shared.url}})
        run = run_playbook(tmp_path, play(*tasks(str(top), tmp_path, site.port)), inventory)
    assert run.code == 0, run.output
    times = {str(path): (path.stat().st_atime, path.stat().st_mtime) for path in paths}
    assert times == {str(path): (1, 2) for path in paths}
    assert (top / "file").read_text() == "the controller's\n"
    with connect(shared.url) as kernel:
        assert kernel.read_file(f"{top}/file") == b"one\ntwo\nthree\n"
        assert kernel.read_file(f"{top}/page") == b"a page"


@pytest.mark.parametrize(
    "line",
    [
        'openat(AT_FDCWD</>, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3</etc/passwd>',
        f'openat(AT_FDCWD</>, "{os.__file__}", O_WRONLY|O_CREAT, 0666) = 3',
        'newfstatat(AT_FDCWD</>, "/etc/hosts", {st_mode=S_IFREG}, 0) = 0',
        'unlink("/tmp/x")                        = -1 ENOENT (No such file or directory)',
        'write(9</tmp/x>, "y", 1)              = 1',
        "connect(3<socket:[1]>, {sa_family=AF_INET}, 16) = 0",
        'execve("/bin/ls", ["ls"], 0x1 /* 1 vars */) = 0',
        "clone(child_stack=NULL, flags=SIGCHLD)  = 77",
    ],
)
def test_the_audit_finds_what_it_should(line: str) -> None:
    harmless = f'newfstatat(AT_FDCWD</>, "{os.__file__}", {{st_mode=S_IFREG}}, 0) = 0'
    assert list(_findings(f"{ENTERED} = 0\n{harmless}\n{line}\n")) == [line]
