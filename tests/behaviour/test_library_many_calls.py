# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many calls in flight: what helpers of the library do with them, on every backend."""

from __future__ import annotations

import contextlib
import io
import os
import threading
import time

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import (
    CallTimeout,
    Kernel,
    KernelError,
    ServerFull,
    connect,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.session import Request, open_session
from ansible_collections.rumpkernel.rump.plugins.modules import rump_mount
from ansible_collections.rumpkernel.rump.tests.support.backends import Server
from ansible_collections.rumpkernel.rump.tests.support.modules import run_module


@pytest.fixture
def data(kernel: Kernel) -> str:
    """A tmpfs."""
    run_module(kernel, rump_mount, path="/data", src="tmpfs", fstype="tmpfs", opts="size=64m", state="mounted")
    return "/data"


@pytest.mark.parametrize("size", [0, 1, 4096, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (5 << 20) + 12345])
def test_whole_files_of_any_size(kernel: Kernel, data: str, size: int) -> None:
    content = os.urandom(size)
    kernel.write_file(f"{data}/file", content, mode=0o640)
    assert kernel.stat(f"{data}/file").st_size == size
    assert kernel.read_file(f"{data}/file") == content
    with connect(kernel.url) as another:
        assert another.read_file(f"{data}/file") == content
    kernel.write_file(f"{data}/file", b"short")
    assert kernel.read_file(f"{data}/file") == b"short"


def test_a_file_that_does_not_fit(kernel: Kernel) -> None:
    run_module(kernel, rump_mount, path="/small", src="tmpfs", fstype="tmpfs", opts="size=1m", state="mounted")
    with pytest.raises(KernelError, match="ENOSPC"):
        kernel.write_file("/small/file", bytes(4 << 20))
    assert kernel.getpid() > 0


def test_many_files(kernel: Kernel, data: str) -> None:
    contents = {f"{data}/{number}": bytes([number]) * number * 1000 for number in range(100)}
    kernel.write_files(contents, mode=0o600)
    assert {name: kernel.read_file(name) for name in contents} == contents
    found = dict(kernel.stat_many(contents))
    assert [result.st_size for result in found.values() if isinstance(result, os.stat_result)] == [
        len(content) for content in contents.values()
    ]
    removed = dict(kernel.unlink_many([*contents, f"{data}/none"]))
    assert [name for name, error in removed.items() if error is not None] == [f"{data}/none"]
    assert isinstance(removed[f"{data}/none"], FileNotFoundError)
    assert kernel.listdir(data) == []


def test_a_tree(kernel: Kernel, data: str) -> None:
    for folder in ("a", "a/b", "c"):
        kernel.mkdir(f"{data}/{folder}")
    kernel.write_files({f"{data}/{name}": b"text" for name in ("f", "a/f", "a/b/f", "a/b/g")})
    kernel.symlink("..", f"{data}/a/up")
    found = {path.removeprefix(f"{data}/"): result.st_mode >> 12 for path, result in kernel.stat_tree(data)}
    folder, file, link = 0o04, 0o10, 0o12
    assert found == {
        **dict.fromkeys(("a", "a/b", "c"), folder),
        **dict.fromkeys(("f", "a/f", "a/b/f", "a/b/g"), file),
        "a/up": link,
    }
    assert list(found).index("a") < list(found).index("a/b") < list(found).index("a/b/f")
    kernel.rmtree(f"{data}/a")
    assert sorted(kernel.listdir(data)) == ["c", "f"]


def test_stats_in_the_order_of_the_paths(kernel: Kernel) -> None:
    paths = ["/dev", "/none", "/", "/dev/null", "/none/at/all"] * 20
    results = list(kernel.stat_many(paths))
    assert [path for path, _status in results] == paths
    for path, result in results:
        assert isinstance(result, FileNotFoundError) == ("none" in path)


def test_every_sysctl_at_once(kernel: Kernel) -> None:
    nodes = list(kernel.sysctl.walk("net.inet"))
    at_once = list(kernel.sysctl.values(nodes))
    assert len(at_once) == len(nodes)
    for node, value in zip(nodes, at_once, strict=True):
        if node.type_name in ("int", "string", "bool") and "random" not in node.name:
            assert value == kernel.sysctl.get(node)


def test_calls_are_served_side_by_side(kernel: Kernel) -> None:
    """Twenty sleeps take about as long as one."""
    moment = kernel.abi.struct("timespec").build(tv_nsec=200_000_000)
    started = time.monotonic()
    results = list(kernel.session.map((Request("__nanosleep50", (moment, None)) for _call in range(20)), limit=20))
    assert results == [(0, 0)] * 20
    assert time.monotonic() - started < 20 * 0.2 / 2


def test_calls_that_block_hold_no_others_up(kernel: Kernel) -> None:
    """The one that they wait for is started last."""
    reader, writer = kernel.session.call("pipe")
    blocked = [kernel.session.submit("read", reader, bytearray(1), 1) for _call in range(40)]
    started = time.monotonic()
    assert kernel.session.call("write", writer, bytes(40), 40)[0] == 40
    assert [kernel.session.wait(call)[0] for call in blocked] == [1] * 40
    assert time.monotonic() - started < 5


def test_a_stuck_call_is_cancelled_and_the_session_goes_on(kernel: Kernel) -> None:
    reader, writer = kernel.session.call("pipe")
    other = kernel.session.submit("read", reader, bytearray(1), 1)
    with pytest.raises(CallTimeout, match="no end of read stuck"):
        kernel.session.call("read", reader, bytearray(1), 1, subject="stuck", timeout=0.3)
    with pytest.raises(InterruptedError):
        kernel.session.wait(other)
    assert kernel.session.call("write", writer, b"x", 1)[0] == 1, "descriptors stay"


def test_a_child_shares_descriptors(server: Server, kernel: Kernel) -> None:
    kernel.makedirs("/shared")
    fd = kernel.open("/shared/file", os.O_RDWR | os.O_CREAT, 0o600)
    with open_session(server.url, ticket=kernel.session.prefork()) as child:
        assert child.call("write", fd, b"from the child", 14)[0] == 14
        assert child.call("getpid")[0] != kernel.getpid()
    assert kernel.read_file("/shared/file") == b"from the child"
    assert kernel.write(fd, b" and its parent") == 15
    assert kernel.read_file("/shared/file") == b"from the child and its parent"


def test_exec_closes_what_is_to_be_closed(kernel: Kernel) -> None:
    kept = kernel.open("/dev/null", os.O_RDWR)
    closed = kernel.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    kernel.session.exec()
    assert kernel.write(kept, b"x") == 1
    with pytest.raises(KernelError, match="EBADF"):
        kernel.write(closed, b"x")


def test_200_sessions_at_once_and_a_full_server(server: Server) -> None:
    """A server takes 255 clients. The next one is told so, and waits its turn when it has the time."""
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(open_session(server.url, connect_timeout=30)) for _session in range(255)]
        assert len({session.call("getpid")[0] for session in sessions[:200]}) == 200
        with pytest.raises(ServerFull, match="all the clients that it takes"):
            open_session(server.url, connect_timeout=0.8)
        leaving = threading.Timer(0.5, sessions[0].close)
        leaving.start()
        started = time.monotonic()
        with open_session(server.url, connect_timeout=20) as late:
            assert late.call("getpid")[0] > 0
        assert time.monotonic() - started > 0.4
        leaving.join()


@pytest.mark.parametrize("size", [0, 5, 1 << 20, (5 << 20) + 12345])
def test_content_copied_out(kernel: Kernel, data: str, size: int) -> None:
    content = os.urandom(size)
    kernel.write_file(f"{data}/file", content)
    sink = io.BytesIO()
    assert kernel.copy_out(f"{data}/file", sink) == size
    assert sink.getvalue() == content
    with pytest.raises(FileNotFoundError):
        kernel.copy_out(f"{data}/none", sink)
