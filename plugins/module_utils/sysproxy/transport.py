# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers' URLs, and the byte streams that lead to them.

rumpctrl's URLs: ``unix://csock`` (relative), ``unix:///tmp/csock`` and ``tcp://1.2.3.4:12345``, where a
host name does as well. Beside them ``tcp6://[2001:db8::1]:12345``, and what lies behind a host that the
OpenSSH client reaches: ``ssh://user@host/run/csock`` for a socket in its file system,
``ssh://user@host:22/tcp/10.0.0.5:12345`` for one that it connects to.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import queue
import re
import socket
import threading
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from .errors import ConnectError, ConnectTimeout, InvalidURL, ServerFull
from .notices import UnprotectedServer

URL_FORMS: Final = (
    "unix://csock (relative), unix:///absolute/csock, tcp://1.2.3.4:12345, tcp6://[2001:db8::1]:12345, "
    "ssh://user@host/absolute/csock or ssh://user@host:22/tcp/10.0.0.5:12345"
)
_UNIX_PATH_LIMIT: Final = 107  # sun_path of Linux, less its NUL
# What no option, no shell and no expansion of ssh's own sees anything in.
_SSH_USER: Final = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.+@$-]*")
_SSH_HOST: Final = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*")
_SSH_PATH_REFUSED: Final = re.compile(r"[\x00-\x1f\x7f%$\\]")


@dataclass(frozen=True)
class UnixAddress:
    """A socket in the file system."""

    path: str

    def __str__(self) -> str:
        return f"unix://{self.path}"


@dataclass(frozen=True)
class TcpAddress:
    """A host (name or IPv4 address) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"tcp://{self.host}:{self.port}"


@dataclass(frozen=True)
class Tcp6Address:
    """A host (name or IPv6 address) that is reached over IPv6, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"tcp6://[{self.host}]:{self.port}" if ":" in self.host else f"tcp6://{self.host}:{self.port}"


@dataclass(frozen=True)
class SshAddress:
    """What lies behind a host: a socket in its file system or one that it connects to."""

    host: str
    user: str | None
    port: int | None
    target: UnixAddress | TcpAddress | Tcp6Address

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port else ""
        target = self.target.path if isinstance(self.target, UnixAddress) else f"/tcp/{host_and_port(self.target)}"
        return f"ssh://{user}{host}{port}{target}"


Address: TypeAlias = "UnixAddress | TcpAddress | Tcp6Address | SshAddress"


def parse_url(url: str) -> Address:
    """What a server's URL means.

    :raises InvalidURL: it has none of the known forms; the error names those.
    """
    scheme, separator, rest = url.partition("://")
    found: Address | None = None
    if separator and scheme == "unix" and rest and "\0" not in rest:
        found = _unix(url, rest)
    elif separator and scheme == "tcp":
        host, port = _host_and_port(rest.removesuffix("/"))
        found = TcpAddress(host, port) if port and _is_host(host) else None
    elif separator and scheme == "tcp6":
        host, port = _host_and_port(rest.removesuffix("/"))
        found = _tcp6(host, port)
    elif separator and scheme == "ssh":
        found = _ssh(url, rest)
    if found is None:
        raise InvalidURL(f"{url!r} is no URL of a rump kernel's server: give {URL_FORMS}")
    return found


def host_and_port(address: TcpAddress | Tcp6Address) -> str:
    """``10.0.0.5:12345`` or ``[2001:db8::1]:12345``."""
    return str(address).partition("://")[2]


def _unix(url: str, path: str) -> UnixAddress:
    if len(os.fsencode(path)) > _UNIX_PATH_LIMIT:
        raise InvalidURL(f"{url}: the path of a unix socket has at most {_UNIX_PATH_LIMIT} bytes")
    return UnixAddress(path)


def _tcp6(host: str, port: int) -> Tcp6Address | None:
    """An address in brackets, or a name."""
    if not port:
        return None
    if host.startswith("[") and host.endswith("]"):
        return Tcp6Address(host[1:-1], port) if _is_ipv6(host[1:-1]) else None
    return Tcp6Address(host, port) if _is_host(host) else None


def _ssh(url: str, rest: str) -> SshAddress | None:
    destination, slash, path = rest.partition("/")
    user, at, host = destination.rpartition("@")
    port = None
    if not host.endswith("]") and ":" in host:
        host, number = _host_and_port(host)
        port = number or -1
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    host_fits = _is_ipv6(bare) if bare != host else bool(_SSH_HOST.fullmatch(bare))
    if not host_fits or port == -1 or (at and not _SSH_USER.fullmatch(user)) or not slash or not path:
        return None
    target: UnixAddress | TcpAddress | Tcp6Address | None = None
    if path.startswith("tcp/"):
        far_host, far_port = _host_and_port(path.removeprefix("tcp/").removesuffix("/"))
        if far_host.startswith("["):
            target = _tcp6(far_host, far_port)
        elif far_port and _SSH_HOST.fullmatch(far_host):
            target = TcpAddress(far_host, far_port)
    if target is None:
        if _SSH_PATH_REFUSED.search(path):
            return None
        target = _unix(url, f"/{path}")
    return SshAddress(bare, user or None, port, target)


