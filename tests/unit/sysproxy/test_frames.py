# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The protocol's state machines: every message both ways, and everything that a peer can get wrong.

Client and server are pushed against each other; what they say is also held against literal bytes here,
and against recorded sessions in test_frames_replay.py.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import frames
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.errors import ProtocolError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.frames import NEED_DATA, Wire

WIRES: Final = [Wire(byteorder, word) for byteorder in ("little", "big") for word in (4, 8)]
BANNER: Final = "RUMPSP-0.4-NetBSD-7.99.34/amd64"
LITTLE64: Final = Wire("little", 8)

every_wire = pytest.mark.parametrize("wire", WIRES, ids=lambda wire: f"{wire.word_size * 8}-{wire.byteorder}")


def greeted_client(wire: Wire = LITTLE64, max_body: int = 1 << 16) -> frames.Client:
    client = frames.Client(max_body)
    client.receive_data(BANNER.encode() + b"\n")
    assert client.next_event() == frames.Banner(BANNER)
    client.wire = wire
    return client


def pair(wire: Wire = LITTLE64) -> tuple[frames.Client, frames.Server]:
    return greeted_client(wire), frames.Server(BANNER, wire)


def only_event(machine: Any, data: bytes) -> Any:
    """The one event that ``data`` makes."""
    machine.receive_data(data)
    event = machine.next_event()
    assert machine.next_event() is NEED_DATA
    return event


def event_byte_by_byte(machine: Any, data: bytes) -> Any:
    """The one event that ``data`` makes at its last byte, and not sooner."""
    for at in range(len(data) - 1):
        machine.receive_data(data[at : at + 1])
        assert machine.next_event() is NEED_DATA
    return only_event(machine, data[-1:])


def frame(
    reqno: int, frame_class: int, frame_type: int, word: int, body: bytes = b"", length: int | None = None
) -> bytes:
    """A frame of a 64-bit little-endian server, made by hand."""
    return (
        struct.pack("<QQHHI", 24 + len(body) if length is None else length, reqno, frame_class, frame_type, word) + body
    )


# What a client says

# The event, and what makes it; the first request of a client has the number 1.
CLIENT_SAYS: Final[list[tuple[str, Any, Callable[[frames.Client], bytes]]]] = [
    ("syscall", frames.SyscallRequest(1, 5, b"arguments"), lambda client: client.syscall(5, b"arguments")[1]),
    ("syscall without arguments", frames.SyscallRequest(1, 20, b""), lambda client: client.syscall(20, b"")[1]),
    ("largest number", frames.SyscallRequest(1, 511, b""), lambda client: client.syscall(511, b"")[1]),
    ("handshake", frames.HandshakeRequest(1, 0, b"prog\0"), lambda client: client.handshake("prog")[1]),
    (
        "exec",
        frames.HandshakeRequest(1, 3, b"prog\0"),
        lambda client: client.handshake("prog", frames.HandshakeKind.EXEC)[1],
    ),
    ("prefork", frames.PreforkRequest(1), lambda client: client.prefork()[1]),
    ("copyin reply", frames.CopyInReply(7, b"data"), lambda client: client.copyin_reply(7, b"data")),
    ("reply of a view", frames.CopyInReply(7, b"at"), lambda client: client.copyin_reply(7, memoryview(b"data")[1:3])),
    ("empty copyin reply", frames.CopyInReply(0, b""), lambda client: client.copyin_reply(0, b"")),
    ("anonmmap reply", frames.AnonMmapReply(9, 0x12340000), lambda client: client.anonmmap_reply(9, 0x12340000)),
]


@every_wire
@pytest.mark.parametrize(("what", "expected", "say"), CLIENT_SAYS, ids=[says[0] for says in CLIENT_SAYS])
def test_the_server_hears_what_the_client_says(what: str, expected: Any, say: Callable[..., bytes], wire: Wire) -> None:
    client, server = pair(wire)
    event = only_event(server, say(client))
    assert (type(event), event) == (type(expected), expected)


@every_wire
@pytest.mark.parametrize(("what", "expected", "say"), CLIENT_SAYS, ids=[says[0] for says in CLIENT_SAYS])
def test_the_server_hears_it_byte_by_byte(what: str, expected: Any, say: Callable[..., bytes], wire: Wire) -> None:
    client, server = pair(wire)
    assert event_byte_by_byte(server, say(client)) == expected


