# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sysctl."""

from __future__ import annotations

from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.scribe import Scribe


def sysctl_errors(scribe: Scribe) -> None:
    client = scribe.client

    def ask(mib: list[int], room: int | None = 100, new: bytes | None = None) -> None:
        outcome, raw, told = client.sysctl(mib, room, new)
        scribe.write(f"sysctl {mib} {room} {new!r}", (outcome.error, raw, told, outcome.trace))

    integer = client.abi.integer
    ask([6, 7])
    ask([6, 7], None)
    ask([6, 7], 2)
    ask([6, 7], 0)
    ask([6, 7], 4, integer("int", 5))
    ask([6, 7], None, b"")
    ask([1, 1])
    ask([1, 1], 3)
    ask([1, 1], 100, b"x\0")
    ask([1])
    ask([1, 999])
    ask([1, 1, 1])
    ask([999])
    ask([])
    ask([1] * 13)
    ask([-2])
    ask([1, -2], None)
    ask([1, -7], None)
    ask([1, -9])
    ask([1, -3])
    ask([1, 1, -2])
    ask([1, -5], 100, bytes(96))
    ask([4, 2, 0, 3], None, integer("int", 33))
    ask([4, 2, 0, 3], 4)
    ask([4, 2, 0, 3], 4, integer("int", 64))
    ask([4, 2, 0, 3], None, b"\0\0")
    ask([4, 2, 0, 3], None, bytes(8))
    ask([4, 2, 0, 10], None, integer("int", 5))
    ask([4, 2, 0, 10], None, integer("int", 50000))
    ask([1, 10], None, b"web01\0")
    ask([1, 10])
    ask([1, 10], 3)
    ask([1, 10], None, b"web02")
    ask([1, 10])
    ask([1, 10], None, b"x" * 256)
    ask([1, 10], None, b"x" * 257)
    ask([1, 10], None, b"\0")
    ask([1, 10])
    ask([1, 22], None, b"example.org")
    ask([1, 22])
    ask([4, 24, 41, 12], None, integer("int", 1))
    ask([4, 24, 41, 12])
    ask([4, 34, 0, 0, 4, 0])
    ask([4, 34, 0, 0, 6, 0])
    ask([4, 34, 0, 0, 5])
    ask([4, 34, 0])
    ask([4, 34, 0, 0, 5, 0], 100, integer("int", 1))
    ask([4, 34, 0, 0, 5, 99])
    ask([4, 34, 0, 0, 5, 1], 10)
    ask([3, 1, 1])
    ask([1, 81], 600000)
    ask([10, 5, 2, 9, 1])
    scribe("__sysctl", None, 1, None, None, None, 0)
    scribe("__sysctl", client.abi.integers("int", 6, 7), 2, bytearray(4), None, None, 0)


def sysctl_tree(scribe: Scribe) -> None:
    """Every node's number, name, type, flags and size, and the values that a machine does not choose."""
    _walk(scribe, [], "")


MACHINE_VALUES = (
    "kern.hostname", "kern.boottime", "kern.arandom", "kern.urandom", "kern.hardclock", "kern.pool", "kern.file",
    "kern.evcnt", "kern.msgbuf", "hw.physmem", "hw.ncpu", "vm.", "kern.uidinfo", "vfs.namecache", ".stats",
    "nd6_prlist", "congctl.available", "fstypes",
    "kern.mbuf.stats", "net.bpf", "kern.timecounter", "rlimit", "hw.firmware", "pcblist", "kern.version",
    "rtadv_numroutes", "reserve", "kern.posix",
)  # fmt: skip


def _walk(scribe: Scribe, mib: list[int], path: str) -> None:
    client, layout = scribe.client, scribe.client.abi.struct("sysctlnode")
    question = layout.build(sysctl_flags=0x01000000)
    outcome, raw, told = client.sysctl([*mib, -2], 9600, question)
    if not outcome:
        scribe.write(f"query {path}", outcome.error)
        return
    nodes = [layout.parse(raw, start) for start in range(0, told, layout.size)]
    for node in nodes:
        name = f"{path}.{node.sysctl_name.decode()}".lstrip(".")
        flags = node.sysctl_flags
        # Numbers from 1024 on are given out as components start.
        scribe.write(name, (min(node.sysctl_num, 1024), hex(flags), node._sysctl_size))
        below = [*mib, node.sysctl_num]
        if flags & 0xF == 1:
            _walk(scribe, below, name)
        elif not any(part in name for part in MACHINE_VALUES):
            outcome, value, told = client.sysctl(below, 200)
            scribe.write(f"{name} =", (outcome.error, value, told))
