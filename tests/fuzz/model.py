# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small kernel for the fuzzer: what a rump kernel answers, or nearly, at the price of some microseconds a call.

It is honest as long as its ``lies`` are 0. With them, the structures and numbers that it gives are changed here and
there, in frames that are whole. What happens to the frames themselves is mutations.py's.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from functools import lru_cache
from typing import Any, Final

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import frames
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.errors import ProtocolError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import AF, CTL, CTLTYPE, RTM

Step = tuple[Any, ...]
"""What a call does next: ("out", address, data), ("in", address, length), ("str", address, length), ("anon", length)
or ("raise", signal); of "in", "str" and "anon" it is told the client's answer."""
Call = Generator[Step, Any, tuple[int, ...]]

ODD: Final = (
    *(0, 1, 2, 3, 4, 7, 8, 15, 16, 23, 24, 25, 64, 255, 256, 4095, 4096, 0xFFFF, 0x10000, 1 << 20, (1 << 20) + 1),
    *(1 << 24, (1 << 24) + 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 40, (1 << 63) - 1, 1 << 63),
    (1 << 64) - 1,
)
"""Numbers that invite mistakes."""

ENOENT: Final = 2
EFAULT: Final = 14
_ERRNOS: Final = (
    -4,
    -3,
    -2,
    -1,
    1,
    ENOENT,
    4,
    5,
    9,
    12,
    13,
    20,
    21,
    22,
    25,
    35,
    40,
    45,
    62,
    78,
    93,
    96,
    12345,
    1 << 30,
)
_LOWEST: Final = 0x10000  # below it nothing is lent
_MOST_CALLS: Final = 250  # then the kernel goes away: many a question can be answered for ever
_MOST_GREEDY_CALLS: Final = 2000


def interesting(chance: random.Random) -> int:
    return chance.choice(ODD) + chance.choice((0, 0, 0, 1, -1))


def corrupted(data: bytes, chance: random.Random) -> bytes:
    """``data`` with some bytes changed, of the same length."""
    changed = bytearray(data)
    for _time in range(chance.choice((1, 1, 2, 8))):
        if changed:
            at = chance.randrange(min(len(changed), 512))
            width = min(chance.choice((1, 1, 2, 4, 8)), len(changed) - at)
            changed[at : at + width] = chance.choice((bytes(width), b"\xff" * width, chance.randbytes(width)))
    return bytes(changed)


# What kernels say


@lru_cache(maxsize=256)
def stat(abi: Abi, mode: int, size: int) -> bytes:
    moment = {"tv_sec": 1_500_000_000, "tv_nsec": 5}
    return abi.struct("stat").build(
        st_mode=mode, st_ino=77, st_nlink=1, st_size=size, st_blksize=4096, st_atim=moment, st_mtim=moment
    )


@lru_cache(maxsize=64)
def directory(abi: Abi, folders: bool) -> bytes:
    head = abi.struct("dirent_head")
    start = head.offset_of("d_type") + 1
    entries = b""
    names = [(b".", 4), (b"..", 4), (b"hosts", 8), (b"link", 10), *([(b"etc", 4), (b"x", 0)] if folders else [])]
    for number, (name, kind) in enumerate(names):
        length = (start + len(name) + 8) & -8
        record = head.build(d_fileno=number + 2, d_reclen=length, d_namlen=len(name), d_type=kind)[:start]
        entries += (record + name).ljust(length, b"\0")
    return entries


@lru_cache(maxsize=64)
def statvfs(abi: Abi, kind: bytes) -> bytes:
    return abi.struct("statvfs").build(
        f_bsize=512, f_frsize=512, f_blocks=100, f_bfree=50, f_fstypename=kind, f_mntonname=b"/", f_mntfromname=b"root"
    )


