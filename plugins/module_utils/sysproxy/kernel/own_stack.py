# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a session comes through the network stack of the very kernel that it is with, as to a Rumprun unikernel.

The kernel's list of sockets would tell, and must not be read: sysctl_inpcblist copies it out while it holds the lock
of the network stack, the copy has to go out through that stack, and from then on the kernel answers nobody. So the
session's own packets are looked for instead: bpf(4) listens on the interfaces while a call is made whose argument
occurs nowhere else. Images of Rumprun have bpf, which their DHCP client needs.

Sources: sysctl_inpcblist of netinet/tcp_usrreq.c, PCB_SLOP of sys/socketvar.h; bpf(4), net/bpf.h, net/dlt.h.
"""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, TypeAlias

from ..errors import RumpError
from ..netbsd import KernelError
from ..netbsd.constants import IFF, O
from ..netbsd.ioctls import IOC_IN, IOC_OUT, IOCPARM_SHIFT
from .interface_ioctls import IPAddress, encoded_name
from .interfaces import Interface
from .sysctl import UnknownSysctl

if TYPE_CHECKING:
    from . import Kernel

End: TypeAlias = "tuple[IPAddress, int]"
Ends: TypeAlias = "tuple[End, End]"

_LISTS: Final = ("net.inet.tcp.pcblist", "net.inet6.tcp6.pcblist")
_SLOP: Final = 20  # sockets that the kernel adds to their number when it is asked for no more than that
_FEWEST: Final = 2  # the server's socket and our connection's
_BUFFER: Final = 1 << 15
_TRIES: Final = 3
_TCP: Final = 6
_NULL_LINK, _ETHERNET = 0, 1  # DLT_*
_IPV4, _IPV6 = b"\x08\x00", b"\x86\xdd"
_PROBE_LIMIT: Final = 5.0  # seconds for a second connection


def _code(direction: int, number: int, size: int) -> int:
    return direction | size << IOCPARM_SHIFT | ord("B") << 8 | number


class SocketsUnreadable(RumpError):
    """The kernel's list of sockets cannot be read: the session comes through the kernel's own network stack."""


class OwnStack:
    """The session's way to the kernel, as the kernel sees it."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def ends(self, interfaces: Iterable[Interface] | None = None) -> Ends | None:
        """Our connection as the kernel sees it, its own address and port and then the other ones; None if it does not
        come through the kernel's stack.

        Address translation and forwarded ports on the way do not matter where the kernel has bpf. Where it has none,
        a server that we reach at an address of the kernel's interfaces is taken for the kernel's own.
        """
        if self._is_elsewhere():
            return None
        found = self._kernel.interfaces.all() if interfaces is None else list(interfaces)
        outside = [one for one in found if one.flags & IFF.UP and not one.flags & IFF.LOOPBACK]
        own = {address.interface.ip for one in outside for address in one.addresses}
        try:
            return self._captured([one.name for one in outside], own)
        except KernelError:
            return self._told(own)

    def is_used(self) -> bool:
        """Whether the session comes through the kernel's own stack; with no bpf, a second connection tells."""
        if self._is_elsewhere():
            return False
        found = self._kernel.interfaces.all()
        outside = [one.name for one in found if one.flags & IFF.UP and not one.flags & IFF.LOOPBACK]
        try:
            own = {address.interface.ip for one in found for address in one.addresses}
            return self._captured(outside, own) is not None
        except KernelError:
            before = self._count()
            with self._kernel.session.reopen(self._kernel.session.url, _PROBE_LIMIT):
                return self._count() != before

    def _is_elsewhere(self) -> bool:
        """Whether it is plain that the session does not come so."""
        return self._kernel.session.url.startswith("unix:") or self._count() < _FEWEST

    def _count(self) -> int:
        """How many TCP sockets the kernel has. Only their number is asked for, which is no harm."""
        abi = self._kernel.abi
        size = abi.struct("kinfo_pcb").size
        number = 0
        for name in _LISTS:
            length = bytearray(abi.integer("size_t", 0))
            try:
                mib = abi.integers("int", *self._kernel.sysctl.node(name).mib, 0, 0, 0, 0)
                words = len(mib) // len(abi.integer("int", 0))
                self._kernel.call("__sysctl", mib, words, None, length, None, 0, label="sysctl", subject=name)
            except (UnknownSysctl, KernelError):
                continue
            number += max(abi.read_integer("size_t", length) // size - _SLOP, 0)
        return number

    def _told(self, own: set[IPAddress]) -> Ends | None:
        """What our own end of the connection tells."""
        ends = self._kernel.session.endpoints
        if ends is None:
            return None
        here, there = ((_plain(host), port) for host, port in ends)
        return (there, here) if there[0] in own else None

    def _captured(self, names: list[str], own: set[IPAddress]) -> Ends | None:
        """The ends of the first packet with what we say, on whichever interface it comes in.

        :raises KernelError: there is no bpf.
        """
        with contextlib.ExitStack() as stack:
            listeners = []
            for name in names:
                fd = self._kernel.open("/dev/bpf", O.RDWR)
                stack.callback(self._close, fd)
                with contextlib.suppress(KernelError):  # an interface that went meanwhile, or that is none of bpf's
                    listeners.append((fd, *self._listen(fd, name)))
            if not names:
                self._kernel.close(self._kernel.open("/dev/bpf", O.RDWR))
            for _try in range(_TRIES):
                word = secrets.token_hex(16).encode()
                with contextlib.suppress(KernelError):
                    self._kernel.stat(b"/" + word)
                for fd, link, size in listeners:
                    for packet in self._packets(fd, size):
                        found = _ends(packet, link) if word in packet else None
                        if found is not None and found[0][0] in own:
                            return found
        return None

    def _listen(self, fd: int, name: str) -> tuple[int, int]:
        """Have a descriptor of bpf give the packets of an interface; its link-level type, and how much a read takes."""
        abi = self._kernel.abi
        word = len(abi.integer("int", 0))
        link, size = bytearray(word), bytearray(abi.integer("uint32", _BUFFER))
        request = abi.struct("ifreq").build(ifr_name=encoded_name(name))
        for label, code, argument in (
            ("BIOCSBLEN", _code(IOC_IN | IOC_OUT, 102, word), size),
            ("BIOCSETIF", _code(IOC_IN, 108, len(request)), bytearray(request)),
            ("BIOCIMMEDIATE", _code(IOC_IN, 112, word), bytearray(abi.integer("uint32", 1))),
            ("BIOCGDLT", _code(IOC_OUT, 106, word), link),
        ):
            self._kernel.call("ioctl", fd, code, argument, label=label, subject=name)
        self._kernel.set_blocking(fd, False)
        return abi.read_integer("uint32", link), min(abi.read_integer("uint32", size), _BUFFER)

    def _packets(self, fd: int, size: int) -> Iterator[bytes]:
        """What came since. A record is a struct bpf_hdr and the packet; the next begins at a multiple of a long."""
        abi = self._kernel.abi
        long = len(abi.integer("long", 0))
        try:
            data = self._kernel.read(fd, size)
        except KernelError:
            return  # nothing did
        position = 0
        while position + 2 * long + 10 <= len(data):
            # After the time of two longs: how much there is, how much there was, and how long this header is.
            place = position + 2 * long
            length = abi.read_integer("uint32", data[place : place + 4])
            head = abi.read_integer("uint16", data[place + 8 : place + 10])
            yield data[position + head : position + head + length]
            position += max(head + length + long - 1 & -long, long)

    def _close(self, fd: int) -> None:
        with contextlib.suppress(KernelError):
            self._kernel.close(fd)


def _ends(packet: bytes, link: int) -> Ends | None:
    """Where a TCP packet goes to, and where it comes from."""
    if link == _ETHERNET:
        kind, packet = packet[12:14], packet[14:]
    elif link == _NULL_LINK:
        kind, packet = {4: _IPV4, 6: _IPV6}.get(packet[4] >> 4 if len(packet) > 4 else 0, b""), packet[4:]
    else:
        return None
    if kind == _IPV4 and len(packet) >= 20 and packet[9] == _TCP:
        source, target, ports = packet[12:16], packet[16:20], packet[(packet[0] & 0xF) * 4 :][:4]
    elif kind == _IPV6 and len(packet) >= 40 and packet[6] == _TCP:
        source, target, ports = packet[8:24], packet[24:40], packet[40:44]
    else:
        return None
    far, near = int.from_bytes(ports[:2], "big"), int.from_bytes(ports[2:], "big")
    return (ipaddress.ip_address(target), near), (ipaddress.ip_address(source), far)


def _plain(host: str) -> IPAddress:
    """An address without a scope; an IPv4 one that came as IPv6 as what it is."""
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address if mapped is None else mapped
