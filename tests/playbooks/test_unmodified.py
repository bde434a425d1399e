# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules of ansible.builtin and of another collection, unmodified, over the connection.

What they did is read from the kernel by a session of the test's own. The same paths exist on the controller, with
other content, and have to stay as they are. test_file_tasks.py holds what they return to what they do on a host.
"""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, ROOT, Server, running
from ansible_collections.rumpkernel.rump.tests.support.playbooks import Run, inventory_of, play, run_playbook
from ansible_collections.rumpkernel.rump.tests.support.relay import relaying

BUILTIN = "ansible.builtin."
NAMES = ("hello", "templated", "whole", "d")

# A module of somebody else's collection, with a module_utils of its own.
ACME = {
    "module_utils/lines.py": """
import os

def with_line(path, line):
    content = ""
    if os.path.exists(path):
        with open(path) as file:
            content = file.read()
    return content if line in content.splitlines() else content + line + "\\n"
""",
    "modules/keep_line.py": """
DOCUMENTATION = "module: keep_line"
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.acme.files.plugins.module_utils.lines import with_line
import os
import tempfile

def main():
    module = AnsibleModule({"path": {"type": "path"}, "line": {}}, add_file_common_args=True, supports_check_mode=True)
    path = module.params["path"]
    content = with_line(path, module.params["line"])
    changed = not os.path.exists(path) or content != open(path).read()
    if changed and not module.check_mode:
        fd, name = tempfile.mkstemp(dir=module.tmpdir)
        with os.fdopen(fd, "w") as file:
            file.write(content)
        module.atomic_move(name, path)
    arguments = module.load_file_common_arguments(module.params)
    changed = module.set_fs_attributes_if_different(arguments, changed)
    module.exit_json(changed=changed, where=os.uname().sysname)

if __name__ == "__main__":
    main()
""",
}


def builtin(module: str, label: str = "", **options: Any) -> dict[str, Any]:
    return {"name": label or module, f"{BUILTIN}{module}": options}


def tasks(folder: Path) -> list[dict[str, Any]]:
    """One task at least of each module that has to run; ``d`` is a directory in the kernel."""
    d = "{{ d }}"
    return [
        builtin("ping"),
        builtin("wait_for_connection", timeout=20),
        builtin("file", path=f"{d}/d", state="directory", mode="0750"),
        builtin("file", "link", path=f"{d}/link", src="hello", state="link", force=True),
        builtin("copy", content="hello\nsecond\n", dest=f"{d}/hello", force=False, mode="0640"),
        builtin("lineinfile", path=f"{d}/hello", line="third"),
        builtin("blockinfile", path=f"{d}/hello", block="in a block", marker="# {mark}"),
        builtin("replace", path=f"{d}/hello", regexp="^second$", replace="2nd line"),
        builtin("copy", "a tree", src=f"{folder}/tree/", dest=f"{d}/d/"),
        builtin("template", src=f"{folder}/motd.j2", dest=f"{d}/templated", mode="0600"),
        builtin("assemble", src=f"{d}/d/parts", dest=f"{d}/whole", remote_src=True),
        builtin("stat", path=f"{d}/hello"),
        builtin("slurp", path=f"{d}/hello"),
        builtin("find", paths=f"{d}/d", recurse=True, patterns="*.part", age="-1h"),
        builtin("fetch", src=f"{d}/whole", dest=f"{folder}/fetched-{{{{ inventory_hostname }}}}", flat=True),
        {**builtin("tempfile", state="file", suffix=".made", path=d), "register": "made", "changed_when": False},
        {**builtin("file", "remove it", path="{{ made.path }}", state="absent"), "changed_when": False},
        {"name": "acme", "acme.files.keep_line": {"path": f"{d}/acme", "line": "kept", "mode": "0600"}},
    ]


@pytest.fixture(params=BACKENDS)
def server(request: pytest.FixtureRequest, tmp_path: Path, record_property) -> Iterator[Server]:  # type: ignore[no-untyped-def]
    (tmp_path / "server").mkdir()
    with running(request.param, tmp_path / "server") as started:
        record_property("backend", started.description)
        yield started


@pytest.fixture
def kernel(server: Server) -> Iterator[Kernel]:
    with connect(server.url, timeout=20) as connected:
        yield connected


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The controller's folder with what the playbook needs."""
    parts = tmp_path / "tree" / "parts"
    parts.mkdir(parents=True)
    (parts / "1.part").write_text("one\n")
    (parts / "2.part").write_text("two\n")
    (tmp_path / "motd.j2").write_text("This is {{ inventory_hostname }}.\n")
    for name, text in ACME.items():
        path = tmp_path / "collections/ansible_collections/acme/files/plugins" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def canaries(top: Path) -> dict[str, tuple[str, str]]:
    """Make what a module would find if it looked on the controller, or say what became of that."""
    if not top.exists():
        (top / "d").mkdir(parents=True)
        for name in ("hello", "templated", "whole", "acme"):
            (top / name).write_text("the controller's\n")
    return {
        str(path): (stat.filemode(path.lstat().st_mode), path.read_text() if path.is_file() else "")
        for path in top.rglob("*")
    }


