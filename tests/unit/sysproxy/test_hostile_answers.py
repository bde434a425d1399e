# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever a kernel answers, the façade gives a result or an error of the library, and keeps its memory.

The session here is none: it fills the buffers of each call with noise, or with something that looks right
in part, and ends the call with numbers that invite mistakes.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from ipaddress import IPv6Address
from typing import Any, Final

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.errors import ConnectionLost, RumpError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel import Kernel
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi, Errno
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import F
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.kernel_error import kernel_error
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import AMD64, I386, ILP32_BIG, abi_name

_MOST_CALLS: Final = 60  # then the kernel goes away, as one may answer for ever
_MOST_BYTES: Final = 1 << 25


class Noise:
    """In the place of a session."""

    url = "unix://noise"
    written = 1 << 30

    def __init__(self, abi: Abi, seed: int) -> None:
        self.abi = abi
        self.closed = False
        self.calls = 0
        self._chance = random.Random(seed)
        self._fill = self._chance.choice([self._random, self._zeros, self._ones, self._small, self._mixed])

    def close(self) -> None:
        self.closed = True

    def call(self, name: str, *arguments: Any, **_more: Any) -> tuple[int, int]:
        if self.closed:
            raise ConnectionLost("closed")
        self.calls += 1
        if self.calls > _MOST_CALLS:
            self.close()
            raise ConnectionLost("enough")
        buffers = [argument for argument in arguments if isinstance(argument, bytearray | memoryview)]
        size = 0
        for buffer in buffers:
            view = memoryview(buffer).cast("B")
            size = max(size, len(view))
            if not view.readonly:
                self._write(view)
        assert size <= _MOST_BYTES, f"{name} made room for {size} bytes"
        if self._chance.random() < 0.1:
            raise kernel_error(self._chance.choice([*Errno, 12, 1 << 20]), name)
        return self._register(size), self._register(size)

    @contextlib.contextmanager
    def lend(self, buffer: Any) -> Iterator[int]:
        view = memoryview(buffer).cast("B")
        assert len(view) <= _MOST_BYTES
        if not view.readonly:
            self._write(view)
        yield 0x10000

    def map(self, requests: Any, limit: int = 1) -> Iterator[Any]:
        for request in requests:
            try:
                yield self.call(request.name, *request.arguments)
            except RumpError as error:
                yield error

    def _write(self, view: memoryview) -> None:
        length = self._chance.choice([len(view), len(view), self._chance.randrange(len(view) + 1), 0])
        view[:length] = self._fill(length)

    def _random(self, length: int) -> bytes:
        return self._chance.randbytes(length)

    def _zeros(self, length: int) -> bytes:
        return bytes(length)

    def _ones(self, length: int) -> bytes:
        return b"\xff" * length

    def _small(self, length: int) -> bytes:
        return bytes(self._chance.choices(range(33), k=min(length, 4096))).ljust(length, b"\0")

    def _mixed(self, length: int) -> bytes:
        pieces = [b"\0" * 4, b"\xff" * 4, b"\1\0\0\1", b"\x18\0\4\x0c", b"\x98\0\4\x14", b"dir\0", self._random(4)]
        return b"".join(self._chance.choices(pieces, k=min(length, 4096) // 4 + 1))[:length].ljust(length, b"\0")

    def _register(self, size: int) -> int:
        numbers = [0, 1, 2, 3, 24, size, size, size // 2, size + 1, -1, -size, 1 << 16, (1 << 31) - 1, -(1 << 31)]
        if self.abi.word_size == 8:
            numbers += [1 << 31, 1 << 40, (1 << 63) - 1, -(1 << 63)]
        return self._chance.choice(numbers)


ASK: Final[dict[str, Callable[[Kernel], object]]] = {
    "access": lambda k: k.access("/x", 0),
    "address_flags6": lambda k: k.interfaces.address_flags6("lo0", IPv6Address("fe80::1")),
    "chdir": lambda k: k.chdir("/x"),
    "cloners": lambda k: k.interfaces.cloners(),
    "describe": lambda k: [k.sysctl.describe(node) for node in k.sysctl.walk()],
    "dup": lambda k: k.dup(3),
    "exists": lambda k: k.exists("/x"),
    "fcntl": lambda k: k.fcntl(3, F.GETFL),
    "fstat": lambda k: k.fstat(3),
    "getcwd": lambda k: k.getcwd(),
    "getgroups": lambda k: k.getgroups(),
    "getpid": lambda k: k.getpid(),
    "interface flags": lambda k: k.interfaces.flags("lo0"),
    "interfaces": lambda k: k.interfaces.all(),
    "isdir": lambda k: k.isdir("/x"),
    "linkstr": lambda k: k.interfaces.linkstr("shmif0"),
    "listdir": lambda k: k.listdir("/x"),
    "lseek": lambda k: k.lseek(3, 0, 0),
    "makedirs": lambda k: k.makedirs("/a/b/c", exist_ok=True),
    "mount_arguments": lambda k: k.mount_arguments("tmpfs", "/x", "tmpfs_args"),
    "mounts": lambda k: k.mounts(),
    "open": lambda k: k.close(k.open("/x", 0)),
    "pipe": lambda k: k.pipe(),
    "pread": lambda k: k.pread(3, 100, 0),
    "read": lambda k: k.read(3, 100),
    "read_file": lambda k: k.read_file("/x"),
    "readlink": lambda k: k.readlink("/x"),
    "readv": lambda k: k.readv(3, [bytearray(5), bytearray(6)]),
    "realpath": lambda k: k.realpath("/a/b/../c"),
    "rmtree": lambda k: k.rmtree("/x"),
    "stat": lambda k: k.stat("/x"),
    "statvfs": lambda k: k.statvfs("/x"),  # type: ignore[attr-defined]
    "sysctl": lambda k: k.sysctl.get("kern.hostname"),
    "sysctls": lambda k: [k.sysctl.get(node) for node in k.sysctl.walk()],
    "umask": lambda k: k.umask(0),
    "walk": lambda k: list(k.walk("/x")),
    "write": lambda k: k.write(3, b"content"),
    "write_file": lambda k: k.write_file("/x", b"content"),
}


@pytest.mark.parametrize("abi", [AMD64, I386, ILP32_BIG], ids=abi_name)
@pytest.mark.parametrize("what", ASK)
def test_nothing_but_the_librarys_errors(what: str, abi: Abi) -> None:
    results = 0
    for seed in range(100):
        kernel = Kernel(Noise(abi, seed))  # type: ignore[arg-type]
        try:
            ASK[what](kernel)
        except RumpError:
            continue
        except Exception as error:
            raise AssertionError(f"{what} with seed {seed}: {type(error).__name__}: {error}") from error
        results += 1
    # A test whose calls always fail at once would find nothing.
    assert results or what in SELDOM


# What hardly ever has a result of such answers, and is worth the try for its errors.
SELDOM: Final = {"describe", "read_file", "rmtree", "sysctl", "sysctls", "walk", "listdir", "realpath", "interfaces"}
