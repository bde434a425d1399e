# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_supervise, run as Ansible runs it on a host: with kernels, and with a server that only says its banner."""

from __future__ import annotations

import contextlib
import grp
import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect
from ansible_collections.rumpkernel.rump.plugins.modules.rump_supervise import Record
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, ROOT, rump_server
from ansible_collections.rumpkernel.rump.tests.support.ports import free_port
from ansible_collections.rumpkernel.rump.tests.support.processes import group_ended

MODULE = """
import importlib, json, os, sys
from ansible.module_utils.testing import patch_module_args
module = importlib.import_module("ansible_collections.rumpkernel.rump.plugins.modules.rump_supervise")
user, group = json.loads(sys.argv[1])
if user is not None:
    os.setgroups([user_group for user_group in (group, int(sys.argv[2])) if user_group >= 0])
    os.setgid(group)
    os.setuid(user)
with patch_module_args(json.load(sys.stdin)):
    module.main()
"""
# A test may have something fail before.
SERVER = """
import contextlib, socket, sys
scheme, _, rest = sys.argv[-1].partition("://")
if scheme == "unix":
    server, address = socket.socket(socket.AF_UNIX), rest
else:
    server, address = socket.socket(), (rest.rpartition(":")[0], int(rest.rpartition(":")[2]))
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(address)
server.listen()
print("ready", flush=True)
while True:
    client, _ = server.accept()
    with contextlib.suppress(OSError):
        client.sendall(b"RUMPSP-0.4-test\\n")
    client.close()
"""
OTHER = "daemon"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser runs processes as another user")
LIMIT = 60.0
pytestmark = [pytest.mark.one_abi, pytest.mark.timeout(600)]


