# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's sockets in the shape of Python's ``socket``."""

from __future__ import annotations

import errno
import http.client
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, KernelError, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.sockets import Socket, SocketTimeout
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import (
    AF,
    POLL,
    RTM,
    SO,
    SOCK,
    SOL,
)
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, COMPONENTS, running

LOOPBACK = "127.0.0.1"


@pytest.fixture(params=BACKENDS)
def local(request: pytest.FixtureRequest, tmp_path: Path, record_property) -> Iterator[Kernel]:  # type: ignore[no-untyped-def]
    """A kernel with sockets of AF_UNIX."""
    with running(request.param, tmp_path, components=[*COMPONENTS, "rumpnet_local"]) as server:
        record_property("backend", server.description)
        with connect(server.url, timeout=20) as kernel:
            yield kernel


def pair(kernel: Kernel, host: str = LOOPBACK) -> tuple[Socket, Socket]:
    """The two ends of a TCP connection."""
    with kernel.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        client = kernel.create_connection(listener.getsockname()[:2], timeout=10)
        server, address = listener.accept()
    assert address == client.getsockname()
    assert server.getpeername() == client.getsockname()
    assert client.getpeername() == server.getsockname()
    server.settimeout(10)
    return client, server


@pytest.mark.parametrize("host", [LOOPBACK, "::1"])
def test_a_connection(kernel: Kernel, host: str) -> None:
    client, server = pair(kernel, host)
    with client, server:
        assert client.send(b"question") == 8
        assert server.recv(100) == b"question"
        server.sendall(b"answer")
        buffer = bytearray(10)
        assert client.recv_into(buffer) == 6
        assert buffer[:6] == b"answer"
        client.sendall(b"peek")
        assert server.recv(2, socket.MSG_PEEK) == b"pe"
        assert server.recv(100) == b"peek"
        client.shutdown(socket.SHUT_WR)
        assert server.recv(1) == b""
        server.sendall(b"still")
        assert client.recv(100) == b"still"
    assert client.fileno() == -1
    with pytest.raises(OSError, match="EBADF"):
        client.send(b"x")


def test_much_data_between_two_sessions(kernel: Kernel) -> None:
    content = bytes(range(256)) * 8192
    received = bytearray()
    with kernel.create_server((LOOPBACK, 0)) as listener:

        def send() -> None:
            with connect(kernel.url) as other, other.create_connection(listener_name, timeout=30) as stream:
                stream.sendall(content)

        listener_name = listener.getsockname()
        sender = threading.Thread(target=send)
        sender.start()
        stream, _address = listener.accept()
        stream.settimeout(30)
        with stream:
            while piece := stream.recv(1 << 16):
                received += piece
        sender.join()
    assert received == content


def test_nobody_listens(kernel: Kernel) -> None:
    with pytest.raises(ConnectionRefusedError):
        kernel.create_connection((LOOPBACK, 9), timeout=5)
    with kernel.socket() as stream:
        assert stream.connect_ex((LOOPBACK, 9)) == errno.ECONNREFUSED


def test_nobody_is_left(kernel: Kernel) -> None:
    client, server = pair(kernel)
    server.close()
    with client, pytest.raises((BrokenPipeError, ConnectionResetError)):  # noqa: PT012
        for _try in range(20):
            client.sendall(b"anybody?")
            time.sleep(0.05)
    assert kernel.getpid()


def test_the_other_side_goes_in_the_middle(kernel: Kernel) -> None:
    """A sender that waits for room is told, and does not wait on."""
    client, server = pair(kernel)
    with server:
        server.settimeout(0)
        with pytest.raises(BlockingIOError):  # noqa: PT012
            while True:
                server.send(bytes(1 << 14))
        assert client.recv(10) == bytes(10)
        client.close()
        server.settimeout(10)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):  # noqa: PT012
            while True:
                server.send(bytes(1 << 14))


def test_time_limits(kernel: Kernel) -> None:
    client, server = pair(kernel)
    client.settimeout(0.2)
    start = time.monotonic()
    with pytest.raises(SocketTimeout, match="recv timed out"):
        client.recv(1)
    assert 0.2 <= time.monotonic() - start < 5
    with pytest.raises(TimeoutError):
        client.sendall(bytes(4 << 20))
    client.setblocking(False)
    assert not client.getblocking()
    with pytest.raises(BlockingIOError):
        client.recv(1)
    with kernel.create_server((LOOPBACK, 0)) as listener:
        listener.settimeout(0.1)
        with pytest.raises(TimeoutError):
            listener.accept()
    with pytest.raises(ValueError, match="not negative"):
        server.settimeout(-1)


