# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The façade's files and directories: what its calls say to a kernel, and what it makes of the answers.

The servers here answer as the tests have it, some of them as no kernel would; files on real kernels are
the behaviour tests' matter.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.errors import (
    CallTimeout,
    ConnectionLost,
    ProtocolError,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel import Kernel
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.base import (
    id_argument,
    id_or_unchanged,
    path_bytes,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.descriptors import open_flags, stat_result
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi, Errno, KernelError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import DT, UTIME, O
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import (
    AMD64,
    I386,
    ILP32_BIG,
    LP64_BIG,
    abi_name,
    transcript,
)
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.scripted_server import Answer, Called, Gone, serving

every_abi = pytest.mark.parametrize("abi", [AMD64, I386, LP64_BIG, ILP32_BIG], ids=abi_name)
BAD_COUNTS: Final = [9, 1 << 31, -1, -(1 << 31)]


def out(argument: str, data: bytes, *result: int) -> Answer:
    """An answer that writes to where an argument points."""

    def answer(called: Called) -> tuple[int, int, int]:
        called.write(argument, data)
        error, value0, value1 = (*result, *(0, 0, 0)[len(result) :])
        return error, value0, value1

    return answer


def once(answer: Answer) -> Answer:
    """``answer`` at first, and then 0."""
    answers = [answer]
    return lambda called: answers.pop()(called) if answers else (0, 0)


def hang_up(_called: Called) -> None:
    raise Gone


def stall(called: Called) -> None:
    called.peer.received_all()
    raise Gone


def entry(name: bytes, kind: int = DT.REG, inode: int = 7, abi: Abi = AMD64, **changes: int) -> bytes:
    """A directory entry as the kernel makes them."""
    size = 13 + len(name) + 1
    size += -size % 8
    members = {"d_fileno": inode, "d_reclen": size, "d_namlen": len(name), "d_type": kind} | changes
    return abi.struct("dirent_head").build(**members)[:13] + name + bytes(size - 13 - len(name))


# Paths, flags and owners


@pytest.mark.parametrize(
    ("path", "encoded"),
    [("/etc", b"/etc\0"), (b"/etc", b"/etc\0"), (Path("/etc"), b"/etc\0"), ("/\udcff", b"/\xff\0"), ("", b"\0")],
)
def test_paths(path: Any, encoded: bytes) -> None:
    assert path_bytes(path) == encoded


def test_paths_with_a_nul_are_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        path_bytes("/etc\0passwd")


def test_paths_that_no_kernel_takes_are_refused_as_a_kernel_does() -> None:
    assert len(path_bytes("x" * 1023)) == 1024
    with pytest.raises(KernelError, match="ENAMETOOLONG"):
        path_bytes("x" * 1024)


def test_minus_one_leaves_an_owner_as_it_is() -> None:
    assert id_or_unchanged(-1) == 0xFFFFFFFF
    assert id_or_unchanged(5) == 5


@pytest.mark.parametrize("number", [-2, 0xFFFFFFFF, 1 << 32, (1 << 32) + 1000])
def test_numbers_that_nobody_can_have_are_not_cut_to_others(number: int) -> None:
    for argument in (id_or_unchanged, id_argument):
        with pytest.raises(ValueError, match=f"0 to 4294967294, not {number}"):
            argument(number)


def test_minus_one_is_no_id_where_one_is_needed() -> None:
    assert id_argument(0xFFFFFFFE) == 0xFFFFFFFE
    with pytest.raises(ValueError, match="not -1"):
        id_argument(-1)


@pytest.mark.parametrize(
    ("host", "native"),
    [
        (os.O_RDONLY, O.RDONLY),
        (os.O_WRONLY, O.WRONLY),
        (os.O_RDWR, O.RDWR),
        (os.O_WRONLY | os.O_CREAT | os.O_TRUNC, O.WRONLY | O.CREAT | O.TRUNC),
        (os.O_WRONLY | os.O_CREAT | os.O_EXCL, O.WRONLY | O.CREAT | O.EXCL),
        (os.O_RDWR | os.O_APPEND, O.RDWR | O.APPEND),
        (os.O_RDONLY | os.O_NONBLOCK, O.NONBLOCK),
        (os.O_RDONLY | os.O_DIRECTORY, O.DIRECTORY),
        (os.O_RDONLY | os.O_NOFOLLOW, O.NOFOLLOW),
        (os.O_RDONLY | os.O_CLOEXEC, O.CLOEXEC),
        (os.O_WRONLY | getattr(os, "O_DIRECT", 0), O.WRONLY),
    ],
)
def test_the_controllers_flags(host: int, native: O) -> None:
    assert open_flags(host) == native


@pytest.mark.parametrize(
    "flags", [O.RDONLY, O.WRONLY | O.CREAT, O.RDONLY | O.DIRECTORY | O.NONBLOCK, O.RDWR | O.NOSIGPIPE]
)
def test_netbsds_flags(flags: O) -> None:
    assert open_flags(flags) == flags


def test_no_direct_io() -> None:
    assert open_flags(O.RDWR | O.DIRECT) == O.RDWR


# File status


@pytest.mark.parametrize("machine", ["amd64", "i386"])
def test_the_status_of_a_real_file(machine: str) -> None:
    found = transcript(machine, "57")
    for call in found.calls("__lstat50"):
        arguments = found.arguments("__lstat50", call)
        if call.copied_in(arguments["path"]) == b"hello\0":
            layout, data = found.abi.struct("stat"), call.copied_out(arguments["ub"])
    parsed, result = layout.parse(data), stat_result(layout, data)
    assert isinstance(result, os.stat_result)
    assert stat.filemode(result.st_mode) == "-rw-r--r--"
    assert (result.st_size, result.st_nlink, result.st_uid, result.st_gid) == (11, 1, 0, 0)
    assert (result.st_ino, result.st_dev) == (parsed.st_ino, parsed.st_dev)
    assert (result.st_blksize, result.st_blocks) == (4096, 8)
    assert result.st_mtime_ns == parsed.st_mtim.tv_sec * 10**9 + parsed.st_mtim.tv_nsec
    assert result.st_atime_ns != result.st_mtime_ns
    assert result.st_mtime == pytest.approx(result.st_mtime_ns / 10**9)
    assert result[stat.ST_MTIME] == parsed.st_mtim.tv_sec


@every_abi
@pytest.mark.parametrize(
    ("name", "call"),
    [("__stat50", lambda k: k.stat("/x")), ("__lstat50", lambda k: k.lstat("/x")), ("__fstat50", lambda k: k.fstat(3))],
)
def test_which_call_tells_it(abi: Abi, name: str, call: Callable[[Kernel], os.stat_result], tmp_path: Path) -> None:
    data = abi.struct("stat").build(st_mode=0o100640, st_size=1 << 33, st_mtim={"tv_sec": -5, "tv_nsec": 1})
    buffer = "sb" if name == "__fstat50" else "ub"
    with serving(tmp_path, {name: out(buffer, data)}, abi=abi) as server:
        result = call(server.kernel)
    assert (result.st_mode, result.st_size, result.st_mtime_ns) == (0o100640, 1 << 33, -5 * 10**9 + 1)


def test_no_status_is_too_strange(tmp_path: Path) -> None:
    layout = AMD64.struct("stat")
    size = layout.offset_of("st_size")
    strange = b"\xff" * (size + 7) + b"\x7f" + b"\xff" * (152 - size - 8)
    with serving(tmp_path, {"__stat50": out("ub", strange)}) as server:
        result = server.kernel.stat("/x")
        assert server.kernel.exists("/x")
        assert not server.kernel.isdir("/x")
    assert (result.st_mode, result.st_size) == (0xFFFFFFFF, (1 << 63) - 1)
    assert result.st_mtime_ns == -(10**9) - 1


@pytest.mark.parametrize("error", [Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP])
def test_what_does_not_exist(error: Errno, tmp_path: Path) -> None:
    with serving(tmp_path, {"__stat50": error}) as server:
        assert not server.kernel.exists("/x")
        assert not server.kernel.isdir("/x")


def test_what_may_not_be_looked_at_is_not_said_to_be_missing(tmp_path: Path) -> None:
    with serving(tmp_path, {"__stat50": Errno.EACCES}) as server, pytest.raises(PermissionError):
        server.kernel.exists("/x")


def test_access(tmp_path: Path) -> None:
    with serving(tmp_path, {"access": lambda called: 0 if called["flags"] == 4 else Errno.EACCES}) as server:
        assert server.kernel.access("/x", os.R_OK)
        assert not server.kernel.access("/x", os.W_OK)


@pytest.mark.parametrize(("answer", "error"), [(hang_up, ConnectionLost), (stall, CallTimeout)])
@pytest.mark.parametrize("ask", [lambda k: k.access("/x", 0), lambda k: k.exists("/x"), lambda k: k.isdir("/x")])
def test_a_lost_session_is_no_answer(
    answer: Answer, error: type[Exception], ask: Callable[[Kernel], bool], tmp_path: Path
) -> None:
    with serving(tmp_path, {"access": answer, "__stat50": answer}, timeout=0.2) as server, pytest.raises(error):
        ask(server.kernel)


# Reading and writing


@every_abi
def test_opening_a_file(abi: Abi, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []

    def opened(called: Called) -> tuple[int, int]:
        seen.append((called.string("path"), called["flags"], called["mode"]))
        return 0, 3

    with serving(tmp_path, {"open": opened}, abi=abi) as server:
        assert server.kernel.open("/x", os.O_WRONLY | os.O_CREAT, 0o640) == 3
    assert seen == [("/x", 0x201, 0o640)]


@pytest.mark.parametrize("descriptor", [-1, 1 << 31, 1 << 40, -(1 << 63)])
def test_a_descriptor_that_is_none(descriptor: int, tmp_path: Path) -> None:
    with serving(tmp_path, {"open": (0, descriptor)}) as server:
        with pytest.raises(ProtocolError, match="open /x ended with"):
            server.kernel.open("/x", O.RDONLY)
        assert server.kernel.session.closed


def test_reading(tmp_path: Path) -> None:
    answers = {"read": out("buf", b"cont", 0, 4), "pread": out("buf", b"x", 0, 1)}
    with serving(tmp_path, answers) as server:
        assert server.kernel.read(3, 8) == b"cont"
        assert server.kernel.pread(3, 8, 1 << 40) == b"x"
    assert server.calls[1][1]["offset"] == 1 << 40


@every_abi
@pytest.mark.parametrize("count", BAD_COUNTS)
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("read", lambda k: k.read(3, 8)),
        ("pread", lambda k: k.pread(3, 8, 0)),
        ("write", lambda k: k.write(3, b"12345678")),
        ("pwrite", lambda k: k.pwrite(3, b"12345678", 0)),
    ],
)
def test_more_than_was_asked_for(
    abi: Abi, name: str, count: int, call: Callable[[Kernel], Any], tmp_path: Path
) -> None:
    if abi.word_size == 4 and count == 1 << 31:
        count = 0x7FFFFFFF
    with serving(tmp_path, {name: (0, count)}, abi=abi) as server:
        with pytest.raises(ProtocolError, match=f"{name} ended with {count}, and 0 to 8 are possible"):
            call(server.kernel)
        assert server.kernel.session.closed


