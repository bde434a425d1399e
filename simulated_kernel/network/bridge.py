# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""bridgeN: Ethernets joined to one (sys/net/if_bridge.c, brconfig(8)'s requests)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..changes import mark_change
from ..errors import refuse
from .interfaces import ETHERNET_MTU, IFF_RUNNING, IFF_SIMPLEX, IFF_UP, IFT_BRIDGE, IFT_ETHER, Interface, InterfaceKind

if TYPE_CHECKING:
    from ..ioctls import IoctlRequest
    from .addresses import InterfaceAddress
    from .stack import NetworkStack

BRDGADD, BRDGDEL, BRDGGIFS = 0, 1, 6
REQUEST_SIZE = 32
"""sizeof(struct ifbreq): name 16, flags 4, state, priority, path cost, port number."""
LEARNING_DISCOVER = 0x1 | 0x2
DEFAULT_PRIORITY, DEFAULT_COST = 128, 55
COMMANDS = 25


class Bridge(Interface):
    """A bridge and its members."""

    kind = InterfaceKind("bridge", "rumpnet_bridge", IFT_BRIDGE, 0, ETHERNET_MTU, 14, dlt=1)

    def __init__(self, stack: NetworkStack, name: str, index: int) -> None:
        super().__init__(stack, name, index)
        self.members: list[str] = []
        """Newest first."""

    def init_address(self, address: InterfaceAddress) -> None:
        raise refuse("ENOTTY")

    async def ioctl(self, request: IoctlRequest) -> None:
        match request.name:
            case "SIOCSDRVSPEC" | "SIOCGDRVSPEC":
                await self._drive(request)
            case "SIOCSIFFLAGS":
                self.set_flags(request)
                state = self.flags & (IFF_UP | IFF_RUNNING)
                if state == IFF_RUNNING:
                    self.stop()
                elif state == IFF_UP:
                    self.start()
            case "SIOCSIFMTU":
                self.set_mtu_within(request, -(1 << 31), (1 << 31) - 1)
            case _:
                self.common_ioctl(request)

    def destroy(self) -> None:
        for name in list(self.members):
            self._remove(name)

    async def _drive(self, request: IoctlRequest) -> None:
        argument = request.struct("ifdrv")
        command = argument.ifd_cmd
        request.notes["command"] = command
        if command >= COMMANDS:
            raise refuse("EINVAL")
        getting = request.name == "SIOCGDRVSPEC"
        if command in (BRDGADD, BRDGDEL) and not getting:
            if argument.ifd_len != REQUEST_SIZE:
                raise refuse("EINVAL")
            raw = await request.memory.copyin(argument.ifd_data, REQUEST_SIZE)
            name = raw[:16].split(b"\0")[0].decode("utf-8", "replace")
            request.notes["member"] = name
            if command == BRDGADD:
                self._add(name)
            else:
                self._remove_asked(name)
        elif command == BRDGGIFS and getting:
            await self._list(request, argument)
        else:
            raise refuse("EINVAL")

    def _add(self, name: str) -> None:
        member = self.stack.find(name)
        if member is None:
            raise refuse("ENOENT")
        if member.mtu != self.mtu:
            raise refuse("EINVAL")
        if member.bridge == self.name:
            raise refuse("EEXIST")
        if member.bridge is not None:
            raise refuse("EBUSY")
        if member.kind.type != IFT_ETHER or not member.flags & IFF_SIMPLEX:
            raise refuse("EINVAL")
        member.bridge = self.name
        member.flags |= 0x100
        self.members.insert(0, name)
        mark_change()

    def _remove_asked(self, name: str) -> None:
        if name not in self.members:
            raise refuse("ENOENT")
        self._remove(name)
        mark_change()

    def _remove(self, name: str) -> None:
        self.members.remove(name)
        member = self.stack.find(name)
        if member is not None:
            member.bridge = None
            member.flags &= ~0x100

    async def _list(self, request: IoctlRequest, argument) -> None:  # type: ignore[no-untyped-def]
        """BRDGGIFS: the members, or how much room they need."""
        layout = request.abi.struct("ifdrv")
        needed = REQUEST_SIZE * len(self.members)
        if needed and argument.ifd_len >= needed:
            for place, name in enumerate(self.members):
                await request.memory.copyout(argument.ifd_data + place * REQUEST_SIZE, self._member(request, name))
        request.put_integer("size_t", needed, layout.offset_of("ifd_len"))

    def _member(self, request: IoctlRequest, name: str) -> bytes:
        member = self.stack.find(name)
        head = name.encode().ljust(16, b"\0") + request.abi.integer("uint32", LEARNING_DISCOVER)
        tail = bytes([0, DEFAULT_PRIORITY, DEFAULT_COST, (member.index if member else 0) & 0xFF])
        return (head + tail).ljust(REQUEST_SIZE, b"\0")
