# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules and traces."""

from __future__ import annotations

import time

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import KTR
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.scribe import Scribe, mount_tmpfs
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.rawclient import RawClient

LOAD, UNLOAD, STAT, EXISTS = range(4)
SOME = ("suser", "vnd", "bpf", "bpf_filter", "tmpfs", "kernfs", "ext2fs", "ffs", "wapbl")
SET, CLEAR, CLEARFILE = range(3)
VERSION = 0x02000000
ALL_BUT_SWITCHES = 0x2 | 0x4 | 0x8 | 0x10 | 0x80


def modules(scribe: Scribe) -> None:
    client = scribe.client

    def load(name: str, flags: int = 0, properties: int = 0) -> None:
        path = client.lend(name.encode() + b"\0")
        layout = client.abi.struct("modctl_load_t")
        outcome = client.call("modctl", LOAD, layout.build(ml_filename=path, ml_flags=flags, ml_propslen=properties))
        scribe.write(f"load {name} {flags}", outcome.error)

    def look() -> None:
        layout, record = client.abi.struct("iovec"), client.abi.struct("modstat_t")
        buffer = bytearray(1 << 15)
        vector = bytearray(layout.build(iov_base=client.lend(buffer), iov_len=len(buffer)))
        outcome = client.call("modctl", STAT, vector)
        told = layout.parse(vector).iov_len
        found = [record.parse(buffer, start) for start in range(0, told, record.size)]
        shown = {m.ms_name: (m.ms_class, m.ms_source, m.ms_refcnt, m.ms_flags, m.ms_required) for m in found}
        names = [name.encode() for name in SOME]
        scribe.write("modules", (outcome.error, {name: told for name, told in shown.items() if name in names}))
        scribe.write("order", [name for name in shown if name in names])

    look()
    for command, argument in ((EXISTS, 0), (EXISTS, 1), (EXISTS, 2), (4, 0), (-1, 0), (LOAD, None), (UNLOAD, None)):
        scribe("modctl", command, argument)
    for name in ("nosuch", "", "x" * 200, "/none", "/", "/dev/null", "tmpfs"):
        load(name)
    load("tmpfs", 1)
    load("nosuch", 0, 5)
    for name in ("nosuch", "", "y" * 200, "suser", "bpf", "bpf_filter", "ffs", "wapbl"):
        scribe("modctl", UNLOAD, name)
    scribe("mkdir", "/t", 0o755)
    mount_tmpfs(scribe, "/t")
    scribe("modctl", UNLOAD, "tmpfs")
    scribe("unmount", "/t", 0)
    scribe("modctl", UNLOAD, "tmpfs")
    scribe("modctl", UNLOAD, "tmpfs")
    look()
    mount_tmpfs(scribe, "/t")
    load("tmpfs")
    load("tmpfs", 1)
    mount_tmpfs(scribe, "/t")
    scribe("modctl", UNLOAD, "ext2fs")
    scribe("modctl", UNLOAD, "ffs")
    look()


def _written(client: RawClient, path: str) -> None:
    """Wait until a kernel's thread wrote what it has to: until a file does not grow any more."""
    sizes = [0]
    for _look in range(100):
        time.sleep(0.05)
        sizes.append(client.stat(path).st_size)
        if sizes[-1] and len(set(sizes[-4:])) == 1:
            return


def traces(scribe: Scribe) -> None:
    client = scribe.client
    pid = client.call("getpid").value
    for path, operation, facilities, process in (
        ("/none", SET, VERSION | 2, pid), ("/", SET, VERSION | 2, pid), ("/dev/null", SET, VERSION | 2, pid),
    ):  # fmt: skip
        outcome = client.call("ktrace", path, operation, facilities, process)
        scribe.write(f"ktrace {path} {operation}", outcome.error)
    for path in ("/refused", "/trace"):
        scribe("open", path, 0x202, 0o644)
    for operation, facilities, process in (
        (SET, VERSION | 2, 9999),
        (SET, VERSION | 2, -99),
        (SET, 0, pid),
        (3, 2, pid),
    ):
        # Not to the file of the trace that follows: that one would end with these, while the kernel winds them up.
        outcome = client.call("ktrace", "/refused", operation, facilities, process)
        scribe.write(f"ktrace {operation} {facilities:#x}", outcome.error)
    scribe.write("start", client.call("ktrace", "/trace", SET, VERSION | ALL_BUT_SWITCHES, pid).error)
    scribe("getuid")
    scribe("__stat50", "/dev/../none", bytearray(200))
    scribe("chdir", "/dev")
    scribe("close", 77)
    scribe("access", "/trace", 0)
    number = scribe("open", "/file", 0x202, 0o644).value
    scribe("write", number, b"hello", 5)
    scribe("pread", number, bytearray(3), 3, 1)
    scribe("ktrace", None, CLEAR, VERSION | 0x8 | 0x10, pid)
    scribe("write", number, b"hello", 5)
    scribe("access", "/trace", 0)
    scribe("ktrace", "/trace", CLEARFILE, 0, 0)
    scribe("getuid")
    _written(client, "/trace")
    trace = scribe("open", "/trace", 0, 0).value
    buffer = bytearray(1 << 15)
    length = client.call("read", trace, buffer, len(buffer)).value
    layout, position = client.abi.struct("ktr_header"), 0
    while position < length:
        head = layout.parse(buffer, position)
        # Clearing takes the version away, too: what follows is of version 0, whose head ends with three words.
        old = head.ktr_kind < 1 << 16
        start = position + (layout.offset_of("ktr_ts") + 3 * client.abi.word_size if old else layout.size)
        data = bytes(buffer[start : start + head.ktr_len])
        shown = data[:8] if head.ktr_kind & 0xFFFF == KTR.SYSCALL else data
        scribe.write("record", (head.ktr_kind, head.ktr_pid == pid, head.ktr_comm, head.ktr_len, shown))
        position = start + head.ktr_len