def test_writing(tmp_path: Path) -> None:
    seen: list[bytes] = []

    def write(called: Called) -> tuple[int, int]:
        seen.append(called.read("buf", called["nbyte"]))
        return 0, called["nbyte"]

    with serving(tmp_path, {"write": write}) as server:
        assert server.kernel.write(3, b"content") == 7
        assert server.kernel.write(3, memoryview(bytearray(b"content"))[2:4]) == 2
    assert seen == [b"content", b"nt"]


def test_what_is_written_is_not_lent_to_be_changed(tmp_path: Path) -> None:
    content = bytearray(b"content")
    with serving(tmp_path, {"write": out("buf", b"changed", 0, 7)}) as server, pytest.raises(ProtocolError):
        server.kernel.write(3, content)
    assert content == b"content"


def test_a_whole_file(tmp_path: Path) -> None:
    pieces = [b"first", b"second", b"x" * 5000]

    def read(called: Called) -> tuple[int, int]:
        piece = pieces.pop(0) if pieces else b""
        called.write("buf", piece)
        return 0, len(piece)

    with serving(tmp_path, {"open": (0, 5), "__fstat50": 0, "read": read, "close": 0}) as server:
        assert server.kernel.read_file("/x") == b"firstsecond" + b"x" * 5000
    assert server.calls[-1] == ("close", {"fd": 5})


