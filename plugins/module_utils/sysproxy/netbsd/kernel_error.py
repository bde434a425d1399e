# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refused system calls as exceptions: an errno of NetBSD is an ``OSError``, of Python's own class for it.

A missing file is a ``FileNotFoundError``, a call that would block a ``BlockingIOError``, and so on as
in PEP 3151; all of them are :class:`KernelError`.
"""

from __future__ import annotations

import errno as host_errno

from ..errors import RumpError, printable
from .errno import MESSAGES, Errno


class KernelError(RumpError, OSError):
    """A system call that the kernel refused.

    ``name`` is the errno's NetBSD name and ``number`` its NetBSD number; ``errno`` is the
    controller's number for the same name, so that comparisons with :mod:`errno` work on every
    controller. ``call`` is the system call or ioctl, ``subject`` what it was about, as it is; the
    error's text has it escaped where a terminal would not print it.
    """

    def __init__(self, number: int, call: str, subject: str = "") -> None:
        try:
            self.name = Errno(number).name
        except ValueError:
            self.name = f"errno {number}"
        self.number = number
        self.call = call
        self.subject = subject
        OSError.__init__(self, getattr(host_errno, self.name, number), MESSAGES.get(number, "unknown error"))

    def __str__(self) -> str:
        about = f"{self.call} {self.subject}" if self.subject else self.call
        return f"{printable(about)}: {self.name} ({self.strerror})"

    def __reduce__(self) -> tuple[object, ...]:
        return kernel_error, (self.number, self.call, self.subject)


# The classes of Python's own hierarchy (PEP 3151), by the NetBSD names of their errnos.
_BUILTIN_CLASSES: dict[type[OSError], tuple[str, ...]] = {
    BlockingIOError: ("EAGAIN", "EALREADY", "EINPROGRESS"),
    BrokenPipeError: ("EPIPE",),
    ChildProcessError: ("ECHILD",),
    ConnectionAbortedError: ("ECONNABORTED",),
    ConnectionRefusedError: ("ECONNREFUSED",),
    ConnectionResetError: ("ECONNRESET",),
    FileExistsError: ("EEXIST",),
    FileNotFoundError: ("ENOENT",),
    InterruptedError: ("EINTR",),
    IsADirectoryError: ("EISDIR",),
    NotADirectoryError: ("ENOTDIR",),
    PermissionError: ("EACCES", "EPERM"),
    ProcessLookupError: ("ESRCH",),
    TimeoutError: ("ETIMEDOUT",),
}
_CLASS_OF_ERRNO: dict[int, type[KernelError]] = {
    Errno[name]: kind
    for builtin, names in _BUILTIN_CLASSES.items()
    for kind in [
        type(f"Kernel{builtin.__name__}", (KernelError, builtin), {"__doc__": f"{', '.join(names)} from the kernel."})
    ]
    for name in names
}


def kernel_error(number: int, call: str, subject: str = "") -> KernelError:
    """The exception for NetBSD errno ``number``: a KernelError that is also Python's own class for it."""
    return _CLASS_OF_ERRNO.get(number, KernelError)(number, call, subject)