@lru_cache(maxsize=64)
def interfaces(abi: Abi) -> bytes:
    head, address_head = abi.struct("if_msghdr"), abi.struct("ifa_msghdr")
    link = abi.struct("sockaddr_dl").build(sdl_len=24, sdl_family=18, sdl_index=1, sdl_type=24, sdl_nlen=3, sdl_alen=6)
    start = abi.struct("sockaddr_dl").offset_of("sdl_data")
    link = (link[:start] + b"lo0" + b"\2\0\0\0\0\1").ljust(24, b"\0")[:24]
    length = head.size + len(link)
    found = head.build(ifm_msglen=length, ifm_version=4, ifm_type=RTM.IFINFO, ifm_addrs=1 << 4, ifm_index=1) + link
    inet = bytes((16, AF.INET, 0, 0, 127, 0, 0, 1)).ljust(16, b"\0")
    inet6 = bytes((28, AF.INET6, 0, 0, 0, 0, 0, 0, 0xFE, 0x80, 0, 1)).ljust(32, b"\0")
    for sockaddr in (inet, inet6):
        kind, size = abi.constant("RTM_NEWADDR"), address_head.size + len(sockaddr)
        found += address_head.build(ifam_msglen=size, ifam_version=4, ifam_type=kind, ifam_addrs=1 << 5) + sockaddr
    return found


@lru_cache(maxsize=64)
def routes(abi: Abi) -> bytes:
    """Routes and neighbours: as sysctl net.route lists both."""
    head, found = abi.struct("rt_msghdr"), b""
    link = abi.struct("sockaddr_dl").build(sdl_len=20, sdl_family=18, sdl_index=1, sdl_type=6, sdl_alen=6)
    inet = bytes((16, AF.INET, 0, 0, 127, 0, 0, 1)).ljust(16, b"\0")
    inet6 = bytes((28, AF.INET6, 0, 0, 0, 0, 0, 0, 0xFE, 0x80, 0, 1)).ljust(32, b"\0")
    for destination in (inet, inet6):
        for gateway, mask in ((destination, b""), (link.ljust(24, b"\0"), bytes((7, 0, 0, 0, 255, 255, 255, 0)))):
            packed, bits = destination + gateway + mask, 0x7 if mask else 0x3
            size = head.size + len(packed)
            found += head.build(rtm_msglen=size, rtm_version=4, rtm_type=RTM.GET, rtm_index=1, rtm_addrs=bits) + packed
    return found


@lru_cache(maxsize=64)
def prefixes(abi: Abi) -> bytes:
    sockaddr = {"sin6_len": 28, "sin6_family": 24, "sin6_addr": b"\xfe\x80".ljust(16, b"\0")}
    router = abi.struct("sockaddr_in6").build(**sockaddr)
    return abi.struct("in6_prefix").build(prefix=sockaddr, prefixlen=64, advrtrs=2, if_index=1) + router * 2


_NODES: Final[dict[tuple[int, ...], tuple[tuple[int, bytes, CTLTYPE, int], ...]]] = {
    (): ((1, b"kern", CTLTYPE.NODE, 0), (4, b"net", CTLTYPE.NODE, 0), (6, b"hw", CTLTYPE.NODE, 0)),
    (1,): (
        (1, b"ostype", CTLTYPE.STRING, 7),
        (2, b"osrelease", CTLTYPE.STRING, 7),
        (4, b"version", CTLTYPE.STRING, 0),
        (10, b"hostname", CTLTYPE.STRING, 0),
        (3, b"osrevision", CTLTYPE.INT, 4),
        (60, b"quad", CTLTYPE.QUAD, 8),
        (61, b"bool", CTLTYPE.BOOL, 1),
        (62, b"boottime", CTLTYPE.STRUCT, 16),
        (63, b"large", CTLTYPE.STRUCT, 20000),
    ),
    (4,): (),
    (6,): (
        (1, b"machine", CTLTYPE.STRING, 7),
        (4, b"byteorder", CTLTYPE.INT, 4),
        (7, b"pagesize", CTLTYPE.INT, 4),
        (15, b"alignbytes", CTLTYPE.INT, 4),
    ),
}


@lru_cache(maxsize=256)
def children(abi: Abi, mib: tuple[int, ...]) -> bytes:
    build = abi.struct("sysctlnode").build
    return b"".join(
        build(sysctl_flags=kind | 0x1000000 | 0x70, sysctl_num=number, sysctl_name=name, _sysctl_size=size)
        for number, name, kind, size in _NODES.get(mib, ())
    )


@lru_cache(maxsize=64)
def greedy_children(abi: Abi) -> bytes:
    """Many nodes, each of which is said to be large."""
    build = abi.struct("sysctlnode").build
    kind = CTLTYPE.STRUCT
    return b"".join(
        build(sysctl_flags=kind, sysctl_num=number, sysctl_name=b"large%d" % number, _sysctl_size=1 << 24 - number % 3)
        for number in range(60)
    )