@every_wire
def test_fork_handshake(wire: Wire) -> None:
    client, server = pair(wire)
    auth = bytes(range(16))
    reqno, data = client.fork_handshake(auth, cancel=1)
    body = auth + (1).to_bytes(4, wire.byteorder)  # type: ignore[arg-type]
    assert only_event(server, data) == frames.HandshakeRequest(reqno, 2, body)


@every_wire
def test_errors_that_a_client_sends(wire: Wire) -> None:
    server = frames.Server(BANNER, wire)
    data = struct.pack(f"{wire.prefix}QQHHI", 24, 4, 2, 2, 7)
    assert only_event(server, data) == frames.ErrorReply(4, 2, 7)


# What a server says

SERVER_SAYS: Final[list[tuple[str, Any, Callable[[frames.Server], bytes]]]] = [
    ("copyin", frames.CopyIn(0, 0x10000, 80), lambda server: server.copyin(0, 0x10000, 80)),
    (
        "copyin at the top",
        frames.CopyIn(0, 0xFFFFFFFF, 0xFFFFFFFE),
        lambda server: server.copyin(0, 0xFFFFFFFF, 0xFFFFFFFE),
    ),
    ("copyinstr", frames.CopyInStr(1, 0x10000, 1024), lambda server: server.copyinstr(1, 0x10000, 1024)),
    ("copyout", frames.CopyOut(2, 0x20000, b"data"), lambda server: server.copyout(2, 0x20000, b"data")),
    ("empty copyout", frames.CopyOut(2, 0x20000, b""), lambda server: server.copyout(2, 0x20000, b"")),
    ("copyoutstr", frames.CopyOut(3, 0x20000, b"data\0"), lambda server: server.copyoutstr(3, 0x20000, b"data\0")),
    ("anonmmap", frames.AnonMmap(4, 4096), lambda server: server.anonmmap(4, 4096)),
    ("raise", frames.Raise(5, 13), lambda server: server.raise_signal(5, 13)),
]


@every_wire
@pytest.mark.parametrize(("what", "expected", "say"), SERVER_SAYS, ids=[says[0] for says in SERVER_SAYS])
def test_the_client_hears_what_the_server_asks(what: str, expected: Any, say: Callable[..., bytes], wire: Wire) -> None:
    client, server = pair(wire)
    event = only_event(client, say(server))
    assert (type(event), event) == (type(expected), expected)


@every_wire
@pytest.mark.parametrize(("what", "expected", "say"), SERVER_SAYS, ids=[says[0] for says in SERVER_SAYS])
def test_the_client_hears_it_byte_by_byte(what: str, expected: Any, say: Callable[..., bytes], wire: Wire) -> None:
    client, server = pair(wire)
    assert event_byte_by_byte(client, say(server)) == expected


@every_wire
@pytest.mark.parametrize("error", [0, 2, -3])
@pytest.mark.parametrize("values", [(0, 0), (7, 0), (-1, -1), (0x7FFFFFFF, -0x80000000)])
def test_syscall_reply(wire: Wire, error: int, values: tuple[int, int]) -> None:
    client, server = pair(wire)
    reqno, _data = client.syscall(20, b"")
    assert client.outstanding == 1
    reply = event_byte_by_byte(client, server.syscall_reply(reqno, error, *values))
    assert reply == frames.SyscallReply(reqno, error, *values)
    assert client.outstanding == 0


@pytest.mark.parametrize("byteorder", ["little", "big"])
def test_registers_of_64_bits(byteorder: str) -> None:
    client, server = pair(Wire(byteorder, 8))
    reqno, _data = client.syscall(199, b"")
    reply = only_event(client, server.syscall_reply(reqno, 0, 1 << 40, -(1 << 63)))
    assert (reply.value0, reply.value1) == (1 << 40, -(1 << 63))


@every_wire
@pytest.mark.parametrize("error", [0, 12])
def test_handshake_reply(wire: Wire, error: int) -> None:
    client, server = pair(wire)
    reqno, _data = client.handshake("prog")
    assert event_byte_by_byte(client, server.handshake_reply(reqno, error)) == frames.HandshakeReply(reqno, error)