def mounted(kernel: Kernel, path: Path) -> None:
    kernel.makedirs(path)
    arguments = kernel.abi.struct("tmpfs_args").build(ta_version=1, ta_size_max=1 << 23, ta_root_mode=0o755)
    kernel.mount("tmpfs", path, 0, arguments)


def run(folder: Path, hosts: dict[str, dict[str, Any]], *wanted: dict[str, Any], **more: Any) -> Run:
    paths = f"{ROOT / '.collections'}:{folder / 'collections'}"
    variables = more.pop("variables", {})
    inventory = inventory_of(hosts, **variables)
    return run_playbook(folder, play(*wanted, **more), inventory, environment={"ANSIBLE_COLLECTIONS_PATH": paths})


def test_every_module_twice(server: Server, kernel: Kernel, folder: Path) -> None:
    tops = {"tmpfs": folder / "canary-1", "rumpfs": folder / "canary-2"}
    before = {name: canaries(top) for name, top in tops.items()}
    mounted(kernel, tops["tmpfs"])
    kernel.makedirs(tops["rumpfs"])
    hosts = {name: {"ansible_rump_server": server.url, "d": str(top)} for name, top in tops.items()}

    first = run(folder, hosts, *tasks(folder))
    assert first.code == 0, first.output
    for name, top in tops.items():
        _check(kernel, name, str(top))
        assert (folder / f"fetched-{name}").read_text() == "one\ntwo\n"
        results = {result.task: result.result for result in first.of(name)}
        assert results["stat"]["stat"]["size"] == len(HELLO)
        assert base64.b64decode(results["slurp"]["content"]) == HELLO
        assert sorted(os.path.basename(file["path"]) for file in results["find"]["files"]) == ["1.part", "2.part"]
        assert results["acme"]["where"] == "NetBSD"

    second = run(folder, hosts, *tasks(folder))
    assert second.code == 0, second.output
    assert [(result.host, result.task) for result in second.changed] == []
    for name, top in tops.items():
        _check(kernel, name, str(top))
        assert canaries(top) == before[name]
    assert "python interpreter" not in first.output.lower()


HELLO = b"hello\n2nd line\nthird\n# BEGIN\nin a block\n# END\n"


def _check(kernel: Kernel, host: str, top: str) -> None:
    """What the kernel holds."""
    files = {"hello": HELLO, "templated": f"This is {host}.\n".encode(), "whole": b"one\ntwo\n", "acme": b"kept\n"}
    modes = {"hello": 0o640, "templated": 0o600, "whole": 0o644, "acme": 0o600}
    assert sorted(kernel.listdir(top)) == sorted([*files, "d", "link"])
    assert {name: kernel.read_file(f"{top}/{name}") for name in files} == files
    assert {name: stat.S_IMODE(kernel.stat(f"{top}/{name}").st_mode) for name in files} == modes
    assert stat.S_IMODE(kernel.stat(f"{top}/d").st_mode) == 0o750
    assert kernel.readlink(f"{top}/link") == "hello"
    assert kernel.read_file(f"{top}/d/parts/2.part") == b"two\n"
    assert [name for name in kernel.listdir("/tmp") if "ansible" in name] == []


