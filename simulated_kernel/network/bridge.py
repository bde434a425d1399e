# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""bridgeN: Ethernets joined to one (sys/net/if_bridge.c, brconfig(8)'s requests)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..changes import mark_change
from ..errors import refuse
from .interfaces import ETHERNET_MTU, IFF_RUNNING, IFF_SIMPLEX, IFF_UP, IFT_BRIDGE, IFT_ETHER, Interface, InterfaceKind

if TYPE_CHECKING:
    from ..ioctls import IoctlRequest
    from .addresses import InterfaceAddress
    from .stack import NetworkStack

BRDGADD, BRDGDEL, BRDGGIFFLGS, BRDGSIFFLGS, OBRDGGIFS = 0, 1, 2, 3, 6
BRDGSIFPRIO, BRDGSIFCOST, BRDGGIFS, BRDGRTS = 21, 22, 25, 26
LEARNING_DISCOVER = 0x1 | 0x2
COMMANDS = 27
# Commands that get a number, and those that set it: the attribute, its width in bytes, and the least.
GETTERS = {5: ("max_addresses", 4), 10: ("timeout", 4), 13: ("priority", 2), 15: ("hello_time", 1),
           17: ("forward_delay", 1), 19: ("max_age", 1)}  # fmt: skip
SETTERS = {4: ("max_addresses", 4, 0), 9: ("timeout", 4, 0), 14: ("priority", 2, 0), 16: ("hello_time", 1, 1),
           18: ("forward_delay", 1, 1), 20: ("max_age", 1, 1)}  # fmt: skip
ABOUT_MEMBERS = {BRDGADD, BRDGDEL, BRDGSIFFLGS, BRDGSIFPRIO, BRDGSIFCOST}


@dataclass
class Member:
    """How an Ethernet takes part."""

    name: str
    flags: int = LEARNING_DISCOVER
    priority: int = 128
    path_cost: int = 55