@every_wire
def test_prefork_reply(wire: Wire) -> None:
    client, server = pair(wire)
    reqno, _data = client.prefork()
    auth = bytes(range(16))
    assert event_byte_by_byte(client, server.prefork_reply(reqno, auth)) == frames.PreforkReply(reqno, auth)


@every_wire
@pytest.mark.parametrize(
    ("request_type", "ask"),
    [
        (frames.FrameType.HANDSHAKE, lambda client: client.handshake("prog")),
        (frames.FrameType.SYSCALL, lambda client: client.syscall(20, b"")),
        (frames.FrameType.PREFORK, lambda client: client.prefork()),
    ],
)
@pytest.mark.parametrize("code", [1, 7, 99])
def test_refusals(
    wire: Wire, request_type: frames.FrameType, ask: Callable[[frames.Client], tuple[int, bytes]], code: int
) -> None:
    client, server = pair(wire)
    reqno, _data = ask(client)
    event = event_byte_by_byte(client, server.error_reply(reqno, request_type, code))
    assert event == frames.ErrorReply(reqno, request_type, code)
    assert client.outstanding == 0


# Order and buffers


def test_answers_may_come_in_any_order() -> None:
    client, server = pair()
    numbers = [client.syscall(20, b"")[0] for _call in range(3)]
    assert len(set(numbers)) == 3
    for reqno in reversed(numbers):
        assert only_event(client, server.syscall_reply(reqno, 0, reqno)).reqno == reqno


def test_many_frames_in_one_piece() -> None:
    client, server = pair()
    reqno, _data = client.syscall(3, b"")
    outs = [server.copyout(index, 0x10000 + index, bytes([index]) * index) for index in range(200)]
    client.receive_data(b"".join(outs) + server.syscall_reply(reqno, 0))
    for index in range(200):
        assert client.next_event() == frames.CopyOut(index, 0x10000 + index, bytes([index]) * index)
    assert client.next_event() == frames.SyscallReply(reqno, 0, 0, 0)
    assert client.next_event() is NEED_DATA


def test_pieces_that_end_anywhere() -> None:
    client, server = pair()
    stream = b"".join(server.copyout(index, 0x10000, bytes(1000 + index)) for index in range(300))
    events = []
    for at in range(0, len(stream), 777):
        client.receive_data(stream[at : at + 777])
        while (event := client.next_event()) is not NEED_DATA:
            events.append(event)
    assert [(event.reqno, len(event.data)) for event in events] == [(index, 1000 + index) for index in range(300)]


def test_nothing_is_kept_of_what_was_read() -> None:
    client, server = pair()
    stream = server.copyout(0, 0x10000, bytes(1000)) * 1000
    for at in range(0, len(stream), 777):  # so that the buffer is hardly ever empty
        client.receive_data(stream[at : at + 777])
        while client.next_event() is not NEED_DATA:
            pass
    assert len(client._buffer) < 1 << 17


def test_events_do_not_change_with_the_buffer() -> None:
    client, server = pair()
    first = only_event(client, server.copyout(0, 0x10000, b"first"))
    only_event(client, server.copyout(1, 0x10000, b"other"))
    assert first.data == b"first"


def test_request_numbers_grow() -> None:
    client = greeted_client()
    assert [client.syscall(20, b"")[0], client.prefork()[0], client.handshake("x")[0]] == [1, 2, 3]
    server = frames.Server(BANNER, LITTLE64)
    assert [server.next_reqno() for _call in range(3)] == [0, 1, 2]


# Literal bytes, as a real server and a real client sent them


def test_literally_a_syscall_on_64_bits() -> None:
    client = greeted_client()
    for _ticket in range(2):
        client.prefork()
    _reqno, data = client.syscall(394, bytes.fromhex("020000000000000002000000000000000000000000000000"))
    assert data.hex() == (
        "30000000000000000300000000000000000001008a010000020000000000000002000000000000000000000000000000"
    )
    reply = only_event(
        client,
        bytes.fromhex("300000000000000003000000000000000100010000000000")
        + bytes.fromhex("00000000217f000003000000000000000000000000000000"),
    )
    assert reply == frames.SyscallReply(3, 0, 3, 0)


