# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stub resolver on the kernel's network: asks the name servers of the kernel's /etc/resolv.conf.

As resolver(3) does it, as far as looking up a host's addresses goes. Sources: RFC 1035 for the messages, RFC 3596 for
AAAA, RFC 7766 for the way over TCP, resolv.conf(5).
"""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, KernelError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.interfaces import IPAddress
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.sockets import Socket
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import AF, SOCK

A: Final = 1
AAAA: Final = 28
_IN: Final = 1
_PORT: Final = 53
_LONGEST_NAME: Final = 255  # bytes, with the lengths of its labels
_MOST_SERVERS: Final = 3  # MAXNS of resolv.h
_LARGEST_DATAGRAM: Final = 4096
_LARGEST_CONFIGURATION: Final = 1 << 16
_HEADER: Final = struct.Struct("!6H")
_RECORD: Final = struct.Struct("!HHIH")
_RESPONSE, _TRUNCATED, _RECURSION_DESIRED, _CODE = 0x8000, 0x0200, 0x0100, 0x000F
_NO_SUCH_NAME: Final = 3


class NoAnswer(Exception):
    """No name server answered in time, or none could."""


@dataclass
class Configuration:
    """What resolv.conf(5) says; ``seconds`` is the limit for one question to one server."""

    servers: list[IPAddress] = field(default_factory=list)
    search: list[str] = field(default_factory=list)
    seconds: float = 5.0
    attempts: int = 2


def configuration(text: str) -> Configuration:
    """The configuration that is in the text of a resolv.conf; what is not understood is passed over."""
    found = Configuration()
    for line in text.splitlines():
        words = line.partition("#")[0].partition(";")[0].split()
        if len(words) < 2:
            continue
        if words[0] == "nameserver" and len(found.servers) < _MOST_SERVERS:
            with contextlib.suppress(ValueError):
                found.servers.append(ipaddress.ip_address(words[1]))
        elif words[0] in ("search", "domain"):
            found.search = [name.rstrip(".") for name in words[1:]]
        elif words[0] == "options":
            for option, _colon, value in (word.partition(":") for word in words[1:]):
                if option == "timeout" and value.isdigit():
                    found.seconds = float(min(max(int(value), 1), 30))
                elif option == "attempts" and value.isdigit():
                    found.attempts = min(max(int(value), 1), 5)
    return found


class Resolver:
    """Looks up hosts' addresses."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def addresses(self, name: str, kinds: Sequence[int] = (A, AAAA)) -> list[IPAddress]:
        """The addresses of a host, those of the first kind first; none, if there is no such host or no server.

        :raises NoAnswer: the servers do not answer.
        """
        known = self._configuration()
        if not known.servers:
            return []
        searched = [f"{name}.{domain}" for domain in known.search] if "." not in name else []
        for candidate in (*searched, name):
            if not _may_be(candidate):
                continue
            found = [address for kind in kinds for address in self._ask(known, candidate, kind)]
            if found:
                return found
        return []

    def _configuration(self) -> Configuration:
        try:
            if self._kernel.stat("/etc/resolv.conf").st_size <= _LARGEST_CONFIGURATION:
                return configuration(self._kernel.read_file("/etc/resolv.conf").decode(errors="replace"))
        except KernelError:
            pass
        return Configuration()

    def _ask(self, known: Configuration, name: str, kind: int) -> list[IPAddress]:
        said = ""
        for _attempt in range(known.attempts):
            for server in known.servers:
                try:
                    return self._answer(server, known.seconds, name, kind)
                except (OSError, ValueError) as error:
                    said = f"{server}: {error}"
        raise NoAnswer(f"no name server of the kernel's tells of {name!r}; {said}")

    def _answer(self, server: IPAddress, seconds: float, name: str, kind: int) -> list[IPAddress]:
        """:raises OSError: the server does not answer.
        :raises ValueError: its answer is none.
        """
        number = secrets.randbelow(1 << 16)
        question = build_question(number, name, kind)
        family = AF.INET if server.version == 4 else AF.INET6
        with self._kernel.socket(family, SOCK.DGRAM) as datagrams:
            datagrams.settimeout(seconds)
            datagrams.connect((str(server), _PORT))  # so that only its answers come
            datagrams.send(question)
            answer = datagrams.recv(_LARGEST_DATAGRAM)
        if len(answer) >= _HEADER.size and _HEADER.unpack_from(answer)[1] & _TRUNCATED:
            with self._kernel.create_connection((str(server), _PORT), seconds) as stream:
                stream.sendall(len(question).to_bytes(2, "big") + question)
                answer = _exactly(stream, int.from_bytes(_exactly(stream, 2), "big"))
        return parse_answer(answer, question, kind)


def _may_be(name: str) -> bool:
    try:
        build_question(0, name, A)
    except ValueError:
        return False
    return True


def build_question(number: int, name: str, kind: int) -> bytes:
    """A query for the records of a kind.

    :raises ValueError: the name cannot be a host's.
    """
    try:
        labels = name.encode("idna").split(b".")
    except UnicodeError:
        labels = []
    encoded = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    if not all(labels) or not 1 < len(encoded) <= _LONGEST_NAME:
        raise ValueError(f"{name!r} is no host's name")
    return _HEADER.pack(number, _RECURSION_DESIRED, 1, 0, 0, 0) + encoded + struct.pack("!2H", kind, _IN)


def parse_answer(answer: bytes, question: bytes, kind: int) -> list[IPAddress]:
    """The addresses in an answer; none, where there is no such name.

    :raises ValueError: it is no answer to that question, or one that tells of a failure.
    """
    try:
        number, flags, questions, records, _authorities, _more = _HEADER.unpack_from(answer)
        asked = question[_HEADER.size :]
        at = _HEADER.size + len(asked)
        if not flags & _RESPONSE or number != _HEADER.unpack_from(question)[0] or questions != 1:
            raise ValueError("that is no answer to the question")
        if answer[_HEADER.size : at].lower() != asked.lower():
            raise ValueError("that is the answer to another question")
        code = flags & _CODE
        if code not in (0, _NO_SUCH_NAME):
            raise ValueError(f"the server says that it failed (code {code})")
        return list(_addresses(answer, at, records, kind))
    except (struct.error, IndexError) as error:
        raise ValueError("the answer is cut off") from error


def _addresses(answer: bytes, at: int, records: int, kind: int) -> Iterator[IPAddress]:
    width = 4 if kind == A else 16
    for _record in range(records):
        at = _after_name(answer, at)
        found, group, _lifetime, length = _RECORD.unpack_from(answer, at)
        at += _RECORD.size
        if at + length > len(answer):
            raise IndexError(at)
        if (found, group, length) == (kind, _IN, width):  # all others are the aliases on the way to it
            yield ipaddress.ip_address(answer[at : at + length])
        at += length


def _after_name(answer: bytes, at: int) -> int:
    """Where the name ends that begins at ``at``: at an empty label, or a pointer to the rest of it."""
    while length := answer[at]:
        if length & 0xC0 == 0xC0:
            return at + 2
        at += 1 + length
    return at + 1


def _exactly(stream: Socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = stream.recv(count - len(data))
        if not piece:
            raise ConnectionError("the name server ended the connection")
        data += piece
    return data
