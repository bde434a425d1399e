# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writing down what sockets do. Ports that the kernel chose are written as letters."""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass, field
from typing import Any, Final

from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.scribe import Scribe
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.rawclient import Outcome

AF_LOCAL, AF_INET, AF_INET6 = 1, 2, 24
STREAM, DGRAM, RAW, SEQPACKET = 1, 2, 3, 5
NONBLOCK: Final = 0x20000000
SOL_SOCKET: Final = 0xFFFF
PEEK, WAITALL, DONTWAIT, OOB = 0x2, 0x40, 0x80, 0x1
MOMENT: Final = 0.02
FIRST_ANONYMOUS: Final = 49152
TIMEVAL: Final = 12


def address(family: int, host: str, port: int = 0, scope: int = 0) -> bytes:
    """A sockaddr of IPv4 or IPv6, in little-endian order where that matters."""
    if family == AF_INET:
        return bytes([16, 2]) + port.to_bytes(2, "big") + ipaddress.IPv4Address(host).packed + bytes(8)
    packed = ipaddress.IPv6Address(host).packed
    return bytes([28, 24]) + port.to_bytes(2, "big") + bytes(4) + packed + scope.to_bytes(4, "little")


def local_address(path: str) -> bytes:
    return bytes([3 + len(path), AF_LOCAL]) + path.encode() + b"\0"