class Model:
    """One process in the kernel. It is given what the client says, and asked step by step what to say."""

    def __init__(self, abi: Abi, chance: random.Random, lies: float, greedy: bool = False) -> None:
        """``greedy``: it claims much, says little, and has its client keep what it claims."""
        self.abi = abi
        self._greedy = greedy
        self._most_calls = _MOST_GREEDY_CALLS if greedy else _MOST_CALLS
        self.ended = False
        self.addresses: list[int] = []
        """Addresses that the client lent lately."""
        self._machine = frames.Server(abi.banner, abi.wire)
        self._chance = chance
        self._lies = lies
        self._ready: list[tuple[int, Call, Any]] = []
        self._waiting: dict[int, tuple[int, Call]] = {}
        self._said: list[bytes] = []
        self._calls = 0
        self._listed: dict[int, int] = {}
        self._paths: dict[int, bytes] = {}
        self._fd = 2
        self._question = b""

    def hear(self, data: bytes) -> None:
        """Take bytes of the client's."""
        self._machine.receive_data(data)
        try:
            while not self.ended and (event := self._machine.next_event()) is not frames.NEED_DATA:
                self._hear(event)
        except ProtocolError:
            self.ended = True  # of another wire than this kernel's

    def speak(self) -> list[bytes]:
        """The frames that come next; none when it is the client's turn."""
        while not self._said and self._ready:
            place = self._chance.randrange(len(self._ready)) if len(self._ready) > 1 else 0
            self._resume(*self._ready.pop(place))
        said, self._said = self._said, []
        return said

    def _hear(self, event: Any) -> None:
        match event:
            case frames.SyscallRequest():
                self._calls += 1
                if self._calls > self._most_calls:
                    self.ended = True
                    return
                self._ready.append((event.reqno, self._serve(event), None))
            case frames.HandshakeRequest():
                if event.kind == frames.HandshakeKind.EXEC:  # ends what is blocked
                    for reqno, _call in self._waiting.values():
                        self._said.append(self._machine.syscall_reply(reqno, 4))
                    self._waiting.clear()
                self._said.append(self._machine.handshake_reply(event.reqno, 0 if not self._lie() else 22))
            case frames.PreforkRequest():
                self._said.append(self._machine.prefork_reply(event.reqno, bytes(range(16))))
            case frames.CopyInReply() | frames.AnonMmapReply():
                waiting = self._waiting.pop(event.reqno, None)
                if waiting is not None:
                    self._ready.append((*waiting, event[1]))
            case frames.ConnectionClosed():
                self.ended = True

    def _resume(self, reqno: int, call: Call, told: Any) -> None:
        machine = self._machine
        try:
            what, *values = call.send(told)
        except StopIteration as end:
            error, first, second = (*end.value, 0, 0)[:3]
            if self._lie():
                error = self._chance.choice(_ERRNOS)
            self._said.append(machine.syscall_reply(reqno, error, self._register(first), self._register(second)))
            return
        except Exception:  # an answer to a question that was changed on its way
            self._said.append(machine.syscall_reply(reqno, EFAULT))
            return
        number = machine.next_reqno()
        match what:
            case "out":
                address, data = values
                say = machine.copyout if self._chance.random() < 0.9 else machine.copyoutstr
                if len(data) > 4096 and self._chance.random() < 0.5:  # as most file systems do
                    for at in range(0, len(data), 4096):
                        self._said.append(say(number, self._word(address + at), data[at : at + 4096]))
                else:
                    self._said.append(say(number, self._word(address), data))
            case "raise":
                self._said.append(machine.raise_signal(number, values[0]))
            case "in" | "str":
                ask = machine.copyin if what == "in" else machine.copyinstr
                self._said.append(ask(number, self._word(values[0]), self._word(values[1])))
            case "anon":
                self._said.append(machine.anonmmap(number, self._word(values[0])))
        if what in ("in", "str", "anon"):
            self._waiting[number] = (reqno, call)
        else:
            self._ready.append((reqno, call, None))

    # Lies

    def _lie(self) -> bool:
        return self._lies > 0 and self._chance.random() < self._lies

    def _data(self, data: bytes) -> bytes:
        return corrupted(data, self._chance) if self._lie() else data

    def _number(self, number: int) -> int:
        if not self._lie():
            return number
        return self._chance.choice((number + 1, number - 1, -number, number * 2, interesting(self._chance)))

    def _register(self, number: int) -> int:
        bits = 8 * self.abi.word_size
        number = self._number(number) & (1 << bits) - 1
        return number - (1 << bits) if number >> bits - 1 else number

    def _word(self, number: int) -> int:
        return number & (1 << 8 * self.abi.word_size) - 1

    # Calls

    def _serve(self, request: frames.SyscallRequest) -> Call:
        name = self.abi.syscall_name(request.number) or "nothing"
        try:
            arguments = list(self.abi.decode_arguments(name, request.args).values())
        except (KeyError, ValueError):
            return 78, 0, 0
        for argument in arguments:
            if argument >= _LOWEST:
                self.addresses = [*self.addresses[-7:], argument]
        handler = _HANDLERS.get(name)
        if handler is not None:
            return (yield from handler(self, *arguments))
        return (yield from self._any(arguments))

    def _any(self, arguments: list[int]) -> Call:
        """A call that this kernel does not know: it looks at what it is pointed to, and writes there."""
        for place, argument in enumerate(arguments):
            if not _LOWEST <= argument < 0x100000 or argument & 15:  # a session's first buffers are below
                continue
            if place == 0 or self._chance.random() < 0.3:
                yield "str", argument, 1024
            elif self._chance.random() < 0.5:
                yield "out", argument, self._chance.randbytes(self._chance.choice((1, 4, 4, 8)))
        if self._chance.random() < 0.05:
            yield "raise", 13
        return 0, self._chance.choice((0, 0, 0, 1, 4)), 0

    def _open(self, path: int, *_more: int) -> Call:
        name = yield "str", path, 1024
        if self._chance.random() < 0.05:
            return ENOENT, 0
        self._fd += 1
        self._paths[self._fd] = name
        return 0, self._fd

    def _close(self, _fd: int) -> Call:
        return 0, 0
        yield

    def _stat(self, path: int, buffer: int) -> Call:
        if path >= _LOWEST:
            yield "str", path, 1024
        mode = self._chance.choice((0o100644, 0o100644, 0o40755, 0o120777, 0o20600))
        size = self._chance.choice((0, 100, 5000, 5000, 3 << 20 if self._chance.random() < 0.1 else 10))
        size = 1 << 40 if self._greedy else abs(self._number(size)) & (1 << 63) - 1
        yield "out", buffer, self._data(stat(self.abi, mode, size))
        return 0, 0

    def _read(self, fd: int, buffer: int, length: int, *_offset: int) -> Call:
        times = self._listed[fd] = self._listed.get(fd, 0) + 1
        if self._greedy:
            yield "out", buffer, b"c"
            return 0, length
        if times > 1 and self._chance.random() < 0.7:
            return 0, 0
        count = min(length, self._chance.choice((0, 1, 100, 5000, length if length < 1 << 17 else 9000)))
        if self._lie():
            return 0, length
        yield "out", buffer, self._data(b"content\n" * (count // 8 + 1))[:count]
        return 0, count

    def _write(self, _fd: int, buffer: int, length: int, *_offset: int) -> Call:
        taken = 0
        while taken < length and taken < 1 << 16:
            piece = min(length - taken, self._chance.choice((4096, 65536)))
            packed = yield "in", buffer + taken, self._number(piece)
            if packed[2:4] == bytes((4, RTM.GET)):
                self._question = packed
            taken += piece
        return 0, length if self._chance.random() < 0.9 else taken // 2

    def _directory(self, fd: int, buffer: int, length: int) -> Call:
        times = self._listed[fd] = self._listed.get(fd, 0) + 1
        if self._greedy and times > 1:
            return 0, length
        if times > 1 and self._chance.random() < 0.9:
            return 0, 0
        entries = directory(self.abi, self._paths.get(fd, b"").count(b"/") < 3)
        if self._greedy:
            entries *= length // len(entries)
        yield "out", buffer, self._data(entries)[:length]
        return 0, min(len(entries), length)

    def _path_into(self, path: int, buffer: int, _length: int) -> Call:
        yield "str", path, 1024
        if self._chance.random() < 0.7:
            return 22, 0
        target = self._data(self._chance.choice((b"hosts", b"/etc", b"../x/./y")))
        yield "out", buffer, target
        return 0, len(target)

    def _cwd(self, buffer: int, _length: int) -> Call:
        yield "out", buffer, self._data(b"/somewhere\0")
        return 0, 11

    def _mounted(self, buffer: int, size: int, _flags: int) -> Call:
        if buffer:
            entry = statvfs(self.abi, b"tmpfs")
            yield "out", buffer, self._data(entry + entry)[:size]
        return 0, 2

    def _statvfs(self, path: int, buffer: int, _flags: int) -> Call:
        if path >= _LOWEST:
            yield "str", path, 1024
        yield "out", buffer, self._data(statvfs(self.abi, b"rumpfs"))
        return 0, 0

    def _ioctl(self, _fd: int, code: int, argument: int) -> Call:
        size = code >> 16 & 0x1FFF
        data = b""
        if code & 0x80000000 and argument >= _LOWEST:
            data = yield "in", argument, size
        if code & 0x40000000 and argument >= _LOWEST:
            yield "out", argument, self._data(data.ljust(size, b"\0")[:size])
        if self._chance.random() < 0.05:
            yield "anon", self._chance.choice((1, 4096, 65536))
        return 0, 0

    def _sysctl(self, mib: int, parts: int, old: int, old_length: int, new: int, new_length: int) -> Call:
        abi = self.abi
        packed = yield "in", mib, 4 * parts
        number = tuple(abi.read_integer("int", packed[at : at + 4]) for at in range(0, len(packed), 4))
        room = 0
        if old_length >= _LOWEST:
            packed = yield "in", old_length, abi.word_size
            room = abi.read_integer("size_t", packed)
        if new >= _LOWEST:
            yield "in", new, new_length
        if self._greedy and number[-1:] != (CTL.QUERY,):
            size = room or 1 << 24
            yield "out", old_length, abi.integer("size_t", size)
            return 0, 0
        data = self._data(self._sysctl_value(number))
        if self._greedy and number[:-1]:
            data = greedy_children(abi)
        size = self._number(len(data)) & (1 << 8 * abi.word_size) - 1
        if old >= _LOWEST and not (len(data) > room and self._chance.random() < 0.9):
            yield "out", old, data
        if old_length >= _LOWEST:
            yield "out", old_length, abi.integer("size_t", size)
        return 12 if len(data) > room and old >= _LOWEST else 0, 0

    def _sysctl_value(self, number: tuple[int, ...]) -> bytes:
        abi = self.abi
        if number[-1:] == (CTL.QUERY,):
            return children(abi, number[:-1])
        if number[-1:] == (CTL.DESCRIBE,):
            text = b"What it is\0"
            return abi.struct("sysctldesc_head").build(descr_num=1, descr_len=len(text)) + text
        if number[:2] == (CTL.NET, AF.ROUTE):
            return routes(abi) if number[4:5] in ((1,), (2,)) else interfaces(abi)
        if number[:3] == (CTL.NET, AF.INET6, 58):
            return prefixes(abi)
        if number == (6, 4):
            return abi.integer("int", 1234 if abi.byteorder == "little" else 4321)
        for last, _name, kind, size in _NODES.get(number[:-1], ()):
            if last == number[-1]:
                return b"NetBSD\0" if kind == CTLTYPE.STRING else abi.integer("int", 7).ljust(size, b"\0")[:size]
        return abi.integer("int", 7)

    def _vectored(self, _fd: int, vector: int, count: int, *_offset: int) -> Call:
        abi, layout = self.abi, self.abi.struct("iovec")
        packed = yield "in", vector, layout.size * count
        done = 0
        for at in range(0, len(packed) // layout.size * layout.size, layout.size):
            found = layout.parse(packed, at)
            if found.iov_len > 1 << 20:
                continue
            yield "out", found.iov_base & (1 << 8 * abi.word_size) - 1, self._data(bytes(found.iov_len))
            done += found.iov_len
        return 0, done

    # Sockets

    def _socket(self, *_arguments: int) -> Call:
        self._fd += 1
        return 0, self._fd
        yield

    def _sockaddr(self) -> bytes:
        head = b"\x10\2" if self._chance.random() < 0.8 else b"\x10\1"
        return self._data(head + bytes((0, 80, 127, 0, 0, 1)) + bytes(8))

    def _named(self, fd: int, name: int, length: int, *_flags: int) -> Call:
        if name >= _LOWEST:
            yield "out", name, self._sockaddr()
        if length >= _LOWEST:
            yield "in", length, 4
            yield "out", length, self.abi.integer("uint32", self._number(16) & 0xFFFFFFFF)
        self._fd += 1
        return 0, self._fd

    def _option(self, fd: int, _level: int, _option: int, value: int, length: int) -> Call:
        yield "out", value, self.abi.integer("int", self._number(1) & 0x7FFFFFFF)
        yield from self._named(fd, 0, 0)
        yield "out", length, self.abi.integer("uint32", self._number(4) & 0xFFFFFFFF)
        return 0, 0

    def _received(self, fd: int, buffer: int, length: int, _flags: int, name: int, name_length: int) -> Call:
        content = self._question or b"m" * 40  # a routing socket's question is an answer of its form
        count = min(length, len(content))
        yield "out", buffer, self._data(content[:count])
        yield from self._named(fd, name, name_length)
        return 0, count

    def _sent(self, _fd: int, buffer: int, length: int, *_more: int) -> Call:
        yield "in", buffer, length
        return 0, length

    def _message(self, fd: int, message: int, _flags: int) -> Call:
        abi, layout = self.abi, self.abi.struct("msghdr")
        packed = yield "in", message, layout.size
        if len(packed) != layout.size:
            return 14, 0
        found = layout.parse(packed)
        found.msg_controllen = found.msg_namelen = 0
        if self._chance.random() < 0.3 and found.msg_control:
            head = abi.struct("cmsghdr")
            start = head.size + -head.size % 8
            yield (
                "out",
                found.msg_control,
                self._data(head.build(cmsg_len=start + 4, cmsg_level=0xFFFF).ljust(24, b"\0")),
            )
            found.msg_controllen = self._number(24) & 0xFFFF
        end = yield from self._vectored(fd, found.msg_iov, 1)
        start, size = layout.offset_of("msg_controllen"), 4
        packed = bytearray(packed)
        packed[start : start + size] = abi.integer("uint32", found.msg_controllen)
        start = layout.offset_of("msg_namelen")
        packed[start : start + size] = abi.integer("uint32", found.msg_namelen)
        yield "out", message, self._data(bytes(packed))
        return end

    def _message_sent(self, _fd: int, message: int, _flags: int) -> Call:
        layout = self.abi.struct("msghdr")
        packed = yield "in", message, layout.size
        found = layout.parse(packed) if len(packed) == layout.size else None
        vectors = self.abi.struct("iovec")
        packed = (yield "in", found.msg_iov, vectors.size) if found is not None else b""
        return 0, vectors.parse(packed).iov_len if len(packed) == vectors.size else 0

    def _poll(self, fds: int, count: int, *_timeout: int) -> Call:
        packed = yield "in", fds, 8 * count
        yield "out", fds, self._data(packed[:-2] + b"\1\1" if packed else b"")
        return 0, count

    def _ends(self, *arguments: int) -> Call:
        yield "out", arguments[-1], self._data(self.abi.integers("int", 5, 6))
        return 0, 5, 6

    def _modules(self, command: int, argument: int) -> Call:
        abi, layout = self.abi, self.abi.struct("iovec")
        if command != 2:
            return 0, 0
        found = layout.parse((yield "in", argument, layout.size))
        entry = abi.struct("modstat_t").build()
        data = self._data(abi.integer("int", 2) + entry + entry)[: min(found.iov_len, 1 << 16)]
        yield "out", found.iov_base & (1 << 8 * abi.word_size) - 1, data
        return 0, 0


_HANDLERS: Final[dict[str, Callable[..., Call]]] = {
    "__fstat50": Model._stat,
    "__getcwd": Model._cwd,
    "__getdents30": Model._directory,
    "__lstat50": Model._stat,
    "__stat50": Model._stat,
    "__socket30": Model._socket,
    "__sysctl": Model._sysctl,
    "accept": Model._named,
    "close": Model._close,
    "fstatvfs1": Model._statvfs,
    "getpeername": Model._named,
    "getsockname": Model._named,
    "getsockopt": Model._option,
    "getvfsstat": Model._mounted,
    "ioctl": Model._ioctl,
    "modctl": Model._modules,
    "open": Model._open,
    "paccept": Model._named,
    "poll": Model._poll,
    "pread": Model._read,
    "preadv": Model._vectored,
    "pwrite": Model._write,
    "read": Model._read,
    "readlink": Model._path_into,
    "readv": Model._vectored,
    "recvfrom": Model._received,
    "recvmsg": Model._message,
    "sendmsg": Model._message_sent,
    "sendto": Model._sent,
    "socketpair": Model._ends,
    "statvfs1": Model._statvfs,
    "write": Model._write,
}
