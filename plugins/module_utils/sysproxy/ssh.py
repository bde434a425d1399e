# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Streams through the system's OpenSSH client, with the user's own configuration.

The far side needs nothing but its sshd. A TCP server is reached by ``ssh -W``, whose standard streams
are the connection. A unix socket is reached by a forwarding (``ssh -N -L``) from a socket in a private
folder, which is gone as soon as it is connected to: ``-W`` takes no path before OpenSSH 9.4. That ssh
would outlive a process that is killed, so a shell stands by that ends it when this process goes.

ssh becomes no master connection (ControlMaster): other sessions would hang on it, and end with it. ``-W``
uses one that there is (ControlPath); a forwarding does not, for the master would keep it when the
session has ended.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import IO, Final

from .errors import ConnectError, ConnectTimeout, printable
from .transport import SshAddress, Tcp6Address, TcpAddress, UnixAddress, host_and_port

_OPTIONS: Final = ("-T", "-oBatchMode=yes", "-oControlMaster=no")
# A forwarding of the user's own configuration that fails (another session has it) is no reason to end.
_FORWARDING: Final = ("-N", "-oExitOnForwardFailure=no")
_END: Final = 2.0
"""Seconds for ssh to end by itself when it is told to."""
_TEXT: Final = 600  # characters that are told of what it said
_READ: Final = 4096  # bytes that are looked at
_PAUSE: Final = 0.01
# Runs ssh until it ends, or standard input does: then the shell's own child ends it.
_SHEPHERD: Final = (
    'exec 3<&0; "$@" </dev/null 3<&- & ssh=$!; '
    '{ read -r _; kill "$ssh"; } <&3 >/dev/null 2>&1 & watch=$!; exec 3<&-; '
    'wait "$ssh"; code=$?; kill "$watch" 2>/dev/null; exit "$code"'
)


