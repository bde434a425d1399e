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

from collections.abc import Sequence

from .errors import (
    AbiMismatch,
    CallTimeout,
    ConnectError,
    ConnectionLost,
    ConnectTimeout,
    ForeignMemory,
    ForeignServer,
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
from .netbsd import Abi, AbiHints, Errno, KernelError
from .notices import RumpWarning
from .session import DEFAULT_CONNECT_TIMEOUT, DEFAULT_TIMEOUT, open_session

__all__ = [
    "Abi",
    "AbiHints",
    "AbiMismatch",
    "CallTimeout",
    "ConnectError",
    "ConnectTimeout",
    "ConnectionLost",
    "Errno",
    "ForeignMemory",
    "ForeignServer",
    "InvalidURL",
    "Kernel",
    "KernelError",
    "MissingLibrary",
    "ProtocolError",
    "RequestRefused",
    "RumpError",
    "RumpWarning",
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
    abi: Abi | AbiHints | None = None,
    ssh_args: Sequence[str] = (),
) -> Kernel:
    """A rump kernel as an object, to be used in a ``with`` block or ended with ``disconnect``.

    :param url: ``unix://csock`` (relative), ``unix:///abs/csock``, ``tcp://1.2.3.4:12345``,
        ``tcp6://[2001:db8::1]:12345``, ``ssh://user@host/abs/csock`` or ``ssh://user@host:22/tcp/10.0.0.5:12345``.
    :param timeout: seconds that one system call may take.
    :param connect_timeout: seconds for the connection and the handshake, waits for a full server
        included.
    :param abi: what is known of the kernel beside its banner: hints where its machine comes in several
        kinds or its release is named oddly, or a whole ABI.
    :param ssh_args: more arguments for the OpenSSH client; they go before the library's own.
    :raises InvalidURL: ``url`` is none of these.
    :raises MissingLibrary: the package construct is not installed.
    :raises ConnectError: no session could be made; its subclasses :class:`ConnectTimeout`, :class:`ServerFull`,
        :class:`ForeignServer`, :class:`UnknownMachine` and :class:`AbiMismatch` say why.

    Warns (:class:`RumpWarning`) of a server that is open to the internet, and of a release that is not known.
    """
    return Kernel(open_session(url, timeout=timeout, connect_timeout=connect_timeout, abi=abi, ssh_args=ssh_args))
