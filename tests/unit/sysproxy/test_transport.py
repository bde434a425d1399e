# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers' URLs, and what becomes of those that lead nowhere."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import RumpWarning, connect, ssh, transport
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.errors import (
    ConnectError,
    ConnectTimeout,
    InvalidURL,
    RumpError,
    ServerFull,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.notices import UnprotectedServer
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.transport import (
    Address,
    SshAddress,
    Tcp6Address,
    TcpAddress,
    UnixAddress,
    open_stream,
    parse_url,
)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("unix://csock", UnixAddress("csock")),
        ("unix://dir/csock", UnixAddress("dir/csock")),
        ("unix:///tmp/csock", UnixAddress("/tmp/csock")),
        ("unix:///tmp/a b:c://d", UnixAddress("/tmp/a b:c://d")),
        ("unix:///" + "x" * 106, UnixAddress("/" + "x" * 106)),
        ("tcp://1.2.3.4:12345", TcpAddress("1.2.3.4", 12345)),
        ("tcp://1.2.3.4:12345/", TcpAddress("1.2.3.4", 12345)),
        ("tcp://0:1", TcpAddress("0", 1)),
        ("tcp://kernel.example:65535", TcpAddress("kernel.example", 65535)),
        ("tcp://localhost:00080", TcpAddress("localhost", 80)),
        ("tcp6://[2001:db8::1]:12345", Tcp6Address("2001:db8::1", 12345)),
        ("tcp6://[::]:1/", Tcp6Address("::", 1)),
        ("tcp6://[fe80::1%eth0]:80", Tcp6Address("fe80::1%eth0", 80)),
        ("tcp6://kernel.example:80", Tcp6Address("kernel.example", 80)),
        ("ssh://host/run/rump/csock", SshAddress("host", None, None, UnixAddress("/run/rump/csock"))),
        ("ssh://root@host:2222/a b:c", SshAddress("host", "root", 2222, UnixAddress("/a b:c"))),
        ("ssh://me@corp@host/csock", SshAddress("host", "me@corp", None, UnixAddress("/csock"))),
        ("ssh://[2001:db8::1]:22/csock", SshAddress("2001:db8::1", None, 22, UnixAddress("/csock"))),
        ("ssh://u@host:22/tcp/10.0.0.5:12345", SshAddress("host", "u", 22, TcpAddress("10.0.0.5", 12345))),
        ("ssh://host/tcp/kernel.example:80/", SshAddress("host", None, None, TcpAddress("kernel.example", 80))),
        ("ssh://host/tcp/[fd00::5]:12345", SshAddress("host", None, None, Tcp6Address("fd00::5", 12345))),
        ("ssh://host/tcp/csock", SshAddress("host", None, None, UnixAddress("/tcp/csock"))),
    ],
)
def test_urls(url: str, address: Address) -> None:
    assert parse_url(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/tmp/csock",
        "unix",
        "unix:",
        "unix://",
        "unix:/tmp/csock",
        "unix:///tmp/a\0b",
        "unix://\0abstract",
        "UNIX:///tmp/csock",
        "tcp://",
        "tcp://1.2.3.4",
        "tcp://1.2.3.4:",
        "tcp://1.2.3.4:0",
        "tcp://1.2.3.4:65536",
        "tcp://1.2.3.4:99999999999",
        "tcp://1.2.3.4:" + "9" * 5000,
        "tcp://1.2.3.4:-1",
        "tcp://1.2.3.4:+1",
        "tcp://1.2.3.4: 1",
        "tcp://1.2.3.4:1_0",
        "tcp://1.2.3.4:\N{ARABIC-INDIC DIGIT ONE}",
        "tcp://1.2.3.4:\N{SUPERSCRIPT TWO}",
        "tcp://1.2.3.4:http",
        "tcp://:80",
        "tcp://[::1]:80",
        "tcp://::1:80",
        "tcp://1.2.3.4/x:80",
        "tcp://1.2.3.4:80/x",
        "tcp://1.2.3.4:80//",
        "tcp://a\0b:80",
        "tcp://a..b:80",
        "tcp://.example:80",
        "tcp://" + "x" * 64 + ":80",
        "tcp6://",
        "tcp6://[::1]",
        "tcp6://::1:80",
        "tcp6://[1.2.3.4]:80",
        "tcp6://[::1]:0",
        "tcp6://[::1:80",
        "tcp6://[]:80",
        "http://1.2.3.4:80",
        "ssh://",
        "ssh://host",
        "ssh://host/",
        "ssh:///tmp/csock",
        "ssh://-oProxyCommand=x/tmp/csock",
        "ssh://-l@host/tmp/csock",
        "ssh://@host/tmp/csock",
        "ssh://us er@host/tmp/csock",
        "ssh://user@ho$t/tmp/csock",
        "ssh://host:0/tmp/csock",
        "ssh://host:http/tmp/csock",
        "ssh://host:/tmp/csock",
        "ssh://host/tmp/%h",
        "ssh://host/tmp/${HOME}",
        "ssh://host/tmp/a\\b",
        "ssh://host/tmp/a\nb",
        "ssh://host/tmp/a\0b",
        "ssh://[::1/tmp/csock",
        "ssh://[1.2.3.4]/tmp/csock",
    ],
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(InvalidURL) as caught:
        parse_url(url)
    for form in (
        "unix://csock (relative)",
        "unix:///absolute/csock",
        "tcp://1.2.3.4:12345",
        "tcp6://[2001:db8::1]:12345",
        "ssh://user@host/absolute/csock",
        "ssh://user@host:22/tcp/10.0.0.5:12345",
    ):
        assert form in str(caught.value)
    with pytest.raises(InvalidURL):
        connect(url)
    assert issubclass(InvalidURL, RumpError)
    assert issubclass(InvalidURL, ValueError)


