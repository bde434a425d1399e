# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Extended attributes: named bytes beside a file's content, where its file system has them.

FFS has them once they are started, see :meth:`ExtendedAttributes.start_extended_attributes`; tmpfs and the
root file system have none (ENOTSUP). Sources: getxattr(2), extattr(9), sys/kern/vfs_xattr.c.
"""

from __future__ import annotations

import os
from typing import Final

from ..memory import Buffer
from .base import Base, StrPath, path_bytes

_EXTATTR_CMD_START: Final = 1
_EXTATTR_CMD_STOP: Final = 2
_LARGEST: Final = 1 << 20  # bytes of a value or of a list of names; the largest on FFS has 64 KiB
_GROWTHS: Final = 4  # how often one may have grown between its size and itself


class ExtendedAttributes(Base):
    """Shaped like ``os``. A name starts with its namespace: ``user.`` or ``system.``."""

    def getxattr(self, path: StrPath | int, attribute: str | bytes, *, follow_symlinks: bool = True) -> bytes:
        """The value of an attribute of a path or a descriptor.

        :raises KernelError: ENODATA, there is none of that name; ENOTSUP, the file system has none at all.
        """
        return self._read("getxattr", path, [_name(attribute)], follow_symlinks, os.fsdecode(attribute))

    def setxattr(
        self,
        path: StrPath | int,
        attribute: str | bytes,
        value: Buffer,
        flags: int = 0,
        *,
        follow_symlinks: bool = True,
    ) -> None:
        """Set an attribute. ``flags``: ``os.XATTR_CREATE`` (1), ``os.XATTR_REPLACE`` (2) or neither."""
        view = memoryview(value).toreadonly()
        name, first, subject = _target("setxattr", path, follow_symlinks, os.fsdecode(attribute))
        self.call(name, first, _name(attribute), view, view.nbytes, flags, subject=subject, label="setxattr")

    def listxattr(self, path: StrPath | int, *, follow_symlinks: bool = True) -> list[str]:
        """The names of all attributes."""
        data = self._read("listxattr", path, [], follow_symlinks, "")
        return [os.fsdecode(name) for name in data.split(b"\0") if name]

    def removexattr(self, path: StrPath | int, attribute: str | bytes, *, follow_symlinks: bool = True) -> None:
        name, first, subject = _target("removexattr", path, follow_symlinks, os.fsdecode(attribute))
        self.call(name, first, _name(attribute), subject=subject, label="removexattr")

    def start_extended_attributes(self, path: StrPath) -> None:
        """Begin with the attributes of the FFS that is mounted at ``path``, until it is unmounted.

        What they need, the directories ``.attribute/user`` and ``.attribute/system`` in it, is to be made once
        before; the kernel makes a file there for each name (extattrctl(8)).
        """
        self._control(path, _EXTATTR_CMD_START)

    def stop_extended_attributes(self, path: StrPath) -> None:
        """End what :meth:`start_extended_attributes` began; the attributes stay on the disk."""
        self._control(path, _EXTATTR_CMD_STOP)

    def _control(self, path: StrPath, command: int) -> None:
        self.path_call("extattrctl", path, command, None, 0, None)

    def _read(self, call: str, path: StrPath | int, names: list[bytes], follow: bool, about: str) -> bytes:
        """A value whose size the kernel tells when it is given no room; with too little it cuts it off."""
        name, first, subject = _target(call, path, follow, about)
        for _try in range(_GROWTHS):
            size, _second = self.call(name, first, *names, None, 0, subject=subject, label=call)
            if not 0 <= size <= _LARGEST:
                raise self.broken(f"{call} {subject} is said to have {size} bytes")
            buffer = bytearray(size + 1)
            count, _second = self.call(name, first, *names, buffer, len(buffer), subject=subject, label=call)
            if not 0 <= count <= len(buffer):
                raise self.broken(f"{call} {subject} ended with {count}, and {len(buffer)} bytes were made room for")
            if count <= size:
                return bytes(buffer[: self.came(count, f"{call} {subject}")])
        raise self.broken(f"{call} {subject} has a size that it never has")


def _target(call: str, path: StrPath | int, follow_symlinks: bool, about: str) -> tuple[str, int | bytes, str]:
    """The system call for a path, a link or a descriptor, its first argument and what errors name."""
    if isinstance(path, int):
        return f"f{call}", path, f"{path} {about}".strip()
    return call if follow_symlinks else f"l{call}", path_bytes(path), f"{os.fsdecode(path)} {about}".strip()


def _name(attribute: str | bytes) -> bytes:
    name = os.fsencode(attribute)
    if b"\0" in name:
        raise ValueError("an attribute's name cannot hold a NUL byte")
    return name + b"\0"