class Bridge(Interface):
    """A bridge and its members."""

    kind = InterfaceKind("bridge", "rumpnet_bridge", IFT_BRIDGE, 0, ETHERNET_MTU, 14, dlt=1)

    def __init__(self, stack: NetworkStack, name: str, index: int) -> None:
        super().__init__(stack, name, index)
        self.members: list[Member] = []
        """Newest first."""
        self.priority, self.hello_time, self.forward_delay, self.max_age = 0x8000, 2, 15, 20
        self.max_addresses, self.timeout = 100, 1200

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
        """The members are let go, and left in promiscuous mode."""
        for member in self.members:
            interface = self.stack.find(member.name)
            if interface is not None:
                interface.bridge = None
        self.members.clear()

    def other_removed(self, other: Interface) -> None:
        self.members = [member for member in self.members if member.name != other.name]

    async def _drive(self, request: IoctlRequest) -> None:
        argument = request.struct("ifdrv")
        command = argument.ifd_cmd
        request.notes["command"] = command
        if command >= COMMANDS:
            raise refuse("EINVAL")
        getting = request.name == "SIOCGDRVSPEC"
        if command in ABOUT_MEMBERS and not getting:
            self._ask_member(request, command, await self._argument(request, argument, "ifbreq"))
        elif command == BRDGGIFFLGS and getting:
            asked = await self._argument(request, argument, "ifbreq")
            found = self._member(asked.ifbr_ifsname.decode("utf-8", "replace"))
            await request.memory.copyout(argument.ifd_data, self._packed(request, found))
        elif command in SETTERS and not getting:
            self._set(request, *SETTERS[command], await self._argument(request, argument, "ifbrparam"))
        elif command in GETTERS and getting:
            await self._get(request, argument, *GETTERS[command])
        elif command in (BRDGGIFS, OBRDGGIFS) and getting:
            await self._list(request, argument, command)
        else:
            raise refuse("EINVAL")

    @staticmethod
    async def _argument(request: IoctlRequest, argument: Any, structure: str) -> Any:
        layout = request.abi.struct(structure)
        if argument.ifd_len != layout.size:
            raise refuse("EINVAL")
        return layout.parse(await request.memory.copyin(argument.ifd_data, layout.size))

    def _set(self, request: IoctlRequest, attribute: str, width: int, least: int, asked: Any) -> None:
        value = int(asked.ifbrp_ifbrpu[f"ifbrpu_int{8 * width}"])
        request.notes[attribute] = value
        if value < least:
            raise refuse("EINVAL")
        if value != getattr(self, attribute):
            setattr(self, attribute, value)
            mark_change()

    async def _get(self, request: IoctlRequest, argument: Any, attribute: str, width: int) -> None:
        layout = request.abi.struct("ifbrparam")
        if argument.ifd_len != layout.size:
            raise refuse("EINVAL")
        built = layout.build(ifbrp_ifbrpu={f"ifbrpu_int{8 * width}": getattr(self, attribute)})
        await request.memory.copyout(argument.ifd_data, built)

    def _member(self, name: str) -> Member:
        found = next((member for member in self.members if member.name == name), None)
        if found is None:
            raise refuse("ENOENT")
        return found

    def _ask_member(self, request: IoctlRequest, command: int, asked: Any) -> None:
        name = asked.ifbr_ifsname.decode("utf-8", "replace")
        request.notes["member"] = name
        if command == BRDGADD:
            self._add(name)
            return
        member = self._member(name)
        before = (member.flags, member.priority, member.path_cost)
        if command == BRDGDEL:
            self._remove(member)
        elif command == BRDGSIFFLGS:
            member.flags = asked.ifbr_ifsflags
        elif command == BRDGSIFPRIO:
            member.priority = asked.ifbr_priority
        else:
            member.path_cost = asked.ifbr_path_cost
        if command == BRDGDEL or before != (member.flags, member.priority, member.path_cost):
            mark_change()

    def _add(self, name: str) -> None:
        interface = self.stack.find(name)
        if interface is None:
            raise refuse("ENOENT")
        if interface.mtu != self.mtu:
            raise refuse("EINVAL")
        if interface.bridge == self.name:
            raise refuse("EEXIST")
        if interface.bridge is not None:
            raise refuse("EBUSY")
        if interface.kind.type != IFT_ETHER or not interface.flags & IFF_SIMPLEX:
            raise refuse("EINVAL")
        interface.bridge = self.name
        interface.promiscuous(True)
        self.members.insert(0, Member(name))
        mark_change()

    def _remove(self, member: Member) -> None:
        self.members.remove(member)
        interface = self.stack.find(member.name)
        if interface is not None:
            interface.bridge = None
            interface.promiscuous(False)

    async def _list(self, request: IoctlRequest, argument: Any, command: int) -> None:
        """The members, or how much room they need."""
        if command == OBRDGGIFS:
            asked = await self._argument(request, argument, "ifbifconf")
            room, buffer = asked.ifbic_len, asked.ifbic_ifbicu.ifbicu_buf
        else:
            room, buffer = argument.ifd_len & 0xFFFFFFFF, argument.ifd_data
        size = request.abi.struct("ifbreq").size
        needed = size * len(self.members)
        if needed and room >= needed:
            for place, member in enumerate(self.members):
                await request.memory.copyout(buffer + place * size, self._packed(request, member))
        if command == OBRDGGIFS:
            built = request.abi.struct("ifbifconf").build(ifbic_len=needed, ifbic_ifbicu={"ifbicu_buf": buffer})
            await request.memory.copyout(argument.ifd_data, built)
        else:
            request.put_integer("size_t", needed, request.abi.struct("ifdrv").offset_of("ifd_len"))

    def _packed(self, request: IoctlRequest, member: Member) -> bytes:
        interface = self.stack.find(member.name)
        return request.abi.struct("ifbreq").build(
            ifbr_ifsname=member.name.encode(),
            ifbr_ifsflags=member.flags,
            ifbr_priority=member.priority,
            ifbr_path_cost=member.path_cost,
            ifbr_portno=(interface.index if interface else 0) & 0xFF,
        )
