# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network interfaces: real kernels' lists as ifconfig(8) printed them, requests as real clients make them."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_address, ip_interface
from pathlib import Path
from typing import Any, Final

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.errors import ProtocolError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.interfaces import (
    Interface,
    InterfaceAddress,
    Interfaces,
    _ip_address,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.routing_messages import sockaddrs
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi, Errno, KernelError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import (
    AF,
    CTL,
    IFCAP,
    IFF,
    IN6_IFF,
    RTAX,
)
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import (
    AMD64,
    I386,
    ILP32_BIG,
    LP64_BIG,
    Transcript,
    abi_name,
    transcript,
)
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.scripted_server import Called, serving

every_abi = pytest.mark.parametrize("abi", [AMD64, I386, LP64_BIG, ILP32_BIG], ids=abi_name)
every_machine = pytest.mark.parametrize("machine", ["amd64", "i386"])
LIST: Final = (CTL.NET, AF.ROUTE, 0, 0, 5, 0)


def recorded_list(found: Transcript) -> bytes:
    """The interface list that the kernel gave a utility."""
    name = found.abi.integers("int", *LIST)
    for call in found.calls("__sysctl"):
        arguments = found.arguments("__sysctl", call)
        if arguments["oldv"] and call.copied_in(arguments["name"]) == name:
            size = found.abi.read_integer("size_t", call.copied_out(arguments["oldlenp"]))
            return call.copied_out(arguments["oldv"])[:size]
    raise AssertionError(found.name)


def parse(data: bytes, abi: Abi) -> list[Interface]:
    """What the façade makes of an interface list."""

    class Base:
        def __init__(self) -> None:
            self.abi = abi

        def broken(self, what: str) -> ProtocolError:
            return ProtocolError(what)

    return list(Interfaces(Base(), None)._messages(data))  # type: ignore[arg-type]


@dataclass
class Network:
    """A kernel's answers: its interface list, and to ioctls."""

    abi: Abi
    interfaces: bytes = b""
    ioctls: dict[str, Callable[[Called, bytes], int | bytes]] = field(default_factory=dict)
    """By name: given the argument, an errno or the argument as it comes back."""
    asked: list[tuple[str, bytes]] = field(default_factory=list)

    def answers(self) -> dict[str, Any]:
        return {
            "__socket30": lambda called: (0, 10 + called["domain"]),
            "__sysctl": self.sysctl,
            "ioctl": self.ioctl,
            "close": 0,
        }

    def sysctl(self, called: Called) -> int:
        assert called.read("name", 24) == self.abi.integers("int", *LIST)
        called.write("oldv", self.interfaces)
        called.write("oldlenp", self.abi.integer("size_t", len(self.interfaces)))
        return 0

    def ioctl(self, called: Called) -> int:
        name = self.abi.ioctl_name(called["com"])
        assert name is not None
        argument = called.read("data", called["com"] >> 16 & 0x1FFF)
        self.asked.append((name, argument))
        answer = self.ioctls.get(name, lambda _called, _argument: 0)(called, argument)
        if isinstance(answer, int):
            return answer
        called.write("data", answer)
        return 0


def served(network: Network, directory: Path) -> Any:
    return serving(directory, network.answers(), abi=network.abi)


def same_members(found: Transcript, ioctl: str, structure: str, ours: bytes, *paths: str) -> None:
    """Our argument of an ioctl has the members of a real client's."""
    layout = found.abi.struct(structure)
    ((theirs, _came_out),) = found.structures(ioctl)
    for path in paths:
        members: tuple[Any, Any] = layout.parse(theirs), layout.parse(ours)
        for part in path.split("."):
            members = members[0][part], members[1][part]
        assert members[0] == members[1], path


# Real kernels' interfaces


def from_ifconfig(text: str) -> dict[str, Any]:
    """An interface as ifconfig printed it."""
    head = re.match(r"(\w+): flags=0x(\w+)<.*> mtu (\d+)\n", text)
    assert head is not None
    link = re.search(r"address: (\S+)\n", text)
    addresses: list[tuple[IPv4Interface | IPv6Interface, IPv4Address | None]] = []
    for address, mask, broadcast in re.findall(r"inet (\S+) netmask 0x(\w+)(?: broadcast (\S+))?", text):
        prefix = int(mask, 16).bit_count()
        addresses.append((IPv4Interface(f"{address}/{prefix}"), IPv4Address(broadcast) if broadcast else None))
    for address, prefix in re.findall(r"inet6 ([^\s%]+)\S* prefixlen (\d+)", text):
        addresses.append((IPv6Interface(f"{address}/{prefix}"), None))
    return {
        "name": head[1],
        "flags": int(head[2], 16),
        "mtu": int(head[3]),
        "link": link[1] if link else "",
        "addresses": set(addresses),
    }


@every_machine
@pytest.mark.parametrize("prefix", ["01", "05", "15"])
def test_interfaces_as_ifconfig_prints_them(machine: str, prefix: str) -> None:
    found = transcript(machine, prefix)
    printed = [from_ifconfig(text) for text in re.split(r"\n(?=\w)", found.stdout)]
    ours = {interface.name: interface for interface in parse(recorded_list(found), found.abi)}
    assert printed
    for expected in printed:
        interface = ours[expected["name"]]
        assert interface.flags == expected["flags"]
        assert interface.mtu == expected["mtu"]
        assert interface.metric == 0
        assert interface.link_address.hex(":") == expected["link"]
        assert {(address.interface, address.broadcast) for address in interface.addresses} == expected["addresses"]


@every_machine
def test_a_real_list_in_full(machine: str) -> None:
    found = transcript(machine, "15")
    lo0, shmif0 = parse(recorded_list(found), found.abi)
    assert (lo0.name, lo0.index, lo0.link_address) == ("lo0", 1, b"")
    assert lo0.flags == IFF.UP | IFF.LOOPBACK | IFF.RUNNING | IFF.MULTICAST
    assert [address.interface for address in lo0.addresses] == [
        ip_interface("::1/128"),
        ip_interface("fe80::1/64"),
        ip_interface("127.0.0.1/8"),
    ]
    assert [address.broadcast for address in lo0.addresses] == [None] * 3
    assert (shmif0.name, shmif0.index, shmif0.mtu) == ("shmif0", 2, 1400)
    v4 = next(address for address in shmif0.addresses if address.family == AF.INET)
    assert v4 == InterfaceAddress(ip_interface("1.2.3.4/24"), broadcast=IPv4Address("1.2.3.255"))
    v6 = [address for address in shmif0.addresses if address.family == AF.INET6]
    assert [address.interface.network for address in v6] == [
        ip_interface("fe80::/64").network,
        ip_interface("2001:db8::/64").network,
    ]
    assert all(address.destination is None for address in v6)


@every_machine
def test_one_interface(machine: str, tmp_path: Path) -> None:
    found = transcript(machine, "05")
    with served(Network(found.abi, recorded_list(found)), tmp_path) as server:
        shmif0 = server.kernel.interfaces.get("shmif0")
        assert shmif0 is not None
        assert shmif0.mtu == 1500
        assert server.kernel.interfaces.get("shmif") is None
        assert [interface.name for interface in server.kernel.interfaces.all()] == ["lo0", "shmif0"]


def message(abi: Abi, structure: str, addresses: dict[RTAX, bytes], **members: Any) -> bytes:
    """A routing message, made by hand."""
    layout = abi.struct(structure)
    prefix = "ifm" if structure == "if_msghdr" else "ifam"
    kind = 0x14 if structure == "if_msghdr" else 0xC if abi.release < (8,) else 0x16
    tail = b"".join(data + bytes(-len(data) % 8) if data else bytes(8) for _place, data in sorted(addresses.items()))
    bits = sum(1 << place for place in addresses)
    numbers = {f"{prefix}_msglen": layout.size + len(tail), f"{prefix}_type": kind, f"{prefix}_addrs": bits}
    return layout.build(**(numbers | members)) + tail


def sockaddr_dl(name: bytes, link: bytes = b"", abi: Abi = AMD64) -> bytes:
    data = (name + link).ljust(12, b"\0")
    head = abi.struct("sockaddr_dl").build(
        sdl_len=8 + len(data), sdl_family=AF.LINK, sdl_nlen=len(name), sdl_alen=len(link)
    )
    return head[:8] + data


def sockaddr(text: str) -> bytes:
    address = ip_address(text)
    if address.version == 4:
        return bytes([16, AF.INET, 0, 0]) + address.packed + bytes(8)
    return bytes([28, AF.INET6, 0, 0, 0, 0, 0, 0]) + address.packed + bytes(4)


@pytest.mark.parametrize(
    "abi", [AMD64, I386, LP64_BIG, ILP32_BIG, Abi(8, 8, "little", release=(9, 3)), Abi(4, 8, "big", release=(10, 0))]
)
def test_lists_of_every_word_byte_order_and_release(abi: Abi) -> None:
    data = message(
        abi,
        "if_msghdr",
        {RTAX.IFP: sockaddr_dl(b"wm0", b"\2\0\0\0\0\1", abi)},
        ifm_index=258,
        ifm_flags=0x8843 - 0x10000,
        ifm_data={"ifi_mtu": 1500, "ifi_metric": 3, "ifi_link_state": 2},
    )
    data += message(
        abi,
        "ifa_msghdr",
        {
            RTAX.NETMASK: bytes([7, 0, 0, 0, 255, 255, 240]),
            RTAX.IFA: sockaddr("10.0.1.2"),
            RTAX.BRD: sockaddr("10.0.15.255"),
        },
        ifam_index=258,
    )
    data += message(
        abi, "if_msghdr", {RTAX.IFP: sockaddr_dl(b"gif0", b"", abi)}, ifm_index=259, ifm_flags=0x8051 - 0x10000
    )
    data += message(
        abi,
        "ifa_msghdr",
        {RTAX.NETMASK: sockaddr("255.255.255.0"), RTAX.IFA: sockaddr("10.1.1.1"), RTAX.BRD: sockaddr("10.1.1.2")},
    )
    assert parse(data, abi) == [
        Interface(
            name="wm0",
            index=258,
            flags=IFF(0x8843),
            mtu=1500,
            metric=3,
            link_state=2,
            link_address=b"\2\0\0\0\0\1",
            addresses=(InterfaceAddress(ip_interface("10.0.1.2/20"), broadcast=IPv4Address("10.0.15.255")),),
        ),
        Interface(
            name="gif0",
            index=259,
            flags=IFF(0x8051),
            mtu=0,
            metric=0,
            link_state=0,
            addresses=(InterfaceAddress(ip_interface("10.1.1.1/24"), destination=IPv4Address("10.1.1.2")),),
        ),
    ]


@pytest.mark.parametrize(("release", "number"), [((7, 99, 34), 5), ((8, 0), 6), ((10, 0), 6)])
def test_the_lists_number_changed_with_release_8(release: tuple[int, ...], number: int, tmp_path: Path) -> None:
    abi = Abi(8, 8, "little", release=release)
    asked: list[bytes] = []

    def sysctl(called: Called) -> int:
        asked.append(called.read("name", 24))
        called.write("oldlenp", bytes(8))
        return 0

    with serving(tmp_path, {"__sysctl": sysctl}, abi=abi) as server:
        assert server.kernel.interfaces.all() == []
    assert asked == [abi.integers("int", 4, 34, 0, 0, number, 0)]


# Socket addresses


def test_socket_addresses_by_their_places() -> None:
    data = sockaddr("1.2.3.4") + bytes(8) + sockaddr("::1") + bytes(4) + b"\3\0\0" + bytes(5)
    present = 1 << RTAX.DST | 1 << RTAX.NETMASK | 1 << RTAX.IFA | 1 << RTAX.TAG
    assert list(sockaddrs(data, present)) == [
        (RTAX.DST, sockaddr("1.2.3.4")),
        (RTAX.NETMASK, b""),
        (RTAX.IFA, sockaddr("::1")),
        (RTAX.TAG, b"\3\0\0"),
    ]


@pytest.mark.parametrize("present", [0, 1, 0x1FF, 0x3FF, 0x7FFFFFFF, -1])
@pytest.mark.parametrize("data", [b"", b"\0", b"\xff", b"\xff" * 7, b"\x10\x02", bytes(1000)])
def test_socket_addresses_that_are_cut_off(data: bytes, present: int) -> None:
    for _place, found in sockaddrs(data, present):
        assert len(found) <= len(data)
        _ip_address(found)


@pytest.mark.parametrize(
    ("data", "address"),
    [
        (sockaddr("1.2.3.4"), IPv4Address("1.2.3.4")),
        (sockaddr("1.2.3.4")[:8], IPv4Address("1.2.3.4")),
        (sockaddr("1.2.3.4")[:7], None),
        (sockaddr("2001:db8::1"), IPv6Address("2001:db8::1")),
        (sockaddr("2001:db8::1")[:23], None),
        (sockaddr("fe80:2::1"), IPv6Address("fe80::1")),
        (sockaddr("febf:2::1"), IPv6Address("febf::1")),
        (sockaddr("fec0:2::1"), IPv6Address("fec0:2::1")),
        (sockaddr("ff02:2::1"), IPv6Address("ff02:2::1")),
        (sockaddr_dl(b"lo0"), None),
        (b"", None),
        (b"\x10", None),
    ],
)
def test_ip_addresses(data: bytes, address: IPv4Address | IPv6Address | None) -> None:
    assert _ip_address(data) == address


# Lists that no kernel makes


GOOD: Final = message(AMD64, "if_msghdr", {RTAX.IFP: sockaddr_dl(b"lo0")})
BAD_LISTS: Final = {
    "one byte": b"\0",
    "three bytes": b"\3\0\4",
    "no length": bytes(4),
    "shorter than its own head": b"\3\0\4\x14" + bytes(200),
    "an interface shorter than its structure": b"\x97\0\4\x14" + bytes(0x93),
    "an address shorter than its structure": b"\x17\0\4\x0c" + bytes(0x13),
    "longer than the list": GOOD[:-1],
    "much longer than the list": b"\xff\xff\4\x14" + bytes(200),
    "a good one and a piece": GOOD + b"\4",
}


@pytest.mark.parametrize("what", BAD_LISTS)
def test_lists_that_are_cut_off(what: str, tmp_path: Path) -> None:
    with served(Network(AMD64, BAD_LISTS[what]), tmp_path) as server:
        with pytest.raises(ProtocolError, match=r"^unix://.*the interface list is cut off"):
            server.kernel.interfaces.all()
        assert server.kernel.session.closed


ODD_LISTS: Final = {
    "nothing": b"",
    "an unknown message": b"\x08\0\4\x63" + bytes(4),
    "an address before any interface": message(AMD64, "ifa_msghdr", {RTAX.IFA: sockaddr("1.2.3.4")}),
    "a name longer than its address": message(
        AMD64, "if_msghdr", {RTAX.IFP: b"\x14\x12\0\0\0\xff\xff\xff" + b"x" * 12}
    ),
    "an interface with noise for numbers": GOOD[:4]
    + message(
        AMD64,
        "if_msghdr",
        {},
        ifm_addrs=1 << RTAX.IFP,
        ifm_flags=-1,
        ifm_index=65535,
        ifm_data={"ifi_mtu": (1 << 64) - 1},
    )[4:]
    + GOOD[152:],
    "an address of an unknown family": GOOD + message(AMD64, "ifa_msghdr", {RTAX.IFA: b"\x10\x63" + bytes(14)}),
    "an address without a mask": GOOD + message(AMD64, "ifa_msghdr", {RTAX.IFA: sockaddr("::1")}),
    "a mask of the other family": GOOD
    + message(AMD64, "ifa_msghdr", {RTAX.IFA: sockaddr("1.2.3.4"), RTAX.NETMASK: sockaddr("ffff::")}),
    "a mask with holes": GOOD
    + message(AMD64, "ifa_msghdr", {RTAX.IFA: sockaddr("1.2.3.4"), RTAX.NETMASK: sockaddr("255.0.255.1")}),
    "a broadcast of the other family": GOOD
    + message(AMD64, "ifa_msghdr", {RTAX.IFA: sockaddr("1.2.3.4"), RTAX.BRD: sockaddr("::1")}),
}


@pytest.mark.parametrize("what", ODD_LISTS)
def test_lists_that_are_odd(what: str) -> None:
    for interface in parse(ODD_LISTS[what], AMD64):
        assert len(interface.name) <= 12
        assert 0 <= int(interface.flags) <= 0xFFFF


NAMES: Final = [b"", b"a%b", b"../x", b"x y", b"\x1b[2J", b"\xc3\xa9", b"x" * 16]


@pytest.mark.parametrize("name", NAMES)
def test_names_that_no_kernel_gives(name: bytes) -> None:
    """A scope with a % or / would make another address of it, or none."""
    link = struct.pack("<BBHBBBB", 8 + len(name), 18, 1, 6, len(name), 0, 0) + name
    with pytest.raises(ProtocolError, match="an interface has the name"):
        parse(message(AMD64, "if_msghdr", {RTAX.IFP: link}), AMD64)


def test_an_interface_whose_name_is_left_out() -> None:
    for data in (message(AMD64, "if_msghdr", {}), message(AMD64, "if_msghdr", {}, ifm_addrs=-1)):
        with pytest.raises(ProtocolError, match="an interface has the name ''"):
            parse(data, AMD64)


@pytest.mark.parametrize("size", [0, 8, 16, 17, 24, 200])
def test_noise_is_no_list(size: int) -> None:
    # Whatever comes of it is an interface list or a breach of protocol.
    for fill in range(256):
        try:
            parse(bytes([fill]) * size, AMD64)
        except ProtocolError:
            continue


# Requests


@every_machine
def test_adding_addresses_as_real_clients_do(machine: str, tmp_path: Path) -> None:
    abi = transcript(machine, "04").abi
    network = Network(abi)
    with served(network, tmp_path) as server:
        for text in ("1.2.3.4/24", "1.2.3.5/32", "2001:db8::1/64"):
            server.kernel.interfaces.add_address("shmif0", ip_interface(text))
    recorded = [
        ("SIOCAIFADDR", transcript(machine, "04").structures("SIOCAIFADDR")[0][0]),
        ("SIOCAIFADDR", transcript(machine, "06").structures("SIOCAIFADDR")[0][0]),
        ("SIOCAIFADDR_IN6", transcript(machine, "07").structures("SIOCAIFADDR_IN6")[0][0]),
    ]
    assert network.asked == recorded
    # IPv4's ioctls go over a socket of IPv4, IPv6's over one of IPv6; each is made once.
    assert [arguments["domain"] for name, arguments in server.calls if name == "__socket30"] == [AF.INET, AF.INET6]
    assert [arguments["fd"] for name, arguments in server.calls if name == "ioctl"] == [12, 12, 34]


@every_machine
def test_removing_an_address_as_real_clients_do(machine: str, tmp_path: Path) -> None:
    found = transcript(machine, "11")
    network = Network(found.abi)
    with served(network, tmp_path) as server:
        server.kernel.interfaces.remove_address("shmif0", ip_address("1.2.3.5"))
    assert network.asked == [("SIOCDIFADDR", found.structures("SIOCDIFADDR")[0][0])]


@every_machine
@pytest.mark.parametrize(("text", "scope"), [("2001:db8::1", 0), ("fe80::1", 2)])
def test_removing_an_ipv6_address(machine: str, text: str, scope: int, tmp_path: Path) -> None:
    found = transcript(machine, "05")
    network = Network(found.abi, recorded_list(found))
    with served(network, tmp_path) as server:
        server.kernel.interfaces.remove_address("shmif0", ip_address(text))
    ((name, argument),) = network.asked
    request = found.abi.struct("in6_ifreq").parse(argument)
    asked = request.ifr_ifru.ifru_addr
    assert (name, request.ifr_name) == ("SIOCDIFADDR_IN6", b"shmif0")
    assert (asked.sin6_len, asked.sin6_family, asked.sin6_scope_id) == (28, AF.INET6, scope)
    assert IPv6Address(asked.sin6_addr) == ip_address(text)


@every_machine
def test_mtu_and_flags_as_real_clients_set_them(machine: str, tmp_path: Path) -> None:
    network = Network(transcript(machine, "08").abi)
    with served(network, tmp_path) as server:
        server.kernel.interfaces.set_mtu("shmif0", 1400)
        server.kernel.interfaces.set_flags("shmif0", IFF(0x8803))
    (mtu, mtu_argument), (flags, flags_argument) = network.asked
    assert (mtu, flags) == ("SIOCSIFMTU", "SIOCSIFFLAGS")
    same_members(transcript(machine, "08"), mtu, "ifreq", mtu_argument, "ifr_name", "ifr_ifru.ifru_mtu")
    same_members(transcript(machine, "10"), flags, "ifreq", flags_argument, "ifr_name", "ifr_ifru.ifru_flags")


@every_machine
def test_reading_flags(machine: str, tmp_path: Path) -> None:
    found = transcript(machine, "05")
    network = Network(found.abi, ioctls={"SIOCGIFFLAGS": lambda *_: found.structures("SIOCGIFFLAGS")[0][1]})
    with served(network, tmp_path) as server:
        flags = server.kernel.interfaces.flags("shmif0")
    assert flags == IFF.UP | IFF.BROADCAST | IFF.RUNNING | IFF.SIMPLEX | IFF.MULTICAST
    assert network.asked[0][1] == found.structures("SIOCGIFFLAGS")[0][0]


@every_machine
def test_setting_a_link_string_as_real_clients_do(machine: str, tmp_path: Path) -> None:
    found = transcript(machine, "03")
    text: list[bytes] = []

    def set_linkstr(called: Called, argument: bytes) -> int:
        request = found.abi.struct("ifdrv").parse(argument)
        if request.ifd_cmd == 0:
            text.append(called.peer.copyin(request.ifd_data, request.ifd_len))
        return 0

    network = Network(found.abi, ioctls={"SIOCSLINKSTR": set_linkstr})
    with served(network, tmp_path) as server:
        server.kernel.interfaces.set_linkstr("shmif0", "busmem")
        server.kernel.interfaces.unset_linkstr("shmif0")
    same_members(found, "SIOCSLINKSTR", "ifdrv", network.asked[0][1], "ifd_name", "ifd_cmd", "ifd_len")
    assert text == [b"busmem\0"]
    assert found.abi.struct("ifdrv").parse(network.asked[1][1]).ifd_cmd == 2


@every_machine
def test_reading_a_link_string(machine: str, tmp_path: Path) -> None:
    abi = transcript(machine, "05").abi
    layout = abi.struct("ifdrv")

    def get_linkstr(called: Called, argument: bytes) -> bytes:
        request = layout.parse(argument)
        assert (request.ifd_cmd, request.ifd_len) == (0, 4096)
        called.peer.copyout(request.ifd_data, b"busmem\0")
        return argument

    with served(Network(abi, ioctls={"SIOCGLINKSTR": get_linkstr}), tmp_path) as server:
        assert server.kernel.interfaces.linkstr("shmif0") == "busmem"


@pytest.mark.parametrize("error", [Errno.ENOENT, Errno.ENOTTY, Errno.EINVAL, Errno.EOPNOTSUPP])
def test_no_link_string(error: Errno, tmp_path: Path) -> None:
    with served(Network(AMD64, ioctls={"SIOCGLINKSTR": lambda *_: error}), tmp_path) as server:
        assert server.kernel.interfaces.linkstr("shmif0") is None


def test_no_interface_is_not_no_link_string(tmp_path: Path) -> None:
    network = Network(AMD64, ioctls={"SIOCGLINKSTR": lambda *_: Errno.ENXIO})
    with served(network, tmp_path) as server, pytest.raises(KernelError, match="SIOCGLINKSTR shmif0: ENXIO"):
        server.kernel.interfaces.linkstr("shmif0")


@pytest.mark.parametrize("text", [b"\0", b"x" * 4095 + b"\0", b"x" * 4096])
def test_a_link_string_of_any_length_there_is_room_for(text: bytes, tmp_path: Path) -> None:
    layout = AMD64.struct("ifdrv")

    def get_linkstr(called: Called, argument: bytes) -> bytes:
        called.peer.copyout(layout.parse(argument).ifd_data, text)
        return layout.build(ifd_name=b"shmif0", ifd_len=1 << 40)  # what is claimed is not looked at

    with served(Network(AMD64, ioctls={"SIOCGLINKSTR": get_linkstr}), tmp_path) as server:
        assert server.kernel.interfaces.linkstr("shmif0") == text.rstrip(b"\0").decode()


@every_machine
def test_cloners(machine: str, tmp_path: Path) -> None:
    found = transcript(machine, "14")
    layout = found.abi.struct("if_clonereq")

    def cloners(called: Called, argument: bytes) -> bytes:
        request = layout.parse(argument)
        for index, name in enumerate(found.stdout.split()[: request.ifcr_count]):
            called.peer.copyout(request.ifcr_buffer + 16 * index, name.encode().ljust(16, b"\0"))
        return layout.build(ifcr_total=9, ifcr_count=request.ifcr_count, ifcr_buffer=request.ifcr_buffer)

    with served(Network(found.abi, ioctls={"SIOCIFGCLONERS": cloners}), tmp_path) as server:
        assert server.kernel.interfaces.cloners() == found.stdout.split()


@pytest.mark.parametrize(
    ("total", "number"), [(0, 0), (-5, 0), (-(1 << 31), 0), (64, 64), (65, 64), ((1 << 31) - 1, 64)]
)
def test_any_number_of_cloners_that_a_kernel_claims(total: int, number: int, tmp_path: Path) -> None:
    layout = AMD64.struct("if_clonereq")
    network = Network(AMD64, ioctls={"SIOCIFGCLONERS": lambda *_: layout.build(ifcr_total=total)})
    with served(network, tmp_path) as server:
        assert server.kernel.interfaces.cloners() == [""] * number


@every_machine
def test_the_state_of_an_address(machine: str, tmp_path: Path) -> None:
    found = transcript(machine, "05")
    went_in, came_out = found.structures("SIOCGIFAFLAG_IN6")[0]
    asked = IPv6Address(found.abi.struct("in6_ifreq").parse(went_in).ifr_ifru.ifru_addr.sin6_addr)
    network = Network(found.abi, recorded_list(found), {"SIOCGIFAFLAG_IN6": lambda *_: came_out})
    with served(network, tmp_path) as server:
        assert server.kernel.interfaces.address_flags6("shmif0", asked) == IN6_IFF.TENTATIVE
    layout = found.abi.struct("in6_ifreq")
    assert layout.parse(network.asked[0][1]).ifr_name == b"shmif0"
    scoped = [layout.parse(each).ifr_ifru.ifru_addr for each in (went_in, network.asked[0][1])]
    assert scoped[0].sin6_addr == scoped[1].sin6_addr
    assert scoped[0].sin6_scope_id == scoped[1].sin6_scope_id == 2


def test_a_state_with_every_bit(tmp_path: Path) -> None:
    network = Network(AMD64, ioctls={"SIOCGIFAFLAG_IN6": lambda *_: b"\xff" * 288})
    with served(network, tmp_path) as server:
        flags = server.kernel.interfaces.address_flags6("shmif0", IPv6Address("::1"))
    assert flags & IN6_IFF.DUPLICATED


def test_creating_and_destroying(tmp_path: Path) -> None:
    network = Network(AMD64, ioctls={"SIOCIFCREATE": lambda *_: Errno.EEXIST})
    with served(network, tmp_path) as server:
        with pytest.raises(FileExistsError, match="SIOCIFCREATE shmif0: EEXIST"):
            server.kernel.interfaces.create("shmif0")
        server.kernel.interfaces.destroy("shmif0")
    assert [(name, AMD64.struct("ifreq").parse(argument).ifr_name) for name, argument in network.asked] == [
        ("SIOCIFCREATE", b"shmif0"),
        ("SIOCIFDESTROY", b"shmif0"),
    ]


@pytest.mark.parametrize("name", ["", "x" * 16, "ü" * 8])
def test_names_that_no_interface_has(name: str, tmp_path: Path) -> None:
    with served(Network(AMD64), tmp_path) as server, pytest.raises(ValueError, match="no interface's name"):
        server.kernel.interfaces.create(name)
    assert server.calls == []


def test_a_kernel_without_networking(tmp_path: Path) -> None:
    with serving(tmp_path, {"__socket30": Errno.EAFNOSUPPORT, "__sysctl": Errno.ENOENT}) as server:
        with pytest.raises(KernelError, match="socket AF_INET: EAFNOSUPPORT"):
            server.kernel.interfaces.create("shmif0")
        with pytest.raises(FileNotFoundError):
            server.kernel.interfaces.all()


@pytest.mark.parametrize("descriptor", [-1, 1 << 31])
def test_a_socket_that_is_none(descriptor: int, tmp_path: Path) -> None:
    with serving(tmp_path, {"__socket30": (0, descriptor)}) as server:
        with pytest.raises(ProtocolError, match="AF_INET ended with"):
            server.kernel.interfaces.flags("lo0")
        assert server.kernel.session.closed


def test_closing_the_sockets(tmp_path: Path) -> None:
    with served(Network(AMD64), tmp_path) as server:
        server.kernel.interfaces.flags("lo0")
        server.kernel.interfaces.close()
        server.kernel.interfaces.flags("lo0")
    assert server.names() == ["__socket30", "ioctl", "close", "__socket30", "ioctl"]


# Capabilities, of which no interface of a rump kernel without hardware has any


@pytest.mark.parametrize("abi", [AMD64, I386, LP64_BIG, ILP32_BIG], ids=abi_name)
def test_capabilities(abi: Abi, tmp_path: Path) -> None:
    layout = abi.struct("ifcapreq")
    enabled = IFCAP.CSUM_IPv4_Tx

    def get(_called: Called, argument: bytes) -> bytes:
        name = layout.parse(argument).ifcr_name
        return layout.build(ifcr_name=name, ifcr_capabilities=0x3F00, ifcr_capenable=int(enabled))

    network = Network(abi, ioctls={"SIOCGIFCAP": get})
    with served(network, tmp_path) as server:
        found = server.kernel.interfaces.capabilities("wm0")
        assert found.enabled == IFCAP.CSUM_IPv4_Tx
        assert found.able & IFCAP.CSUM_UDPv4_Rx
        assert not found.able & IFCAP.TSOv4
        server.kernel.interfaces.set_capabilities("wm0", IFCAP.CSUM_IPv4_Rx | IFCAP.CSUM_IPv4_Tx)
    ((_get, _argument), (name, argument)) = network.asked
    assert name == "SIOCSIFCAP"
    asked = layout.parse(argument)
    assert (asked.ifcr_name, asked.ifcr_capenable) == (b"wm0", 0x300)
