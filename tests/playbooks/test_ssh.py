# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernels behind a host: ssh:// URLs through a real sshd of the test's own, by the library and in a playbook."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import (
    ConnectError,
    ConnectTimeout,
    RumpError,
    connect,
)
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, ROOT, Server, running
from ansible_collections.rumpkernel.rump.tests.support.playbooks import inventory_of, play, run_playbook
from ansible_collections.rumpkernel.rump.tests.support.ports import free_port

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
TOOLS = SSHD and shutil.which("ssh") and shutil.which("ssh-keygen")
pytestmark = pytest.mark.skipif(not TOOLS, reason="no OpenSSH server, client or ssh-keygen on this machine")


@dataclass
class Host:
    """A host that ssh reaches: this one, by an sshd with keys of its own."""

    port: int
    args: list[str]
    user: str

    @property
    def url(self) -> str:
        return f"ssh://{self.user}@127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("host", "user", "stranger"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True, timeout=30
        )
    port = free_port()
    key = " ".join((folder / "host.pub").read_text().split()[:2])
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {key}\n")
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/user.pub\nStrictModes no\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\n"
    )
    (folder / "ssh_config").write_text(
        f"Host *\n IdentityFile {folder}/user\n IdentitiesOnly yes\n UserKnownHostsFile {folder}/known_hosts\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where sshd changes its root to
    log = folder / "sshd.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(SSHD), "-D", "-e", "-f", str(folder / "sshd_config")], stdin=subprocess.DEVNULL, stderr=output
        )
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.skip(f"sshd does not start here: {log.read_text(errors='replace').strip()}")
                time.sleep(0.02)
        yield Host(port, ["-F", str(folder / "ssh_config")], getpass.getuser())
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No process and no file outlives its session."""
    folder = Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    before = children()
    yield
    assert list(folder.iterdir()) == []
    folder.rmdir()
    assert children() - before == set()


def children() -> set[int]:
    """This process's children, zombies too."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.add(int(stat.parent.name))
        except (OSError, ValueError):
            continue
    return found


@pytest.fixture(params=[(backend, kind) for backend in BACKENDS for kind in ("unix", "tcp")], ids="-".join)
def server(request: pytest.FixtureRequest, record_property, nothing_is_left: None) -> Iterator[tuple[Server, str]]:  # type: ignore[no-untyped-def]
    """A kernel, and the part of an ssh URL that leads to it from its host."""
    backend, kind = request.param
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        url = f"tcp://127.0.0.1:{free_port()}" if kind == "tcp" else None
        with running(backend, Path(folder), url) as started:
            record_property("backend", f"{started.description} through ssh")
            yield (
                started,
                started.url.removeprefix("unix://") if kind == "unix" else "/" + started.url.replace("://", "/"),
            )


def test_a_session(host: Host, server: tuple[Server, str]) -> None:
    _server, path = server
    with connect(host.url + path, connect_timeout=20, ssh_args=host.args) as kernel:
        assert kernel.getpid() > 0
        kernel.mkdir("/over-ssh")
        assert kernel.isdir("/over-ssh")
        with connect(host.url + path, connect_timeout=20, ssh_args=host.args) as second:
            assert second.isdir("/over-ssh")


def test_a_kernel_that_goes_away(host: Host, server: tuple[Server, str]) -> None:
    running_server, path = server
    with connect(host.url + path, connect_timeout=20, timeout=20, ssh_args=host.args) as kernel:
        running_server.kill()
        with pytest.raises(RumpError, match=r"went away|reset|hung up|ssh"):
            kernel.getpid()


def test_a_client_that_is_killed_leaves_no_ssh(host: Host, server: tuple[Server, str]) -> None:
    _server, path = server
    code = (
        "import sys; from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect\n"
        "k = connect(sys.argv[1], connect_timeout=20, ssh_args=sys.argv[2:]); print(k.getpid(), flush=True)\n"
        "sys.stdin.read()"
    )
    marker = f"-oSetEnv=RUMP_TEST={os.getpid()}-{time.monotonic_ns()}"
    process = subprocess.Popen(
        [sys.executable, "-c", code, host.url + path, *host.args, marker],
        env={**os.environ, "PYTHONPATH": str(ROOT / ".collections")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        assert int(process.stdout.readline()) > 0
        assert len(commands_with(marker)) > 1
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=10)
    deadline = time.monotonic() + 10
    while commands_with(marker):
        assert time.monotonic() < deadline, "ssh lives on"
        time.sleep(0.05)


def commands_with(marker: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker.encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/nowhere/csock", "open failed.*; /nowhere/csock on 127.0.0.1: is it there"),
        ("/tcp/127.0.0.1:1", "open failed: connect failed: Connection refused"),
    ],
)
def test_nothing_listens_behind_the_host(host: Host, path: str, said: str) -> None:
    with pytest.raises(ConnectError, match=said) as caught:
        connect(host.url + path, connect_timeout=20, ssh_args=host.args)
    assert host.url + path in str(caught.value)


