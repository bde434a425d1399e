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
    """No session could be made with the server. ``brief`` says why, and the text after it what to do about that."""

    def __init__(self, brief: str, more: str = "") -> None:
        self.brief = brief
        super().__init__(f"{brief}{more}")


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


class ForeignServer(ConnectError, ProtocolError):
    """What answers is no sysproxy server, or one of another version of the protocol."""


class UnknownMachine(ConnectError):
    """The banner names a machine whose word size or byte order is not known."""


class ForeignMemory(ProtocolError):
    """The server asked for memory, or wrote to memory, that no call in flight has lent it."""


class RequestRefused(ProtocolError):
    """The server answered a request with a protocol error (class 2); its subclasses say which. The session goes on.

    ``about`` is what was asked for: the server's URL, and the call with its object.
    """

    code = -1
    meaning = "unknown protocol error"

    def __init__(self, code: int | None = None, about: str = "") -> None:
        self.code = self.code if code is None else code
        refused = f"the server refused the request: {self.meaning} (protocol error {self.code})"
        super().__init__(f"{about}: {refused}" if about else refused)


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


def request_refused(code: int, about: str = "") -> RequestRefused:
    """The exception for the protocol error ``code`` (sp_common.c, enum rumpsp error), which ``about`` met."""
    return _REFUSALS.get(code, RequestRefused)(code, about)


def printable(text: str) -> str:
    """``text`` for a message: what a terminal would not print but obey is escaped, as in Python's own literals.

    Kernels choose the names of files, interfaces and machines, which stand in messages and warnings.
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "surrogatepass").decode() for letter in text
    )