def test_a_wait_may_be_longer_than_a_call(server) -> None:  # type: ignore[no-untyped-def]
    with connect(server.url, timeout=0.5) as kernel:
        client, peer = pair(kernel)

        def answer() -> None:
            time.sleep(1.5)
            with connect(server.url) as other, other.socket(type=socket.SOCK_DGRAM) as sender:
                sender.sendto(b"late", receiver_name)

        with kernel.socket(type=socket.SOCK_DGRAM) as receiver:
            receiver.bind((LOOPBACK, 0))
            receiver_name = receiver.getsockname()
            sender = threading.Thread(target=answer)
            sender.start()
            assert receiver.recv(100) == b"late"
            sender.join()
        client.close()
        peer.close()


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, LOOPBACK), (socket.AF_INET6, "::1")])
def test_datagrams(kernel: Kernel, family: int, host: str) -> None:
    with kernel.socket(family, socket.SOCK_DGRAM) as one, kernel.socket(family, socket.SOCK_DGRAM) as other:
        assert (one.family, one.type) == (family, socket.SOCK_DGRAM)
        one.bind((host, 0))
        other.bind((host, 0))
        name = one.getsockname()
        assert len(name) == (2 if family == socket.AF_INET else 4)
        assert other.sendto(b"first", name) == 5
        assert other.sendto(b"second", 0, name) == 6
        assert other.sendmsg([b"th", b"ird"], [], 0, name) == 5
        assert one.recvfrom(100) == (b"first", other.getsockname())
        assert one.recvmsg(3) == (b"sec", [], socket.MSG_TRUNC, other.getsockname())
        one.connect(other.getsockname())
        assert one.recv(100) == b"third"
        assert one.getpeername() == other.getsockname()
        one.send(b"back")
        buffer = bytearray(10)
        assert other.recvfrom_into(buffer) == (4, name)
        with pytest.raises(KernelError, match="EMSGSIZE"):
            other.sendto(bytes(70_000), name)


def test_options(kernel: Kernel) -> None:
    with kernel.socket() as stream:
        for level, option in (
            (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
            (socket.SOL_SOCKET, socket.SO_REUSEADDR),
            (SOL.SOCKET, SO.REUSEPORT),
            (socket.IPPROTO_TCP, socket.TCP_NODELAY),
        ):
            assert not stream.getsockopt(level, option)
            stream.setsockopt(level, option, 1)
            assert stream.getsockopt(level, option)
        stream.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 33)
        assert stream.getsockopt(socket.IPPROTO_IP, socket.IP_TTL) == 33
        assert stream.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM
        assert stream.getsockopt(SOL.SOCKET, SO.NOSIGPIPE)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 50_000)
        assert stream.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 50_000
        linger = kernel.abi.integers("int", 1, 5)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        assert stream.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8) == linger
        with pytest.raises(ValueError, match="NetBSD has no socket option"):
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 1)
        with pytest.raises(KernelError, match="ENOPROTOOPT"):
            stream.getsockopt(SOL.SOCKET, SO.NOHEADER)
        with pytest.raises(ValueError, match="NetBSD has no flags"):
            stream.recv(1, socket.MSG_ERRQUEUE)
    with kernel.socket(socket.AF_INET6) as stream:
        stream.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        assert stream.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
        stream.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 9)
        assert stream.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS) == 9


def test_addresses_that_are_none(kernel: Kernel) -> None:
    with kernel.socket() as stream:
        for address, error in (
            (("localhost", 80), ValueError),
            ((LOOPBACK, 70_000), ValueError),
            ((LOOPBACK,), ValueError),
            (LOOPBACK, TypeError),
        ):
            with pytest.raises(error):
                stream.connect(address)  # type: ignore[arg-type]
        with pytest.raises(KernelError, match=r"bind \('192.0.2.1', 80\): EADDRNOTAVAIL"):
            stream.bind(("192.0.2.1", 80))
        stream.bind(("", 0))
        assert stream.getsockname()[0] == "0.0.0.0"
    with kernel.socket(socket.AF_INET6, socket.SOCK_DGRAM) as datagrams:
        index = kernel.if_nametoindex("lo0")
        datagrams.bind(("fe80::1%lo0", 0))
        host, _port, flow, scope = datagrams.getsockname()
        assert (host, flow, scope) == ("fe80::1", 0, index)
        with pytest.raises(OSError, match="if_nametoindex nosuch0: ENXIO"):
            datagrams.connect(("fe80::1%nosuch0", 5))
    with pytest.raises(ValueError, match="is no address family"):
        kernel.socket(1234)
    with pytest.raises(KernelError, match=r"EPROTONOSUPPORT|EPROTOTYPE"):
        kernel.socket(type=socket.SOCK_SEQPACKET)


def test_files_of_a_socket(kernel: Kernel) -> None:
    client, server = pair(kernel)
    stream = client.makefile("rw", newline="\n")
    with server.makefile("rwb") as other:
        client.close()
        print("Größe", file=stream, flush=True)
        assert other.readline() == "Größe\n".encode()
        other.write(b"one\ntwo\n")
        other.flush()
        assert [stream.readline(), stream.readline()] == ["one\n", "two\n"]
    assert client.fileno() >= 0
    stream.close()
    assert client.fileno() == -1
    assert server.recv(1) == b""
    server.close()
    with pytest.raises(ValueError, match="is no mode"):
        server.makefile("a")