def _host_and_port(text: str) -> tuple[str, int]:
    """``host:port``; the port is 0 if it is none."""
    host, _colon, port = text.rpartition(":")
    valid = port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536
    return host, int(port) if valid else 0


def _is_host(text: str) -> bool:
    """Whether a host's name or an IPv4 address can look like that."""
    try:
        text.encode("idna")  # as getaddrinfo does
    except UnicodeError:
        return False
    return bool(text) and not set(text) & set("[]:/\0")


def _is_ipv6(text: str) -> bool:
    with contextlib.suppress(ValueError):
        ipaddress.IPv6Address(text)
        return True
    return False


def open_stream(address: Address, timeout: float, ssh_args: Sequence[str] = ()) -> socket.socket:
    """A connected stream socket.

    :param ssh_args: more arguments for ssh, before its own.
    :raises ConnectError: nothing listens there, or it cannot be reached.
    :raises ConnectTimeout: no answer within ``timeout`` seconds.
    :raises ServerFull: the server's queue of connections is full.
    """
    try:
        if isinstance(address, SshAddress):
            from .ssh import open_ssh  # only those who need it pay for it

            return open_ssh(address, timeout, ssh_args)
        if isinstance(address, UnixAddress):
            return _open_unix(address, timeout)
        return _open_tcp(address, timeout)
    except TimeoutError as error:
        if isinstance(error, ConnectTimeout):
            raise
        raise ConnectTimeout(f"{address}: no connection within {timeout:.3g} s") from None
    except OSError as error:
        if isinstance(error, ConnectError):
            raise
        if error.errno == errno.EAGAIN:
            raise ServerFull(f"{address}: the server's queue of connections is full") from error
        raise ConnectError(f"{address}: {error.strerror or error}", _advice(address, error)) from error


def _advice(address: Address, error: OSError) -> str:
    """What the text of an error that met a connection is followed by: its errno, and what may be the reason."""
    text = ""
    if isinstance(address, UnixAddress):
        if error.errno == errno.ENOENT:
            text = "no server has made this socket; is the kernel running?"
            if not os.path.isabs(address.path):
                text += f" (that is {os.path.abspath(address.path)}; an absolute path has three slashes)"
        elif error.errno == errno.EACCES:
            text = "this user may not connect: see the mode and group of the socket and its folder"
        elif error.errno == errno.ECONNREFUSED and os.path.exists(address.path) and not Path(address.path).is_socket():
            text = "this is no socket"
    if not text and error.errno == errno.ECONNREFUSED and not isinstance(address, SshAddress):
        text = "nothing listens there; is the kernel running?"
    return f" ({errno.errorcode[error.errno]}): {text}" if text and error.errno else ""


def _open_unix(address: UnixAddress, timeout: float) -> socket.socket:
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        stream.settimeout(timeout)
        stream.connect(address.path)
    except BaseException:
        stream.close()
        raise
    return stream


def _open_tcp(address: TcpAddress | Tcp6Address, timeout: float) -> socket.socket:
    """As socket.create_connection, with a limit on all of it: the name, and each address that it has."""
    deadline = time.monotonic() + timeout
    places = _resolve(address, timeout)
    failure: OSError | None = None
    for number, (family, kind, protocol, _name, place) in enumerate(places):
        stream = socket.socket(family, kind, protocol)
        try:
            stream.settimeout(max(0.001, (deadline - time.monotonic()) / (len(places) - number)))
            stream.connect(place)
        except OSError as error:
            stream.close()
            failure = error
        else:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _warn_if_open(stream)
            return stream
    raise failure or OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))


def _resolve(address: TcpAddress | Tcp6Address, timeout: float) -> list[Any]:
    """socket.getaddrinfo with a time limit, which it has none of: a name is looked up in a thread."""
    family = socket.AF_INET6 if isinstance(address, Tcp6Address) else socket.AF_UNSPEC

    def look_up(flags: int = 0) -> list[Any]:
        return socket.getaddrinfo(address.host, address.port, family, socket.SOCK_STREAM, 0, flags)

    with contextlib.suppress(socket.gaierror):
        return look_up(socket.AI_NUMERICHOST)
    answers: queue.SimpleQueue[list[Any] | OSError] = queue.SimpleQueue()

    def work() -> None:
        try:
            answers.put(look_up())
        except OSError as error:
            answers.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        found = answers.get(timeout=timeout)
    except queue.Empty:
        raise ConnectTimeout(f"{address}: no address of {address.host} within {timeout:.3g} s") from None
    if isinstance(found, OSError):
        raise found
    return found


_warned = False


def _warn_if_open(stream: socket.socket) -> None:
    """Warn, once, of a server that anyone on the internet may reach."""
    global _warned
    if _warned or not ipaddress.ip_address(stream.getpeername()[0].partition("%")[0]).is_global:
        return
    _warned = True
    warnings.warn(
        "a rump kernel's server is reached over a public address, and sysproxy has no authentication, no encryption: "
        "whoever reaches that port controls the kernel. Close it to the network, and reach it by an ssh:// URL",
        UnprotectedServer,
        stacklevel=2,
    )