def test_writing_a_whole_file_in_pieces(tmp_path: Path) -> None:
    seen: list[bytes] = []

    def write(called: Called) -> tuple[int, int]:
        length = min(called["nbyte"], 1000)  # less than was given
        seen.append(called.read("buf", length))
        return 0, length

    content = os.urandom(3500)
    with serving(tmp_path, {"open": (0, 5), "pwrite": write, "close": 0}) as server:
        server.kernel.write_file("/x", content, 0o600)
    assert b"".join(seen) == content
    assert server.calls[0][1]["flags"] == O.WRONLY | O.CREAT | O.TRUNC
    assert server.names() == ["open", *["pwrite"] * 4, "close"]


def test_a_write_that_takes_nothing_does_not_go_on_for_ever(tmp_path: Path) -> None:
    with (
        serving(tmp_path, {"open": (0, 5), "pwrite": (0, 0), "close": 0}) as server,
        pytest.raises(ProtocolError, match="took nothing of 7 bytes"),
    ):
        server.kernel.write_file("/x", b"content")


@pytest.mark.parametrize(
    "call", [lambda k: k.read_file("/x"), lambda k: k.write_file("/x", b"x"), lambda k: k.listdir("/x")]
)
@pytest.mark.parametrize(
    ("answer", "error"), [(hang_up, ConnectionLost), (stall, CallTimeout), (Errno.EIO, KernelError)]
)
def test_an_error_is_told_and_the_file_closed_where_that_can_be(
    call: Callable[[Kernel], object], answer: Any, error: type[Exception], tmp_path: Path
) -> None:
    answers = {"open": (0, 5), "__fstat50": 0, "read": answer, "pwrite": answer, "__getdents30": answer, "close": 0}
    with serving(tmp_path, answers, timeout=0.2) as server, pytest.raises(error) as caught:
        call(server.kernel)
    assert caught.value.__class__ is error
    assert (server.names()[-1] == "close") == (error is KernelError)


