# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulated kernel held to recordings of a real one: the same calls, in the same order, end the same way.

The client's side of each recording is sent again, argument block by argument block, and whatever the
kernel asks for is answered as the recorded client did. Compared are each call's error, its result, how
many bytes it wrote where, and the bytes themselves, but for what differs from run to run.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import frames
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi
from ansible_collections.rumpkernel.rump.simulated_kernel.testing import running_kernel
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import Call, transcript

# The recordings that the collection's modules stand on: interfaces, sysctls, files and mounts. One kernel serves them
# in this order, and what one of them changed is there for the next.
RECORDINGS: Final = [f"{number:02}" for number in (*range(1, 18), *range(20, 29), *range(50, 66), *range(67, 71))]

# What a call returns that is its own process's or the moment's.
VOLATILE_RESULTS: Final = {"getpid", "getppid"}
# What is written by these is the moment's: times, inode and device numbers, free space, random bytes, names of
# kernel memory and link-level addresses. Its length is not.
VOLATILE_BYTES: Final = {
    *("__stat50", "__lstat50", "__fstat50", "__getdents30", "getvfsstat", "statvfs1", "fstatvfs1"),
    *("__clock_gettime50", "__gettimeofday50", "__sysctl"),
}
# Counters and times, and the states that duplicate address detection takes an address through within seconds.
VOLATILE_IOCTLS: Final = {"SIOCGIFDATA", "SIOCZIFDATA", "SIOCGIFAFLAG_IN", "SIOCGIFAFLAG_IN6"}
# What rumpctrl asks for and the collection does not, and the simulated kernel does not serve.
NOT_SERVED: Final = {
    0xC118691D: "SIOCGLIFADDR",
    0xC0986920: "SIOCGIFADDRPREF",
}
NOT_SERVED_CALLS: Final = {"extattr_list_fd"}
LINK_LOCAL: Final = bytes.fromhex("fe80")  # made from a link-level address, which each kernel draws


class Replay:
    """A connection over which recorded calls are made again."""

    def __init__(self, path: str, abi: Abi) -> None:
        self.abi = abi
        self._stream = socket.socket(socket.AF_UNIX)
        self._stream.settimeout(20)
        self._stream.connect(path)
        self._machine = frames.Client()
        assert isinstance(self._next(), frames.Banner)
        self._machine.wire = abi.wire
        _reqno, request = self._machine.handshake("replay")
        self._stream.sendall(request)
        assert self._next().error == 0

    def close(self) -> None:
        self._stream.close()

    def _next(self) -> Any:
        while (event := self._machine.next_event()) is frames.NEED_DATA:
            self._machine.receive_data(self._stream.recv(1 << 16))
        return event

    def make(self, recorded: Call) -> Call:
        """The same call, as this kernel serves it."""
        made = Call(recorded.number, recorded.block)
        _reqno, request = self._machine.syscall(recorded.number, recorded.block)
        self._stream.sendall(request)
        while True:
            event = self._next()
            if isinstance(event, frames.SyscallReply):
                made.error, made.values = event.error, (event.value0, event.value1)
                return made
            if isinstance(event, frames.CopyOut):
                made.copyouts.append((event.address, bytes(event.data)))
            else:
                data = fetched(recorded, event.address, event.length)
                self._stream.sendall(self._machine.copyin_reply(event.reqno, data))


def fetched(recorded: Call, address: int, length: int) -> bytes:
    """What the recorded client had at an address; zeros where the real kernel never looked."""
    for start, data in recorded.copyins:
        if start <= address < start + max(len(data), 1):
            piece = data[address - start : address - start + length]
            return piece if piece.endswith(b"\0") else piece.ljust(length, b"\0")
    return bytes(length)


def written(call: Call) -> dict[int, bytes]:
    """What a call wrote, in pieces that do not touch each other."""
    pieces: dict[int, bytes] = {}
    for start, data in sorted(call.copyouts):
        last = max(pieces, default=None)
        if last is not None and start <= last + len(pieces[last]):
            pieces[last] = pieces[last][: start - last] + data
        else:
            pieces[start] = data
    return pieces


def differences(machine: str, number: str, replay: Replay) -> Iterator[str]:
    found = transcript(machine, number)
    for position, recorded in enumerate(found.calls()):
        name = found.abi.syscall_name(recorded.number) or str(recorded.number)
        ioctl = found.arguments("ioctl", recorded)["com"] if name == "ioctl" else 0
        of_its_own = any(LINK_LOCAL in data for _address, data in recorded.copyins)
        if ioctl in NOT_SERVED or name in NOT_SERVED_CALLS or of_its_own:
            continue
        made = replay.make(recorded)
        about = f"{found.command}: call {position}, {name}"
        if made.error != recorded.error:
            yield f"{about}: error {made.error} for {recorded.error}"
        elif name not in VOLATILE_RESULTS and not recorded.error and made.values[0] != recorded.values[0]:
            yield f"{about}: result {made.values[0]} for {recorded.values[0]}"
        ours, theirs = written(made), written(recorded)
        if {start: len(data) for start, data in ours.items()} != {start: len(data) for start, data in theirs.items()}:
            yield f"{about}: wrote {sum(map(len, ours.values()))} bytes for {sum(map(len, theirs.values()))}"
        elif name in VOLATILE_BYTES or found.abi.ioctl_name(ioctl) in VOLATILE_IOCTLS:
            continue
        elif ours != theirs:
            yield f"{about}: wrote other bytes"


def test_the_same_calls_end_the_same_way(tmp_path: Path) -> None:
    found: list[str] = []
    calls = 0
    with running_kernel(f"unix://{tmp_path}/csock") as server:
        for number in RECORDINGS:
            replay = Replay(server.url.removeprefix("unix://"), transcript("amd64", number).abi)
            found += differences("amd64", number, replay)
            calls += len(transcript("amd64", number).calls())
            replay.close()
    assert found == []
    assert calls > 400
