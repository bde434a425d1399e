# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``netstat -s`` and ``netstat -a`` show: the protocols' counters, and the sockets that are open.

The counters are arrays of 64-bit numbers that sysctl gives, whose places have names in the protocols' headers. Later
releases append to them. Sources: netinet/{ip,icmp,igmp,tcp,udp}_var.h, netinet/icmp6.h, netinet/ip_carp.h,
netinet6/{ip6,udp6,pim6}_var.h, netinet6/raw_ip6.h, net/if_arp.h, net/route.h; for the sockets sysctl_inpcblist of
netinet/tcp_usrreq.c, sysctl_unpcblist of kern/uipc_domain.c and sys/socketvar.h, and netinet/tcp_fsm.h.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ..netbsd import KernelError
from ..netbsd.constants import AF, IPPROTO
from .addresses import Address, unpack
from .base import Base
from .own_stack import SocketsUnreadable
from .sysctl import Sysctl, UnknownSysctl

_NODES: Final = {
    "ip": "net.inet.ip.stats",
    "icmp": "net.inet.icmp.stats",
    "igmp": "net.inet.igmp.stats",
    "tcp": "net.inet.tcp.stats",
    "udp": "net.inet.udp.stats",
    "arp": "net.inet.arp.stats",
    "carp": "net.inet.carp.stats",
    "ip6": "net.inet6.ip6.stats",
    "icmp6": "net.inet6.icmp6.stats",
    "udp6": "net.inet6.udp6.stats",
    "raw6": "net.inet6.raw6.stats",
    "pim6": "net.inet6.pim6.stats",
    "route": "net.route.stats",
}

# The names of the first places; a number says that the next name has that place.
_NAMES: Final = {
    "ip": """total badsum tooshort toosmall badhlen badlen fragments fragdropped fragtimeout forward fastforward
        cantforward redirectsent noproto delivered localout odropped reassembled fragmented ofragments cantfrag
        badoptions noroute badvers rawout badfrags rcvmemdrop toolong nogif badaddr nol2tp noipsec pfildrop_in
        pfildrop_out ipsecdrop_in ipsecdrop_out ifdrop timxceed ifnoaddr rtreject bcastdenied""",
    "icmp": "error oldshort oldicmp badcode tooshort checksum badlen reflect pmtuchg bmcastecho bmcasttstamp",
    "igmp": """1 rcv_total rcv_tooshort rcv_badsum rcv_queries rcv_badqueries rcv_reports rcv_badreports
        rcv_ourreports snd_reports""",
    "tcp": """connattempt accepts connects drops conndrops closed segstimed rttupdated delack timeoutdrop rexmttimeo
        persisttimeo keeptimeo keepprobe keepdrops persistdrops connsdrained pmtublackhole sndtotal sndpack sndbyte
        sndrexmitpack sndrexmitbyte sndacks sndprobe sndurg sndwinup sndctrl rcvtotal rcvpack rcvbyte rcvbadsum
        rcvbadoff rcvmemdrop rcvshort rcvduppack rcvdupbyte rcvpartduppack rcvpartdupbyte rcvoopack rcvoobyte
        rcvpackafterwin rcvbyteafterwin rcvafterclose rcvwinprobe rcvdupack rcvacktoomuch rcvackpack rcvackbyte
        rcvwinupd pawsdrop predack preddat pcbhashmiss noport badsyn delayed_free sc_added sc_completed sc_timed_out
        sc_overflowed sc_reset sc_unreach sc_bucketoverflow sc_aborted sc_dupesyn sc_dropped sc_collisions
        sc_retransmitted sc_delayed_free selfquench badsig goodsig ecn_shs ecn_ce ecn_ect""",
    "udp": "ipackets hdrops badsum badlen noport noportbcast fullsock pcbhashmiss opackets",
    "arp": """sndtotal sndreply sndrequest rcvtotal rcvrequest rcvreply rcvmcast rcvbadproto rcvbadlen rcvzerotpa
        rcvzerospa rcvnoint rcvlocalsha rcvbcastsha rcvlocalspa rcvoverperm rcvoverint rcvover rcvlenchg dfrtotal
        dfrsent dfrdropped allocfail""",
    "carp": """ipackets ipackets6 badif badttl hdrops badsum badver badlen badauth badvhid badaddrs opackets
        opackets6 onomem ostates preempt""",
    "ip6": """total tooshort toosmall fragments fragdropped fragtimeout fragoverflow forward cantforward redirectsent
        delivered localout odropped reassembled fragmented ofragments cantfrag badoptions noroute badvers rawout
        badscope notmember 279 m1 312 mext1 mext2m exthdrtoolong nogif toomanyhdr sources_none
        398 forward_cachehit forward_cachemiss fastforward fastforwardflows""",
    "icmp6": """error canterror toofreq 259 badcode tooshort checksum badlen reflect 520 nd_toomanyopt
        534 pmtuchg nd_badopt badns badna badrs badra badredirect dropped_raroute""",
    "udp6": "ipackets hdrops badsum nosum badlen noport noportmcast fullsock pcbcachemiss opackets",
    "raw6": "ipackets isum badsum nosock nosockmcast fullsock opackets",
    "pim6": "rcv_total rcv_tooshort rcv_badsum rcv_badversion rcv_registers rcv_badregisters snd_registers",
    "route": "badredirect dynamic newgateway unreach wildcard",
}

