# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sockets in a module's Python: the modules ``_socket`` and ``select``, over the kernel's network stack.

Python's own ``socket`` is built on the first; its class is a subclass of the one here.
"""

from __future__ import annotations

import _socket
import contextlib
import errno
import os
import select
from collections.abc import Sequence
from types import ModuleType
from typing import Any, ClassVar, Final

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.addresses import family_of
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.sockets import Socket as KernelSocket
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import POLL, SO, SOL

from .names import Names
from .substitutes import substitute

_NONBLOCK: Final = getattr(_socket, "SOCK_NONBLOCK", 0)
_CREATION_FLAGS: Final = _NONBLOCK | getattr(_socket, "SOCK_CLOEXEC", 0)
# Functions of the controller's on numbers and texts alone, and Python's limit for new sockets.
_HARMLESS: Final = (
    *("ntohs", "ntohl", "htons", "htonl", "inet_aton", "inet_ntoa", "inet_pton", "inet_ntop"),
    *("CMSG_LEN", "CMSG_SPACE", "getdefaulttimeout", "setdefaulttimeout"),
    "CAPI",  # which _ssl looks for when it is loaded, and does not use over our sockets (see tls)
)


class Socket:
    """``_socket.socket``: what Python's ``socket.socket`` adds its files and enumerated types to."""

    kernel: ClassVar[Kernel]  # pylint: disable=declare-non-slot
    __slots__ = ("_inner",)  # and no __weakref__, which Python's own class brings

    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:  # noqa: A002
        kernel = self.kernel
        kind = _socket.SOCK_STREAM if type == -1 else int(type) & ~_CREATION_FLAGS
        try:
            native = family_of(_socket.AF_INET if family == -1 else int(family))
        except ValueError as error:
            raise OSError(errno.EAFNOSUPPORT, str(error)) from None
        if fileno is None:
            self._inner = kernel.socket(native, kind, max(proto, 0))
        else:
            self._inner = KernelSocket(kernel, native, kind, max(proto, 0), int(fileno))
            self._inner.getsockopt(SOL.SOCKET, SO.TYPE)  # raises what is wrong with the descriptor
        self._inner.settimeout(0.0 if type != -1 and int(type) & _NONBLOCK else _socket.getdefaulttimeout())

    @property
    def family(self) -> int:
        return int(self._inner.family)

    @property
    def type(self) -> int:
        return int(self._inner.type)

    @property
    def proto(self) -> int:
        return self._inner.proto

    @property
    def timeout(self) -> float | None:
        return self._inner.gettimeout()

    def _accept(self) -> tuple[int, Any]:
        accepted, address = self._inner.accept()
        return accepted.detach(), address

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        return self._inner.recv_into(buffer, nbytes, flags)

    def recvmsg_into(self, buffers: Any, ancbufsize: int = 0, flags: int = 0) -> Any:
        views = [memoryview(buffer).cast("B") for buffer in buffers]
        data, *rest = self._inner.recvmsg(sum(map(len, views)), ancbufsize, flags)
        at = 0
        for view in views:
            piece = data[at : at + len(view)]
            view[: len(piece)] = piece
            at += len(piece)
        return len(data), *rest

    def setsockopt(self, level: int, optname: int, value: Any, optlen: int | None = None) -> None:
        self._inner.setsockopt(level, optname, bytes(optlen) if value is None and optlen else value)

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # the session has ended, or the socket was never made
            self._inner.close()


def _delegate(name: str) -> Any:
    def method(self: Socket, *arguments: Any, **options: Any) -> Any:
        return getattr(self._inner, name)(*arguments, **options)

    method.__name__ = name
    method.__qualname__ = f"socket.{name}"
    return method


for _name in (
    *("bind", "close", "connect", "connect_ex", "detach", "fileno", "getpeername", "getsockname", "getsockopt"),
    *("listen", "recv", "recvfrom", "recvfrom_into", "send", "sendall", "sendto", "setblocking", "getblocking"),
    *("settimeout", "gettimeout", "shutdown", "recvmsg", "sendmsg"),
):
    setattr(Socket, _name, _delegate(_name))


def modules(kernel: Kernel) -> dict[str, ModuleType]:
    """``_socket`` and ``select``, by their names."""
    return {"_socket": _socket_module(kernel), "select": _select_module(kernel)}


def _socket_module(kernel: Kernel) -> ModuleType:
    """The controller's numbers, the kernel's sockets, and the names that it knows."""
    sockets: Any = type("socket", (Socket,), {"kernel": kernel, "__module__": "_socket", "__slots__": ()})

    def socketpair(family: int | None = None, type: int = _socket.SOCK_STREAM, proto: int = 0) -> tuple[Any, ...]:  # noqa: A002
        local = _socket.AF_UNIX if family is None else family
        return tuple(sockets(local, type, proto, fileno=end.detach()) for end in kernel.socketpair(local, type, proto))

    def sethostname(name: str | bytes) -> None:
        kernel.sysctl.set("kern.hostname", os.fsdecode(name))

    names = Names(kernel)
    functions = {name: getattr(names, name) for name in dir(names) if not name.startswith("_")}
    functions |= {name: getattr(_socket, name) for name in _HARMLESS if hasattr(_socket, name)}
    return substitute(
        _socket,
        **functions,
        socket=sockets,
        SocketType=sockets,
        socketpair=socketpair,
        sethostname=sethostname,
        dup=kernel.dup,
        close=kernel.close,
    )


def _select_module(kernel: Kernel) -> ModuleType:
    """Every descriptor that can be waited for is the kernel's."""

    def wait(
        rlist: Sequence[Any], wlist: Sequence[Any], xlist: Sequence[Any], timeout: float | None = None, /
    ) -> tuple[list[Any], list[Any], list[Any]]:
        lists = [list(rlist), list(wlist), list(xlist)]
        wanted: dict[int, int] = {}
        for entries, event in zip(lists, (POLL.IN, POLL.OUT, POLL.PRI), strict=True):
            for entry in entries:
                wanted[_number(entry)] = wanted.get(_number(entry), 0) | int(event)
        poll = kernel.poll()
        for descriptor, events in wanted.items():
            poll.register(descriptor, events)
        found = dict(poll.poll(None if timeout is None else timeout * 1000))
        if any(events & POLL.NVAL for events in found.values()):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))

        def having(entries: list[Any], events: int) -> list[Any]:
            return [entry for entry in entries if found.get(_number(entry), 0) & events]

        readable, writable = POLL.IN | POLL.HUP | POLL.ERR, POLL.OUT | POLL.ERR
        return having(lists[0], readable), having(lists[1], writable), having(lists[2], POLL.PRI)

    module = substitute(select, error=OSError, select=wait, poll=kernel.poll)
    for name in ("epoll", "kqueue", "devpoll"):
        module.__dict__.pop(name, None)  # selectors takes what there is, and poll is
    return module


def _number(entry: Any) -> int:
    return entry if isinstance(entry, int) else int(entry.fileno())
