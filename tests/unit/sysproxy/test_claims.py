# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server claims to have sent and did not, and what it sends unasked: it does not fill our memory."""

from __future__ import annotations

import contextlib
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.tree_kernel import KernelTree
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.users import Users
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import channel as channel_module
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.errors import ProtocolError, RumpError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel import Kernel, directories
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.many import MOST_CONTENT
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi, KernelError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import CTLTYPE
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import AMD64
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.scripted_server import Called, Peer, serving, session_with

LIMIT = 8 << 20


def claim(called: Called) -> tuple[int, int]:
    """A byte, and the word that there were as many as could be."""
    buffer, length = ("buf", "count") if called.name == "__getdents30" else ("buf", "nbyte")
    buffer = buffer if buffer in called.arguments else list(called.arguments)[1]
    length = length if length in called.arguments else list(called.arguments)[2]
    called.write(buffer, b"x")
    return 0, called[length]


def claim_of_attribute(called: Called) -> tuple[int, int]:
    """The same of an attribute, whose size is asked for at first."""
    if called["size"]:
        called.write("value", b"x")
    return 0, 60000


def large_file(called: Called) -> int:
    called.write(
        "ub" if "ub" in called.arguments else "sb", AMD64.struct("stat").build(st_mode=0o100644, st_size=MOST_CONTENT)
    )
    return 0


CLAIMS: dict[str, Callable[[Kernel], Any]] = {
    "getxattr": lambda k: k.getxattr("/x", "user.a"),
    "listdir": lambda k: k.listdir("/x"),
    "pread": lambda k: k.pread(3, 1 << 20, 0),
    "read": lambda k: k.read(3, 1 << 20),
    "read_file": lambda k: k.read_file("/x"),
    "readall": lambda k: k.fopen("/x", "rb").read(),
    "recv": lambda k: k.socket().recv(1 << 20),
}


@pytest.mark.parametrize("what", CLAIMS)
def test_claimed_bytes_are_not_taken_for_content(what: str, tmp_path: Path) -> None:
    names = ("pread", "read", "recvfrom", "__getdents30")
    answers: dict[str, Any] = {**dict.fromkeys(names, claim), "open": (0, 5), "__socket30": (0, 5), "close": 0}
    answers |= {"lseek": 0, "__fstat50": large_file, "getxattr": claim_of_attribute}
    tracemalloc.start()
    try:
        with (
            serving(tmp_path, answers) as server,
            pytest.raises(ProtocolError, match=r"ended with \d+ bytes, and 1 came"),
        ):
            CLAIMS[what](server.kernel)
        assert tracemalloc.get_traced_memory()[1] < LIMIT
    finally:
        tracemalloc.stop()
    assert server.kernel.session.closed


# Kernels that never come to an end


def chunk_of_zeros(called: Called) -> tuple[int, int, int]:
    called.write("buf", bytes(called["nbyte"]))
    return 0, called["nbyte"], 0


@pytest.mark.parametrize("size", [0, 5, 3 << 20, 1 << 60])
def test_a_file_without_an_end(size: int, tmp_path: Path) -> None:
    def stat(called: Called) -> int:
        called.write("sb", AMD64.struct("stat").build(st_mode=0o100644, st_size=size))
        return 0

    answers: dict[str, Any] = {"open": (0, 5), "close": 0, "lseek": 0, "__fstat50": stat}
    answers |= {"read": chunk_of_zeros, "pread": chunk_of_zeros}
    with serving(tmp_path, answers) as server:
        with pytest.raises(KernelError, match="read /x: EFBIG"):
            server.kernel.read_file("/x", most=4 << 20)
        assert not server.kernel.session.closed
        assert server.names()[-1] == "close"
        assert server.names().count("read") <= 5


def test_a_directory_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = AMD64.struct("dirent_head")
    head = layout.build(d_fileno=2, d_reclen=16, d_namlen=1, d_type=4)[: layout.offset_of("d_type") + 1]
    hidden = (head + b".").ljust(16, b"\0") * 1024  # not even a name that would be given to the caller

    def entries(called: Called) -> tuple[int, int, int]:
        called.write("buf", hidden)
        return 0, len(hidden), 0

    monkeypatch.setattr(directories, "_MOST_ENTRIES", 1 << 20)
    for ask in (lambda k: k.listdir("/x"), lambda k: k.rmtree("/x"), lambda k: list(k.stat_tree("/x"))):
        with serving(tmp_path, {"open": (0, 5), "close": 0, "__getdents30": entries}) as server:
            with pytest.raises(ProtocolError, match="/x has more than 1048576 bytes of directory entries"):
                ask(server.kernel)
            assert server.kernel.session.closed
        assert len(server.calls) < 100


SIZES: dict[str, Callable[[Kernel], Any]] = {
    "stat": lambda k: k.stat("/x"),
    "fstat": lambda k: k.fstat(3),
    "stat_many": lambda k: list(k.stat_many(["/x"])),
    "isfile": lambda k: k.isfile("/x"),
    "users": lambda k: Users(k).users,
    "tree": lambda k: KernelTree(k, "/x").look(["f"]),
}