def test_literally_a_copyin_on_32_bits() -> None:
    client = greeted_client(Wire("little", 4))
    data = bytes.fromhex("2000000000000000010000000000000000000200000000000800000040640a08")
    assert only_event(client, data) == frames.CopyIn(1, 0x080A6440, 8)
    assert client.copyin_reply(1, bytes.fromhex("0100000051000000")).hex() == (
        "2000000000000000010000000000000001000200000000000100000051000000"
    )


def test_literally_on_a_big_endian_machine() -> None:
    client = greeted_client(Wire("big", 4))
    _reqno, data = client.syscall(5, b"\x00\x01\x00\x00")
    assert data.hex() == "000000000000001c0000000000000001000000010000000500010000"
    reply = bytes.fromhex("00000000000000240000000000000001000100010000000000000002ffffffff00000000")
    assert only_event(client, reply) == frames.SyscallReply(1, 2, -1, 0)


# The banner


def test_the_server_greets() -> None:
    assert frames.Server(BANNER, LITTLE64).banner_bytes() == BANNER.encode() + b"\n"


def test_a_banner_byte_by_byte() -> None:
    client = frames.Client()
    for byte in BANNER.encode():
        client.receive_data(bytes([byte]))
        assert client.next_event() is NEED_DATA
    client.receive_data(b"\n")
    assert client.next_event() == frames.Banner(BANNER)


def test_frames_right_after_the_banner_wait_for_the_wire() -> None:
    server = frames.Server(BANNER, LITTLE64)
    client = frames.Client()
    assert client.wire is None
    client.receive_data(server.banner_bytes() + server.raise_signal(0, 13))
    assert client.next_event() == frames.Banner(BANNER)
    with pytest.raises(RuntimeError, match="set wire"):
        client.next_event()
    client.wire = LITTLE64
    assert client.wire == LITTLE64
    assert client.next_event() == frames.Raise(0, 13)


def test_the_longest_banner() -> None:
    client = frames.Client()
    client.receive_data(b"x" * 95 + b"\n")
    assert client.next_event() == frames.Banner("x" * 95)


@pytest.mark.parametrize("tail", [b"\n", b"x", b"x" * 1000, b"x" * 1000 + b"\n"])
def test_a_banner_that_is_too_long(tail: bytes) -> None:
    client = frames.Client()
    client.receive_data(b"x" * 96 + tail)
    with pytest.raises(ProtocolError, match="no banner line within 96 bytes"):
        client.next_event()


def test_a_banner_that_is_too_long_is_known_at_once() -> None:
    client = frames.Client()
    client.receive_data(b"x" * 95)
    assert client.next_event() is NEED_DATA
    client.receive_data(b"x")
    with pytest.raises(ProtocolError, match="no banner line"):
        client.next_event()


def test_a_banner_that_is_not_ascii() -> None:
    client = frames.Client()
    client.receive_data("RUMPSP-0.4-NetBSD-7.99.34/\N{LATIN SMALL LETTER U WITH DIAERESIS}\n".encode())
    with pytest.raises(ProtocolError, match="not ASCII"):
        client.next_event()


def test_an_end_before_the_banner() -> None:
    client = frames.Client()
    client.receive_data(b"")
    assert client.next_event() == frames.ConnectionClosed(greeted=False)
    assert client.next_event() == frames.ConnectionClosed(greeted=False)


def test_an_end_within_the_banner() -> None:
    client = frames.Client()
    client.receive_data(b"RUMPSP-0.4")
    client.receive_data(b"")
    with pytest.raises(ProtocolError, match="in the middle of its banner"):
        client.next_event()


def test_an_end_after_the_banner() -> None:
    client = greeted_client()
    client.receive_data(b"")
    assert client.next_event() == frames.ConnectionClosed(greeted=True)


# What a peer can get wrong


def broken(machine: Any, data: bytes, match: str) -> None:
    """``data`` is refused, now and for ever."""
    machine.receive_data(data)
    with pytest.raises(ProtocolError, match=match) as first:
        machine.next_event()
    with pytest.raises(ProtocolError) as again:
        machine.next_event()
    assert again.value is first.value
    machine.receive_data(frame(0, 0, 8, 13))
    with pytest.raises(ProtocolError) as later:
        machine.next_event()
    assert later.value is first.value