class Host:
    """A host's folders, and the module on it."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.run = top / "run"
        self.options: dict[str, Any] = {"directory": str(self.run), "shared": [str(self.run / "buses")], "timeout": 30}

    def supervise(self, *processes: dict[str, Any], check: bool = False, **more: Any) -> dict[str, Any]:
        """The result of the module; ``as_user`` and ``as_group`` (numbers) run it, in ``in_group`` besides."""
        identity = [more.pop("as_user", None), more.pop("as_group", None)]
        besides = str(more.pop("in_group", -1))
        arguments = {**self.options, **more, "processes": list(processes), "_ansible_check_mode": check}
        done = subprocess.run(
            [sys.executable, "-c", MODULE, json.dumps(identity), besides],
            input=json.dumps(arguments),
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT / ".collections")},
        )
        assert done.stdout.lstrip().startswith("{"), done.stdout + done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def refuse(self, *processes: dict[str, Any], **more: Any) -> str:
        """The message of a module that fails, in check mode and not, and changes nothing."""
        before = self.snapshot()
        messages = []
        for check in (True, False):
            result = self.supervise(*processes, check=check, **more)
            assert result.get("failed"), result
            assert (result["changed"], result["changes"]) == (False, [])
            messages.append(result["msg"])
        assert self.snapshot() == before
        assert messages[0] == messages[1]
        return str(messages[0])

    def process(self, name: str, **more: Any) -> dict[str, Any]:
        """A process that says the banner at a socket of its own, or at the URL that is told."""
        url = more.pop("url", f"unix://{self.run}/{name}/socket")
        return {
            "name": name,
            "command": [python(), "-c", more.pop("before", "") + SERVER, url],
            "url": url,
            "log": f"{self.top}/lib/{name}/log",
            "directories": [f"{self.run}/{name}", f"{self.top}/lib/{name}"],
            **more,
        }

    def absent(self, name: str) -> dict[str, Any]:
        return {"name": name, "state": "absent", "directories": self.process(name)["directories"]}

    def record(self, name: str) -> dict[str, Any]:
        known: dict[str, Any] = json.loads((self.run / f"{name}.process").read_text())
        return known

    def pid(self, name: str) -> int:
        return int(self.record(name)["pid"])

    def snapshot(self) -> dict[str, Any]:
        """All that is there: each file as it is, and the processes."""
        found: dict[str, Any] = {}
        for path in sorted(self.top.rglob("*")):
            status = path.lstat()
            own = (stat.filemode(status.st_mode), status.st_uid, status.st_gid, status.st_ino, status.st_ctime_ns)
            text = path.read_bytes() if path.suffix == ".process" else None
            found[str(path.relative_to(self.top))] = (*own, text)
        return found


def python() -> str:
    """A Python that another user can run too, if there is one."""
    for program in (sys.executable, "/usr/bin/python3"):
        if os.geteuid() != 0 or (shutil.which(program) and _runs_as_other(program)):
            return program
    return sys.executable


def _runs_as_other(program: str) -> bool:
    try:
        subprocess.run([program, "--help"], capture_output=True, check=False, cwd="/", user=OTHER)
    except PermissionError:
        return False
    return True


def needs_other(program: str) -> None:
    if not _runs_as_other(program):
        pytest.skip(f"{OTHER} cannot run {Path(program).name}, which is in a folder of somebody else's")


@pytest.fixture
def host() -> Iterator[Host]:
    # Not tmp_path: other users cannot enter it, and sockets' paths would be too long.
    top = Path(tempfile.mkdtemp(prefix="s"))
    top.chmod(0o755)
    try:
        yield Host(top)
    finally:
        for record in top.glob("run/*.process"):
            with contextlib.suppress(ValueError, KeyError, ProcessLookupError):
                if (pid := json.loads(record.read_text())["pid"]) > 1:
                    os.killpg(pid, signal.SIGKILL)
        shutil.rmtree(top)


@contextlib.contextmanager
def listening(url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Somebody else who says the banner at a URL."""
    with subprocess.Popen([sys.executable, "-c", SERVER, url], stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
            yield server
        finally:
            server.kill()


def kernel_of(backend: str, host: Host, user: str | None) -> dict[str, Any]:
    """A kernel with a disk."""
    image = f"{host.top}/lib/k/disk.img"
    disk = ["-d", f"key=/disk,hostpath={image},size=65536"]
    url = f"unix://{host.run}/k/socket"
    if backend == "rump_server":
        program = str(rump_server())
        command = [program, "-s", "-lrumpvfs", "-lrumpdev", "-lrumpdev_disk", *disk, url]
    else:
        program = sys.executable
        command = [program, "-B", str(ROOT / "bin/rump-simulated"), *disk, url]
    if user:
        needs_other(program)
    return host.process("k", url=url, command=command, images=[{"path": image, "size": 65536}])


@pytest.mark.parametrize("user", [None, pytest.param(OTHER, marks=AS_ROOT)], ids=["self", "other"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_twelve_steps(host: Host, backend: str, user: str | None, record_property) -> None:  # type: ignore[no-untyped-def]
    made = kernel_of(backend, host, user)
    options = {"user": user} if user else {}

    def four_steps(process: dict[str, Any], expected: list[str]) -> None:
        before = host.snapshot()
        foretold = host.supervise(process, check=True, **options)
        assert (foretold["changed"], foretold["changes"]) == (True, expected), foretold
        assert host.snapshot() == before
        done = host.supervise(process, **options)
        assert (done["changed"], done["changes"]) == (True, expected), done
        after = host.snapshot()
        assert after != before
        for check in (True, False):
            again = host.supervise(process, check=check, **options)
            assert (again["changed"], again["changes"]) == (False, []), again
            assert host.snapshot() == after

    folders = [f"{host.run}", f"{host.run}/buses", f"{host.run}/k", f"{host.top}/lib/k"]
    image = f"make the image {host.top}/lib/k/disk.img of 65536 bytes"
    four_steps(made, [*(f"make the directory {folder}" for folder in folders), image, "start k"])
    with connect(made["url"]) as kernel:
        banner = kernel.session.banner.removeprefix("RUMPSP-0.4-").strip()
        record_property("backend", f"{backend.partition('-')[0]} {banner} over unix")
        assert kernel.exists("/disk")
    self_id, other = os.geteuid(), pwd.getpwnam(user).pw_uid if user else os.geteuid()
    group = pwd.getpwuid(other).pw_gid
    found = {name: attributes[:3] for name, attributes in host.snapshot().items()}
    assert found == {
        "lib": ("drwxr-xr-x", self_id, found["lib"][2]),
        "lib/k": ("drwxr-x--x", self_id, group),
        "lib/k/disk.img": ("-rw-rw----", other, group),
        "lib/k/log": ("-rw-r-----", self_id, group),
        "run": ("drwxr-xr-x", self_id, found["run"][2]),
        "run/buses": ("drwxr-s---", other, group),
        "run/k": ("drwxr-s---", other, group),
        "run/k.process": ("-rw-------", self_id, found["run/k.process"][2]),
        "run/k/socket": ("srw-rw----", other, group),
    }
    assert {os.stat(f"/proc/{pid}").st_uid for pid in processes_of(host.pid("k"))} == {other}

    pid = host.pid("k")
    four_steps({**made, "environment": {"SOMETHING": "other"}}, ["stop k", "start k"])
    assert group_ended(pid)
    with connect(made["url"]) as kernel:
        assert kernel.exists("/disk")

    pid = host.pid("k")
    removals = [f"remove the directory {path}" for path in made["directories"]]
    buses = f"remove the directory {host.run}/buses"
    four_steps(host.absent("k"), ["stop k", *removals, "forget k", buses])
    assert group_ended(pid)
    assert list(host.top.iterdir()) == []


def processes_of(group: int) -> list[int]:
    """The processes of a group, the supervisor's first."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.getpgid(int(folder.name)) == group:
                found.append(int(folder.name))
    assert group in found
    return sorted(found, key=lambda pid: pid != group)


@AS_ROOT
@pytest.mark.parametrize("kind", ["symbolic", "hard", "pipe"])
def test_a_users_log_is_not_followed(host: Host, kind: str) -> None:
    """In a folder as earlier versions made it, which belonged to the user."""
    needs_other(python())
    process = host.process("k")
    folder, log, secret = host.top / "lib/k", host.top / "lib/k/log", host.top / "secret"
    folder.mkdir(parents=True)
    os.chown(folder, pwd.getpwnam(OTHER).pw_uid, -1)
    secret.write_text("secret\n")
    secret.chmod(0o600)
    if kind == "symbolic":
        log.symlink_to(secret)
    elif kind == "hard":
        log.hardlink_to(secret)
    else:
        os.mkfifo(log)
    before = secret.stat()
    message = host.refuse(process, user=OTHER)
    assert f"processes: k: log: {log} is no regular file" in message
    assert secret.read_text() == "secret\n"
    assert secret.stat().st_uid == 0
    assert secret.stat().st_mode == before.st_mode
    log.unlink()
    # What is there from before is taken from the user.
    assert host.supervise(process, user=OTHER)["changed"]
    assert (folder.stat().st_uid, log.stat().st_uid) == (0, 0)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o751


def test_a_pipe_as_log_of_a_running_process_is_not_waited_for(host: Host) -> None:
    process = host.process("k", dead_when="^halted$")
    assert host.supervise(process)["changed"]
    log = host.top / "lib/k/log"
    log.unlink()
    os.mkfifo(log)
    message = host.refuse({**process, "state": "restarted"})
    assert "log: " in message
    assert host.supervise({**process, "state": "stopped"})["changes"] == ["stop k"]


@AS_ROOT
@pytest.mark.parametrize("what", ["directory", "log", "above"])
def test_the_superuser_makes_nothing_in_a_users_folder(host: Host, what: str) -> None:
    needs_other(python())
    theirs = host.top / "theirs"
    theirs.mkdir()
    os.chown(theirs, pwd.getpwnam(OTHER).pw_uid, -1)
    process, options = host.process("k"), {}
    if what == "directory":
        options = {"directory": str(theirs), "shared": []}
    elif what == "log":
        process["log"] = f"{theirs}/log"
    else:
        process["directories"].append(f"{theirs}/between/own")
    assert f"others than the superuser can write in {theirs}" in host.refuse(process, user=OTHER, **options)


def test_processes_cannot_write_the_record(host: Host) -> None:
    assert host.supervise(host.process("k"))["changed"]
    record = str(host.run / "k.process")
    seen = 0
    for pid in processes_of(host.pid("k")):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            if os.readlink(descriptor) == record:
                flags = Path(f"/proc/{pid}/fdinfo/{descriptor.name}").read_text().partition("flags:")[2].split()[0]
                assert int(flags, 8) & os.O_ACCMODE == os.O_RDONLY
                seen += 1
    assert seen == 2, "the supervisor and its process have it"


@pytest.mark.parametrize("pid", [0, 1, -1, True, "7", None])
def test_a_number_that_is_no_process_group_is_not_known(tmp_path: Path, pid: Any) -> None:
    """Not tried with signals: these numbers mean all processes there are."""
    (tmp_path / "k.process").write_text(json.dumps({"pid": pid, "specification": {}}))
    assert Record(str(tmp_path), "k").read() == {}


def test_a_process_of_an_unknown_number_is_not_lost(host: Host) -> None:
    process = host.process("k")
    assert host.supervise(process)["changed"]
    known, path = host.record("k"), host.run / "k.process"
    path.write_text("")
    stopped = host.supervise({**process, "state": "stopped"}, timeout=0.2)
    path.write_text(json.dumps(known))
    assert "does not end" in stopped["msg"]
    assert host.supervise(process)["changes"] == []


@pytest.mark.parametrize("told", ["its own start", pytest.param("no start", marks=AS_ROOT)])
def test_another_process_is_not_ended(host: Host, told: str) -> None:
    """One that has the number by now; and one of the superuser's in the place of a user's."""
    user = OTHER if told == "no start" else None
    needs_other(python()) if user else None
    process = host.process("k")
    assert host.supervise(process, user=user)["changed"]
    known, path = host.record("k"), host.run / "k.process"
    with subprocess.Popen(["sleep", "600"], process_group=0) as bystander:
        try:
            forged = {**known, "pid": bystander.pid}
            if told == "no start":
                del forged["began"]
            path.write_text(json.dumps(forged))
            stopped = host.supervise({**process, "state": "stopped"}, user=user, timeout=0.2)
            assert "does not end" in stopped["msg"]
            assert bystander.poll() is None
        finally:
            bystander.kill()
            path.write_text(json.dumps(known))


@AS_ROOT
@pytest.mark.parametrize("backend", [backend for backend in BACKENDS if backend == "rump_server"])
def test_another_user_takes_the_images(host: Host, backend: str) -> None:
    process = kernel_of(backend, host, OTHER)
    assert host.supervise(process)["changed"]
    image = host.top / "lib/k/disk.img"
    image.write_bytes(b"kept".ljust(1 << 16))
    foretold = host.supervise(process, user=OTHER, check=True)
    done = host.supervise(process, user=OTHER)
    assert foretold["changes"] == done["changes"]
    assert f"set the rights of {image}" in done["changes"]
    assert image.stat().st_uid == pwd.getpwnam(OTHER).pw_uid
    assert image.read_bytes().startswith(b"kept")
    with connect(process["url"]) as kernel:
        assert kernel.exists("/disk")
    assert host.supervise(process, user=OTHER)["changes"] == []


@AS_ROOT
def test_images_elsewhere_and_links_are_nobody_elses_business(host: Host) -> None:
    needs_other(python())
    images = host.top / "images"
    images.mkdir()
    (images / "own.img").write_bytes(b"x")
    (host.top / "lib/k").mkdir(parents=True)
    (host.top / "lib/k/link.img").symlink_to(images / "own.img")
    paths = [images / "own.img", host.top / "lib/k/link.img"]
    process = host.process("k", images=[{"path": str(path), "size": 1} for path in paths])
    assert not host.supervise(process, user=OTHER).get("failed")
    assert (images / "own.img").stat().st_uid == 0


@pytest.mark.parametrize("scheme", ["unix", "tcp"])
def test_what_answers_already_is_not_taken_for_the_process(host: Host, scheme: str) -> None:
    port = free_port()
    url = f"unix://{host.top}/socket" if scheme == "unix" else f"tcp://127.0.0.1:{port}"
    told = url if scheme == "unix" else f"tcp://0:{port}"
    with listening(url) as other:
        process = host.process("k", url=told)
        assert f"url: something else answers at {told} already" in host.refuse(process)
        assert other.poll() is None
        if scheme == "unix":
            assert os.path.exists(f"{host.top}/socket")


def test_a_process_that_is_not_named_keeps_its_url(host: Host) -> None:
    port = free_port()
    assert host.supervise(host.process("a", url=f"tcp://127.0.0.1:{port}"))["changed"]
    message = host.refuse(host.process("b", url=f"tcp://0:{port}"))
    assert f"processes: b: url: tcp://0:{port} is taken: a serves tcp://127.0.0.1:{port}" in message
    # It may have what another gives up in the same task.
    swapped = [host.process("b", url=f"tcp://127.0.0.1:{port}"), {**host.process("a"), "state": "stopped"}]
    foretold = host.supervise(*swapped, check=True)
    done = host.supervise(*swapped)
    assert foretold["changes"] == done["changes"], done
    assert done["changes"][-2:] == ["stop a", "start b"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("tcp://0:{port}", "tcp://127.0.0.1:{port}"),
        ("tcp://0.0.0.0:{port}", "tcp://0:{port}/"),
        ("tcp://localhost:{port}", "tcp://127.0.0.1:{port}"),
        ("tcp6://[::]:{port}", "tcp6://[::0]:{port}"),
        ("unix://{top}/socket", "unix://{top}/../{name}/socket"),
    ],
)
def test_two_urls_that_are_one(host: Host, one: str, other: str) -> None:
    values = {"port": free_port(), "top": host.top, "name": host.top.name}
    urls = [url.format(**values) for url in (one, other)]
    message = host.refuse(*(host.process(name, url=url) for name, url in zip("ab", urls, strict=True)))
    assert f"processes: b: url: {urls[1]} cannot be told from that of a, {urls[0]}" in message


def test_a_guests_own_address_is_none_of_the_hosts(host: Host) -> None:
    """One on this host's addresses does not take the port of an address that is elsewhere."""
    port = free_port()
    urls = (f"tcp://0:{port}", f"tcp://192.0.2.77:{port}")
    foretold = host.supervise(*(host.process(name, url=url) for name, url in zip("ab", urls, strict=True)), check=True)
    assert foretold["changes"][-2:] == ["start a", "start b"], foretold


@pytest.mark.parametrize(
    "url",
    [
        *("http://foo", "tcp://127.0.0.1:70000", "tcp://127.0.0.1:x", "tcp://127.0.0.1:0", "tcp://2001:db8::2:12345"),
        *("tcp://127.0.0.1", "unix://socket", "unix:///" + "a" * 103, "tcp6://2001:db8::2:1"),
    ],
)
def test_urls_that_are_none(host: Host, url: str) -> None:
    message = host.refuse(host.process("k", url=url))
    assert f"processes: k: url: {url!r} is not unix:///PATH" in message


def test_an_answer_of_another_does_not_count(host: Host) -> None:
    """The process itself ends again and again, while something that it has left behind answers at its URL."""
    port = free_port()
    before = (
        "import os, sys, socket\n"
        "if os.fork():\n"
        "    os.wait() if len(sys.argv) > 99 else None\n"
        "    sys.exit('address already in use')\n"
        "os.setsid()\n"
        "os.closerange(0, 100)\n"
        "for _ in range(3): os.open('/dev/null', os.O_RDWR)\n"
    )
    began = time.monotonic()
    failed = host.supervise(host.process("k", url=f"tcp://127.0.0.1:{port}", before=before), timeout=50)
    try:
        assert failed.get("failed"), failed
        assert "it ended, and something else answers there" in failed["msg"]
        assert "address already in use" in failed["msg"]
        assert time.monotonic() - began < 50
    finally:
        for pid in processes_with(f"tcp://127.0.0.1:{port}"):
            os.kill(pid, signal.SIGKILL)


def processes_with(argument: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.read_bytes().endswith(argument.encode() + b"\0") and int(path.parent.name) != os.getpid():
                found.append(int(path.parent.name))
    return found


def test_a_process_that_gave_up_is_reported_at_once(host: Host) -> None:
    began = time.monotonic()
    process = host.process(
        "k", url=f"tcp://127.0.0.1:{free_port()}", command=["sh", "-c", "echo no such thing; exit 3"]
    )
    failed = host.supervise(process, timeout=50)
    assert time.monotonic() - began < 50
    assert "it ended; it said: no such thing" in failed["msg"]
    assert failed["log"][-1] == "supervisor: gives up"
    # What was done before is told.
    assert failed["changed"]
    assert failed["changes"][-1] == "start k"


def test_a_file_at_the_place_of_the_socket_stays(host: Host) -> None:
    precious = host.top / "precious"
    precious.write_text("kept")
    message = host.refuse(host.process("k", url=f"unix://{precious}"))
    assert f"processes: k: url: {precious} is there, and is no socket" in message
    assert precious.read_text() == "kept"


def test_a_socket_that_was_left_is_no_hindrance(host: Host) -> None:
    process = host.process("k", url=f"unix://{host.top}/socket")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(f"{host.top}/socket")
    assert not host.supervise(process).get("failed")


@AS_ROOT
def test_a_group_that_the_socket_would_not_get(host: Host) -> None:
    """As a user who is in the group: a folder that passes it on is needed."""
    user, group = pwd.getpwnam(OTHER), grp.getgrnam("nogroup" if OTHER != "nobody" else "daemon")
    needs_other(python())
    os.chown(host.top, user.pw_uid, user.pw_gid)
    run = {"as_user": user.pw_uid, "as_group": user.pw_gid, "in_group": group.gr_gid, "group": group.gr_name}
    outside = host.process("k", url=f"unix://{host.top}/socket")
    message = host.refuse(outside, **run)
    assert f"processes: k: url: a socket in {host.top} would not get the group of number {group.gr_gid}" in message
    os.chown(host.top, -1, group.gr_gid)
    host.top.chmod(0o2755)
    for process in (outside, {**host.process("l"), "name": "l"}):
        done = host.supervise(process, **run)
        assert not done.get("failed"), done
        path = process["url"].removeprefix("unix://")
        assert (os.stat(path).st_uid, os.stat(path).st_gid) == (user.pw_uid, group.gr_gid)


def test_the_shared_folder_stays_for_others(host: Host) -> None:
    """Those of a service manager have it, too."""
    (host.run / "other").mkdir(parents=True)
    assert host.supervise(host.process("k"))["changed"]
    for check in (True, False):
        gone = host.supervise(host.absent("k"), check=check)
        assert not any("buses" in change for change in gone["changes"]), gone
    assert (host.run / "buses").is_dir()
    (host.run / "other").rmdir()
    expected = [f"remove the directory {host.run}/buses"]
    assert host.supervise(host.absent("k"), check=True)["changes"] == expected
    assert host.supervise(host.absent("k"))["changes"] == expected
    assert not host.run.exists()


@pytest.mark.parametrize("option", ["images", "log", "url"])
def test_a_folder_that_is_missing_is_missed_before(host: Host, option: str) -> None:
    path = f"{host.top}/nowhere/file"
    values = {"images": [{"path": path, "size": 1}], "log": path, "url": f"unix://{path}"}
    message = host.refuse(host.process("k", **{option: values[option]}))
    assert f"processes: k: {option}: there is no directory {host.top}/nowhere" in message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"umask": "9"}, "umask: '9' is no octal number from 0 to 777"),
        ({"directory_mode": "rwx"}, "directory_mode: 'rwx' is no octal number from 0 to 7777"),
        ({"timeout": 0}, "timeout: 0 is not more than 0 seconds"),
    ],
)
def test_options_that_are_none(host: Host, options: dict[str, Any], message: str) -> None:
    assert message in host.refuse(host.process("k"), **options)