class SshStream(socket.socket):
    """A stream whose other end an ssh process holds; closing it ends the process."""

    def __init__(self, end: socket.socket, process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
        super().__init__(fileno=end.detach())
        self._process = process
        self._said = said
        self._owner = os.getpid()

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """As a socket's; where the stream ends because ssh failed, its error is told."""
        data = super().recv(size, flags)
        if not data and size:
            reason = _failure(self._process, self._said, _PAUSE)
            if reason:
                raise ConnectionResetError(errno.ECONNRESET, f"ssh: {reason}")
        return data

    def close(self) -> None:
        super().close()
        if self._owner == os.getpid():
            _end(self._process, self._said)


def open_ssh(address: SshAddress, timeout: float, arguments: Sequence[str] = ()) -> socket.socket:
    """A stream to what ``address`` names, from which the server's first byte can be read.

    :raises ConnectError: ssh failed, with what it said.
    :raises ConnectTimeout: no byte came within ``timeout`` seconds.
    """
    deadline = time.monotonic() + timeout
    command = ["ssh", *arguments, *_OPTIONS, f"-oConnectTimeout={max(1, math.ceil(timeout))}"]
    if address.user:
        command += ["-l", address.user]
    if address.port:
        command += ["-p", str(address.port)]
    said = tempfile.TemporaryFile()  # noqa: SIM115 - the stream closes it; unread, a pipe would fill
    target = address.target
    try:
        stream = (
            _forwarded(address, target, command, said, deadline)
            if isinstance(target, UnixAddress)
            else _standard_streams(address, target, command, said)
        )
    except FileNotFoundError:
        said.close()
        raise ConnectError(f"{address}: the OpenSSH client (ssh) is not on PATH") from None
    except BaseException:
        said.close()
        raise
    try:
        _await_server(stream, address, deadline)
    except TimeoutError:
        reason = _said(said)
        stream.close()
        raise ConnectTimeout(
            f"{address}: no answer within {timeout:.3g} s" + (f": {reason}" if reason else ""),
            _advice(address, reason),
        ) from None
    except BaseException:
        stream.close()
        raise
    return stream


def _standard_streams(
    address: SshAddress, target: TcpAddress | Tcp6Address, command: list[str], said: IO[bytes]
) -> SshStream:
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = subprocess.Popen(
                [*command, "-W", host_and_port(target), "--", address.host],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=said,
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
    return SshStream(ours, process, said)


def _forwarded(
    address: SshAddress, target: UnixAddress, command: list[str], said: IO[bytes], deadline: float
) -> SshStream:
    if shutil.which("ssh") is None:
        raise FileNotFoundError("ssh")
    ssh, *rest = command
    with _private_folder() as folder:
        here = os.path.join(folder, "s")
        forwarding = ":".join(path.replace(":", "\\:") for path in (here, target.path))
        process = subprocess.Popen(
            [
                *("/bin/sh", "-c", _SHEPHERD, "sh", ssh, "-oControlPath=none", *rest),
                *(*_FORWARDING, "-L", forwarding, "--", address.host),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        )
        try:
            return SshStream(_connect_when_there(here, process, deadline), process, said)
        except ConnectionError:
            reason = _said(said) or "it ended without a word"
            _end(process, said)
            raise ConnectError(f"{address}: ssh: {reason}", _advice(address, reason)) from None
        except TimeoutError:
            reason = _said(said)
            _end(process, said)
            raise ConnectTimeout(
                f"{address}: ssh made no connection in time" + (f": {reason}" if reason else "")
            ) from None
        except BaseException:
            _end(process, said)
            raise


@contextlib.contextmanager
def _private_folder() -> Iterator[str]:
    """A folder of our own whose name is short enough for a socket in it."""
    place = tempfile.gettempdir()
    with tempfile.TemporaryDirectory(prefix="rump-", dir=place if len(place) < 80 else "/tmp") as folder:
        yield folder


def _connect_when_there(path: str, process: subprocess.Popen[bytes], deadline: float) -> socket.socket:
    """Connect to the socket that ssh makes once it is logged in.

    :raises ConnectionError: ssh ended.
    """
    while True:
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            stream.connect(path)
        except OSError as error:
            stream.close()
            if error.errno not in (errno.ENOENT, errno.ECONNREFUSED):
                raise
        else:
            return stream
        if time.monotonic() > deadline:
            raise TimeoutError
        if process.poll() is not None:
            raise ConnectionResetError
        time.sleep(_PAUSE)


def _await_server(stream: SshStream, address: SshAddress, deadline: float) -> None:
    """Wait until the server speaks, which it does first, or hangs up without ssh having failed."""
    stream.settimeout(max(deadline - time.monotonic(), 0.001))
    try:
        stream.recv(1, socket.MSG_PEEK)
    except ConnectionResetError as error:
        reason = str(error.strerror)
        raise ConnectError(f"{address}: {reason}", _advice(address, reason)) from None


def _failure(process: subprocess.Popen[bytes], said: IO[bytes], patience: float) -> str:
    """What ssh said if it failed; nothing if it only passes on that the server hung up."""
    if process.stdin is not None:  # a forwarding: ssh lives on, and says that it could not reach the socket
        time.sleep(patience)
        text = _said(said)
        return text if "open failed" in text else ""
    try:
        code = process.wait(_END)
    except subprocess.TimeoutExpired:
        return ""
    return (_said(said) or f"it ended with code {code}") if code else ""


def _advice(address: SshAddress, reason: str) -> str:
    """What may be done about what ssh said, to follow it in an error's text; empty if it says so itself."""
    if "Host key verification failed" in reason and "has changed" not in reason:
        return "; the key of this host is not known: connect to it once by hand, or add it with ssh-keyscan"
    if "open failed" in reason and isinstance(address.target, UnixAddress):
        return f"; {address.target.path} on {address.host}: is it there, and may this user connect to it?"
    return ""


def _said(said: IO[bytes]) -> str:
    """The last whole lines that ssh wrote to standard error, as one."""
    with contextlib.suppress(OSError, ValueError):
        length = os.fstat(said.fileno()).st_size
        text = os.pread(said.fileno(), _READ, max(0, length - _READ)).decode(errors="replace")
        lines = [printable(line.strip().removeprefix("ssh: ")) for line in text.splitlines()]
        told: list[str] = []
        for line in reversed(lines[length > _READ :]):
            if not line.strip("@") or line.startswith("Warning: Permanently added"):
                continue
            told.insert(0, line[:_TEXT])
            if len("; ".join(told)) > _TEXT:
                return "; ".join(told[1:] or told)
        return "; ".join(told)
    return ""


def _end(process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
    """End ssh, or the shell that ends it, and leave no zombie."""
    if process.stdin is not None:
        process.stdin.close()
    else:
        process.terminate()
    try:
        process.wait(_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    said.close()