@pytest.mark.parametrize("kept", [1, 23, 24, 30])
def test_an_end_within_a_frame(kept: int) -> None:
    client, server = pair()
    client.receive_data(server.copyout(0, 0x10000, b"data")[:kept])
    broken(client, b"", "ended the stream in the middle of a frame")


def test_frames_before_an_end_are_heard() -> None:
    client, server = pair()
    client.receive_data(server.raise_signal(0, 13))
    client.receive_data(b"")
    assert client.next_event() == frames.Raise(0, 13)
    assert client.next_event() == frames.ConnectionClosed(greeted=True)


@pytest.mark.parametrize("length", [0, 1, 23])
@pytest.mark.parametrize("side", ["client", "server"])
def test_a_length_shorter_than_a_header(length: int, side: str) -> None:
    client, server = pair()
    broken(
        client if side == "client" else server,
        frame(0, 0, 8, 13, length=length),
        f"announced a frame of {length} bytes",
    )


@pytest.mark.parametrize("length", [24 + 65537, 1 << 31, 1 << 32, (1 << 64) - 1])
def test_a_length_that_nothing_here_has_room_for(length: int) -> None:
    # The header alone is enough to know.
    broken(greeted_client(max_body=65536), frame(0, 0, 4, 0, length=length), "24 to 65560 are possible here")


def test_the_longest_body() -> None:
    server = frames.Server(BANNER, LITTLE64)
    client = greeted_client(max_body=116)
    assert len(only_event(client, server.copyout(0, 0x10000, bytes(100))).data) == 100
    broken(client, server.copyout(0, 0x10000, bytes(101)), "announced a frame of 141 bytes")


def test_the_bound_can_move() -> None:
    server = frames.Server(BANNER, LITTLE64)
    client = greeted_client(max_body=64)
    client.max_body = 1064
    assert len(only_event(client, server.copyout(0, 0x10000, bytes(1000))).data) == 1000


def test_the_servers_bound() -> None:
    client = greeted_client()
    server = frames.Server(BANNER, LITTLE64, max_body=10)
    broken(server, client.syscall(5, bytes(11))[1], "announced a frame of 35 bytes")


@pytest.mark.parametrize("frame_class", [1, 2])
def test_an_answer_to_nothing(frame_class: int) -> None:
    broken(greeted_client(), frame(1, frame_class, 1, 0, bytes(24)), "answered request 1, which was not asked")


def test_a_second_answer() -> None:
    client, server = pair()
    reqno, _data = client.syscall(20, b"")
    only_event(client, server.syscall_reply(reqno, 0))
    broken(client, server.syscall_reply(reqno, 0), "answered request 1, which was not asked")


@pytest.mark.parametrize("frame_class", [1, 2])
@pytest.mark.parametrize("frame_type", [0, 2, 7, 99])
def test_an_answer_of_another_type(frame_class: int, frame_type: int) -> None:
    client = greeted_client()
    client.syscall(20, b"")
    broken(client, frame(1, frame_class, frame_type, 0, bytes(24)), "answered request 1, which was not asked")


@every_wire
@pytest.mark.parametrize("ask", ["syscall", "handshake", "prefork"])
def test_an_answer_of_another_size(ask: str, wire: Wire) -> None:
    sizes = {"syscall": 24 if wire.word_size == 8 else 12, "handshake": 4, "prefork": 16}
    for size in {0, 1, 4, 11, 12, 13, 16, 20, 23, 24, 25} - {sizes[ask]}:
        client = greeted_client(wire)
        requests = {
            "syscall": lambda client=client: client.syscall(20, b""),
            "handshake": lambda client=client: client.handshake("x"),
            "prefork": client.prefork,
        }
        reqno, _data = requests[ask]()
        head = struct.pack(
            f"{wire.prefix}QQHHI", 24 + size, reqno, 1, {"handshake": 0, "syscall": 1, "prefork": 7}[ask], 0
        )
        client.receive_data(head + bytes(size))
        with pytest.raises(ProtocolError, match=f"a {ask} response with a body of {size} bytes"):
            client.next_event()


