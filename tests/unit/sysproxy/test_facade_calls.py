# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The façade's other calls: structures of every ABI, and servers that lie about sizes and counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.errors import (
    CallTimeout,
    ProtocolError,
    SessionClosed,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel import Kernel
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.modules import (
    Module,
    ModuleClass,
    ModuleSource,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi, Errno
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import CLOCK, KTR, RLIMIT
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import ALL_ABIS, abi_name
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.scripted_server import Answer, Called, Gone, serving

every_abi = pytest.mark.parametrize("abi", ALL_ABIS, ids=abi_name)
ROOM: Final = 1 << 14


def modules_of(abi: Abi, data: bytes, told: int | None = None) -> Answer:
    """An answer of modctl with a list."""

    def modctl(called: Called) -> int:
        layout = abi.struct("iovec")
        vector = layout.parse(called.read("arg", layout.size))
        called.peer.copyout(vector.iov_base, data[: vector.iov_len])
        called.write("arg", layout.build(iov_base=vector.iov_base, iov_len=len(data) if told is None else told))
        return 0

    return modctl


@every_abi
def test_lists_of_modules(tmp_path: Path, abi: Abi) -> None:
    build = abi.struct("modstat_t").build
    data = build(ms_name=b"ffs", ms_required=b"wapbl,ufs", ms_class=2, ms_refcnt=1, ms_size=7) + build(
        ms_name=b"odd", ms_class=77, ms_source=9, ms_refcnt=0xFFFFFFFF
    )
    with serving(tmp_path, {"modctl": modules_of(abi, data)}, abi=abi) as server:
        assert server.kernel.modules.all() == [
            Module("ffs", ModuleClass.VFS, ModuleSource.BUILTIN, 1, 7, ("wapbl", "ufs")),
            Module("odd", 77, 9, -1, 0, ()),
        ]
        assert server.calls[0][1]["cmd"] == 2


def test_lists_of_modules_since_release_8_99(tmp_path: Path) -> None:
    abi = Abi(8, 8, "little", release=(10, 1))
    build = abi.struct("modstat_t").build
    entries = build(ms_name=b"ffs", ms_class=2, ms_reqoffset=4 + 2 * 64) + build(ms_name=b"ufs", ms_class=1)
    data = abi.integer("int", 2) + entries + b"wapbl,ufs\0"
    with serving(tmp_path, {"modctl": modules_of(abi, data)}, abi=abi) as server:
        assert [(found.name, found.requires) for found in server.kernel.modules.all()] == [
            ("ffs", ("wapbl", "ufs")),
            ("ufs", ()),
        ]
        assert server.calls[0][1]["cmd"] == 4


def test_a_list_that_needs_more_room(tmp_path: Path) -> None:
    abi = Abi(8, 8, "little")
    data = abi.struct("modstat_t").build(ms_name=b"m") * 100
    with serving(tmp_path, {"modctl": modules_of(abi, data)}) as server:
        assert len(server.kernel.modules.all()) == 100
        assert len(server.calls) == 2


@every_abi
def test_clocks_and_limits(tmp_path: Path, abi: Abi) -> None:
    moment = abi.struct("timespec").build(tv_sec=1 << 33, tv_nsec=5)
    limit = abi.struct("rlimit").build(rlim_cur=1 << 40, rlim_max=(1 << 63) - 1)

    def settime(called: Called) -> int:
        assert called.read("tp", len(moment)) == moment
        return 0

    def out(argument: str, data: bytes) -> Answer:
        return lambda called: called.write(argument, data) or 0

    answers: dict[str, Any] = {
        "__clock_gettime50": out("tp", moment),
        "__clock_settime50": settime,
        "getrlimit": out("rlp", limit),
    }
    with serving(tmp_path, answers, abi=abi) as server:
        assert server.kernel.clock_gettime_ns(CLOCK.MONOTONIC) == (1 << 33) * 10**9 + 5
        server.kernel.clock_settime_ns(CLOCK.REALTIME, (1 << 33) * 10**9 + 5)
        assert server.kernel.getrlimit(RLIMIT.NOFILE) == (1 << 40, (1 << 63) - 1)


@every_abi
def test_records_of_traces(tmp_path: Path, abi: Abi) -> None:
    def record(kind: KTR, data: bytes) -> bytes:
        head = abi.struct("ktr_header").build(
            ktr_len=len(data), ktr_kind=2 << 16 | kind, ktr_pid=7, ktr_comm=b"sh", ktr_ts={"tv_sec": 3}, ktr_lid=1
        )
        return head + data

    call = abi.integer("int", abi.syscall_number("__getcwd")) + bytes(12)
    data = record(KTR.SYSCALL, call) + record(KTR.USER, b"") + record(KTR.NAMEI, b"/dev")
    with serving(tmp_path, {}, abi=abi) as server:
        found = list(server.kernel.trace_records(data + record(KTR.NAMEI, b"cut off")[:-1]))
        assert [(each.type, each.pid, each.command, each.time, each.syscall(abi)) for each in found] == [
            (KTR.SYSCALL, 7, "sh", 3 * 10**9, "__getcwd"),
            (KTR.USER, 7, "sh", 3 * 10**9, None),
            (KTR.NAMEI, 7, "sh", 3 * 10**9, None),
        ]
        assert found[2].data == b"/dev"


@every_abi
def test_vectors_of_buffers(tmp_path: Path, abi: Abi) -> None:
    def readv(called: Called) -> tuple[int, int, int]:
        layout = abi.struct("iovec")
        packed = called.read("iovp", layout.size * called["iovcnt"])
        for at, data in ((0, b"ab"), (layout.size, b"cde")):
            called.peer.copyout(layout.parse(packed, at).iov_base, data)
        return 0, 5, 0

    with serving(tmp_path, {"readv": readv}, abi=abi) as server:
        first, second = bytearray(2), bytearray(5)
        assert server.kernel.readv(4, [first, second]) == 5
        assert (first, second) == (b"ab", b"cde\0\0")


def test_an_attribute_that_grows(tmp_path: Path) -> None:
    sizes = [4, 9, 9, 9]

    def getxattr(called: Called) -> tuple[int, int, int]:
        size = sizes.pop(0)
        if not called["size"]:
            return 0, size, 0
        count = min(size, called["size"])
        called.write("value", b"x" * count)
        return 0, count, 0

    with serving(tmp_path, {"getxattr": getxattr}) as server:
        assert server.kernel.getxattr("/f", "user.a") == b"x" * 9
        assert server.names() == ["getxattr"] * 4


def grows(called: Called) -> tuple[int, int, int]:
    return (0, called["size"], 0) if called["size"] else (0, 5, 0)


AMD64 = Abi(8, 8, "little")
LIES: Final[dict[str, tuple[dict[str, Any], Callable[[Kernel], Any]]]] = {
    "more groups than fit": ({"getgroups": (0, 17, 0)}, lambda k: k.getgroups()),
    "a huge attribute": ({"getxattr": (0, 1 << 40, 0)}, lambda k: k.getxattr("/f", "user.a")),
    "an attribute below 0": ({"getxattr": (0, -1, 0)}, lambda k: k.getxattr("/f", "user.a")),
    "an attribute that always grows": ({"getxattr": grows}, lambda k: k.getxattr("/f", "user.a")),
    "a list of names that is huge": ({"listxattr": (0, 1 << 40, 0)}, lambda k: k.listxattr("/f")),
    "a list of modules that is huge": ({"modctl": modules_of(AMD64, b"", 1 << 60)}, lambda k: k.modules.all()),
    "a limit below 0": ({"pathconf": (0, -1, 0)}, lambda k: k.pathconf("/", "PC_NAME_MAX")),
    "flags below 0": ({"fcntl": (0, -1, 0)}, lambda k: k.get_flags(3)),
    "a copy below 0": ({"dup": (0, -1, 0)}, lambda k: k.dup(3)),
    "more read into a vector": ({"readv": (0, 6, 0)}, lambda k: k.readv(3, [bytearray(5)])),
    "more written from a vector": ({"writev": (0, 6, 0)}, lambda k: k.writev(3, [b"12345"])),
}


@pytest.mark.parametrize("lie", LIES)
def test_lies_end_the_session(tmp_path: Path, lie: str) -> None:
    answers, action = LIES[lie]
    with serving(tmp_path, answers) as server:
        with pytest.raises(ProtocolError):
            action(server.kernel)
        assert server.kernel.session.closed


@pytest.mark.parametrize("count", [-1, 300, 0x7FFFFFFF])
def test_a_count_of_modules_that_are_not_there(tmp_path: Path, count: int) -> None:
    abi = Abi(8, 8, "little", release=(10, 1))
    data = abi.integer("int", count) + bytes(64)
    with serving(tmp_path, {"modctl": modules_of(abi, data)}, abi=abi) as server, pytest.raises(ProtocolError):
        server.kernel.modules.all()


@pytest.mark.parametrize("count", [6, -1])
def test_a_file_that_gives_more_than_it_was_asked_for(tmp_path: Path, count: int) -> None:
    stat = AMD64.struct("stat").build(st_mode=0o100644, st_size=5)
    answers: dict[str, Any] = {
        "open": (0, 3, 0),
        "__fstat50": lambda called: called.write("sb", stat) or 0,
        "read": (0, count, 0),
        "lseek": (0, 0, 0),
    }
    with serving(tmp_path, answers) as server:
        stream = server.kernel.fopen("/f", "rb", buffering=0)
        with pytest.raises(ProtocolError):
            stream.read(5)
        stream.close()
        assert server.kernel.session.closed


def test_a_directory_is_closed_again(tmp_path: Path) -> None:
    stat = AMD64.struct("stat").build(st_mode=0o040755)
    answers: dict[str, Any] = {
        "open": (0, 3, 0),
        "__fstat50": lambda called: called.write("sb", stat) or 0,
        "close": 0,
    }
    with serving(tmp_path, answers) as server:
        with pytest.raises(IsADirectoryError):
            server.kernel.fopen("/d")
        assert server.names() == ["open", "__fstat50", "close"]


def test_halting(tmp_path: Path) -> None:
    def gone(_called: Called) -> int:
        raise Gone

    with serving(tmp_path, {"reboot": 0, "getpid": gone}) as server:
        server.kernel.halt()
        assert server.kernel.session.closed
        assert server.names() == ["reboot", "getpid"]


def test_halting_without_an_answer(tmp_path: Path) -> None:
    def gone(_called: Called) -> int:
        raise Gone

    with serving(tmp_path, {"reboot": gone}) as server:
        server.kernel.halt(sync=False)
        assert server.calls[0][1]["opt"] == 4
        with pytest.raises(SessionClosed):
            server.kernel.getpid()


def test_a_kernel_that_does_not_halt(tmp_path: Path) -> None:
    with serving(tmp_path, {"reboot": 0, "getpid": (0, 1, 1)}, timeout=0.3) as server, pytest.raises(CallTimeout):
        server.kernel.halt()


def test_room_that_cannot_be_reserved(tmp_path: Path) -> None:
    answers = {"posix_fallocate": (0, int(Errno.ENOSPC), 0)}
    with serving(tmp_path, answers) as server, pytest.raises(OSError, match="ENOSPC"):
        server.kernel.posix_fallocate(3, 0, 1)
