# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The façade's sockets and polls: addresses and structures of every ABI, and servers that lie."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.errors import ProtocolError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel import Kernel
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.addresses import (
    LinkAddress,
    family_of,
    host_family,
    pack,
    unpack,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.ancillary import Ancillary
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.socket_options import (
    native_flags,
    native_option,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.sockets import Socket, SocketTimeout
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi, Errno
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import (
    AF,
    IP,
    IPPROTO,
    IPV6,
    MSG,
    POLL,
    SO,
    SOCK,
    SOL,
)
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import ALL_ABIS, AMD64, I386, abi_name
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.scripted_server import Answer, Called, serving

every_abi = pytest.mark.parametrize("abi", ALL_ABIS, ids=abi_name)
NAME4: Final = bytes([16, 2]) + (80).to_bytes(2, "big") + bytes([192, 0, 2, 1]) + bytes(8)
SOCKET: Final = (0, 5, 0)


def no_scope(_name: str) -> int:
    raise AssertionError


def out(**pointers: bytes) -> Answer:
    """Success with 0, after writing to where the arguments point."""

    def answer(called: Called) -> tuple[int, int, int]:
        for argument, data in pointers.items():
            called.write(argument, data)
        return 0, 0, 0

    return answer


# Addresses


@every_abi
def test_internet_addresses(abi: Abi) -> None:
    assert pack(abi, AF.INET, ("192.0.2.1", 80), no_scope) == NAME4
    assert unpack(abi, NAME4) == ("192.0.2.1", 80)
    assert pack(abi, AF.INET, ("", 0), no_scope)[4:8] == bytes(4)
    assert pack(abi, AF.INET, ("<broadcast>", 0), no_scope)[4:8] == b"\xff" * 4
    full = pack(abi, AF.INET6, ("2001:db8::1", 8080, 0x12345, 7), no_scope)
    assert full[:8] == bytes([28, 24]) + (8080).to_bytes(2, "big") + (0x12345).to_bytes(4, "big")
    assert full[24:] == abi.integer("uint32", 7)
    assert unpack(abi, full) == ("2001:db8::1", 8080, 0x12345, 7)
    assert unpack(abi, pack(abi, AF.INET6, ("fe80::1%lo0", 1), lambda name: {"lo0": 3}[name])) == ("fe80::1", 1, 0, 3)
    assert unpack(abi, pack(abi, AF.INET6, ("fe80::1%9", 1, 0), no_scope)) == ("fe80::1", 1, 0, 9)


@every_abi
def test_other_addresses(abi: Abi) -> None:
    assert pack(abi, AF.LOCAL, "/s", no_scope) == bytes([5, 1]) + b"/s\0"
    assert unpack(abi, bytes([16, 1]) + b"/s" + bytes(12)) == "/s"
    assert unpack(abi, bytes([2, 1])) == ""
    link = bytes([20, 18]) + abi.integer("uint16", 3) + bytes([6, 6, 6, 0]) + b"shmif0" + b"\2\0\0\0\0\1"
    assert unpack(abi, link) == LinkAddress("shmif0", 3, 6, b"\2\0\0\0\0\1")
    assert unpack(abi, bytes([4, 99, 1, 2])) == (99, b"\1\2")
    assert unpack(abi, b"") is None
    assert pack(abi, AF.ROUTE, b"ab", no_scope) == bytes([4, 34]) + b"ab"


@pytest.mark.parametrize(
    "data", [bytes([16, 2, 0]), bytes([28, 24]) + bytes(20), bytes([20, 18]), bytes([8, 18, 0, 0, 0, 200, 200, 0])]
)
def test_addresses_that_are_cut_off(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"needs|at least|cut off"):
        unpack(AMD64, data)


@pytest.mark.parametrize(
    ("family", "address", "error"),
    [
        (AF.INET, ("host", 1), ValueError),
        (AF.INET, ("192.0.2.1", -1), ValueError),
        (AF.INET, ("192.0.2.1", "http"), ValueError),
        (AF.INET, ("192.0.2.1", 1, 2), ValueError),
        (AF.INET, None, TypeError),
        (AF.INET6, ("::1", 1, -1), ValueError),
        (AF.INET6, ("::1", 1, 0, 1 << 32), ValueError),
        (AF.LOCAL, "", ValueError),
        (AF.LOCAL, "a\0b", ValueError),
        (AF.LOCAL, 5, TypeError),
        (AF.ROUTE, ("x",), TypeError),
    ],
)
def test_addresses_that_are_none(family: AF, address: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        pack(AMD64, family, address, no_scope)


def test_families() -> None:
    assert [family_of(each) for each in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, AF.ROUTE)] == [
        *(AF.INET, AF.INET6, AF.LOCAL, AF.ROUTE),
    ]
    assert [host_family(each) for each in (AF.INET6, AF.ROUTE)] == [socket.AF_INET6, AF.ROUTE]


# Options and flags


def test_options_have_netbsds_numbers() -> None:
    assert native_option(socket.SOL_SOCKET, socket.SO_REUSEADDR) == (0xFFFF, 4)
    assert native_option(SOL.SOCKET, SO.NOSIGPIPE) == (0xFFFF, 0x800)
    assert native_option(socket.IPPROTO_IP, socket.IP_TTL) == (IPPROTO.IP, IP.TTL)
    assert native_option(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS) == (IPPROTO.IPV6, IPV6.UNICAST_HOPS)
    assert native_option(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == (41, 27)
    assert native_option(socket.IPPROTO_TCP, socket.TCP_NODELAY) == (6, 1)
    assert native_option(58, 18) == (58, 18)
    with pytest.raises(ValueError, match="no socket option"):
        native_option(socket.SOL_SOCKET, 12345)


def test_flags_have_netbsds_numbers() -> None:
    assert native_flags(0) == 0
    assert native_flags(socket.MSG_DONTWAIT | socket.MSG_PEEK) == 0x80 | 0x2
    assert native_flags(MSG.NOSIGNAL) == 0x400
    with pytest.raises(ValueError, match="no flags"):
        native_flags(1 << 30)


# Calls


@every_abi
def test_a_connection_is_accepted(tmp_path: Path, abi: Abi) -> None:
    def accept(called: Called) -> tuple[int, int, int]:
        assert called.read("anamelen", 4) == abi.integer("uint32", 255)
        assert called["flags"] == SOCK.NONBLOCK | SOCK.NOSIGPIPE
        called.write("name", NAME4)
        called.write("anamelen", abi.integer("uint32", 16))
        return 0, 6, 0

    with serving(tmp_path, {"__socket30": SOCKET, "paccept": accept, "close": 0}, abi=abi) as server:
        with server.kernel.socket() as listener:
            stream, address = listener.accept()
            assert (stream.fileno(), address) == (6, ("192.0.2.1", 80))
        assert server.calls[0][1]["type"] == SOCK.STREAM | SOCK.NONBLOCK | SOCK.NOSIGPIPE


def test_releases_without_nosigpipe(tmp_path: Path) -> None:
    abi = Abi(8, 8, "little", release=(6, 1))
    with serving(tmp_path, {"__socket30": SOCKET}, abi=abi) as server:
        server.kernel.socket()
        assert server.calls[0][1]["type"] == SOCK.STREAM | SOCK.NONBLOCK


@every_abi
def test_a_wait_is_a_poll(tmp_path: Path, abi: Abi) -> None:
    received = [Errno.EAGAIN, (0, 3, 0)]

    def poll(called: Called) -> tuple[int, int, int]:
        layout = abi.struct("pollfd")
        asked = layout.parse(called.read("fds", 8))
        assert (asked.fd, asked.events, called["timeout"]) == (5, POLL.IN, 5000)
        called.write("fds", layout.build(fd=5, events=POLL.IN, revents=POLL.IN | POLL.HUP))
        return 0, 1, 0

    def recvfrom(called: Called) -> Any:
        if len(received) == 1:
            called.write("buf", b"abc")
        return received.pop(0)

    with serving(tmp_path, {"__socket30": SOCKET, "recvfrom": recvfrom, "poll": poll}, abi=abi) as server:
        assert server.kernel.socket().recv(10) == b"abc"
        assert server.names() == ["__socket30", "recvfrom", "poll", "recvfrom"]


def test_a_wait_that_ends(tmp_path: Path) -> None:
    with serving(tmp_path, {"__socket30": SOCKET, "recvfrom": Errno.EAGAIN, "poll": (0, 0, 0)}) as server:
        stream = server.kernel.socket()
        stream.settimeout(0.05)
        with pytest.raises(SocketTimeout, match="recv timed out"):
            stream.recv(1)
        stream.settimeout(0)
        with pytest.raises(BlockingIOError):
            stream.recv(1)
        assert not server.kernel.session.closed


def test_a_wait_for_what_is_ready_and_has_nothing_ends(tmp_path: Path) -> None:
    def poll(called: Called) -> tuple[int, int, int]:
        asked = AMD64.struct("pollfd").parse(called.read("fds", 8))
        called.write("fds", AMD64.struct("pollfd").build(fd=5, events=asked.events, revents=asked.events))
        return 0, 1, 0

    answers = {"__socket30": SOCKET, "recvfrom": Errno.EAGAIN, "sendto": Errno.EAGAIN, "poll": poll}
    with serving(tmp_path, answers) as server:
        stream = server.kernel.socket()
        stream.settimeout(0.2)
        started = time.monotonic()
        with pytest.raises(SocketTimeout, match="recv timed out"):
            stream.recv(1)
        with pytest.raises(SocketTimeout, match="send timed out"):
            stream.sendall(b"abc")
        assert 0.3 < time.monotonic() - started < 10
        assert not server.kernel.session.closed


@pytest.mark.parametrize("error", [0, Errno.ECONNREFUSED])
def test_a_connection_that_takes_its_time(tmp_path: Path, error: int) -> None:
    answers: dict[str, Any] = {
        "__socket30": SOCKET,
        "connect": Errno.EINPROGRESS,
        "poll": lambda called: out(fds=struct.pack("<ihh", 5, 4, 4))(called) and (0, 1, 0),
        "getsockopt": out(val=struct.pack("<i", error), avalsize=struct.pack("<I", 4)),
    }
    with serving(tmp_path, answers) as server:
        stream = server.kernel.socket()
        if error:
            with pytest.raises(ConnectionRefusedError):
                stream.connect(("192.0.2.1", 80))
        else:
            stream.connect(("192.0.2.1", 80))


# Servers that lie


def short_address(called: Called) -> Any:
    called.write("asa", NAME4[:4])
    called.write("alen", struct.pack("<I", 4))
    return 0


def long_address(called: Called) -> Any:
    called.write("asa", NAME4 + bytes(239))
    called.write("alen", struct.pack("<I", 0xFFFFFFFF))
    return 0


def polled(kernel: Kernel) -> Any:
    poll = kernel.poll()
    poll.register(5)
    return poll.poll(0)


LIES: Final[dict[str, tuple[dict[str, Any], Callable[[Kernel], Any]]]] = {
    "more received than asked for": ({"recvfrom": (0, 11, 0)}, lambda k: k.socket().recv(10)),
    "less than nothing received": ({"recvfrom": (0, -1, 0)}, lambda k: k.socket().recv(10)),
    "more sent than there was": ({"sendto": (0, 4, 0)}, lambda k: k.socket().send(b"abc")),
    "nothing sent, for ever": ({"sendto": (0, 0, 0)}, lambda k: k.socket().sendall(b"abc")),
    "an address cut off": ({"getpeername": short_address}, lambda k: k.socket().getpeername()),
    "a descriptor below 0": ({"paccept": (0, -5, 0)}, lambda k: k.socket().accept()),
    "a socket below 0": ({"__socket30": (0, -1, 0)}, lambda k: k.socket()),
    "a pair below 0": ({"socketpair": out(rsv=b"\xff" * 8)}, lambda k: k.socketpair()),
    "one ready, and no event": ({"poll": (0, 1, 0)}, polled),
    "more ready than polled": ({"poll": (0, 2, 0)}, polled),
    "a pipe below 0": ({"pipe": (0, 3, -4)}, lambda k: k.pipe()),
    "more received in a message": ({"recvmsg": (0, 11, 0)}, lambda k: k.socket().recvmsg(10)),
}


@pytest.mark.parametrize("lie", LIES)
def test_lies_end_the_session(tmp_path: Path, lie: str) -> None:
    answers, action = LIES[lie]
    with serving(tmp_path, {"__socket30": SOCKET} | answers) as server:
        with pytest.raises(ProtocolError):
            action(server.kernel)
        assert server.kernel.session.closed


def test_a_length_that_is_too_large_is_cut(tmp_path: Path) -> None:
    answers: dict[str, Any] = {
        "__socket30": SOCKET,
        "getpeername": long_address,
        "getsockopt": out(val=b"abcd", avalsize=b"\xff" * 4),
    }
    with serving(tmp_path, answers) as server:
        stream = server.kernel.socket()
        assert stream.getpeername() == ("192.0.2.1", 80)
        assert stream.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 4) == b"abcd"


# Ancillary data


class Fake:
    """What Ancillary needs of a kernel."""

    def __init__(self, abi: Abi, alignbytes: int) -> None:
        self.abi = abi
        self.alignbytes = alignbytes

    def broken(self, what: str) -> ProtocolError:
        return ProtocolError(what)


@pytest.mark.parametrize(("abi", "mask", "start"), [(AMD64, 7, 16), (I386, 3, 12), (AMD64, 15, 16)])
def test_chains_of_ancillary_data(abi: Abi, mask: int, start: int) -> None:
    ancillary = Ancillary(Fake(abi, mask))  # type: ignore[arg-type]
    entries = [(socket.SOL_SOCKET, 1, b"1234"), (41, 46, bytes(20))]
    chain = ancillary.pack(entries)
    assert chain[:12] == abi.integers("int", start + 4, 0xFFFF, 1)
    assert ancillary.unpack(chain) == entries
    assert ancillary.unpack(b"") == []
    assert ancillary.unpack(chain[:5]) == []


@pytest.mark.parametrize("length", [0, 5, 11])
def test_a_chain_that_goes_round(length: int) -> None:
    ancillary = Ancillary(Fake(AMD64, 7))  # type: ignore[arg-type]
    with pytest.raises(ProtocolError, match=f"an entry of {length} bytes"):
        ancillary.unpack(struct.pack("<Iii", length, 1, 1) + bytes(20))


def test_an_entry_longer_than_the_chain() -> None:
    ancillary = Ancillary(Fake(AMD64, 7))  # type: ignore[arg-type]
    assert ancillary.unpack(struct.pack("<Iii", 0xFFFFFFFF, 1, 1) + bytes(20)) == [(1, 1, bytes(16))]


@every_abi
def test_messages_are_received(tmp_path: Path, abi: Abi) -> None:
    def recvmsg(called: Called) -> tuple[int, int, int]:
        layout, vector = abi.struct("msghdr"), abi.struct("iovec")
        message = layout.parse(called.read("msg", layout.size))
        assert (message.msg_iovlen, message.msg_namelen, message.msg_control) == (1, 255, 0)
        piece = vector.parse(called.peer.copyin(message.msg_iov, vector.size))
        assert piece.iov_len == 10
        called.peer.copyout(piece.iov_base, b"data")
        called.peer.copyout(message.msg_name, NAME4)
        message.msg_namelen, message.msg_flags, message.msg_controllen = 16, MSG.TRUNC, 0xFFFFFFFF
        members = {key: value for key, value in message.items() if not key.startswith("_")}
        called.write("msg", layout.build(**members))
        return 0, 4, 0

    with serving(tmp_path, {"__socket30": SOCKET, "recvmsg": recvmsg}, abi=abi) as server:
        stream: Socket = server.kernel.socket()
        assert stream.recvmsg(10) == (b"data", [], socket.MSG_TRUNC, ("192.0.2.1", 80))
