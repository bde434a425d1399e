# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Exchanges with a kernel: calls of which each may need what the one before it said, and many such rows side by side.

An exchange is a generator. It gives calls, one after another; each gives it back the registers that it ended with, or
raises the KernelError that it was refused with. What the generator returns is what the exchange was for.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Generator, Iterable
from typing import Generic, TypeAlias, TypeVar

from .errors import RumpError
from .netbsd.kernel_error import KernelError
from .session import IN_FLIGHT, Call, Registers, Request, Session

_T = TypeVar("_T")
Exchange: TypeAlias = Generator[Request, Registers, _T]


def converse(session: Session, exchange: Exchange[_T]) -> _T:
    """Have one exchange: what it returns.

    :raises KernelError: it let one through.
    """
    answer: Registers | KernelError | None = None
    with contextlib.closing(exchange):
        while True:
            try:
                name, arguments, subject, label = _next_request(exchange, answer)
            except StopIteration as end:
                result: _T = end.value
                return result
            try:
                answer = session.call(name, *arguments, subject=subject, label=label)
            except KernelError as error:
                answer = error


def side_by_side(session: Session, exchanges: Iterable[Exchange[_T]], limit: int = IN_FLIGHT) -> list[_T | KernelError]:
    """Have many exchanges, ``limit`` of them at a time: what each returns, or the KernelError that it let through.

    ``exchanges`` is drawn from as they begin.

    :raises RumpError: the session broke; none of them goes on.
    """
    rows: list[_Row[_T]] = []
    running: deque[_Row[_T]] = deque()
    todo = iter(exchanges)
    try:
        while True:
            while len(running) < limit and (exchange := next(todo, None)) is not None:
                rows.append(_Row(session, exchange))
                running.append(rows[-1])
                rows[-1].go_on(None)
            if not running:
                return [row.outcome for row in rows]
            running[0].wait()
            row = running.popleft()
            if row.call is not None:
                running.append(row)
    finally:
        for row in running:
            row.end()


def _next_request(exchange: Exchange[_T], answer: Registers | KernelError | None) -> Request:
    """The next call of an exchange, ``answer`` being what became of the one before it; None for the first."""
    if isinstance(answer, KernelError):
        return exchange.throw(answer)
    return exchange.send(answer)  # type: ignore[arg-type] # which is how a generator begins


class _Row(Generic[_T]):
    """An exchange on its way: ``call`` is with the kernel, or None when all is done and ``outcome`` there."""

    outcome: _T | KernelError

    def __init__(self, session: Session, exchange: Exchange[_T]) -> None:
        self._session, self._exchange = session, exchange
        self.call: Call | None = None

    def wait(self) -> None:
        """Wait for the call, and make the next one."""
        if self.call is None:
            return
        try:
            answer: Registers | KernelError = self._session.wait(self.call)
        except KernelError as error:
            answer = error
        self.call = None
        self.go_on(answer)

    def go_on(self, answer: Registers | KernelError | None) -> None:
        """Make the next call, ``answer`` being what became of the one before it."""
        while True:
            try:
                name, arguments, subject, label = _next_request(self._exchange, answer)
            except StopIteration as end:
                self.outcome = end.value
                return
            except KernelError as error:
                self.outcome = error
                return
            try:
                self.call = self._session.submit(name, *arguments, subject=subject, label=label)
                return
            except KernelError as error:  # the release has no such call
                answer = error

    def end(self) -> None:
        """Leave no call behind whose buffers are gone."""
        if self.call is not None and not self._session.closed:
            with contextlib.suppress(RumpError):
                self._session.wait(self.call)
        self._exchange.close()
