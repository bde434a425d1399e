# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Exchanges: rows of calls of which each may need what the one before it said, alone and side by side."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.errors import ConnectionLost
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.exchanges import (
    Exchange,
    converse,
    side_by_side,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Errno, KernelError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.session import Request
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.scripted_server import Peer, session_with


def row(first: int, length: int = 3) -> Exchange[list[int]]:
    """Calls whose argument is the result of the one before."""
    seen = [first]
    for _call in range(length):
        number, _second = yield Request("close", (seen[-1],))
        seen.append(number)
    return seen


def counting(peer: Peer, calls: int) -> None:
    """Answer each call with the next number; one of 66 is refused."""
    for _call in range(calls):
        reqno, arguments = peer.syscall()
        peer.reply(reqno, Errno.EBADF if arguments["fd"] == 66 else 0, arguments["fd"] + 1)


def test_one_exchange(tmp_path: Path) -> None:
    with session_with(lambda peer: counting(peer, 3), tmp_path) as session:
        assert converse(session, row(5)) == [5, 6, 7, 8]


def test_a_refused_call_is_raised_in_the_exchange(tmp_path: Path) -> None:
    def forgiving() -> Exchange[str]:
        try:
            yield from row(65)
        except KernelError as error:
            yield Request("close", (1,))
            return error.name
        return "not refused"

    with session_with(lambda peer: counting(peer, 5), tmp_path) as session:
        assert converse(session, forgiving()) == "EBADF"
        with pytest.raises(KernelError, match="close: EBADF"):
            converse(session, row(65))


def test_a_call_that_the_release_does_not_have_is_raised_in_the_exchange(tmp_path: Path) -> None:
    def old() -> Exchange[str]:
        try:
            yield Request("clock_getcpuclockid2", (0, 0, b"1234"))
        except KernelError as error:
            return error.name
        return "there"

    with session_with(lambda peer: None, tmp_path) as session:
        outcome = converse(session, old()), side_by_side(session, [old()])
    assert outcome == ("ENOSYS", ["ENOSYS"])


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_side_by_side(tmp_path: Path, limit: int) -> None:
    begun: list[int] = []

    def rows() -> list[Exchange[list[int]]]:
        def noted(first: int) -> Exchange[list[int]]:
            begun.append(first)
            return (yield from row(first))

        return [noted(first) for first in (10, 65, 20, 30)]

    with session_with(lambda peer: counting(peer, 11), tmp_path) as session:
        outcomes = side_by_side(session, rows(), limit)
    assert begun == [10, 65, 20, 30]
    assert [one if isinstance(one, list) else one.name for one in outcomes] == [
        [10, 11, 12, 13],
        "EBADF",
        [20, 21, 22, 23],
        [30, 31, 32, 33],
    ]


def test_calls_of_several_exchanges_are_with_the_server_at_once(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        for _wave in range(2):
            waiting = [peer.syscall() for _call in range(3)]
            for reqno, arguments in reversed(waiting):
                peer.reply(reqno, 0, arguments["fd"] + 1)

    with session_with(script, tmp_path) as session:
        assert side_by_side(session, [row(first, 2) for first in (1, 2, 3)]) == [[1, 2, 3], [2, 3, 4], [3, 4, 5]]


def test_an_exchange_without_calls(tmp_path: Path) -> None:
    with session_with(lambda peer: counting(peer, 3), tmp_path) as session:
        assert side_by_side(session, [row(1, 0), row(4), row(2, 0)], limit=1) == [[1], [4, 5, 6, 7], [2]]


def test_a_session_that_breaks_ends_them_all(tmp_path: Path) -> None:
    ended: list[int] = []

    def noting(first: int) -> Exchange[None]:
        try:
            yield from row(first)
        finally:
            ended.append(first)

    with session_with(lambda peer: counting(peer, 4), tmp_path) as session:
        with pytest.raises(ConnectionLost):
            side_by_side(session, [noting(first) for first in (1, 2, 3)])
        assert sorted(ended) == [1, 2, 3]
        assert session.closed


def test_a_mistake_in_an_exchange_leaves_the_session_usable(tmp_path: Path) -> None:
    def mistaken() -> Exchange[list[int]]:
        yield from row(7, 1)
        raise ZeroDivisionError

    with session_with(lambda peer: counting(peer, 7), tmp_path) as session:
        with pytest.raises(ZeroDivisionError):
            side_by_side(session, [row(1), mistaken(), row(3)])
        assert converse(session, row(5, 1)) == [5, 6]