# Counters of which there is one for each message type: their first and their number.
_HISTOGRAMS: Final = {
    "icmp": {"out": (16, 41), "in": (57, 41)},
    "icmp6": {"out": (3, 256), "in": (264, 256)},
    "ip6": {"next_header": (23, 256)},
}

_PCB_LISTS: Final = {
    "net.inet.tcp.pcblist": "tcp",
    "net.inet.udp.pcblist": "udp",
    "net.inet.raw.pcblist": "raw",
    "net.inet6.tcp6.pcblist": "tcp6",
    "net.inet6.udp6.pcblist": "udp6",
    "net.inet6.raw6.pcblist": "raw6",
    "net.local.stream.pcblist": "local stream",
    "net.local.dgram.pcblist": "local dgram",
    "net.local.seqpacket.pcblist": "local seqpacket",
}
_MOST_SOCKETS: Final = 0x7FFFFFFF
_ROOM: Final = 32  # sockets that room is made for at first

_TCP_STATES: Final = (
    *("CLOSED", "LISTEN", "SYN_SENT", "SYN_RECEIVED", "ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT_1", "CLOSING"),
    *("LAST_ACK", "FIN_WAIT_2", "TIME_WAIT"),
)


def _places(text: str) -> dict[int, str]:
    """The names by their places."""
    found: dict[int, str] = {}
    place = 0
    for word in text.split():
        if word.isdigit():
            place = int(word)
        else:
            found[place] = word
            place += 1
    return found


_PLACES: Final = {protocol: _places(text) for protocol, text in _NAMES.items()}


@dataclass(frozen=True)
class OpenSocket:
    """A socket that is open in the kernel, of whichever process.

    ``local`` and ``remote`` are addresses as Python's sockets have them, or None; ``state`` is TCP's, or None.
    ``receive_queue`` and ``send_queue`` are in bytes.
    """

    protocol: str
    local: Address
    remote: Address
    state: str | None
    receive_queue: int
    send_queue: int


class Statistics:
    """The counters of the kernel's protocols, and its sockets."""

    def __init__(self, base: Base, sysctl: Sysctl, is_over_own_stack: Callable[[], bool] = lambda: False) -> None:
        self._base = base
        self._sysctl = sysctl
        self._is_over_own_stack = is_over_own_stack

    def counters(self) -> dict[str, dict[str, Any]]:
        """The counters of each protocol that the kernel has, by their names in its headers, in lower case.

        Counters of message types are in dictionaries of their own (``in``, ``out``, ``next_header``), by the types'
        numbers, as far as they are not 0. So is what a later release added, by the name ``counter_PLACE``.
        """
        found = {}
        for protocol, node in _NODES.items():
            try:
                data = self._sysctl.get(node)
            except (UnknownSysctl, KernelError):
                continue  # a protocol whose component the kernel has not, or the release
            if isinstance(data, bytes) and len(data) % 8 == 0:
                found[protocol] = self._named(protocol, data)
        return found

    def _named(self, protocol: str, data: bytes) -> dict[str, Any]:
        read = self._base.abi.read_integer
        numbers = [read("uint64", data[at : at + 8]) for at in range(0, len(data), 8)]
        histograms = _HISTOGRAMS.get(protocol, {})
        inside = {place for first, count in histograms.values() for place in range(first, first + count)}
        names = _PLACES[protocol]
        newest = max(names)
        found: dict[str, Any] = {}
        for place, number in enumerate(numbers):
            if place in names:
                found[names[place]] = number
            elif number and place > newest and place not in inside:
                found[f"counter_{place}"] = number
        for name, (first, count) in histograms.items():
            found[name] = {str(kind): number for kind, number in enumerate(numbers[first : first + count]) if number}
        return found

    def sockets(self) -> list[OpenSocket]:
        """All sockets of the Internet protocols and of AF_LOCAL, by protocol, in the kernel's order.

        :raises SocketsUnreadable: to ask for them over the kernel's own network stack would stop it for good.
        """
        if self._is_over_own_stack():
            raise SocketsUnreadable(
                f"{self._base.session.url}: the list of sockets cannot be read over the kernel's own network stack, "
                "which is locked while the list is copied"
            )
        layout = self._base.abi.struct("kinfo_pcb")
        found = []
        for name, protocol in _PCB_LISTS.items():
            try:
                node = self._sysctl.node(name)
            except UnknownSysctl:
                continue
            mib = (*node.mib, 0, 0, layout.size, _MOST_SOCKETS)
            data = self._sysctl.read(mib, name, layout.size * _ROOM)
            if len(data) % layout.size:
                raise self._base.broken(f"the list {name} of sockets is cut off")
            found += [
                self._socket(protocol, layout.parse(data[at : at + layout.size]))
                for at in range(0, len(data), layout.size)
            ]
        return found

    def _socket(self, protocol: str, entry: Any) -> OpenSocket:
        state = None
        if entry.ki_protocol == IPPROTO.TCP and entry.ki_family in (AF.INET, AF.INET6):
            number = entry.ki_tstate
            state = _TCP_STATES[number] if 0 <= number < len(_TCP_STATES) else str(number)
        return OpenSocket(
            protocol,
            self._address(entry.ki_s),
            self._address(entry.ki_d),
            state,
            entry.ki_rcvq,
            entry.ki_sndq,
        )

    def _address(self, data: bytes) -> Address:
        try:
            return unpack(self._base.abi, bytes(data[: data[0]]))
        except ValueError as error:
            raise self._base.broken(f"the kernel gave an address that is none: {error}") from error
