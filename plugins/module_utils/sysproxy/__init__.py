# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client of rump kernels: NetBSD's system calls over sysproxy, shaped like Python's ``os``.

::

    from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect

    with connect("unix:///tmp/csock", timeout=5) as k:
        k.getpid()
        k.listdir("/")
        k.stat("/dev").st_mode

The package knows nothing of Ansible. Its storeys, from the wire up: frames (the protocol, pure),
memory (what calls lend to the server), transport (URLs and streams), session (calls with time
limits), netbsd (the ABI), kernel (the façade).
"""

from __future__ import annotations

from .errors import (
    CallTimeout,
    ConnectError,
    ConnectionLost,
    ConnectTimeout,
    ForeignMemory,
    InvalidURL,
    MissingLibrary,
    ProtocolError,
    RequestRefused,
    RumpError,
    ServerFull,
    SessionClosed,
    UnknownMachine,
)
from .kernel import Kernel
from .netbsd import Abi, Errno, KernelError
from .session import DEFAULT_CONNECT_TIMEOUT, DEFAULT_TIMEOUT, open_session

__all__ = [
    "Abi",
    "CallTimeout",
    "ConnectError",
    "ConnectTimeout",
    "ConnectionLost",
    "Errno",
    "ForeignMemory",
    "InvalidURL",
    "Kernel",
    "KernelError",
    "MissingLibrary",
    "ProtocolError",
    "RequestRefused",
    "RumpError",
    "ServerFull",
    "SessionClosed",
    "UnknownMachine",
    "connect",
]


def connect(
    url: str,
    *,
    timeout: float = DEFAULT_TIMEOUT,
    connect_timeout: float = DEFAULT_CONNECT_TIMEOUT,
    abi: Abi | None = None,
) -> Kernel:
    """A rump kernel as an object, to be used in a ``with`` block or ended with ``disconnect``.

    :param url: ``unix://csock`` (relative), ``unix:///abs/csock`` or ``tcp://1.2.3.4:12345``.
    :param timeout: seconds that one system call may take.
    :param connect_timeout: seconds for the connection and the handshake, waits for a full server
        included.
    :param abi: the kernel's ABI, for a machine that the server's banner leaves open.
    :raises InvalidURL: ``url`` is none of these.
    :raises ConnectError: no session could be made; its subclasses :class:`ConnectTimeout` and
        :class:`ServerFull` say why.
    """
    return Kernel(open_session(url, timeout=timeout, connect_timeout=connect_timeout, abi=abi))
