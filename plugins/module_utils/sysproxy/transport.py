# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers' URLs, and the byte streams that lead to them.

rumpctrl's URLs: ``unix://csock`` (relative), ``unix:///tmp/csock`` and ``tcp://1.2.3.4:12345``. In
the place of the address of a tcp URL a host name does as well.
"""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import dataclass
from typing import Final

from .errors import ConnectError, ConnectTimeout, InvalidURL, ServerFull

URL_FORMS: Final = "unix://csock (relative), unix:///absolute/csock or tcp://1.2.3.4:12345"
_UNIX_PATH_LIMIT: Final = 107  # sun_path of Linux, less its NUL


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


Address = UnixAddress | TcpAddress


def parse_url(url: str) -> Address:
    """What a server's URL means.

    :raises InvalidURL: it has none of the known forms; the error names those.
    """
    scheme, separator, rest = url.partition("://")
    if scheme == "unix" and separator and rest and "\0" not in rest:
        if len(os.fsencode(rest)) > _UNIX_PATH_LIMIT:
            raise InvalidURL(f"{url}: the path of a unix socket has at most {_UNIX_PATH_LIMIT} bytes")
        return UnixAddress(rest)
    if scheme == "tcp" and separator:
        host, _colon, port = rest.removesuffix("/").rpartition(":")
        if _is_host(host) and port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536:
            return TcpAddress(host, int(port))
    raise InvalidURL(f"{url!r} is no URL of a rump kernel's server: give {URL_FORMS}")


def _is_host(text: str) -> bool:
    """Whether a host's name or an IPv4 address can look like that."""
    try:
        text.encode("idna")  # as getaddrinfo does
    except UnicodeError:
        return False
    return bool(text) and not set(text) & set(":/\0")


def open_stream(address: Address, timeout: float) -> socket.socket:
    """A connected stream socket.

    :raises ConnectError: nothing listens there, or it cannot be reached.
    :raises ConnectTimeout: no answer within ``timeout`` seconds.
    :raises ServerFull: the server's queue of connections is full.
    """
    try:
        if isinstance(address, UnixAddress):
            return _open_unix(address, timeout)
        stream = socket.create_connection((address.host, address.port), timeout)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return stream
    except TimeoutError:
        raise ConnectTimeout(f"{address}: no connection within {timeout:g} s") from None
    except OSError as error:
        if error.errno == errno.EAGAIN:
            raise ServerFull(f"{address}: the server's queue of connections is full") from error
        raise ConnectError(f"{address}: {error.strerror or error}") from error


def _open_unix(address: UnixAddress, timeout: float) -> socket.socket:
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        stream.settimeout(timeout)
        stream.connect(address.path)
    except BaseException:
        stream.close()
        raise
    return stream