@pytest.mark.parametrize("abi", [AMD64, I386, ILP32_BIG], ids=abi_name)
def test_seeking(abi: Abi, tmp_path: Path) -> None:
    place = (1 << 40) + 3
    values = {8: (place, 0), 4: (place & 0xFFFFFFFF, place >> 32)}[abi.word_size]
    if abi.byteorder == "big":
        values = values[1], values[0]
    with serving(tmp_path, {"lseek": (0, *values)}, abi=abi) as server:
        assert server.kernel.lseek(3, -5, os.SEEK_END) == place
    assert server.calls == [("lseek", {"fd": 3, "offset": -5, "whence": 2})]


# Links


def test_readlink(tmp_path: Path) -> None:
    with serving(tmp_path, {"readlink": out("buf", b"target\xff", 0, 7)}) as server:
        assert server.kernel.readlink("/x") == "target\udcff"


@pytest.mark.parametrize("count", [1025, -1])
def test_a_link_longer_than_there_is_room_for(count: int, tmp_path: Path) -> None:
    with (
        serving(tmp_path, {"readlink": (0, count)}) as server,
        pytest.raises(ProtocolError, match="readlink /x ended with"),
    ):
        server.kernel.readlink("/x")


def test_a_link_that_no_file_system_has(tmp_path: Path) -> None:
    answers = {"readlink": out("buf", b"a\0b", 0, 3)}
    with serving(tmp_path, answers) as server, pytest.raises(ProtocolError, match="readlink /x ended with a path"):
        server.kernel.readlink("/x")


def test_links_that_go_round(tmp_path: Path) -> None:
    with serving(tmp_path, {"readlink": out("buf", b"x/y", 0, 3)}) as server, pytest.raises(KernelError, match="ELOOP"):
        server.kernel.realpath("/x")


def test_following_links(tmp_path: Path) -> None:
    links = {"/a": b"b/./c", "/b": b"/d/../e"}

    def readlink(called: Called) -> tuple[int, int]:
        target = links.get(called.string("path"))
        if target is None:
            return Errno.EINVAL, 0
        called.write("buf", target)
        return 0, len(target)

    with serving(tmp_path, {"readlink": readlink}) as server:
        assert server.kernel.realpath("/a//f") == "/e/c/f"


