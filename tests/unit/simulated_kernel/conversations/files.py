# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files: descriptors, reading and writing, names, attributes."""

from __future__ import annotations

from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.scribe import (
    O_APPEND,
    O_CLOEXEC,
    O_CREAT,
    O_RDWR,
    O_TRUNC,
    O_WRONLY,
    Scribe,
)


def root_directory(scribe: Scribe) -> None:
    """What stands in the root at the start."""
    for path in ("/", "/tmp", "/dev", "/dev/null", "/dev/zero", "/none", "", "/dev/null/x", "//", "/dev/", "/tmp/.."):
        scribe.stat(path)
    scribe.entries("/")
    scribe.entries("/dev")
    for descriptor in range(4):
        scribe.fstat(descriptor)
    scribe.numbers("/", fresh=False)
    scribe.numbers("/")
    scribe.numbers("/", fresh=False)
    scribe.mounted()


def descriptors(scribe: Scribe) -> None:
    scribe("getpid", value=False)
    scribe("getuid")
    scribe("getegid")
    scribe("umask", 0o077)
    scribe("umask", 0o022)
    for descriptor in range(3):
        scribe("read", descriptor, bytearray(4), 4)
        scribe("write", descriptor, b"", 0)
        scribe("fcntl", descriptor, 3, 0)
        scribe("lseek", descriptor, 0, 1)
    scribe("open", "/tmp/f", O_RDWR | O_CREAT, 0o666)
    scribe("open", "/tmp/f", O_WRONLY | O_CLOEXEC, 0)
    scribe("open", "/tmp/f", 3, 0)
    scribe("dup", 3)
    scribe("dup2", 3, 10)
    scribe("dup2", 3, 3)
    scribe("dup2", 30, 3)
    scribe("dup2", 3, -1)
    scribe("dup2", 3, 500)
    for number in (3, 4, 5, 10):
        scribe("fcntl", number, 1, 0)
        scribe("fcntl", number, 3, 0)
    scribe("fcntl", 3, 2, 1)
    scribe("fcntl", 3, 1, 0)
    scribe("fcntl", 3, 4, O_APPEND | 0x4)
    scribe("fcntl", 3, 3, 0)
    scribe("fcntl", 3, 0, 20)
    scribe("fcntl", 3, 12, 20)
    scribe("fcntl", 3, 0, 1000)
    scribe("fcntl", 99, 3, 0)
    scribe("fcntl", 3, 77, 0)
    scribe("fcntl", 3, 11, 0)
    scribe("close", 10)
    scribe("close", 10)
    scribe("close", -1)
    for _index in range(130):
        opened = scribe.client.call("open", "/tmp/f", 0, 0)
        if not opened:
            break
    scribe.write("after too many", opened.error)
    scribe("fcntl", 8, 10, 0)
    scribe("open", "/tmp/f", 0, 0)


def writing(scribe: Scribe, folder: str) -> None:
    """Reading, writing, seeking, sizes."""
    client = scribe.client
    path = f"{folder}/f"
    number = scribe("open", path, O_RDWR | O_CREAT, 0o666).value
    scribe.stat(path)
    for data, offset in ((b"a" * 10, None), (b"b" * 5000, None), (b"c" * 9000, 4090), (b"", 0), (b"x", 30000)):
        if offset is None:
            outcome = scribe("write", number, data, len(data))
        else:
            outcome = scribe("pwrite", number, data, len(data), offset)
        scribe.write("copies", outcome.trace)
        scribe.stat(path)
    scribe("lseek", number, 0, 1)
    scribe("lseek", number, -5, 2)
    scribe("lseek", number, -50000, 1)
    scribe("lseek", number, 0, 9)
    scribe("lseek", number, 1 << 33, 0)
    buffer = bytearray(10000)
    outcome = scribe("read", number, buffer, 100)
    outcome = scribe("pread", number, buffer, 9000, 4090)
    scribe.write("copies", outcome.trace)
    scribe.write("content", bytes(buffer[:9000]) == b"c" * 9000)
    outcome = scribe("pread", number, buffer, 10000, 29000)
    scribe.write("copies", outcome.trace)
    scribe.write("content", bytes(buffer[:1001]))
    scribe("pread", number, buffer, 10, -1)
    scribe("pwrite", number, b"abc", 3, -1)
    scribe("pread", number, buffer, 10, 1 << 40)
    scribe("lseek", number, 0, 0)
    scribe("read", number, None, 10)
    scribe("write", number, None, 10)
    scribe("read", number, buffer, 1 << 63 if client.abi.word_size == 8 else 1 << 31)
    for size in (100, 100, 5000, 0, -1):
        scribe("ftruncate", number, size)
        scribe.stat(path)
    scribe("truncate", path, 77)
    scribe("truncate", path, -3)
    scribe("truncate", folder, 0)
    scribe("truncate", f"{folder}/none", 0)
    reader = scribe("open", path, 0, 0).value
    scribe("ftruncate", reader, 5)
    scribe("write", reader, b"x", 1)
    scribe("fsync", reader)
    scribe("fsync", 77)
    appender = scribe("open", path, O_WRONLY | O_APPEND, 0).value
    scribe("write", appender, b"end", 3)
    scribe("pwrite", appender, b"END", 3, 0)
    scribe.stat(path)
    scribe("read", appender, buffer, 1)
    scribe("open", path, O_WRONLY | O_TRUNC, 0)
    scribe.stat(path)
    folder_number = scribe("open", folder, 0, 0).value
    scribe("read", folder_number, buffer, 10)
    scribe("write", folder_number, b"x", 1)
    scribe("ftruncate", folder_number, 0)
    scribe("lseek", folder_number, 0, 2, value=False)
    scribe("__getdents30", number, buffer, 100)
    scribe("__getdents30", folder_number, buffer, 4)
    scribe("readv", number, client.abi.integers("pointer", 0, 0), 0)
    for one in (number, folder_number):
        for events in (0x5, 0):
            polled = bytearray(client.abi.integer("int", one) + client.abi.integers("int16", events, 0))
            outcome = client.call("poll", polled, 1, 0)
            found = client.abi.read_integer("int16", bytes(polled[6:]))
            scribe.write(f"poll {events}", (outcome.error, outcome.value, found))
    scribe("__posix_fadvise50", number, 0, 0, 3)
    scribe("__posix_fadvise50", number, 0, 0, 99)