@pytest.mark.parametrize("frame_type", [2, 3, 6])
@pytest.mark.parametrize("size", [0, 4, 7, 9, 15, 17, 24])
def test_requests_of_another_size(frame_type: int, size: int) -> None:
    broken(greeted_client(), frame(0, 0, frame_type, 0, bytes(size)), f"request with a body of {size} bytes")


@pytest.mark.parametrize("frame_type", [4, 5])
@pytest.mark.parametrize("size", [0, 8, 15])
def test_a_copyout_without_a_head(frame_type: int, size: int) -> None:
    broken(greeted_client(), frame(0, 0, frame_type, 0, bytes(size)), f"request with a body of {size} bytes")


@pytest.mark.parametrize("frame_type", [4, 5])
@pytest.mark.parametrize("announced", [0, 3, 5, 1 << 40])
def test_a_copyout_of_another_length(frame_type: int, announced: int) -> None:
    body = struct.pack("<QQ", announced, 0x10000) + b"data"
    broken(greeted_client(), frame(0, 0, frame_type, 0, body), f"announces {announced} bytes and carries 4")


@pytest.mark.parametrize("frame_type", [0, 1, 7, 9, 65535])
def test_requests_that_no_server_makes(frame_type: int) -> None:
    broken(greeted_client(), frame(0, 0, frame_type, 0, bytes(16)), "which makes no sense here")


@pytest.mark.parametrize("frame_class", [3, 255, 65535])
def test_unknown_classes(frame_class: int) -> None:
    client = greeted_client()
    client.syscall(20, b"")
    broken(client, frame(1, frame_class, 1, 0, bytes(24)), f"class {frame_class} and type 1")
    broken(frames.Server(BANNER, LITTLE64), frame(1, frame_class, 1, 0), f"class {frame_class} and type 1")


@pytest.mark.parametrize(
    ("frame_class", "frame_type"), [(0, 2), (0, 4), (0, 8), (0, 99), (1, 0), (1, 1), (1, 3), (1, 7), (1, 99)]
)
def test_what_no_client_says(frame_class: int, frame_type: int) -> None:
    broken(frames.Server(BANNER, LITTLE64), frame(1, frame_class, frame_type, 0, bytes(24)), "makes no sense here")


@pytest.mark.parametrize("size", [0, 4, 9])
def test_an_anonmmap_reply_of_another_size(size: int) -> None:
    broken(frames.Server(BANNER, LITTLE64), frame(1, 1, 6, 0, bytes(size)), f"a body of {size} bytes")


@pytest.mark.parametrize("kept", [1, 24])
def test_a_client_that_hangs_up_within_a_frame(kept: int) -> None:
    client, server = pair()
    server.receive_data(client.syscall(5, b"arguments")[1][:kept])
    broken(server, b"", "in the middle of a frame")


def test_a_client_that_hangs_up() -> None:
    server = frames.Server(BANNER, LITTLE64)
    server.receive_data(b"")
    assert isinstance(server.next_event(), frames.ConnectionClosed)


# The program's name, which servers read carelessly

NAMES: Final = ["", "\0", "\0hidden", *("x" * length for length in range(1, 130)), "ü" * 40, "\N{SNOWMAN}" * 30, "a\0b"]


@every_wire
def test_program_names_never_hurt_a_server(wire: Wire) -> None:
    for name in NAMES:
        client, server = pair(wire)
        event = only_event(server, client.handshake(name)[1])
        assert len(event.body) % 16 not in (0, 8, 12), name
        assert len(event.body) >= 2
        assert event.body[0] != 0
        assert event.body[-1] == 0
        assert len(event.body) <= 64 + 8


@pytest.mark.parametrize("name", ["sh", "rumpkernel.rump", "x" * 7, "mount_tmpfs", "x" * 63])
def test_program_names_arrive(name: str) -> None:
    client, server = pair()
    assert only_event(server, client.handshake(name)[1]).body.rstrip(b"\0").decode() == name


# Frames in a row


class Sinks:
    """Takes what is drained down."""

    def __init__(self) -> None:
        self.taken: list[object] = []
        self.enough = False

    def drain(self, client: frames.Client) -> None:
        client.drain(self.copyout, self.copyin, self.taken.append)

    def copyout(self, address: int, data: memoryview) -> None:
        self.taken.append((address, bytes(data)))

    def copyin(self, reqno: int, address: int, length: int, string: bool) -> bool:
        self.taken.append(frames.CopyInStr(reqno, address, length) if string else frames.CopyIn(reqno, address, length))
        return self.enough