# Directories


@pytest.mark.parametrize("machine", ["amd64", "i386"])
def test_the_entries_of_a_real_directory(machine: str, tmp_path: Path) -> None:
    found = transcript(machine, "57")
    call = found.calls("__getdents30")[0]
    data = call.copied_out(found.arguments("__getdents30", call)["buf"])
    answers = {"open": (0, 4), "__getdents30": once(out("buf", data, 0, len(data))), "close": 0}
    with serving(tmp_path, answers, abi=found.abi) as server:
        (hello,) = server.kernel.scandir("/data")
    assert (hello.name, hello.path, hello.type) == ("hello", "/data/hello", DT.REG)
    assert hello.inode > 0
    assert (hello.is_file(), hello.is_dir(), hello.is_symlink()) == (True, False, False)
    flags = server.calls[0][1]["flags"]
    assert flags == O.RDONLY | O.DIRECTORY | O.NONBLOCK


@every_abi
def test_entries(abi: Abi, tmp_path: Path) -> None:
    entries = [
        entry(b".", DT.DIR, abi=abi),
        entry(b"..", DT.DIR, abi=abi),
        entry(b"deleted", inode=0, abi=abi),
        entry(b"dir", DT.DIR, 8, abi),
        entry(b"link", DT.LNK, 9, abi),
        entry(b"\xff" * 255, DT.REG, 1 << 40, abi),
        entry(b"...", DT.FIFO, 10, abi),
    ]
    data = b"".join(entries)
    answers = {"open": (0, 4), "__getdents30": once(out("buf", data, 0, len(data))), "close": 0}
    with serving(tmp_path, answers, abi=abi) as server:
        found = list(server.kernel.scandir("/"))
    assert [(each.path, each.type, each.inode) for each in found] == [
        ("/dir", DT.DIR, 8),
        ("/link", DT.LNK, 9),
        ("/" + "\udcff" * 255, DT.REG, 1 << 40),
        ("/...", DT.FIFO, 10),
    ]


def test_a_directory_in_several_pieces(tmp_path: Path) -> None:
    pieces = [entry(b"one"), entry(b"two") + entry(b"three"), b""]

    def getdents(called: Called) -> tuple[int, int]:
        piece = pieces.pop(0)
        called.write("buf", piece)
        return 0, len(piece)

    with serving(tmp_path, {"open": (0, 4), "__getdents30": getdents, "close": 0}) as server:
        assert server.kernel.listdir("/") == ["one", "two", "three"]


BAD_ENTRIES: Final = {
    "cut off within a head": entry(b"x")[:15],
    "cut off within a name": entry(b"a long file name of a length")[:32],
    "of no length": entry(b"x", d_reclen=0),
    "shorter than its head": entry(b"x", d_reclen=8),
    "shorter than its name": entry(b"a long file name", d_reclen=16),
    "longer than all": entry(b"x", d_reclen=24),
    "endlessly long": entry(b"x", d_reclen=65535),
    "a name longer than the entry": entry(b"x", d_namlen=65535),
    "no name": entry(b""),
    "a path": entry(b"../../etc/passwd"),
    "an absolute path": entry(b"/etc/passwd"),
    "a slash": entry(b"x/"),
    "a NUL": entry(b"x\0y"),
    "a good one, then a bad one": entry(b"good") + entry(b"x", d_reclen=0),
}


@pytest.mark.parametrize("what", BAD_ENTRIES)
def test_entries_that_no_kernel_makes(what: str, tmp_path: Path) -> None:
    data = BAD_ENTRIES[what]
    answers = {"open": (0, 4), "__getdents30": out("buf", data, 0, len(data)), "close": 0}
    with serving(tmp_path, answers) as server:
        with pytest.raises(ProtocolError, match=r"^unix://.*entr"):
            server.kernel.listdir("/dir")
        assert server.kernel.session.closed