@dataclass
class SocketScribe:
    """Calls on sockets, written down."""

    scribe: Scribe
    ports: dict[int, str] = field(default_factory=dict)

    def open(self, family: int, kind: int, flags: int = NONBLOCK) -> int:
        return self.scribe("__socket30", family, kind | flags, 0).value

    def call(self, name: str, number: int, *arguments: Any, value: bool = True) -> Outcome:
        """A call whose end is written down with the socket's number."""
        outcome = self.scribe.client.call(name, number, *arguments)
        shown = [a if isinstance(a, (int, str, type(None))) else f"<{len(a)}>" for a in arguments]
        ending = outcome.error or (outcome.value if value else "fine")
        self.scribe.write(f"{name} {number} {shown}", ending)
        return outcome

    def bind(self, number: int, where: bytes) -> Outcome:
        return self.call("bind", number, where, len(where))

    def connect(self, number: int, where: bytes, patient: bool = True) -> Outcome:
        outcome = self.call("connect", number, where, len(where))
        if patient:
            self.pause()
        return outcome

    @staticmethod
    def pause() -> None:
        time.sleep(MOMENT)

    def named(self, raw: bytes) -> Any:
        """A sockaddr with its port as a letter, if the kernel chose that."""
        if len(raw) < 4 or raw[1] not in (AF_INET, AF_INET6):
            return raw
        port = int.from_bytes(raw[2:4], "big")
        letter = self.ports.setdefault(port, f"port {len(self.ports)}") if port >= FIRST_ANONYMOUS else port
        return raw[:2], letter, raw[4:]

    def name(self, number: int, call: str = "getsockname", room: int = 128) -> bytes:
        buffer, size = bytearray(256), bytearray(self.scribe.client.abi.integer("uint32", room))
        outcome = self.scribe.client.call(call, number, buffer, size)
        length = self.scribe.client.abi.read_integer("uint32", bytes(size))
        raw = bytes(buffer[:length]) if outcome else b""
        self.scribe.write(f"{call} {number} {room}", outcome.error or (length, self.named(raw)))
        return raw

    def names(self, number: int) -> None:
        self.name(number)
        self.name(number, "getpeername")

    def accept(self, number: int, flags: int = NONBLOCK) -> int:
        buffer, size = bytearray(128), bytearray(self.scribe.client.abi.integer("uint32", 128))
        outcome = self.scribe.client.call("paccept", number, buffer, size, None, flags)
        length = self.scribe.client.abi.read_integer("uint32", bytes(size))
        self.scribe.write(f"accept {number}", outcome.error or (outcome.value, self.named(bytes(buffer[:length]))))
        return outcome.value if outcome else -1

    def send(self, number: int, data: bytes, flags: int = 0, where: bytes | None = None) -> Outcome:
        outcome = self.call("sendto", number, data, len(data), flags, where, len(where or b""))
        self.pause()
        return outcome

    def receive(self, number: int, length: int = 100, flags: int = 0, named: bool = False) -> None:
        buffer = bytearray(length)
        who, size = bytearray(128), bytearray(self.scribe.client.abi.integer("uint32", 128))
        arguments = (who, size) if named else (None, None)
        outcome = self.scribe.client.call("recvfrom", number, buffer, length, flags, *arguments)
        told = self.scribe.client.abi.read_integer("uint32", bytes(size))
        source = self.named(bytes(who[:told])) if named and outcome else None
        ending = outcome.error or (outcome.value, bytes(buffer[: outcome.value][:60]), source)
        self.scribe.write(f"receive {number} {length} {flags:#x}", ending)

    def send_message(self, number: int, parts: list[bytes], control: bytes = b"", where: bytes = b"") -> None:
        client = self.scribe.client
        pointers = [pointer for part in parts for pointer in (client.lend(part), len(part))]
        vector = client.lend(client.abi.integers("pointer", *pointers)) if pointers else 0
        message = client.abi.struct("msghdr").build(
            msg_name=client.lend(where) if where else 0, msg_namelen=len(where),
            msg_iov=vector, msg_iovlen=len(parts),
            msg_control=client.lend(control) if control else 0, msg_controllen=len(control),
        )  # fmt: skip
        outcome = client.call("sendmsg", number, message, 0)
        self.scribe.write(f"sendmsg {number} {[len(part) for part in parts]}", outcome.error or outcome.value)
        self.pause()

    def receive_message(self, number: int, rooms: list[int], control: int = 0, flags: int = 0) -> bytes:
        """What comes, and the control messages as they are."""
        client = self.scribe.client
        layout, buffers = client.abi.struct("msghdr"), [bytearray(room) for room in rooms]
        pointers = [pointer for part in buffers for pointer in (client.lend(part), len(part))]
        vector = client.lend(client.abi.integers("pointer", *pointers))
        name, ancillary = bytearray(128), bytearray(control)
        message = bytearray(
            layout.build(
                msg_name=client.lend(name),
                msg_namelen=128,
                msg_iov=vector,
                msg_iovlen=len(rooms),
                msg_control=client.lend(ancillary) if control else 0,
                msg_controllen=control,
            )
        )
        outcome = client.call("recvmsg", number, message, flags)
        found = layout.parse(message)
        told = bytes(ancillary[: found.msg_controllen])
        shown = (
            outcome.value, [bytes(part) for part in buffers], self.named(bytes(name[: found.msg_namelen])),
            found.msg_controllen, hex(found.msg_flags),
        )  # fmt: skip
        self.scribe.write(f"recvmsg {number} {rooms} {flags:#x}", outcome.error or shown)
        return told

    def poll(self, *numbers: int, events: int = 0x1 | 0x4) -> None:
        abi = self.scribe.client.abi
        raw = bytearray(b"".join(abi.integer("int", number) + abi.integers("int16", events, 0) for number in numbers))
        outcome = self.scribe.client.call("poll", raw, len(numbers), 0)
        found = [hex(abi.read_integer("int16", bytes(raw[8 * place + 6 :]))) for place in range(len(numbers))]
        self.scribe.write(f"poll {numbers}", (outcome.error, outcome.value, found))

    def waiting(self, number: int) -> None:
        """How many bytes there are to read."""
        answer = bytearray(4)
        outcome = self.scribe.client.call("ioctl", number, 0x4004667F, answer)
        self.scribe.write(
            f"FIONREAD {number}", outcome.error or self.scribe.client.abi.read_integer("int", bytes(answer))
        )

    def get(self, number: int, level: int, name: int, room: int = 16) -> None:
        value, size = bytearray(room), bytearray(self.scribe.client.abi.integer("uint32", room))
        outcome = self.scribe.client.call("getsockopt", number, level, name, value, size)
        told = self.scribe.client.abi.read_integer("uint32", bytes(size))
        shown = bytes(value[: min(told, TIMEVAL)])  # what follows in a struct timeval is left as it was in memory
        self.scribe.write(f"getsockopt {number} {level:#x} {name:#x}", outcome.error or (told, shown))

    def set(self, number: int, level: int, name: int, value: int | bytes) -> None:
        raw = value if isinstance(value, bytes) else self.scribe.client.abi.integer("int", value)
        outcome = self.scribe.client.call("setsockopt", number, level, name, raw, len(raw))
        self.scribe.write(f"setsockopt {number} {level:#x} {name:#x} {value!r}", outcome.error)

    def close(self, *numbers: int) -> None:
        for number in numbers:
            self.call("close", number)
        self.pause()
