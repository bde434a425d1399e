# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests/data holds, for the tests: NetBSD's numbers by name, and the runs of real clients.

A :class:`Transcript` is one run of a utility against a real kernel. Its frames are turned back into
bytes here by an encoder of our own, so that the library's is not measured by itself.
"""

from __future__ import annotations

import csv
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi

DATA: Final = Path(__file__).resolve().parents[2] / "data"

AMD64: Final = Abi(8, 8, "little", machine="amd64")
I386: Final = Abi(4, 4, "little", machine="i386")
ILP32: Final = Abi(4, 8, "little", machine="hpcmips")
# The tables have a group of columns for each of these, in this order.
TABLE_ABIS: Final = (AMD64, I386, ILP32)
# The same layouts with the other byte order; nothing has i386's with it.
LP64_BIG: Final = Abi(8, 8, "big", machine="sparc64")
ILP32_BIG: Final = Abi(4, 8, "big", machine="sparc")
ALL_ABIS: Final = (*TABLE_ABIS, LP64_BIG, ILP32_BIG)

CLASSES: Final = {"req": 0, "resp": 1, "error": 2}
TYPES: Final = {
    "handshake": 0,
    "syscall": 1,
    "copyin": 2,
    "copyinstr": 3,
    "copyout": 4,
    "copyoutstr": 5,
    "anonmmap": 6,
    "prefork": 7,
    "raise": 8,
}


def abi_name(abi: Abi) -> str:
    """A parametrized test's name for an ABI."""
    return f"{abi.word_size * 8}-{abi.byteorder}{'-packed' if abi == I386 else ''}"


def table_column(abi: Abi) -> int:
    """Which of the tables' groups of columns tells of ``abi``: byte order moves nothing."""
    return next(
        index
        for index, other in enumerate(TABLE_ABIS)
        if (other.word_size, other.int64_alignment) == (abi.word_size, abi.int64_alignment)
    )


@cache
def table(name: str) -> tuple[tuple[str, ...], ...]:
    """The rows of a table of tests/data/netbsd, without its head."""
    with (DATA / "netbsd" / f"{name}.tsv").open(encoding="utf-8", newline="") as lines:
        return tuple(tuple(row) for row in csv.reader(lines, delimiter="\t"))[1:]


@dataclass(frozen=True)
class Frame:
    """One frame that passed the relay."""

    connection: int
    sender: str
    reqno: int
    frame_class: str
    frame_type: str
    word: int
    body: bytes

    def encode(self, byteorder: str = "little") -> bytes:
        """The frame as it was on the wire."""
        prefix = "<" if byteorder == "little" else ">"
        head = (24 + len(self.body), self.reqno, CLASSES[self.frame_class], TYPES[self.frame_type], self.word)
        return struct.pack(f"{prefix}QQHHI", *head) + self.body


@dataclass
class Call:
    """A system call of a transcript: what the client asked, what was copied, how it ended."""

    number: int
    block: bytes
    copyins: list[tuple[int, bytes]] = field(default_factory=list)
    """(address, bytes) that the kernel fetched; strings end with their NUL."""
    copyouts: list[tuple[int, bytes]] = field(default_factory=list)
    error: int | None = None
    values: tuple[int, int] = (0, 0)

    def copied_in(self, address: int) -> bytes:
        """What the kernel fetched at ``address``."""
        return next(data for start, data in self.copyins if start == address)

    def copied_out(self, address: int) -> bytes:
        """What the kernel wrote at ``address``, in however many pieces; some overlap."""
        result = bytearray()
        for start, data in self.copyouts:
            offset = start - address
            if 0 <= offset <= len(result):
                result[offset : offset + len(data)] = data
        return bytes(result)


@dataclass(frozen=True)
class Transcript:
    """One run of a utility against a real kernel."""

    name: str
    machine: str
    command: str
    rc: int
    stdout: str
    stderr: str
    banners: dict[int, str]
    frames: tuple[Frame, ...]

    @property
    def abi(self) -> Abi:
        return {"amd64": AMD64, "i386": I386}[self.machine]

    def sent(self, sender: str, connection: int) -> Iterator[Frame]:
        return (frame for frame in self.frames if (frame.sender, frame.connection) == (sender, connection))

    def calls(self, name: str | None = None) -> list[Call]:
        """The system calls in their order, all of them or those of one name."""
        word, registers = ("Q", "<i4xqq") if self.abi.word_size == 8 else ("I", "<iii")
        found: list[Call] = []
        current: dict[int, Call] = {}
        asked: dict[tuple[int, int], int] = {}
        for frame in self.frames:
            match frame.sender, frame.frame_class, frame.frame_type:
                case "client", "req", "syscall":
                    current[frame.connection] = Call(frame.word, frame.body)
                    found.append(current[frame.connection])
                case "server", "req", "copyin" | "copyinstr":
                    asked[frame.connection, frame.reqno] = struct.unpack(f"<2{word}", frame.body)[1]
                case "client", "resp", "copyin":
                    address = asked.pop((frame.connection, frame.reqno))
                    current[frame.connection].copyins.append((address, frame.body))
                case "server", "req", "copyout" | "copyoutstr":
                    size = struct.calcsize(f"<2{word}")
                    address = struct.unpack(f"<2{word}", frame.body[:size])[1]
                    current[frame.connection].copyouts.append((address, frame.body[size:]))
                case "server", "resp", "syscall":
                    call = current.pop(frame.connection)
                    call.error, *values = struct.unpack(registers, frame.body)
                    call.values = (values[0], values[1])
        if name is None:
            return found
        return [call for call in found if call.number == self.abi.syscall_number(name)]

    def ioctls(self, name: str) -> list[Call]:
        """The calls of one ioctl."""
        code = self.abi.ioctl(name)
        return [call for call in self.calls("ioctl") if self.arguments("ioctl", call)["com"] == code]

    def arguments(self, name: str, call: Call) -> dict[str, int]:
        return self.abi.decode_arguments(name, call.block)

    def structures(self, ioctl: str) -> list[tuple[bytes, bytes]]:
        """For each call of an ioctl: the argument that went in and the one that came out, or b""."""
        result = []
        for call in self.ioctls(ioctl):
            address = self.arguments("ioctl", call)["data"]
            went_in = [data for start, data in call.copyins if start == address]
            result.append((b"".join(went_in), call.copied_out(address)))
        return result


@cache
def transcript(machine: str, prefix: str) -> Transcript:
    """The transcript of ``machine`` whose file name starts with ``prefix``, such as ``05``."""
    (path,) = (DATA / "transcripts" / machine).glob(f"{prefix}-*.jsonl")
    head, *lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return Transcript(
        name=path.stem,
        machine=machine,
        command=head["command"],
        rc=head["rc"],
        stdout=head["stdout"],
        stderr=head["stderr"],
        banners={line["conn"]: line["banner"] for line in lines if "banner" in line},
        frames=tuple(
            Frame(
                line["conn"],
                line["dir"],
                line["reqno"],
                line["class"],
                line["type"],
                line["word"],
                bytes.fromhex(line["body"]),
            )
            for line in lines
            if "banner" not in line
        ),
    )


def transcript_names() -> list[tuple[str, str]]:
    """(machine, number) of every transcript there is."""
    return sorted((path.parent.name, path.stem.partition("-")[0]) for path in DATA.glob("transcripts/*/*.jsonl"))
