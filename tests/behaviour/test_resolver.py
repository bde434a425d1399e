# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts' names, asked of a name server that lives on the kernel's own network."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import SOCK
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.redirection.names import Names
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.redirection.resolver import (
    AAAA,
    A,
    build_question,
    configuration,
    parse_answer,
)
from ansible_collections.rumpkernel.rump.tests.support.backends import Server

CNAME, MANY = 5, 100
ZONE: dict[str, list[str]] = {
    "web.example.com": ["192.0.2.7", "192.0.2.8", "2001:db8::7"],
    "many.example.com": [f"10.0.0.{number}" for number in range(MANY)],
}


def answer_to(question: bytes, code: int = 0, cut: bool = False) -> bytes:
    """What a server answers: an alias and then the addresses of a name in ZONE, or that there is none."""
    labels, at = [], 12
    while question[at]:
        labels.append(question[at + 1 : at + 1 + question[at]].decode())
        at += 1 + question[at]
    kind = int.from_bytes(question[at + 1 : at + 3], "big")
    places = [ipaddress.ip_address(text) for text in ZONE.get(".".join(labels).lower(), [])]
    packed = [place.packed for place in places if (place.version == 4) == (kind == A)]
    code = code or (0 if places else 3)
    records = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data for data in packed)
    alias = b"\xc0\x0c" + struct.pack("!HHIH", CNAME, 1, 60, 2) + b"\xc0\x0c"
    flags = 0x8180 | code | (0x0200 if cut else 0)
    count = 0 if cut else len(packed) + 1
    return question[:2] + struct.pack("!5H", flags, 1, count, 0, 0) + question[12:] + (b"" if cut else alias + records)


@contextlib.contextmanager
def serving(url: str, answer: Callable[[bytes], bytes]) -> Iterator[list[bytes]]:
    """A name server at 127.0.0.1 in the kernel, by UDP and TCP; the questions that it got."""
    ended, questions = threading.Event(), []
    with (
        connect(url, timeout=20) as kernel,
        connect(url, timeout=20) as other,
        kernel.socket(socket.AF_INET, SOCK.DGRAM) as datagrams,
        other.create_server(("127.0.0.1", 53)) as listener,
    ):
        datagrams.bind(("127.0.0.1", 53))

        def serve_datagrams() -> None:
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    question, client = datagrams.recvfrom(512)
                    questions.append(question)
                    datagrams.sendto(answer(question), client)

        def serve_streams() -> None:
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    client, _address = listener.accept()
                    with client:
                        question = client.recv(512)[2:]
                        whole = answer_to(question)
                        client.sendall(len(whole).to_bytes(2, "big") + whole)

        datagrams.settimeout(0.1)
        listener.settimeout(0.1)
        workers = [threading.Thread(target=target, daemon=True) for target in (serve_datagrams, serve_streams)]
        for worker in workers:
            worker.start()
        try:
            yield questions
        finally:
            ended.set()
            for worker in workers:
                worker.join(20)


def configured(kernel: Kernel, text: str) -> Names:
    kernel.makedirs("/etc", exist_ok=True)
    kernel.write_file("/etc/resolv.conf", text.encode())
    return Names(kernel)


def hosts(found: Sequence[tuple[object, ...]]) -> list[str]:
    return [place[0] for *_kind, place in found]  # type: ignore[index]


def test_a_name_server_is_asked(server: Server, kernel: Kernel) -> None:
    names = configured(kernel, "search nosuch.example example.com\nnameserver 127.0.0.1\noptions timeout:5\n")
    with serving(server.url, answer_to) as questions:
        found = hosts(names.getaddrinfo("Web.example.com", 80, 0, socket.SOCK_STREAM))
        assert found == ["192.0.2.7", "192.0.2.8"]  # the kernel has no IPv6 to reach the third
        assert hosts(names.getaddrinfo("web", 80, socket.AF_INET6, socket.SOCK_STREAM)) == ["2001:db8::7"]
        asked = len(questions)
        with pytest.raises(socket.gaierror, match=r"the kernel knows no host 'nosuch\.example\.com'"):
            names.getaddrinfo("nosuch.example.com", 80)
        assert len(questions) == asked + 1
        assert names.gethostbyname("localhost") == "127.0.0.1"
        assert len(questions) == asked + 1


def test_a_long_answer_comes_over_tcp(server: Server, kernel: Kernel) -> None:
    names = configured(kernel, "nameserver 127.0.0.1\n")
    with serving(server.url, lambda question: answer_to(question, cut=True)):
        found = hosts(names.getaddrinfo("many.example.com", 80, socket.AF_INET, socket.SOCK_STREAM))
    assert found == ZONE["many.example.com"]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (lambda question: answer_to(question, code=2), "failed \\(code 2\\)"),
        (
            lambda question: b"\0\0" + answer_to(question)[2:] if question[:2] != b"\0\0" else b"",
            "no answer to|cut off",
        ),
        (lambda question: answer_to(question)[:-3], "cut off"),
        (lambda question: b"x", "cut off"),
    ],
)
def test_answers_that_are_none(server: Server, kernel: Kernel, answer: Callable[[bytes], bytes], text: str) -> None:
    names = configured(kernel, "nameserver 127.0.0.1\noptions timeout:2 attempts:1\n")
    with serving(server.url, answer), pytest.raises(socket.gaierror, match=text) as raised:
        names.getaddrinfo("web.example.com", 80)
    assert raised.value.errno == socket.EAI_AGAIN


def test_nobody_answers(kernel: Kernel) -> None:
    names = configured(kernel, "nameserver 127.0.0.1\nnameserver ::1\noptions timeout:1 attempts:1\n")
    with pytest.raises(socket.gaierror, match=r"no name server of the kernel's tells of 'web\.example\.com'; ::1: "):
        names.getaddrinfo("web.example.com", 80)


def test_configuration() -> None:
    found = configuration(
        "# mine\nnameserver 10.0.0.1 ; first\nnameserver bad\nnameserver fe80::1%shmif0\nsearch a.example. b.example\n"
        "options ndots:2 timeout:900 attempts:0\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n"
    )
    assert [str(server) for server in found.servers] == ["10.0.0.1", "fe80::1%shmif0", "10.0.0.2"]
    assert (found.search, found.seconds, found.attempts) == (["a.example", "b.example"], 30.0, 1)


def test_any_cut_of_an_answer_is_told() -> None:
    question = build_question(77, "web.example.com", AAAA)
    whole = answer_to(question)
    assert [str(found) for found in parse_answer(whole, question, AAAA)] == ["2001:db8::7"]
    for length in range(len(whole)):
        with pytest.raises(ValueError, match=r"cut off|another question"):
            parse_answer(whole[:length], question, AAAA)
    for name in ("a..b", "", "x" * 64, ".".join(["x" * 50] * 6)):
        with pytest.raises(ValueError, match="is no host's name"):
            build_question(1, name, A)
