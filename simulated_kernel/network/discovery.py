# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IPv6 options of interfaces, and the lists of routers and prefixes (sys/netinet6/nd6.c: nd6_ioctl, nd6_sysctl).

No router ever advertises itself here: that list is empty.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..changes import mark_change
from ..errors import refuse
from ..sysctl.node import SysctlNode
from .addresses import AF_INET6, IN6_IFF_DUPLICATED, IN6_IFF_TENTATIVE, INFINITE_LIFETIME, is_link_local, needs_scope
from .interfaces import IFF_LOOPBACK, IFT_BRIDGE, Interface

if TYPE_CHECKING:
    from ..ioctls import IoctlRequest
    from ..sysctl.request import SysctlRequest
    from .prefixes import Prefix
    from .stack import NetworkStack

PERFORMNUD, ACCEPT_RTADV, IFDISABLED, AUTO_LINKLOCAL = 0x1, 0x2, 0x8, 0x20
MINIMUM_MTU = 1280
NDPRF_ONLINK = 0x1


def _reachable_time(base: int) -> int:
    """ND_COMPUTE_RTIME: seconds, a half to one and a half times the base in milliseconds."""
    step = base >> 10
    return (512 * step + (random.getrandbits(32) & 1024 * step)) // 1000


@dataclass
class Options:
    """struct nd_ifinfo."""

    flags: int
    chlim: int = 64
    basereachable: int = 30000
    reachable: int = field(default_factory=lambda: _reachable_time(30000))
    retrans: int = 1000
    linkmtu: int = 0