@pytest.mark.parametrize("path", ["/" + "x" * 107, "ü" * 54, "x" * 5000])
def test_paths_that_no_socket_can_have(path: str) -> None:
    with pytest.raises(InvalidURL, match="at most 107 bytes"):
        parse_url(f"unix://{path}")


@pytest.mark.parametrize(
    "url",
    [
        "unix://csock",
        "unix:///tmp/csock",
        "tcp://1.2.3.4:12345",
        "tcp6://[2001:db8::1]:12345",
        "tcp6://kernel.example:80",
        "ssh://host/run/csock",
        "ssh://root@[2001:db8::1]:22/run/csock",
        "ssh://host/tcp/10.0.0.5:12345",
        "ssh://host/tcp/[fd00::5]:12345",
    ],
)
def test_addresses_are_shown_as_urls(url: str) -> None:
    assert str(parse_url(url)) == url


def test_a_path_of_the_longest_size_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = "x" * 107
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        open_stream(parse_url(f"unix://{path}"), 5).close()


def test_a_missing_socket(tmp_path: Path) -> None:
    with pytest.raises(ConnectError, match="No such file") as caught:
        connect(f"unix://{tmp_path}/nowhere", connect_timeout=0.3)
    assert str(caught.value).startswith(f"{caught.value.brief} (ENOENT): no server has made this socket")
    assert caught.value.brief == f"unix://{tmp_path}/nowhere: No such file or directory"
    assert isinstance(caught.value, ConnectionError)
    assert "three slashes" not in str(caught.value)


def test_a_missing_socket_by_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConnectError) as caught:
        connect("unix://run/nowhere", connect_timeout=0.3)
    assert f"(that is {tmp_path}/run/nowhere; an absolute path has three slashes)" in str(caught.value)


def test_a_socket_that_this_user_may_not_connect_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")  # root may connect to any

    monkeypatch.setattr(transport, "_open_unix", refuse)
    with pytest.raises(ConnectError, match=r"denied \(EACCES\): .* mode and group of the socket and its folder"):
        connect("unix:///run/csock", connect_timeout=0.3)


def test_a_file_that_is_no_socket(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConnectError, match=r"refused \(ECONNREFUSED\): this is no socket"):
        connect(f"unix://{tmp_path}/file", connect_timeout=0.3)


def test_a_socket_that_nobody_listens_on(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "stale"))
    with pytest.raises(ConnectError, match=r"refused \(ECONNREFUSED\): nothing listens there; is the kernel running"):
        connect(f"unix://{tmp_path}/stale", connect_timeout=0.3)


def test_a_port_that_nobody_listens_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectError, match=f"tcp://127.0.0.1:{port}: .*refused .*: nothing listens there"):
        connect(f"tcp://127.0.0.1:{port}", connect_timeout=1)


# What ssh says


def told(tmp_path: Path, text: str) -> str:
    with (tmp_path / "said").open("w+b") as said:
        said.write(text.encode())
        said.flush()
        return ssh._said(said)


