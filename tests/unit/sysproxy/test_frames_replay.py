# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recorded sessions of real clients with real kernels, replayed to both machines.

The bytes are those that went over the wire. The client's machine is told which requests it made, and has
to understand every byte of the server's; the server's machine has to understand every byte of the client's.
"""

from __future__ import annotations

import struct
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import frames
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import (
    TYPES,
    Frame,
    transcript,
    transcript_names,
)

every_transcript = pytest.mark.parametrize(("machine", "prefix"), transcript_names())


def events_of(machine: Any, stream: bytes, piece: int) -> list[Any]:
    """What ``stream`` says, fed in pieces, with its end."""
    events = []
    for at in range(0, len(stream), piece):
        machine.receive_data(stream[at : at + piece])
        while (event := machine.next_event()) is not frames.NEED_DATA:
            events.append(event)
    machine.receive_data(b"")
    assert isinstance(machine.next_event(), frames.ConnectionClosed)
    return events


def word(body: bytes, word_size: int, at: int) -> int:
    return int.from_bytes(body[at * word_size : (at + 1) * word_size], "little")


def said_by_server(frame: Frame, word_size: int) -> Any:
    """The event that a server's frame is, read by hand."""
    size, body = word_size, frame.body
    match frame.frame_class, frame.frame_type:
        case "resp", "handshake":
            return frames.HandshakeReply(frame.reqno, *struct.unpack("<i", body))
        case "resp", "syscall":
            return frames.SyscallReply(frame.reqno, *struct.unpack("<i4xqq" if size == 8 else "<iii", body))
        case "resp", "prefork":
            return frames.PreforkReply(frame.reqno, body)
        case "req", "copyin":
            return frames.CopyIn(frame.reqno, address=word(body, size, 1), length=word(body, size, 0))
        case "req", "copyinstr":
            return frames.CopyInStr(frame.reqno, address=word(body, size, 1), length=word(body, size, 0))
        case "req", "copyout" | "copyoutstr":
            assert word(body, size, 0) == len(body) - 2 * size
            return frames.CopyOut(frame.reqno, address=word(body, size, 1), data=body[2 * size :])
        case "req", "anonmmap":
            return frames.AnonMmap(frame.reqno, word(body, size, 0))
    raise AssertionError(frame)


def said_by_client(frame: Frame, word_size: int) -> Any:
    match frame.frame_class, frame.frame_type:
        case "req", "handshake":
            return frames.HandshakeRequest(frame.reqno, frame.word, frame.body)
        case "req", "syscall":
            return frames.SyscallRequest(frame.reqno, frame.word, frame.body)
        case "req", "prefork":
            return frames.PreforkRequest(frame.reqno)
        case "resp", "copyin":
            return frames.CopyInReply(frame.reqno, frame.body)
        case "resp", "anonmmap":
            return frames.AnonMmapReply(frame.reqno, word(frame.body, word_size, 0))
    raise AssertionError(frame)


@every_transcript
def test_the_client_understands_the_server(machine: str, prefix: str) -> None:
    found = transcript(machine, prefix)
    for connection, banner in found.banners.items():
        client = frames.Client()
        client.receive_data(banner.encode())
        assert client.next_event() == frames.Banner(banner.rstrip("\n"))
        client.wire = found.abi.wire
        for frame in found.sent("client", connection):
            if frame.frame_class == "req":
                # As if these had been this machine's own requests.
                client._outstanding[frame.reqno] = TYPES[frame.frame_type]
        sent = list(found.sent("server", connection))
        events = events_of(client, b"".join(map(Frame.encode, sent)), 997)
        assert events == [said_by_server(frame, found.abi.word_size) for frame in sent]
        assert [type(event) for event in events] == [type(said_by_server(frame, found.abi.word_size)) for frame in sent]


@every_transcript
def test_the_server_understands_the_client(machine: str, prefix: str) -> None:
    found = transcript(machine, prefix)
    for connection in found.banners:
        server = frames.Server(found.abi.banner, found.abi.wire)
        sent = list(found.sent("client", connection))
        events = events_of(server, b"".join(map(Frame.encode, sent)), 997)
        assert events == [said_by_client(frame, found.abi.word_size) for frame in sent]


@every_transcript
def test_the_client_speaks_as_real_clients_do(machine: str, prefix: str) -> None:
    found = transcript(machine, prefix)
    for connection in found.banners:
        client = frames.Client()
        client.wire = found.abi.wire
        for frame in found.sent("client", connection):
            match frame.frame_class, frame.frame_type:
                case "req", "syscall":
                    client._next_reqno = frame.reqno
                    said = client.syscall(frame.word, frame.body)[1]
                case "req", "prefork":
                    client._next_reqno = frame.reqno
                    said = client.prefork()[1]
                case "req", "handshake" if frame.word == frames.HandshakeKind.FORK:
                    client._next_reqno = frame.reqno
                    said = client.fork_handshake(frame.body[:16], int.from_bytes(frame.body[16:20], "little"))[1]
                case "req", "handshake":
                    continue  # ours are padded
                case "resp", "copyin":
                    said = client.copyin_reply(frame.reqno, frame.body)
                case "resp", "anonmmap":
                    said = client.anonmmap_reply(frame.reqno, word(frame.body, found.abi.word_size, 0))
                case _:
                    raise AssertionError(frame)
            assert said == frame.encode()


@every_transcript
def test_the_server_speaks_as_real_servers_do(machine: str, prefix: str) -> None:
    found = transcript(machine, prefix)
    size = found.abi.word_size
    for connection, banner in found.banners.items():
        server = frames.Server(found.abi.banner, found.abi.wire)
        assert server.banner_bytes() == banner.encode()
        for frame in found.sent("server", connection):
            event = said_by_server(frame, size)
            encoded = frame.encode()
            match event:
                case frames.SyscallReply():
                    said = server.syscall_reply(*event)
                    # The padding after the error is what the server's stack held.
                    encoded = encoded[:28] + (bytes(4) if size == 8 else b"") + encoded[32 if size == 8 else 28 :]
                case frames.HandshakeReply():
                    said = server.handshake_reply(*event)
                case frames.PreforkReply():
                    said = server.prefork_reply(*event)
                case frames.CopyIn():
                    said = server.copyin(*event)
                case frames.CopyInStr():
                    said = server.copyinstr(*event)
                case frames.CopyOut():
                    said = (server.copyoutstr if frame.frame_type == "copyoutstr" else server.copyout)(*event)
                case frames.AnonMmap():
                    said = server.anonmmap(*event)
                case _:
                    raise AssertionError(event)
            assert said == encoded


def test_the_recordings_hold_every_kind_of_frame_that_utilities_cause() -> None:
    kinds = {
        (frame.sender, frame.frame_class, frame.frame_type)
        for machine, prefix in transcript_names()
        for frame in transcript(machine, prefix).frames
    }
    assert kinds >= {
        ("client", "req", "handshake"),
        ("client", "req", "prefork"),
        ("client", "req", "syscall"),
        ("client", "resp", "copyin"),
        ("client", "resp", "anonmmap"),
        ("server", "req", "anonmmap"),
        ("server", "req", "copyin"),
        ("server", "req", "copyinstr"),
        ("server", "req", "copyout"),
        ("server", "resp", "handshake"),
        ("server", "resp", "prefork"),
        ("server", "resp", "syscall"),
    }
