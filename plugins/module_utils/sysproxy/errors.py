# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The errors of the sysproxy library: one tree, so that one ``except RumpError`` catches all of it.

Where Python has a built-in class for the situation, ours derives from it too: a peer that went away
is a ``ConnectionError``, a limit that struck a ``TimeoutError``. System calls that the kernel refused
are ``OSError``s; they stand in netbsd/kernel_error.py.
"""

from __future__ import annotations


class RumpError(Exception):
    """Base of everything that this library raises on its own account."""


class InvalidURL(RumpError, ValueError):
    """A server's URL has none of the forms that sysproxy knows."""


class MissingLibrary(RumpError, ImportError):
    """A Python package that the library stands on is not installed."""


class ConnectError(RumpError, ConnectionError):
    """No session could be made with the server."""


class ServerFull(ConnectError):
    """The server closed the connection with no banner: it has all the clients that it takes."""


class AbiMismatch(ConnectError):
    """The kernel has another word size or byte order than its banner let one assume."""


class ConnectionLost(RumpError, ConnectionError):
    """The server ended the stream while the session was in use."""


class SessionClosed(RumpError, ConnectionError):
    """The session was closed, or belongs to another process (the one that forked this one)."""


class CallTimeout(RumpError, TimeoutError):
    """A time limit struck while the server's answer was awaited."""


class ConnectTimeout(ConnectError, TimeoutError):
    """A time limit struck before the session was made."""


class ProtocolError(RumpError):
    """What the peer sent is not sysproxy; nothing more can be said over this connection."""


class StreamCut(ConnectionLost, ProtocolError):
    """The server ended the stream in the middle of a frame or of its banner."""


class UnknownMachine(RumpError):
    """The banner names a machine whose word size or byte order is not known."""


class ForeignMemory(ProtocolError):
    """The server asked for memory, or wrote to memory, that no call in flight has lent it."""


class RequestRefused(ProtocolError):
    """The server answered a request with a protocol error (class 2); its subclasses say which."""

    code = -1
    meaning = "unknown protocol error"

    def __init__(self, code: int | None = None) -> None:
        self.code = self.code if code is None else code
        super().__init__(f"the server refused the request: {self.meaning} (protocol error {self.code})")


class RequestTryAgain(RequestRefused):
    code, meaning = 1, "try again"


class AuthenticationRefused(RequestRefused):
    code, meaning = 2, "authentication failed"


class InvalidPrefork(RequestRefused):
    code, meaning = 3, "no such prefork"


class ForkFailed(RequestRefused):
    code, meaning = 4, "the process could not be forked"


class InExec(RequestRefused):
    code, meaning = 5, "an exec is under way"


class ServerOutOfMemory(RequestRefused):
    code, meaning = 6, "the server is out of memory"


class MalformedRequest(RequestRefused):
    code, meaning = 7, "malformed request"


_REFUSALS: dict[int, type[RequestRefused]] = {
    cls.code: cls
    for cls in (
        RequestTryAgain,
        AuthenticationRefused,
        InvalidPrefork,
        ForkFailed,
        InExec,
        ServerOutOfMemory,
        MalformedRequest,
    )
}


def request_refused(code: int) -> RequestRefused:
    """The exception for the protocol error ``code`` (sp_common.c, enum rumpsp error)."""
    return _REFUSALS.get(code, RequestRefused)(code)