def test_python_speaks_http_over_it(kernel: Kernel) -> None:
    def serve() -> None:
        with connect(kernel.url) as other, other.create_server((LOOPBACK, 0)) as listener:
            listening.append(listener.getsockname())
            ready.set()
            stream, _address = listener.accept()
            with stream, stream.makefile("rwb") as file:
                while file.readline().strip():
                    pass
                file.write(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")

    listening: list[tuple[str, int]] = []
    ready = threading.Event()
    thread = threading.Thread(target=serve)
    thread.start()
    assert ready.wait(10)
    connection = http.client.HTTPConnection(*listening[0])
    connection.sock = kernel.create_connection(listening[0], timeout=10)
    connection.request("GET", "/")
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, b"hello")
    thread.join()
    connection.close()


def test_poll(kernel: Kernel) -> None:
    client, server = pair(kernel)
    poll = kernel.poll()
    poll.register(server, select.POLLIN)
    poll.register(client.fileno(), POLL.IN | POLL.OUT)
    assert poll.poll(0) == [(client.fileno(), POLL.OUT)]
    poll.modify(client, POLL.IN)
    start = time.monotonic()
    assert poll.poll(100) == []
    assert time.monotonic() - start >= 0.1
    client.send(b"x")
    assert poll.poll(5000) == [(server.fileno(), POLL.IN)]
    poll.unregister(server)
    with pytest.raises(KeyError):
        poll.unregister(server)
    poll.register(99, POLL.IN)
    assert poll.poll(0) == [(99, POLL.NVAL)]
    descriptor = client.detach()
    assert client.fileno() == -1
    kernel.close(descriptor)


def test_sockets_in_the_file_system(local: Kernel) -> None:
    with local.socket(socket.AF_UNIX) as listener:
        listener.bind("/socket")
        listener.listen()
        assert listener.getsockname() == "/socket"
        with local.socket(socket.AF_UNIX) as client:
            client.connect("/socket")
            server, address = listener.accept()
            assert address == ""
            assert client.getpeername() == "/socket"
            client.sendall(b"hello")
            assert server.recv(10) == b"hello"
            server.close()
    with local.socket(socket.AF_UNIX) as client:
        with pytest.raises(ConnectionRefusedError):
            client.connect("/socket")
        with pytest.raises(FileNotFoundError):
            client.connect("/nosuch")
        with pytest.raises(ValueError, match="1 to 103 bytes"):
            client.connect("x" * 104)


def test_descriptors_are_handed_over(local: Kernel) -> None:
    one, other = local.socketpair()
    local.write_file("/file", b"content")
    fd = local.open("/file", 0)
    rights = local.abi.integers("int", fd)
    assert one.sendmsg([b"here"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)]) == 4
    data, ancillary, flags, address = other.recvmsg(100, 100)
    ((level, kind, value),) = ancillary
    assert (data, level, kind, flags, address) == (b"here", socket.SOL_SOCKET, socket.SCM_RIGHTS, 0, None)
    given = local.abi.read_integer("int", value)
    assert given != fd
    assert local.read(given, 100) == b"content"


def test_routing_sockets(kernel: Kernel) -> None:
    with kernel.socket(AF.ROUTE, SOCK.RAW) as routes:
        routes.settimeout(10)
        kernel.interfaces.create("shmif0")
        message = routes.recv(2048)
        length, version, kind = struct.unpack_from("<HBB" if kernel.abi.byteorder == "little" else ">HBB", message)
        assert length == len(message)
        assert version == RTM.VERSION
        assert kind


def test_ioctls_on_a_socket(kernel: Kernel) -> None:
    layout = kernel.abi.struct("ifreq")
    with kernel.socket(type=socket.SOCK_DGRAM) as datagrams:
        request = layout.build(ifr_name=b"lo0")
        answer = kernel.ioctl(datagrams.fileno(), "SIOCGIFMTU", request)
        assert isinstance(answer, bytes)
        mtu = layout.parse(answer).ifr_ifru.ifru_mtu
        assert mtu == kernel.interfaces.get("lo0").mtu  # type: ignore[union-attr]
        buffer = bytearray(request)
        assert kernel.ioctl(datagrams.fileno(), kernel.abi.ioctl("SIOCGIFMTU"), buffer) == 0
        assert layout.parse(buffer).ifr_ifru.ifru_mtu == mtu
        with pytest.raises(OSError, match="SIOCGIFMTU"):
            kernel.ioctl(datagrams.fileno(), "SIOCGIFMTU", layout.build(ifr_name=b"nosuch0"))
        for argument in (b"", bytearray(10), 5):
            with pytest.raises(ValueError, match="takes a structure of 144 bytes"):
                kernel.ioctl(datagrams.fileno(), "SIOCGIFMTU", argument)
        with pytest.raises(KeyError):
            kernel.ioctl(datagrams.fileno(), "SIOCNOSUCH")