@pytest.mark.parametrize("what", SIZES)
def test_sizes_that_nothing_has(what: str, tmp_path: Path) -> None:
    def stat(called: Called) -> int:
        called.write(
            "ub" if "ub" in called.arguments else "sb", AMD64.struct("stat").build(st_mode=0o100644, st_size=-1)
        )
        return 0

    with serving(tmp_path, dict.fromkeys(("__stat50", "__lstat50", "__fstat50"), stat)) as server:
        with pytest.raises(ProtocolError, match="has -1 bytes"):
            SIZES[what](server.kernel)
        assert server.kernel.session.closed


def test_a_buffer_that_was_filled_before_is_not_read_again(tmp_path: Path) -> None:
    """Entries of a directory that came with a former call, and are claimed to have come again."""
    head = AMD64.struct("dirent_head").build(d_fileno=7, d_reclen=24, d_namlen=1, d_type=8)
    came = []

    def entries(called: Called) -> tuple[int, int]:
        if not came:
            called.write("buf", (head[:13] + b"a").ljust(24, b"\0"))
        came.append(24)
        return 0, 24

    with (
        serving(tmp_path, {"open": (0, 5), "close": 0, "__getdents30": entries}) as server,
        pytest.raises(ProtocolError, match="ended with 24 bytes, and 0 came"),
    ):
        server.kernel.listdir("/x")
    assert len(came) == 2


@pytest.mark.parametrize("how", ["get", "values"])
def test_claimed_sysctls(how: str, tmp_path: Path) -> None:
    """Many nodes, each of which is said to have a value of 16 MiB."""
    nodes = b"".join(
        AMD64.struct("sysctlnode").build(
            sysctl_flags=CTLTYPE.STRUCT, sysctl_num=number, sysctl_name=b"n%d" % number, _sysctl_size=1 << 24
        )
        for number in range(40)
    )

    def sysctl(called: Called) -> int:
        data = nodes if called["newlen"] else b""
        called.write("oldlenp", AMD64.integer("size_t", len(data) or 1 << 16))
        if data:
            called.write("oldv", data)
        return 0

    with serving(tmp_path, {"__sysctl": sysctl}) as server:
        kernel = server.kernel
        found = list(kernel.sysctl.walk())
        assert len(found) == 40
        tracemalloc.start()
        try:
            with pytest.raises(ProtocolError, match=r"ended with \d+ bytes, and 8 came"):
                kernel.sysctl.get("n1") if how == "get" else list(kernel.sysctl.values(found))
            assert tracemalloc.get_traced_memory()[1] < (20 << 20 if how == "get" else LIMIT)
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("position", [-1, -(1 << 63)])
def test_positions_that_no_file_has(position: int, tmp_path: Path) -> None:
    """Python's buffers would complain of them with an error of their own."""
    with (
        serving(tmp_path, {"lseek": (0, position)}) as server,
        pytest.raises(ProtocolError, match="lseek ended with -"),
    ):
        server.kernel.lseek(3, 0, 0)


def test_a_server_that_talks_much_and_listens_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each send of ours has to wait, and what comes meanwhile is not dealt with before it is done."""
    limit, piece = 1 << 20, 1 << 18
    monkeypatch.setattr(channel_module, "_INCOMING_LIMIT", limit)
    most = 0

    def script(peer: Peer) -> None:
        _reqno, arguments = peer.syscall("write")
        request = peer.machine.copyin(0, arguments["buf"], piece) * 1000
        peer.stream.settimeout(0.01)
        with contextlib.suppress(ConnectionError):
            for _call in range(400):
                with contextlib.suppress(TimeoutError):
                    peer.stream.sendall(request)
                    continue
                with contextlib.suppress(TimeoutError):  # a client that is busy with what it was sent sends later
                    peer.stream.recv(piece)

    with session_with(script, tmp_path, timeout=1.5) as session:
        machine = session._machine
        receive = machine.receive_data

        def watched(data: bytes) -> None:
            nonlocal most
            receive(data)
            most = max(most, machine.waiting)

        monkeypatch.setattr(machine, "receive_data", watched)
        with pytest.raises(RumpError):
            session.call("write", 3, bytes(piece), piece)
        session.close()
    assert limit < most <= limit + (1 << 18)


def test_releases_that_servers_make_up_are_not_kept() -> None:
    """Whoever connects again and again, and is greeted with another release each time, keeps little of it."""

    def meet(number: int) -> None:
        abi = Abi.from_banner(f"RUMPSP-0.4-NetBSD-{number % 90}.{number}/amd64")
        for name in ("stat", "statvfs", "sysctlnode", "if_msghdr"):
            abi.struct(name)
        abi.encode_arguments("close", 1)
        abi.syscall_name(5)
        abi.ioctl_name(5)
        abi.constant("NET_RT_IFLIST")

    for number in range(150):  # until what is kept at most is kept
        meet(number)
    tracemalloc.start()
    try:
        for number in range(150, 300):
            meet(number)
        assert tracemalloc.get_traced_memory()[0] < LIMIT
    finally:
        tracemalloc.stop()