@every_wire
def test_frames_in_a_row_are_drained_up_to_what_is_something_else(wire: Wire) -> None:
    client, server = pair(wire)
    first, request = client.syscall(3, b"")
    second, other_request = client.syscall(4, b"")
    server.receive_data(request + other_request)
    said = [server.copyout(0, 0x1000, b"first"), server.copyoutstr(1, 0x2000, b"second\0"), server.copyin(2, 0x3000, 4)]
    said += [server.syscall_reply(first, -3, -1, 1 << 20), server.copyinstr(3, 0x4000, 9), server.raise_signal(4, 13)]
    said += [server.copyout(5, 0x5000, b""), server.syscall_reply(second, 0, 7)]
    sinks = Sinks()
    for byte in b"".join(said):
        client.receive_data(bytes([byte]))
        sinks.drain(client)
    assert sinks.taken == [
        (0x1000, b"first"),
        (0x2000, b"second\0"),
        frames.CopyIn(2, 0x3000, 4),
        frames.SyscallReply(first, -3, -1, 1 << 20),
        frames.CopyInStr(3, 0x4000, 9),
    ]
    assert client.outstanding == 1
    assert client.next_event() == frames.Raise(4, 13)
    sinks.drain(client)
    assert sinks.taken[5:] == [(0x5000, b""), frames.SyscallReply(second, 0, 7, 0)]
    assert (client.next_event(), client.outstanding, client.waiting) == (NEED_DATA, 0, 0)


def test_a_sink_that_has_enough_gets_no_more() -> None:
    client, server = pair()
    sinks = Sinks()
    sinks.enough = True
    client.receive_data(server.copyin(0, 0x1000, 4) + server.copyin(1, 0x2000, 4))
    sinks.drain(client)
    assert sinks.taken == [frames.CopyIn(0, 0x1000, 4)]
    assert client.next_event() == frames.CopyIn(1, 0x2000, 4)


LEFT: dict[str, bytes] = {
    "a short copyout": frame(0, 0, frames.FrameType.COPYOUT, 0, b"short"),
    "a copyout of another length": frame(0, 0, frames.FrameType.COPYOUT, 0, struct.pack("<QQ", 9, 0) + bytes(8)),
    "a long copyout": frame(0, 0, frames.FrameType.COPYOUT, 0, struct.pack("<QQ", 1 << 17, 0) + bytes(1 << 17)),
    "a long copyin": frame(0, 0, frames.FrameType.COPYIN, 0, bytes(24)),
    "an answer to nothing": frame(9, 1, frames.FrameType.SYSCALL, 0, bytes(24)),
    "a long answer": frame(1, 1, frames.FrameType.SYSCALL, 0, bytes(32)),
    "a frame of no class": frame(1, 3, frames.FrameType.COPYOUT, 0, bytes(16)),
}


@pytest.mark.parametrize("what", LEFT)
def test_bad_frames_are_left_for_next_event(what: str) -> None:
    client, sinks = greeted_client(), Sinks()
    client.syscall(3, b"")
    client.receive_data(LEFT[what])
    sinks.drain(client)
    assert not sinks.taken
    with pytest.raises(ProtocolError):
        client.next_event()
    sinks.drain(client)  # nor anything later
    assert not sinks.taken


@pytest.mark.parametrize("kind", ["copyout", "copyin"])
def test_what_a_sink_refuses_is_the_next_event(kind: str) -> None:
    client, server = pair()

    def refuse(*_frame: object) -> bool:
        raise ProtocolError("foreign")

    client.receive_data(server.copyout(0, 0x1000, b"data") if kind == "copyout" else server.copyin(0, 0x1000, 4))
    with pytest.raises(ProtocolError, match="foreign"):
        client.drain(refuse, refuse, refuse)
    client.receive_data(b"more")  # the buffer is not held by what was shown
    event = frames.CopyOut(0, 0x1000, b"data") if kind == "copyout" else frames.CopyIn(0, 0x1000, 4)
    assert client.next_event() == event