@pytest.mark.parametrize("path", ["/run/csock", "/tcp/127.0.0.1:12345"])
def test_what_ssh_says_is_told(host: Host, path: str) -> None:
    stranger = ["-i", host.args[1].replace("ssh_config", "stranger"), "-oIdentitiesOnly=yes", "-oIdentityFile=none"]
    known = f"-oUserKnownHostsFile={Path(host.args[1]).with_name('known_hosts')}"
    for args, said in (
        (["-F", "none", known, *stranger], "Permission denied"),
        (
            ["-F", "none", "-oUserKnownHostsFile=/dev/null", "-oStrictHostKeyChecking=yes"],
            "Host key verification failed",
        ),
        (["-oNoSuchOption=yes"], "(?i)bad configuration option"),
    ):
        with pytest.raises(ConnectError, match=said):
            connect(host.url + path, connect_timeout=20, ssh_args=args)


@pytest.mark.parametrize("path", ["/run/csock", "/tcp/127.0.0.1:12345"])
def test_a_host_that_does_not_answer(path: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with pytest.raises(ConnectError):
            connect(f"ssh://127.0.0.1:{silent.getsockname()[1]}{path}", connect_timeout=1)
        assert time.monotonic() - started < 5


def test_a_server_that_does_not_answer(host: Host) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(ConnectTimeout, match="no answer within 1 s"):
        connect(f"{host.url}/tcp/127.0.0.1:{silent.getsockname()[1]}", connect_timeout=1, ssh_args=host.args)


@pytest.mark.parametrize("path", ["/run/csock", "/tcp/127.0.0.1:12345"])
def test_no_ssh_client(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConnectError, match=r"\(ssh\) is not on PATH"):
        connect(f"ssh://127.0.0.1{path}", connect_timeout=1)


def test_a_master_connection_is_used_and_kept_clean(host: Host, server: tuple[Server, str]) -> None:
    _server, path = server
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        control = f"-oControlPath={folder}/master"
        target = ["-p", str(host.port), f"{host.user}@127.0.0.1"]
        master = subprocess.Popen(
            ["ssh", *host.args, control, "-oBatchMode=yes", "-NM", *target], stdin=subprocess.DEVNULL
        )
        try:
            deadline = time.monotonic() + 20
            while not Path(folder, "master").exists():
                assert time.monotonic() < deadline
                time.sleep(0.02)
            before = len(os.listdir(f"/proc/{master.pid}/fd"))
            for _time in range(3):
                with connect(host.url + path, connect_timeout=20, ssh_args=[*host.args, control]) as kernel:
                    assert kernel.getpid() > 0
            nowhere = "/tcp/127.0.0.1:1" if path.startswith("/tcp/") else "/nowhere/csock"
            with pytest.raises(ConnectError, match=r"open failed|refused by peer"):
                connect(host.url + nowhere, connect_timeout=20, ssh_args=[*host.args, control])
            while len(os.listdir(f"/proc/{master.pid}/fd")) > before:
                assert time.monotonic() < deadline, "the master holds what a session left"
                time.sleep(0.02)
        finally:
            master.terminate()
            master.wait(timeout=10)


def test_a_playbook(host: Host, server: tuple[Server, str], tmp_path: Path) -> None:
    task = {"name": "Name it", "rumpkernel.rump.rump_sysctl": {"name": "kern.hostname", "value": "behind"}}
    hosts = {
        "there": {"ansible_rump_server": host.url + server[1], "ansible_rump_connect_timeout": 20},
        "nowhere": {"ansible_rump_server": f"{host.url}/nowhere/csock", "ansible_rump_connect_timeout": 20},
    }
    environment = {"ANSIBLE_RUMP_SSH_ARGS": shlex.join(host.args)}
    run = run_playbook(tmp_path, play(task), inventory_of(hosts), environment=environment)
    assert {result.host: result.status for result in run.results} == {"there": "ok", "nowhere": "unreachable"}, (
        run.output
    )
    assert run.of("there")[0].changed
    assert "open failed" in run.of("nowhere")[0].result["msg"]