@pytest.mark.parametrize("count", [(1 << 16) + 1, 1 << 40, -1])
def test_more_entries_than_there_is_room_for(count: int, tmp_path: Path) -> None:
    answers = {"open": (0, 4), "__getdents30": (0, count), "close": 0}
    with serving(tmp_path, answers) as server, pytest.raises(ProtocolError, match="getdents30 /dir ended with"):
        server.kernel.listdir("/dir")


def test_a_directory_that_is_left_early_is_closed(tmp_path: Path) -> None:
    data = entry(b"one") + entry(b"two")
    answers = {"open": (0, 4), "__getdents30": out("buf", data, 0, len(data)), "close": 0}
    with serving(tmp_path, answers) as server:
        entries = server.kernel.scandir("/")
        assert next(entries).name == "one"  # type: ignore[call-overload]
        entries.close()  # type: ignore[attr-defined]
    assert server.calls[-1] == ("close", {"fd": 4})


@pytest.mark.parametrize("call", [lambda k: list(k.walk("/")), lambda k: k.rmtree("/")], ids=["walk", "rmtree"])
def test_a_tree_without_an_end_has_one(call: Callable[[Kernel], object], tmp_path: Path) -> None:
    data = entry(b"d", DT.DIR)
    state = {"listed": False}

    def opened(_called: Called) -> tuple[int, int]:
        state["listed"] = False
        return 0, 4

    def getdents(called: Called) -> tuple[int, int]:
        if state["listed"]:
            return 0, 0
        state["listed"] = True
        called.write("buf", data)
        return 0, len(data)

    answers: dict[str, Answer | Any] = {"open": opened, "__getdents30": getdents, "close": 0}
    with serving(tmp_path, answers) as server, pytest.raises(KernelError, match="ENAMETOOLONG"):
        call(server.kernel)


# Attributes


@every_abi
def test_times(abi: Abi, tmp_path: Path) -> None:
    seen: list[bytes] = []

    def utimensat(called: Called) -> int:
        assert (called["fd"], called.string("path")) == (-100, "/x")
        seen.append(called.read("tptr", 2 * abi.struct("timespec").size))
        return 0

    with serving(tmp_path, {"utimensat": utimensat}, abi=abi) as server:
        server.kernel.utime("/x")
        server.kernel.utime("/x", (1.5, -0.25))
        server.kernel.utime("/x", ns=(3 * 10**9 + 7, None), follow_symlinks=False)  # type: ignore[arg-type]
    layout = abi.struct("timespec")
    moments = [
        [(moment.tv_sec, moment.tv_nsec) for moment in (layout.parse(data), layout.parse(data, layout.size))]
        for data in seen
    ]
    assert moments == [
        [(0, UTIME.NOW), (0, UTIME.NOW)],
        [(1, 500_000_000), (-1, 750_000_000)],
        [(3, 7), (0, UTIME.OMIT)],
    ]
    assert [arguments["flag"] for _name, arguments in server.calls] == [0, 0, 0x200]


@every_abi
def test_owners_and_modes(abi: Abi, tmp_path: Path) -> None:
    with serving(tmp_path, {"chown": 0, "lchown": 0, "chmod": 0, "lchmod": 0}, abi=abi) as server:
        server.kernel.chown("/x", -1, 5)
        server.kernel.chown("/x", 5, -1, follow_symlinks=False)
        server.kernel.chmod("/x", 0o4755)
        server.kernel.chmod("/x", 0o700, follow_symlinks=False)
    assert [(name, *list(arguments.values())[1:]) for name, arguments in server.calls] == [
        ("chown", 0xFFFFFFFF, 5),
        ("lchown", 5, 0xFFFFFFFF),
        ("chmod", 0o4755),
        ("lchmod", 0o700),
    ]


def test_two_paths(tmp_path: Path) -> None:
    seen: list[tuple[str, ...]] = []

    def record(first: str, second: str) -> Answer:
        def answer(called: Called) -> int:
            seen.append((called.name, called.string(first), called.string(second)))
            return Errno.EXDEV

        return answer

    answers = {
        "rename": record("from", "to"),
        "link": record("path", "link"),
        "symlink": record("path", "link"),
        "linkat": record("name1", "name2"),
    }
    with serving(tmp_path, answers) as server:
        for call, label in (
            (lambda: server.kernel.rename("/a", "/b"), "rename"),
            (lambda: server.kernel.link("/a", "/b"), "link"),
            (lambda: server.kernel.symlink("/a", "/b"), "symlink"),
            (lambda: server.kernel.link("/a", "/b", follow_symlinks=False), "link"),
        ):
            with pytest.raises(KernelError, match=f"^{label} /a -> /b: EXDEV"):
                call()
    assert seen == [(name, "/a", "/b") for name in ("rename", "link", "symlink", "linkat")]