def test_check_mode_and_diff(server: Server, kernel: Kernel, folder: Path) -> None:
    kernel.write_file("/f", b"old\n")
    wanted = [
        builtin("copy", content="new\n", dest="/f"),
        builtin("lineinfile", path="/f", line="more"),
        builtin("file", path="/g", state="touch"),
    ]
    hosts = {"k1": {"ansible_rump_server": server.url}}
    told = run(folder, hosts, *wanted, check_mode=True, diff=True)
    assert told.code == 0, told.output
    assert [result.changed for result in told.results] == [True, True, True]
    for line in ("-old", "+new", "+more"):
        assert line in told.output.splitlines()
    assert (kernel.read_file("/f"), kernel.exists("/g")) == (b"old\n", False)


def test_become(server: Server, kernel: Kernel, folder: Path) -> None:
    kernel.mkdir("/etc")
    kernel.write_file("/etc/master.passwd", b"root:*:0:0::0:0:Root:/root:/bin/sh\nwww:*:24:25::0:0::/var/www:/bin/sh\n")
    kernel.write_file("/etc/group", b"wheel:*:0:root\nwww:*:25:\nlogs:*:30:www\n")
    mounted(kernel, Path("/data"))  # on the root file system all that is made is root's, whoever makes it
    kernel.chmod("/data", 0o777)
    kernel.chmod("/tmp", 0o1777)
    kernel.write_file("/secret", b"x")
    kernel.chmod("/secret", 0o600)
    wanted = [
        {**builtin("copy", content="mine\n", dest="/data/by_name"), "become": True, "become_user": "www"},
        {**builtin("file", path="/data/by_number", state="touch"), "become": True, "become_user": "1000"},
        {**builtin("file", path="/data/root", state="touch"), "become": True},
        {**builtin("file", path="/data/owner", state="touch", owner="www", group="logs")},
        {**builtin("slurp", path="/secret"), "become": True, "become_user": "www", "ignore_errors": True},
        {**builtin("ping"), "become": True, "become_user": "nobody_knows", "ignore_errors": True},
    ]
    told = run(folder, {"k1": {"ansible_rump_server": server.url}}, *wanted)
    assert told.code == 0, told.output
    found = {name: kernel.stat(f"/data/{name}") for name in kernel.listdir("/data")}
    assert {name: there.st_uid for name, there in found.items()} == {
        "by_name": 24,
        "by_number": 1000,
        "root": 0,
        "owner": 24,
    }
    assert found["owner"].st_gid == 30
    refused = {result.task: result.result["msg"] for result in told.results if result.status == "failed"}
    assert "secret" in refused["slurp"]
    assert "no user 'nobody_knows'" in refused["ping"]


NO_PROGRAMS = ("no programs",)
HOW_TO = ("no programs", "rump_command")
CANNOT_RUN = [
    (builtin("command", cmd="ls"), HOW_TO),
    (builtin("shell", cmd="ls | wc"), HOW_TO),
    (builtin("service", name="sshd", state="started"), NO_PROGRAMS),
    (builtin("package", name="nginx"), HOW_TO),
    (builtin("script", cmd=__file__), HOW_TO),
    (builtin("reboot"), ("rumpkernel.rump.rump_server", "state: restarted")),
    ({**builtin("ping", "async"), "async": 10, "poll": 0}, ("async",)),
]


def test_what_cannot_run_says_so(server: Server, folder: Path) -> None:
    wanted = [{**task, "ignore_errors": True} for task, _texts in CANNOT_RUN]
    told = run(folder, {"k1": {"ansible_rump_server": server.url}}, *wanted)
    assert told.code == 0, told.output
    assert len(told.results) == len(CANNOT_RUN)
    for result, (_task, texts) in zip(told.results, CANNOT_RUN, strict=True):
        assert result.status == "failed", result
        assert all(text in result.result["msg"] for text in texts), result


def test_a_kernel_that_goes_away_makes_the_host_unreachable(server: Server, folder: Path) -> None:
    with relaying(server.url, folder, 3000, server.kill) as (url, relay):
        told = run(folder, {"k1": {"ansible_rump_server": url}}, builtin("copy", content="x" * 5000, dest="/tmp/f"))
    assert relay.passed >= 3000
    assert (told.results[-1].status, told.code) == ("unreachable", 4)
    assert url in told.results[-1].result["msg"]
    assert "Traceback" not in told.output


def test_no_kernel_makes_the_host_unreachable(tmp_path: Path) -> None:
    told = run(tmp_path, {"k1": {"ansible_rump_server": f"unix://{tmp_path}/none"}}, builtin("ping"))
    assert (told.results[-1].status, told.code) == ("unreachable", 4)
