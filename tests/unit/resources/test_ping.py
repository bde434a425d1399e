# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Echo requests over a kernel that has a packet whenever it is asked for one."""

from __future__ import annotations

import struct
import time
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import ping
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.errors import ConnectionLost, SessionClosed
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi

AMD64 = Abi.from_banner("RUMPSP-0.4-NetBSD-7.99.34/amd64")
OPTIONS = {"dest": "192.0.2.1", "count": 2, "interval": 0.01, "timeout": 0.2, "size": 8, "state": "query"}


class Socket:
    """Gives the same packet for ever, made of the request that was sent last."""

    def __init__(self, kind: int | None) -> None:
        self._kind = kind
        self._packet = bytes(20)

    def sendto(self, data: bytes, _address: Any) -> None:
        if self._kind is not None:
            header = b"\x45" + bytes(19)
            self._packet = header + struct.pack(">BBHHH", self._kind, 1, 0, 0, 0) + header + data

    def recvmsg(self, _size: int, _room: int) -> tuple[bytes, list[Any], int, Any]:
        return self._packet, [], 0, ("192.0.2.9", 0)

    def fileno(self) -> int:
        return 3

    def setblocking(self, _flag: bool) -> None:
        """It never blocks."""


@pytest.mark.parametrize("kind", [None, 5], ids=["what is not ours", "redirects of ours"])
def test_a_flood_of_packets(kind: int | None) -> None:
    session = SimpleNamespace(closed=False, submit=lambda *_call: None, wait=lambda _call: (0, 0))
    kernel = SimpleNamespace(
        abi=AMD64, session=session, getpid=lambda: 1, socket=lambda *_kind: nullcontext(Socket(kind))
    )
    started = time.monotonic()
    echoes = ping.ping(kernel, ping.normalize(OPTIONS))  # type: ignore[arg-type] # as much of a kernel as it needs
    assert time.monotonic() - started < 20
    assert len(echoes.sent) == 2
    assert echoes.took == {}
    assert len(echoes.errors) == (0 if kind is None else 16)
    assert {error["reason"] for error in echoes.errors} <= {"redirected"}


def test_a_connection_that_breaks_while_a_request_is_sent() -> None:
    """What is told is why, and not that the poll before it has no session any more."""
    session = SimpleNamespace(closed=False, submit=lambda *_call: None)

    def wait(_call: object) -> None:
        raise SessionClosed("the session is closed")

    class Breaking(Socket):
        def sendto(self, data: bytes, _address: Any) -> None:
            session.closed = True
            raise ConnectionLost("the server went away")

    session.wait = wait
    kernel = SimpleNamespace(
        abi=AMD64, session=session, getpid=lambda: 1, socket=lambda *_kind: nullcontext(Breaking(None))
    )
    with pytest.raises(ConnectionLost, match="went away"):
        ping.ping(kernel, ping.normalize(OPTIONS))  # type: ignore[arg-type] # as much of a kernel as it needs
