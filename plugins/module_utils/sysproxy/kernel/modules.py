# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernel modules: those that a kernel has, and modctl(2) to load and unload them.

A rump kernel's components hold their modules built in. One that is unloaded is disabled, and can be loaded again by
its name with ``force``. Sources: modctl(2), sys/module.h, sys/kern/sys_module.c; the list changed in release 9.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from .base import Base, StrPath, path_bytes

_LOAD: Final = 0
_UNLOAD: Final = 1
_LOAD_FORCE: Final = 1
_FIRST_ROOM: Final = 1 << 14
_LARGEST_LIST: Final = 1 << 22
_GROWTHS: Final = 4


class ModuleSource(IntEnum):
    """Where a module came from (sys/module.h)."""

    BUILTIN = 0
    BOOT = 1
    FILESYS = 2


class ModuleClass(IntEnum):
    """What a module is for (sys/module.h)."""

    ANY = 0
    MISC = 1
    VFS = 2
    DRIVER = 3
    EXEC = 4
    SECMODEL = 5
    BUFQ = 6


@dataclass(frozen=True)
class Module:
    """A module as modstat(8) shows it.

    ``references`` is -1 for a built-in one that is disabled; ``size`` is 0 for built-in ones; ``source`` and
    ``kind`` are plain numbers where they are none of those known.
    """

    name: str
    kind: ModuleClass | int
    source: ModuleSource | int
    references: int
    size: int
    requires: tuple[str, ...]

    @property
    def enabled(self) -> bool:
        return self.references >= 0


class Modules:
    """A kernel's modules; ``k.modules``."""

    def __init__(self, base: Base) -> None:
        self._base = base

    def all(self) -> list[Module]:
        """All modules, those that are disabled at the end."""
        abi = self._base.abi
        layout = abi.struct("modstat_t")
        data = self._list(abi.constant("MODCTL_STAT"))
        if "ms_required" in layout.offsets:
            entries, count = 0, len(data) // layout.size
        else:
            entries, count = 4, abi.read_integer("int", data.ljust(4, b"\0"))
        if not 0 <= count <= (len(data) - entries) // layout.size:
            raise self._base.broken(f"the list of {count} modules has {len(data)} bytes")
        return [
            self._module(layout.parse(data, at), data)
            for at in range(entries, entries + count * layout.size, layout.size)
        ]

    def get(self, name: str) -> Module | None:
        return next((found for found in self.all() if found.name == name), None)

    def load(self, name: StrPath, *, force: bool = False) -> None:
        """Load a module by its name or by its file's path in the kernel; enable a disabled one with ``force``.

        :raises FileExistsError: it is loaded.
        :raises FileNotFoundError: there is none of that name.
        :raises PermissionError: it was disabled, and ``force`` was not given.
        """
        with self._base.session.lend(path_bytes(name)) as address:
            request = self._base.abi.struct("modctl_load_t").build(
                ml_filename=address, ml_flags=_LOAD_FORCE if force else 0
            )
            self._base.call("modctl", _LOAD, request, label="modload", subject=os.fsdecode(name))

    def unload(self, name: str) -> None:
        """Unload a module, or disable a built-in one.

        :raises KernelError: EBUSY, it is in use.
        """
        self._base.call("modctl", _UNLOAD, path_bytes(name), label="modunload", subject=name)

    def _list(self, command: int) -> bytes:
        layout = self._base.abi.struct("iovec")
        room = _FIRST_ROOM
        for _try in range(_GROWTHS):
            buffer = bytearray(room)
            with self._base.session.lend(buffer) as address:
                vector = bytearray(layout.build(iov_base=address, iov_len=room))
                self._base.call("modctl", command, vector, label="modstat")
            needed = layout.parse(vector).iov_len
            if needed <= room:
                return bytes(buffer[:needed])
            if needed > _LARGEST_LIST:
                break
            room = needed
        raise self._base.broken(f"the list of modules is said to have {needed} bytes")

    def _module(self, found: Any, data: bytes) -> Module:
        if "ms_required" in found:
            requires = found.ms_required
        else:
            at = found.ms_reqoffset
            requires = data[at:].split(b"\0", 1)[0] if at else b""
        references = found.ms_refcnt
        return Module(
            name=os.fsdecode(found.ms_name),
            kind=_known(ModuleClass, found.ms_class),
            source=_known(ModuleSource, found.ms_source),
            references=references - (1 << 32) if references >> 31 else references,
            size=found.ms_size,
            requires=tuple(filter(None, os.fsdecode(requires).split(","))),
        )


def _known(kind: type[IntEnum], number: int) -> Any:
    try:
        return kind(number)
    except ValueError:
        return number
