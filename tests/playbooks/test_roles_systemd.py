# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role rump_server where the host runs systemd: a real one, in namespaces of the test's own."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, ROOT, rump_server
from ansible_collections.rumpkernel.rump.tests.support.playbooks import Run, play, run_playbook
from ansible_collections.rumpkernel.rump.tests.support.systemd import NoSystemd, System

pytestmark = pytest.mark.timeout(1000)
HERE = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
COMPONENTS = ["rumpvfs", "rumpdev", "rumpdev_disk", "rumpnet", "rumpnet_net", "rumpnet_netinet", "rumpnet_shmif"]
GROUP = "daemon"
SETTLE = 60.0
LIMIT = 900.0
# All that is in the folders of the role, with owners and modes, and what systemd knows. The log grows.
SNAPSHOT = (
    r"find /run/rump /var/lib/rump /etc/systemd/system /etc/tmpfiles.d -printf '%p %u %g %M\n' | sort;"
    r" systemctl show --property=MainPID,ActiveState,UnitFileState rump-k1;"
    r" systemctl list-units --all --plain --no-legend 'rump-*'"
)


class Host:
    """A host with systemd and the role."""

    def __init__(self, backend: str, system: System) -> None:
        self.system = system
        self.folder = system.top / "play"
        self.folder.mkdir()
        self.variables: dict[str, Any] = {
            "rump_server_backend": backend,
            "rump_server_supervisor": "systemd",
            "rump_server_binary": rump_server() or "rump_server",
            "rump_server_components": COMPONENTS,
            "rump_server_timeout": 60,
            "rump_server_group": GROUP,
        }

    def play(self, *instances: dict[str, Any], **more: Any) -> dict[str, Any]:
        variables = {**self.variables, "rump_server_instances": list(instances)}
        (made,) = play(vars=variables, roles=["rumpkernel.rump.rump_server"], **{"hosts": "vmhost", **more})
        return made

    def run(self, *plays: dict[str, Any], hosts: dict[str, dict[str, Any]] | None = None) -> Run:
        """Run plays on one host, or on several that are this one, with their variables."""
        inventory = {"all": {"hosts": {name: {**HERE, **own} for name, own in (hosts or {"vmhost": {}}).items()}}}
        environment = {"ANSIBLE_PIPELINING": "1"}
        return run_playbook(
            self.folder, list(plays), inventory, environment=environment, under=self.system.under, limit=LIMIT
        )

    def tells(self, *command: str) -> str:
        done = self.system.run(*command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def property(self, name: str, kernel: str = "k1") -> str:
        return self.tells("systemctl", "show", "--value", "--property", name, f"rump-{kernel}.service")

    def ask(self, url: str, *prefix: str) -> str:
        """What a client says that asks for the host's name, run by another command or not."""
        code = (
            "import sys; sys.path.insert(0, sys.argv[2])\n"
            "from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect\n"
            "with connect(sys.argv[1], connect_timeout=5) as kernel: print(kernel.sysctl.get('kern.ostype'))"
        )
        done = self.system.run(*prefix, sys.executable, "-c", code, url, ROOT / ".collections")
        return done.stdout + done.stderr

    def reaches(self, group: str) -> bool:
        """Whether a user in that group only may write to the kernel's socket, which is what connecting takes."""
        setpriv = ["setpriv", "--reuid", "nobody", "--regid", group, "--clear-groups"]
        return self.system.run(*setpriv, "test", "-w", "/run/rump/k1/socket").returncode == 0

    def await_answer(self, other_than: str = "") -> None:
        """Wait until the service k1 runs, as another process than that, and answers."""
        deadline = time.monotonic() + SETTLE
        while self.property("MainPID") in ("0", other_than) or "NetBSD" not in self.ask("unix:///run/rump/k1/socket"):
            assert time.monotonic() < deadline, self.tells("systemctl", "status", "rump-k1")
            time.sleep(0.05)


def disks(hosts: str) -> dict[str, Any]:
    """A play that fails on kernels whose disk they cannot read."""
    task = {
        "rumpkernel.rump.rump_stat": {"path": "/disk"},
        "register": "disk",
        "failed_when": "disk.stat.size != 1048576",
    }
    return {"name": "Look", "hosts": hosts, "gather_facts": False, "tasks": [task]}


@pytest.fixture
def host(record_property) -> Iterator[Host]:  # type: ignore[no-untyped-def]
    # One kind of kernel is enough, the real one where there is one: systemd is what these tests are about.
    backend = BACKENDS[-1].partition("-")[0]
    # Not tmp_path, which only its user may enter.
    with tempfile.TemporaryDirectory(prefix="rump-systemd-") as folder:
        os.chmod(folder, 0o755)
        try:
            system = System(Path(folder))
            system.boot()
        except NoSystemd as error:
            pytest.skip(str(error))
        try:
            record_property("backend", f"{backend} as a service of systemd")
            yield Host(backend, system)
        finally:
            system.halt()


def test_twelve_steps(host: Host) -> None:
    """Made, changed and removed: foretold, done, and then nothing is foretold or done."""
    look = {"name": "Look", "ansible.builtin.shell": SNAPSHOT, "check_mode": False, "changed_when": False}
    kernel: dict[str, Any] = {
        "name": "k1",
        "disks": [{"key": "/disk", "path": '/var/lib/rump/k1/a $x%n "b.img', "size": "1m"}],
    }
    text = '100% of "it" \\ $HOME'
    wanted = [kernel, {**kernel, "environment": {"TEXT": text}}, {**kernel, "state": "absent"}]
    plays = [
        {**host.play(instance, check_mode=check), "post_tasks": [look]}
        for instance in wanted
        for check in (True, False, True, False)
    ]
    environment = {
        "name": "Read the environment",
        "ansible.builtin.shell": "cat /proc/$(systemctl show --value --property=MainPID rump-k1)/environ",
        "changed_when": False,
    }
    plays[7]["post_tasks"].insert(0, environment)
    run = host.run({**play(look)[0], "hosts": "vmhost"}, *plays)
    assert run.code == 0, run.output
    seen: list[str] = []
    changes: list[list[str]] = [[]]
    for result in run.results:
        if result.task == "Look":
            seen.append(result.result["stdout"])
            changes.append([])
        elif result.changed:
            changes[-1].append(result.task.partition(" : ")[2])
        elif result.task == "Read the environment":
            assert f"TEXT={text}" in result.result["stdout"].split("\0")
    assert len(seen) == 13
    for first in (1, 5, 9):
        assert changes[first]
        assert changes[first] == changes[first + 1]
        assert changes[first + 2] == changes[first + 3] == []
        assert seen[first - 1] == seen[first]
        assert seen[first] != seen[first + 1]
        assert seen[first + 1] == seen[first + 2] == seen[first + 3]
    assert "ActiveState=active" in seen[4]
    assert "UnitFileState=enabled" in seen[4]
    assert '/a $x%n "b.img' in seen[4]
    assert seen[12] == seen[0]


def test_the_services(host: Host) -> None:
    """Kernels on a socket and on a port do their work under the unit's restrictions, and come back."""
    bus = "/run/rump/buses/lan"
    work = {
        "name": "Work",
        "hosts": "rump_kernels",
        "gather_facts": False,
        "tasks": [
            {"rumpkernel.rump.rump_ifconfig": {"name": "shmif0", "linkstr": bus, "state": "up"}},
            {"rumpkernel.rump.rump_stat": {"path": "/disk"}, "register": "disk", "failed_when": "not disk.stat.exists"},
        ],
    }
    disk = {"disks": [{"key": "/disk", "size": "1m"}]}
    url = "tcp://127.0.0.1:12345"
    made = host.run(host.play({"name": "k1", **disk}, {"name": "k2", "url": url, **disk}), work)
    assert made.code == 0, made.output
    assert host.tells("stat", "--format", "%U %G %a", "/run/rump/k1", "/run/rump/k1/socket").split("\n") == [
        f"root {GROUP} 2750",
        f"root {GROUP} 660",
    ]
    if host.variables["rump_server_backend"] == "rump_server":
        assert host.tells("stat", "--format", "%G", bus) == GROUP

    # The unit's restrictions are in force.
    assert host.ask("unix:///run/rump/k1/socket") == host.ask(url) == "NetBSD\n"
    status = dict(
        line.split(":\t") for line in host.tells("cat", f"/proc/{host.property('MainPID')}/status").split("\n")
    )
    assert (status["CapEff"], status["NoNewPrivs"], status["Seccomp"]) == ("0000000000000000", "1", "2")
    inside = [
        "nsenter",
        "--mount",
        "--target",
        host.property("MainPID"),
        "findmnt",
        "--noheadings",
        "--output",
        "OPTIONS",
    ]
    assert host.tells(*inside, "--target", "/etc").startswith("ro,")
    assert host.tells(*inside, "--target", "/run/rump/k1").startswith("rw,")

    # The group reaches it, and nobody else.
    assert host.reaches(GROUP)
    assert not host.reaches("nogroup")

    # A kernel that is killed is started again, one that a client halts is not.
    pid = host.property("MainPID")
    host.tells("kill", "-KILL", pid)
    host.await_answer(other_than=pid)
    assert host.property("NRestarts") == "1"
    host.tells("kill", "-TERM", host.property("MainPID"))
    deadline = time.monotonic() + SETTLE
    while host.property("ActiveState") != "inactive":
        assert time.monotonic() < deadline
        time.sleep(0.05)

    # They come up with the host, where all folders of /run are made again.
    host.system.halt()
    host.system.boot()
    host.await_answer()
    assert host.tells("systemctl", "is-active", "rump-k1", "rump-k2") == "active\nactive"


def test_a_user_of_its_own(host: Host) -> None:
    """What the user can write is never opened by the superuser, and its primary group is that of the kernels."""
    user, group = "daemon", "daemon"
    simulated = host.variables["rump_server_backend"] == "simulated"
    program = Path(sys.executable if simulated else host.variables["rump_server_binary"]).resolve()
    if not all(place.stat().st_mode & stat.S_IXOTH for place in (program, *program.parents)):
        pytest.skip(f"{user} cannot run {program.name}, which is in a folder of somebody else's")
    host.variables |= {"rump_server_user": user}
    del host.variables["rump_server_group"]
    # A folder of the user's with an image that is there, and a socket to be.
    host.tells("install", "-d", "-o", user, "-g", group, "/var/lib/elsewhere")
    host.tells("truncate", "--size=1m", "/var/lib/elsewhere/image")
    host.tells("chown", f"{user}:{group}", "/var/lib/elsewhere/image")
    url = "unix:///var/lib/elsewhere/socket"
    k1: dict[str, Any] = {"name": "k1", "disks": [{"key": "/disk", "size": "1m"}]}
    k2 = {"name": "x.socket", "url": url, "disks": [{"key": "/disk", "path": "/var/lib/elsewhere/image"}]}
    k3 = {"name": "k3", "url": "tcp://127.0.0.1:12345"}
    made = host.run(host.play(k1, k2, k3), disks("k1:x.socket"))
    assert made.code == 0, made.output
    assert host.ask("unix:///run/rump/k1/socket") == host.ask(url) == host.ask(k3["url"]) == "NetBSD\n"
    kept = "/var/lib/rump/k1"
    paths = ["/run/rump/buses", "/run/rump/k1", "/run/rump/k1/socket", kept, f"{kept}/log", f"{kept}/disk.img"]
    assert host.tells("stat", "--format", "%U %G %a", *paths).split("\n") == [
        *(f"{user} {group} 2750",) * 2,
        f"{user} {group} 660",
        f"root {group} 751",
        f"root {group} 640",
        f"{user} {group} 660",
    ]

    # No link of the user's has the superuser make or change a file elsewhere.
    act = ["setpriv", "--reuid", user, "--regid", group, "--clear-groups"]
    assert host.system.run(*act, "ln", "-sf", "/etc/newfile", f"{kept}/log").returncode != 0
    assert host.system.run(*act, "ln", "-s", "/etc/newfile", f"{kept}/second.img").returncode != 0
    assert host.run(host.play({**k1, "state": "restarted"})).code == 0
    assert host.system.run("test", "-e", "/etc/newfile").returncode != 0

    # An image of the role's goes with the kernel to another user.
    host.variables |= {"rump_server_user": "nobody"}
    moved = host.run(host.play(k1), disks("k1"))
    assert moved.code == 0, moved.output
    assert host.tells("stat", "--format", "%U %a", f"{kept}/disk.img") == "nobody 660"

    gone = host.run(host.play(*({**kernel, "state": "absent"} for kernel in (k1, k2, k3))))
    assert gone.code == 0, gone.output
    assert host.tells("ls", "/var/lib/elsewhere").split() == ["image"]
    assert host.system.run("test", "-e", "/var/lib/rump").returncode != 0


def test_another_supervisor(host: Host) -> None:
    """What the one left running the other ends."""
    kernel = {"name": "k1"}

    def processes() -> int:
        """Processes that were given the kernel's URL: the kernel, and a supervisor that is a shell."""
        found = host.system.run("pgrep", "--count", "--full", "^(sh -c|[^ ]*(rump_server|python[^ ]*) ).*/run/rump/k1/")
        return int(found.stdout)

    services = host.play(kernel)
    host.variables |= {"rump_server_supervisor": "process"}
    supervised, gone = host.play(kernel), host.play({**kernel, "state": "absent"})
    for plays, number in (([services], 1), ([supervised], 2), ([services], 1), ([gone], 0)):
        run = host.run(*plays)
        assert run.code == 0, run.output
        assert processes() == number
        if number:
            assert "NetBSD" in host.ask("unix:///run/rump/k1/socket")
            again = host.run(*plays)
            assert (again.code, again.changed) == (0, []), again.output
    assert host.system.run("test", "-e", "/etc/systemd/system/rump-k1.service").returncode != 0


def test_what_is_missing_is_said_first(host: Host) -> None:
    """In check mode as well, and nothing is made."""
    host.tells("touch", "/var/lib/file")
    disk = {"key": "/disk", "path": "/nowhere/image"}
    instances: list[dict[str, Any]] = [
        {"name": "k1", "disks": [disk]},
        {"name": "k2", "url": "unix:///nowhere/socket"},
        {"name": "k3", "url": "unix:///var/lib/file"},
    ]
    wrong: list[tuple[dict[str, Any], list[str]]] = [
        (
            {},
            [
                "k1: there is no /nowhere/image on the host",
                "k2: there is no /nowhere on the host",
                "k3: url: /var/lib/file is there and no socket",
            ],
        ),
        ({"rump_server_binary": "no-such-program"}, ["rump_server_binary: the host has no program no-such-program"]),
        ({"rump_server_user": "no-such-user"}, ["rump_server_user, rump_server_group: the host has to have"]),
        ({"rump_server_group": "no-such-group"}, ["rump_server_user, rump_server_group: the host has to have"]),
    ]
    host.variables |= {"rump_server_backend": "rump_server", "rump_server_binary": "sleep"}
    hosts = {
        f"host{number}": {"rump_server_instances": [{"name": f"w{number}"}] if variables else instances, **variables}
        for number, (variables, _messages) in enumerate(wrong)
    }
    one = host.play(hosts="all")
    del one["vars"]["rump_server_instances"]
    variables = one.pop("vars")
    for check in (True, False):
        run = host.run({**one, "check_mode": check}, hosts={name: {**variables, **own} for name, own in hosts.items()})
        assert run.code == 2
        assert run.changed == []
        for name, (_variables, messages) in zip(hosts, wrong, strict=True):
            said = run.of(name)[-1].result["msg"]
            assert all(message in said for message in messages), said
    assert host.tells("cat", "/var/lib/file") == ""
    assert host.system.run("test", "-e", "/run/rump").returncode != 0


def test_why_a_kernel_does_not_come_up(host: Host) -> None:
    run = host.run(host.play({"name": "k1", "options": ["--no-such-option"]}))
    assert run.code == 2
    message = [result for result in run.results if result.status == "failed"][-1].result["msg"]
    assert "k1: no answer at unix:///run/rump/k1/socket" in message
    assert "rump-k1.service" in message
    assert "usage" in message.lower() or "option" in message.lower()