class Discovery:
    """Neighbour discovery of one kernel, apart from the neighbours."""

    def __init__(self, stack: NetworkStack) -> None:
        self._stack = stack
        self._options: dict[Interface, Options] = {}

    def attach(self, interface: Interface) -> None:
        """nd6_ifattach."""
        kernel = self._stack.kernel
        automatic = kernel.sysctl.value("net.inet6.ip6.auto_linklocal", 1) if hasattr(kernel, "sysctl") else 1
        flags = PERFORMNUD
        if kernel.abi.release < (9, 99, 66):
            flags |= ACCEPT_RTADV
        if (automatic and interface.kind.type != IFT_BRIDGE) or interface.flags & IFF_LOOPBACK:
            flags |= AUTO_LINKLOCAL
        self._options[interface] = Options(flags)

    def detach(self, interface: Interface) -> None:
        self._options.pop(interface, None)

    def options(self, interface: Interface) -> Options:
        return self._options[interface]

    def gives_link_local(self, interface: Interface) -> bool:
        """Whether the interface is to get a link-local address of itself (in6_ifattach)."""
        flags = self._options[interface].flags
        return bool(flags & AUTO_LINKLOCAL) and not flags & IFDISABLED

    def refuse_bridge(self, interface: Interface) -> None:
        """What in6_ifattach makes of a bridge: it has no IPv6 of its own."""
        options = self._options[interface]
        options.flags = options.flags & ~AUTO_LINKLOCAL | IFDISABLED

    # Ioctls

    def control(self, request: IoctlRequest, interface: Interface) -> bool:
        """Serve an ioctl; whether it is one of these."""
        match request.name:
            case "SIOCGIFINFO_IN6":
                self._get(request, interface)
            case "SIOCSIFINFO_IN6":
                self._set(request, interface)
                mark_change()
            case "SIOCSPFXFLUSH_IN6":
                self._stack.prefixes.flush()
                mark_change()
            case "SIOCSRTRFLUSH_IN6":
                mark_change()
            case _:
                return False
        return True

    def _get(self, request: IoctlRequest, interface: Interface) -> None:
        options = self._options[interface]
        known = {
            "linkmtu": options.linkmtu,
            "maxmtu": interface.mtu,
            "basereachable": options.basereachable,
            "reachable": options.reachable,
            "retrans": options.retrans,
            "flags": options.flags,
            "chlim": options.chlim,
            "initialized": 1,
        }
        there = request.abi.struct("nd_ifinfo").offsets
        ndi = {name: value for name, value in known.items() if name in there}
        request.put_struct("in6_ndireq", ifname=interface.name.encode(), ndi=ndi)

    def _set(self, request: IoctlRequest, interface: Interface) -> None:
        """SIOCSIFINFO_IN6: what is 0 stays, but for the flags."""
        asked, options = request.struct("in6_ndireq").ndi, self._options[interface]
        link_mtu = asked.get("linkmtu") or 0
        if link_mtu:
            if not MINIMUM_MTU <= link_mtu <= (options.linkmtu or interface.mtu):
                raise refuse("EINVAL")
            options.linkmtu = link_mtu
        if asked.basereachable and asked.basereachable != options.basereachable:
            options.basereachable = asked.basereachable
            options.reachable = _reachable_time(asked.basereachable)
        options.retrans = asked.retrans or options.retrans
        options.chlim = asked.chlim or options.chlim
        self._set_flags(interface, options, asked.flags)

    def _set_flags(self, interface: Interface, options: Options, flags: int) -> None:
        own = [address for address in interface.addresses if address.family == AF_INET6]
        if options.flags & IFDISABLED and not flags & IFDISABLED:
            if any(address.state & IN6_IFF_DUPLICATED and is_link_local(address.address) for address in own):
                flags |= IFDISABLED
            else:
                options.flags &= ~IFDISABLED
                if interface.is_up:
                    self._stack.inet6.interface_up(interface)
        elif flags & IFDISABLED and not options.flags & IFDISABLED:
            options.flags |= IFDISABLED
            for address in own:
                address.dad_ends = None
                address.state |= IN6_IFF_TENTATIVE
        if flags & AUTO_LINKLOCAL:
            was_automatic = options.flags & AUTO_LINKLOCAL
            options.flags |= AUTO_LINKLOCAL
            if not was_automatic or (not flags & IFDISABLED and interface.is_up):
                self._stack.inet6.attach_interface(interface)
        options.flags = flags

    # sysctl

    async def serve_routers(self, request: SysctlRequest, node: SysctlNode, rest: list[int]) -> None:
        """net.inet6.icmp6.nd6_drlist"""
        await self._give(request, rest, b"")

    async def serve_prefixes(self, request: SysctlRequest, node: SysctlNode, rest: list[int]) -> None:
        """net.inet6.icmp6.nd6_prlist"""
        await self._give(request, rest, b"".join(map(self._prefix, self._stack.prefixes.all())))

    @staticmethod
    async def _give(request: SysctlRequest, rest: list[int], raw: bytes) -> None:
        if rest:
            raise refuse("EINVAL")
        if request.new:
            raise refuse("EPERM")
        room, request.old_length = request.old_length, len(raw)
        if request.old:
            if len(raw) > room:
                raise refuse("ENOMEM")
            await request.memory.copyout(request.old, raw)

    def _prefix(self, prefix: Prefix) -> bytes:
        abi = self._stack.kernel.abi
        bits, scope = prefix.bits, 0
        # Bit fields: on link, and for autoconfiguration, which the link's own prefix is.
        raflags = 3 if is_link_local(bits) else 1
        if needs_scope(bits):
            scope, bits = int.from_bytes(bits[2:4], "big"), bits[:2] + bytes(2) + bits[4:]
        return abi.struct("in6_prefix").build(
            prefix={"sin6_len": 28, "sin6_family": AF_INET6, "sin6_addr": bits, "sin6_scope_id": scope},
            raflags=raflags if abi.byteorder == "little" else int(f"{raflags:032b}"[::-1], 2),
            prefixlen=prefix.length,
            vltime=prefix.lifetime,
            pltime=prefix.lifetime,
            expire=0 if prefix.lifetime == INFINITE_LIFETIME else prefix.updated + prefix.lifetime,
            flags=NDPRF_ONLINK if prefix.on_link else 0,
            refcnt=prefix.references,
            if_index=prefix.interface.index,
        )
