# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is below an interface's addresses: link-level address, media, hardware's capabilities, description.

Sources: sys/net/if.c (ifioctl_common), link_proto.c (link_control), if_media.c, ifconfig(8)'s af_link.c.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from ..exchanges import Exchange
from ..netbsd import KernelError
from ..netbsd.constants import AF, IFCAP
from .interface_ioctls import InterfaceIoctls, encoded_name

DESCRIPTION_LIMIT: Final = 63
"""Bytes of a description: IFDESCRSIZE, less the NUL."""
_IFLR_ACTIVE: Final = 0x4000
_MOST_MEDIA: Final = 1024
_MEDIA: Final = ("ifm_current", "ifm_status", "ifm_active", "ifm_count")
_ABSENT: Final = ("ENOTTY", "EINVAL", "EOPNOTSUPP", "ENODEV")


@dataclass(frozen=True)
class Media:
    """An interface's media, as words of if_media.h: see :mod:`.media`."""

    current: int
    """The one that was chosen."""
    active: int
    """The one that is in use, which is another if the choice was left to the hardware."""
    status: int
    """0x1: whether there is a link is known; 0x2: there is one."""
    supported: tuple[int, ...]


@dataclass(frozen=True)
class Capabilities:
    """What an interface's hardware may do itself, and what of it is enabled."""

    able: IFCAP
    enabled: IFCAP


class LinkIoctls(InterfaceIoctls):
    """Shaped by what ifconfig's ``link``, ``media``, ``mediaopt`` and ``ip4csum`` do."""

    def set_link_address(self, name: str, address: bytes) -> None:
        """Make ``address`` the interface's own. What its hardware has stays known to the kernel beside it."""
        self._link_address("SIOCALIFADDR", name, address, _IFLR_ACTIVE)

    def remove_link_address(self, name: str, address: bytes) -> None:
        """Forget one that is not in use.

        :raises KernelError: EBUSY, it is in use, or the hardware's.
        """
        self._link_address("SIOCDLIFADDR", name, address, 0)

    def _link_address(self, ioctl: str, name: str, address: bytes, flags: int) -> None:
        sockaddr = self._base.abi.struct("sockaddr_dl").build(
            sdl_len=20, sdl_family=AF.LINK, sdl_alen=len(address), sdl_data=address.ljust(12, b"\0")
        )
        request = self._base.abi.struct("if_laddrreq").build(
            iflr_name=encoded_name(name), flags=flags, addr=sockaddr.ljust(128, b"\0")
        )
        self._ioctl(AF.LINK, ioctl, bytearray(request), f"{name} {address.hex(':')}")

    def capabilities(self, name: str) -> Capabilities:
        return self._base.converse(self.asking_capabilities(name))

    def asking_capabilities(self, name: str) -> Exchange[Capabilities]:
        """What :meth:`capabilities` asks."""
        layout = self._base.abi.struct("ifcapreq")
        request = bytearray(layout.build(ifcr_name=encoded_name(name)))
        yield self._asking(AF.INET, "SIOCGIFCAP", request, name)
        able, enabled = layout.numbers(("ifcr_capabilities", "ifcr_capenable")).unpack(request)
        return Capabilities(IFCAP(able), IFCAP(enabled))

    def set_capabilities(self, name: str, enabled: IFCAP) -> None:
        """Enable these, and no others.

        :raises KernelError: EINVAL, the hardware is not able to do one of them.
        """
        request = self._base.abi.struct("ifcapreq").build(ifcr_name=encoded_name(name), ifcr_capenable=int(enabled))
        self._ioctl(AF.INET, "SIOCSIFCAP", bytearray(request), name)

    def media(self, name: str) -> Media | None:
        """The media, or None for an interface that has no choice of them."""
        return self._base.converse(self.asking_media(name))

    def asking_media(self, name: str) -> Exchange[Media | None]:
        """What :meth:`media` asks."""
        layout = self._base.abi.struct("ifmediareq")
        request = bytearray(layout.build(ifm_name=encoded_name(name)))
        try:
            yield self._asking(AF.INET, "SIOCGIFMEDIA", request, name)
        except KernelError as error:
            if error.name in _ABSENT:
                return None
            raise
        current, status, active, count = layout.numbers(_MEDIA).unpack(request)
        count = min(max(count, 0), _MOST_MEDIA)
        words = bytearray(4 * count)
        if count:
            with self._base.session.lend(words) as address:
                again = bytearray(layout.build(ifm_name=encoded_name(name), ifm_count=count, ifm_ulist=address))
                yield self._asking(AF.INET, "SIOCGIFMEDIA", again, name)
        supported = tuple(self._base.abi.read_integer("uint", words[at : at + 4]) for at in range(0, len(words), 4))
        return Media(current & 0xFFFFFFFF, active & 0xFFFFFFFF, status, supported)

    def set_media(self, name: str, word: int) -> None:
        """Choose a medium, one of :attr:`Media.supported`.

        :raises KernelError: EINVAL or ENXIO, the interface has no such medium.
        """
        self._ifreq("SIOCSIFMEDIA", name, ifru_value=word)

    @property
    def has_descriptions(self) -> bool:
        """Whether kernels of this release keep a description of each interface."""
        return self._base.abi.has_ioctl("SIOCSIFDESCR")

    def description(self, name: str) -> str:
        """The text that an administrator gave the interface; empty for none.

        :raises KernelError: ENOTTY, kernels of this release have no descriptions.
        """
        return self._base.converse(self.asking_description(name))

    def asking_description(self, name: str) -> Exchange[str]:
        """What :meth:`description` asks."""
        text = bytearray(DESCRIPTION_LIMIT + 1)
        try:
            yield from self._described("SIOCGIFDESCR", name, text)
        except KernelError as error:
            if error.name == "ENOMSG":
                return ""
            raise
        return os.fsdecode(bytes(text).split(b"\0")[0])

    def set_description(self, name: str, text: str) -> None:
        """Describe the interface, in :data:`DESCRIPTION_LIMIT` bytes at most; an empty text takes it back.

        :raises KernelError: ENOTTY, kernels of this release have no descriptions.
        """
        encoded = os.fsencode(text)
        if len(encoded) > DESCRIPTION_LIMIT or b"\0" in encoded:
            raise ValueError(f"a description has at most {DESCRIPTION_LIMIT} bytes and no NUL")
        # The kernel reads all of its room, whatever the length says.
        room = encoded.ljust(DESCRIPTION_LIMIT + 1, b"\0") if encoded else b""
        self._base.converse(self._described("SIOCSIFDESCR", name, room))

    def _described(self, ioctl: str, name: str, text: bytes | bytearray) -> Exchange[None]:
        """An ioctl on a struct ifreq with ifr_buflen and ifr_buf."""
        abi = self._base.abi
        with self._base.session.lend(text or bytes(1)) as address:
            pair = abi.struct("ifbifconf").build(  # the same two members
                ifbic_len=len(text), ifbic_ifbicu={"ifbicu_buf": address if text else 0}
            )
            layout = abi.struct("ifreq")
            request = bytearray(layout.build(ifr_name=encoded_name(name)))
            start = layout.offset_of("ifr_ifru")
            request[start : start + len(pair)] = pair
            yield self._asking(AF.INET, ioctl, request, name)
