# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""shmifN: an Ethernet whose bus is a file that several kernels map (if_shmem.c).

No packets move here, and no file is made: its path is looked at as far as opening it would fail.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from ..changes import mark_change
from ..errors import refuse
from .interfaces import ETHERNET_FLAGS, ETHERNET_MTU, IFT_ETHER, Ethernet, InterfaceKind

if TYPE_CHECKING:
    from ..ioctls import IoctlRequest
    from .stack import NetworkStack

IFLINKSTR_QUERYLEN, IFLINKSTR_UNSET = 1, 2
PATH_LIMIT = 1024
BUS_MAGIC = 0xCA11D054


class Shmif(Ethernet):
    """A shared-memory Ethernet; it runs only once it has a bus (its link string)."""

    kind = InterfaceKind(
        "shmif", "rumpnet_shmif", IFT_ETHER, ETHERNET_FLAGS, ETHERNET_MTU, 14, 10_000_000, b"\xb2\xa0", 1
    )

    def __init__(self, stack: NetworkStack, name: str, index: int) -> None:
        super().__init__(stack, name, index)
        self.bus: bytes | None = None
        self._bus_length = 0

    def destroy(self) -> None:
        """It is stopped and down before its bus goes; the kernel takes it down once more then."""
        self.stop()
        self.down()

    def plug(self, bus: bytes) -> None:
        """Attach it to a bus that is nobody's file."""
        self.bus, self._bus_length = bus, len(bus) + 1

    def start(self) -> None:
        if self.bus is None:
            raise refuse("ENXIO")
        super().start()

    async def ioctl(self, request: IoctlRequest) -> None:
        match request.name:
            case "SIOCGLINKSTR":
                await self._get_link_string(request)
            case "SIOCSLINKSTR":
                await self._set_link_string(request)
            case _:
                self.ether_ioctl(request)

    async def _get_link_string(self, request: IoctlRequest) -> None:
        argument, layout = request.struct("ifdrv"), request.abi.struct("ifdrv")
        if self.bus is None:
            raise refuse("ENOENT")
        request.put_integer("size_t", self._bus_length, layout.offset_of("ifd_len"))
        if argument.ifd_cmd == IFLINKSTR_QUERYLEN:
            return
        if argument.ifd_cmd != 0:
            raise refuse("EINVAL")
        await request.memory.copyout(argument.ifd_data, self.bus + b"\0")

    async def _set_link_string(self, request: IoctlRequest) -> None:
        argument = request.struct("ifdrv")
        if self.is_up:
            raise refuse("EBUSY")
        if argument.ifd_cmd == IFLINKSTR_UNSET:
            if self.bus is not None:
                mark_change()
            self.bus, self._bus_length = None, 0
            return
        if argument.ifd_cmd != 0:
            raise refuse("EINVAL")
        if self.bus is not None:
            raise refuse("EBUSY")
        if argument.ifd_len > PATH_LIMIT:
            raise refuse("E2BIG")
        if argument.ifd_len < 1:
            raise refuse("EINVAL")
        path = await request.memory.copyinstr(argument.ifd_data, argument.ifd_len)
        request.notes["linkstr"] = path
        _check_bus(path)
        self.bus, self._bus_length = path, argument.ifd_len
        mark_change()


def _check_bus(path: bytes) -> None:
    """Refuse what the host would refuse when the file is opened for reading and writing, or made."""
    if not path:
        raise refuse("ENOENT")
    if os.path.isdir(path):
        raise refuse("EISDIR")
    parent = os.path.dirname(path) or b"."
    try:
        if os.path.exists(path):
            if not os.access(path, os.R_OK | os.W_OK):
                raise refuse("EACCES")
        elif not os.access(os.path.realpath(parent), os.W_OK | os.X_OK):
            os.stat(parent)
            raise refuse("EACCES")
    except OSError as error:
        raise refuse(errno.errorcode.get(error.errno or 0, "EIO")) from None
    _check_magic(path)


def _check_magic(path: bytes) -> None:
    """A file that is something else is no bus (ENOEXEC)."""
    try:
        with open(path, "rb") as file:
            magic = file.read(4)
    except OSError:
        return
    if magic not in (b"", bytes(4), BUS_MAGIC.to_bytes(4, "little"), BUS_MAGIC.to_bytes(4, "big")):
        raise refuse("ENOEXEC")