def test_only_whole_lines_of_what_ssh_says_are_told(tmp_path: Path) -> None:
    changed = "@" * 59 + "\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n" + "@" * 59 + "\n"
    changed += "".join(f"Line {number} of an explanation that is long.\n" for number in range(30))
    changed += (
        "Host key for example has changed and you have requested strict checking.\r\nHost key verification failed.\r\n"
    )
    said = told(tmp_path, changed)
    assert said.endswith(
        "; Host key for example has changed and you have requested strict checking.; Host key verification failed."
    )
    assert said.startswith("Line ")
    assert len(said) <= 600
    assert told(tmp_path, "x" * 5000 + "\nlast\n") == "last"
    assert told(tmp_path, "y" * 1000) == "y" * 600
    assert told(tmp_path, "\x1b[2Jhello\n") == r"\x1b[2Jhello"


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("Host key verification failed.", "ssh-keyscan"),
        ("Host key for example has changed; Host key verification failed.", ""),
        ("channel 1: open failed: connect failed: open failed", "/run/csock on example: is it there"),
        ("Permission denied (publickey).", ""),
    ],
)
def test_what_to_do_about_what_ssh_says(reason: str, advice: str) -> None:
    said = ssh._advice(SshAddress("example", None, None, UnixAddress("/run/csock")), reason)
    assert advice in said
    assert bool(said) == bool(advice)


def test_a_host_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*_arguments: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(ConnectError, match="Name or service not known"):
        connect("tcp://kernel.example:80", connect_timeout=1)


def test_a_name_that_nobody_answers_for(monkeypatch: pytest.MonkeyPatch) -> None:
    real, asked = socket.getaddrinfo, threading.Event()

    def getaddrinfo(*arguments: Any) -> Any:
        if arguments[-1] == socket.AI_NUMERICHOST:
            return real(*arguments)
        asked.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    started = time.monotonic()
    with pytest.raises(ConnectTimeout, match=r"no address of kernel\.example within 0\.2 s"):
        open_stream(TcpAddress("kernel.example", 12345), 0.2)
    assert time.monotonic() - started < 5
    asked.set()


def test_all_addresses_of_a_name_are_tried_within_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.create_server(("127.0.0.1", 0)) as server:
        places = [listener.getsockname() for listener in (full, full, server)]
        known = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", place) for place in places]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments: known)
        with contextlib.ExitStack() as stack:
            for _connection in range(3):  # a queue that is full answers nobody
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(full.getsockname())
            started = time.monotonic()
            with open_stream(TcpAddress("kernel.example", 12345), 1.0) as stream:
                assert stream.getpeername() == server.getsockname()
            assert 0.5 < time.monotonic() - started < 5


def test_tcp_streams_do_not_wait_to_send() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        open_stream(TcpAddress("127.0.0.1", listener.getsockname()[1]), 5) as stream,
    ):
        assert stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("family", ["unix", "tcp"])
def test_a_server_that_never_greets(family: str, tmp_path: Path) -> None:
    if family == "unix":
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "silent"))
        listener.listen()
        url = f"unix://{tmp_path}/silent"
    else:
        listener = socket.create_server(("127.0.0.1", 0))
        url = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    with listener:
        started = time.monotonic()
        with pytest.raises(ConnectTimeout, match=r"no answer within") as caught:
            connect(url, connect_timeout=0.3)
        assert 0.25 < time.monotonic() - started < 5
    assert isinstance(caught.value, TimeoutError)
    assert isinstance(caught.value, ConnectError)


def test_a_full_queue_of_connections(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(str(tmp_path / "busy"))
        listener.listen(0)
        first.connect(str(tmp_path / "busy"))
        with pytest.raises(ServerFull, match="queue of connections is full"):
            open_stream(UnixAddress(str(tmp_path / "busy")), 0.3)
        with pytest.raises(ConnectError):
            connect(f"unix://{tmp_path}/busy", connect_timeout=0.3)


def test_tcp6() -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with listener, open_stream(Tcp6Address("::1", listener.getsockname()[1]), 5) as stream:
        assert stream.family == socket.AF_INET6
        assert stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        port = listener.getsockname()[1]
    with pytest.raises(ConnectError, match=rf"tcp6://\[::1\]:{port}: .*refused"):
        open_stream(Tcp6Address("::1", port), 1)


class Peer:
    """A connected stream that says where it leads."""

    def __init__(self, address: str) -> None:
        self.address = address

    def getpeername(self) -> tuple[str, int]:
        return self.address, 12345


@pytest.mark.parametrize(
    ("address", "is_open"),
    [
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.1.1", False),
        ("100.64.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("8.8.8.8", True),
        ("2606:4700::1", True),
    ],
)
def test_public_addresses_are_warned_of_once(address: str, is_open: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_warned", False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _time in range(3):
            transport._warn_if_open(Peer(address))  # type: ignore[arg-type]
    assert [warning.category for warning in caught] == [UnprotectedServer] * is_open
    assert issubclass(UnprotectedServer, RumpWarning)