# The process


def test_the_working_directory(tmp_path: Path) -> None:
    with serving(tmp_path, {"__getcwd": out("bufp", b"/data\0", 0, 6), "umask": (0, 0o22), "getuid": (0, 5)}) as server:
        assert server.kernel.getcwd() == "/data"
        assert server.kernel.umask(0o77) == 0o22
        assert server.kernel.getuid() == 5
    assert server.calls[1] == ("umask", {"newmask": 0o77})


def test_a_working_directory_without_an_end(tmp_path: Path) -> None:
    with serving(tmp_path, {"__getcwd": out("bufp", b"x" * 1024)}) as server:
        assert server.kernel.getcwd() == "x" * 1024


def test_the_helper_makes_entries_as_the_kernel_does() -> None:
    assert entry(b"hello", DT.REG, 0x96ACC2619E).hex() == "9e61c2ac96000000180005000868656c6c6f000000000000"
    assert struct.unpack_from("<QHHB", entry(b".", DT.DIR)) == (7, 16, 1, 4)


# Release 6, which has fewer calls


SIX: Final = Abi(8, 8, "little", release=(6, 1, 5))


def stat_of(mode: int, atime: int = 0, mtime: int = 0) -> Callable[[Called], int]:
    layout = SIX.struct("stat")
    times = {"st_atim": {"tv_sec": atime, "tv_nsec": 5999}, "st_mtim": {"tv_sec": mtime, "tv_nsec": 7999}}

    def answer(called: Called) -> int:
        called.write("ub", layout.build(st_mode=mode, **times))
        return 0

    return answer


@pytest.mark.parametrize("follow", [True, False])
def test_times_without_utimensat(follow: bool, tmp_path: Path) -> None:
    set_: list[tuple[int, int] | None] = []

    def utimes(called: Called) -> int:
        layout = SIX.struct("timeval")
        raw = called.read("tptr", 2 * layout.size) if called["tptr"] else b""
        found = [layout.parse(raw, offset) for offset in range(0, len(raw), layout.size)]
        set_.append(tuple(time.tv_sec * 10**6 + time.tv_usec for time in found) or None)  # type: ignore[arg-type]
        return 0

    times, stats = ("__utimes50", "__stat50") if follow else ("__lutimes50", "__lstat50")
    with serving(tmp_path, {times: utimes, stats: stat_of(0o100644, 1, 2)}, abi=SIX) as server:
        server.kernel.utime("/f", follow_symlinks=follow)
        server.kernel.utime("/f", ns=(3_000_004_999, 5_000_006_000), follow_symlinks=follow)
        server.kernel.utime("/f", ns=(None, 5_000_006_000), follow_symlinks=follow)
        server.kernel.utime("/f", ns=(3_000_004_000, None), follow_symlinks=follow)
        with pytest.raises(KernelError, match="ENOSYS"):
            server.kernel.utime("f", dir_fd=3)
    assert set_ == [None, (3_000_004, 5_000_006), (1_000_005, 5_000_006), (3_000_004, 2_000_007)]


def test_links_without_linkat(tmp_path: Path) -> None:
    with serving(tmp_path, {"link": 0, "__lstat50": stat_of(0o100644)}, abi=SIX) as server:
        server.kernel.link("/a", "/b", follow_symlinks=False)
        assert server.names() == ["__lstat50", "link"]
        with pytest.raises(KernelError, match="ENOSYS"):
            server.kernel.link("a", "b", src_dir_fd=3)
    with (
        serving(tmp_path, {"__lstat50": stat_of(0o120755)}, abi=SIX) as server,
        pytest.raises(KernelError, match="ENOSYS"),
    ):
        server.kernel.link("/a", "/b", follow_symlinks=False)
