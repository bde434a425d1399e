# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Routes and neighbours: messages as route(8) and arp(8) wrote them, tables as they printed them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.errors import ProtocolError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.nd6 import NeighbourDiscovery
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.neighbours import Neighbour, Neighbours
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.routes import Route, Routes
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.routing_messages import (
    Message,
    Names,
    flag_names,
    pack_address,
    pack_link,
    pack_mask,
    parse_messages,
    unpack_address,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import AF, RTAX, RTF, RTM
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import (
    ALL_ABIS,
    AMD64,
    LP64_BIG,
    Transcript,
    abi_name,
    transcript,
)
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.scripted_server import Called, serving

every_abi = pytest.mark.parametrize("abi", ALL_ABIS, ids=abi_name)
every_machine = pytest.mark.parametrize("machine", ["amd64", "i386"])
NAMES: Final = Names({1: "lo0", 2: "shmif0"})
STATIC: Final = RTF.UP | RTF.GATEWAY | RTF.STATIC
LINK: Final = bytes.fromhex("b2a011223344")


@dataclass
class Recorder:
    """A kernel without one: what is told it is kept, what it lists is given."""

    abi: Abi
    listed: bytes = b""
    told: list[Message] = field(default_factory=list)

    @property
    def sysctl(self) -> Any:
        return self

    @property
    def interfaces(self) -> Any:
        return self

    @property
    def routing_socket(self) -> Any:
        return self

    def read(self, *_arguments: object) -> bytes:
        return self.listed

    def names(self) -> Names:
        return NAMES

    def tell(self, message: Message, _subject: str) -> None:
        self.told.append(message)

    def broken(self, what: str) -> ProtocolError:
        return ProtocolError(what)


def written(found: Transcript) -> list[bytes]:
    """The messages that a utility wrote."""
    return [b"".join(data for _address, data in call.copyins) for call in found.calls("write")]


def listing(found: Transcript) -> bytes:
    """The last list that sysctl net.route gave it, other than the interfaces."""
    result = b""
    for call in found.calls("__sysctl"):
        arguments = found.arguments("__sysctl", call)
        name = call.copied_in(arguments["name"])
        numbers = [found.abi.read_integer("int", name[at:]) for at in range(0, len(name), 4)]
        if arguments["oldv"] and numbers[:2] == [4, 34] and numbers[4] in (1, 2):
            size = found.abi.read_integer("size_t", call.copied_out(arguments["oldlenp"]))
            result = call.copied_out(arguments["oldv"])[:size]
    return result


def comparable(abi: Abi, data: bytes) -> tuple[int, int, dict[int, bytes]]:
    """Type, flags and addresses. The family of a mask says nothing, and an empty one is eight bytes of anything."""
    (message,) = parse_messages(abi, data)
    addresses = dict(message.addresses)
    mask = addresses.get(RTAX.NETMASK)
    if mask:
        addresses[RTAX.NETMASK] = bytes([mask[0], 0]) + mask[2:]
    return message.type, message.flags, addresses


@every_machine
@pytest.mark.parametrize(
    ("prefix", "kind", "route"),
    [
        ("30", "add", Route(ip_network("10.9.0.0/16"), ip_address("1.2.3.1"), flags=STATIC)),
        ("31", "add", Route(ip_network("0.0.0.0/0"), ip_address("1.2.3.254"), flags=STATIC)),
        ("34", "change", Route(ip_network("10.9.0.0/16"), ip_address("1.2.3.2"), flags=STATIC)),
        ("35", "delete", Route(ip_network("10.9.0.0/16"), flags=STATIC)),
        ("36", "delete", Route(ip_network("10.77.0.0/16"), flags=STATIC)),
        ("37", "add", Route(ip_network("::/0"), ip_address("2001:db8::fe"), flags=STATIC)),
    ],
)
def test_messages_as_route_wrote_them(machine: str, prefix: str, kind: str, route: Route) -> None:
    found = transcript(machine, prefix)
    recorder = Recorder(found.abi)
    getattr(Routes(recorder), kind)(route, NAMES)  # type: ignore[arg-type]
    (ours,) = recorder.told
    (theirs,) = written(found)
    assert comparable(found.abi, ours.build(found.abi)) == comparable(found.abi, theirs)
    assert len(ours.build(found.abi)) == len(theirs)


@every_machine
def test_the_message_byte_for_byte(machine: str) -> None:
    """route add default 1.2.3.254: but for the number of the message and the family of the empty mask."""
    found = transcript(machine, "31")
    recorder = Recorder(found.abi)
    route = Route(ip_network("0.0.0.0/0"), ip_address("1.2.3.254"), flags=STATIC)
    Routes(recorder).add(route)  # type: ignore[arg-type]
    theirs = bytearray(written(found)[0])
    theirs[20:24] = bytes(4)
    theirs[153] = 0
    assert recorder.told[0].build(found.abi) == bytes(theirs)


@every_machine
def test_a_neighbour_as_arp_set_it(machine: str) -> None:
    found = transcript(machine, "38")
    recorder = Recorder(found.abi)
    index = found.abi.read_integer("uint16", written(found)[1][138:])
    Neighbours(recorder).add(Neighbour(ip_address("1.2.3.9"), "it0", LINK), Names({index: "it0"}))  # type: ignore[arg-type]
    theirs = bytearray(written(found)[1])
    theirs[20:24] = bytes(4)  # its number
    assert recorder.told[0].build(found.abi) == bytes(theirs)


@every_machine
def test_a_neighbour_as_arp_forgot_it(machine: str) -> None:
    """arp writes back all that it was told of the route; the kernel looks at the address and the link."""
    found = transcript(machine, "40")
    (theirs,) = parse_messages(found.abi, written(found)[1])
    recorder = Recorder(found.abi)
    link = theirs.addresses[RTAX.GATEWAY]
    names = Names({found.abi.read_integer("uint16", link[2:]): "it0"})
    Neighbours(recorder).remove(Neighbour(ip_address("1.2.3.9"), "it0", LINK), names)  # type: ignore[arg-type]
    (ours,) = recorder.told
    assert ours.type == theirs.type == RTM.DELETE
    assert ours.flags & theirs.flags & RTF.LLDATA
    assert ours.addresses[RTAX.DST] == theirs.addresses[RTAX.DST]
    assert ours.addresses[RTAX.GATEWAY][: len(link)][1:] == link[1:]


@every_machine
def test_the_answer_that_route_get_printed(machine: str) -> None:
    found = transcript(machine, "32")
    answer = found.calls("read")[-1]
    data = answer.copied_out(found.arguments("read", answer)["buf"])[: answer.values[0]]
    (message,) = parse_messages(found.abi, data)
    (asked,) = parse_messages(found.abi, written(found)[0])
    assert (message.type, message.seq, message.errno) == (RTM.GET, asked.seq, 0)
    route = Routes(Recorder(found.abi))._route(message, NAMES)  # type: ignore[arg-type]
    assert route is not None
    shown = dict(re.findall(r"(\S[\w ]*): (\S+)", found.stdout))
    assert str(route.destination) == f"{shown['destination']}/{ip_network('0.0.0.0/' + shown['mask']).prefixlen}"
    assert str(route.gateway) == shown["gateway"]
    assert route.interface == shown["interface"]
    assert str(route.source) == shown["local addr"]
    assert flag_names(found.abi, route.flags) == ["up", "gateway", "static"]


def printed(line: str) -> tuple[str, str]:
    """A destination as ``route show`` prints it, and the interface: its networks are without trailing zeros."""
    destination, *_middle, interface = line.split()
    address, slash, prefix = destination.partition("/")
    if slash and ":" not in address:
        address += ".0" * (3 - address.count("."))
    return address + slash + prefix, interface


@every_machine
def test_the_table_as_route_showed_it(machine: str) -> None:
    found = transcript(machine, "33")
    table = Routes(Recorder(found.abi, listing(found))).all()  # type: ignore[arg-type]
    shown = [printed(line) for line in found.stdout.splitlines() if re.search(r"(lo|shmif)\d$", line)]
    assert len(table) == len(shown) > 10
    for route, (destination, interface) in zip(table, shown, strict=True):
        assert route.interface == interface
        if not destination.startswith(("ff01", "fe80")):  # where it shows the scope inside, or none at all
            assert str(route).removesuffix(" (IPv6)") == destination
    own = [route for route in table if route.flags & RTF.LOCAL]
    assert {str(route) for route in own} >= {"1.2.3.4", "127.0.0.1", "fe80::1%lo0"}
    loopback = next(route for route in table if str(route) == "127.0.0.1")
    assert loopback.metrics["mtu"] == int(re.search(r"^127\.0\.0\.1 .* (\d+)  lo0", found.stdout, re.M)[1])  # type: ignore[index]
    scoped = next(route for route in table if str(route) == "fe80::%shmif0/64")
    assert (scoped.scope, scoped.destination) == ("shmif0", ip_network("fe80::/64"))


@every_machine
def test_neighbours_as_arp_and_ndp_showed_them(machine: str) -> None:
    found = transcript(machine, "39")
    known = Neighbours(Recorder(found.abi, listing(found))).all(AF.INET)  # type: ignore[arg-type]
    assert {(str(entry.address), entry.link_address.hex(":"), entry.interface) for entry in known} == set(
        re.findall(r"\((\S+)\) at (\S+) on (\S+) permanent", found.stdout)
    )
    assert all(entry.is_permanent and not entry.is_proxy for entry in known)
    found = transcript(machine, "41")
    known = Neighbours(Recorder(found.abi, listing(found))).all(AF.INET6)  # type: ignore[arg-type]
    assert {(str(entry.address), entry.link_address.hex(":"), entry.interface) for entry in known} == set(
        re.findall(r"^(\S+:\S+) +(\S+) +(\S+) permanent", found.stdout, re.M)
    )


# Every ABI


@every_abi
def test_messages_come_back_as_they_were(abi: Abi) -> None:
    addresses: dict[int, bytes] = {
        RTAX.DST: pack_address(abi, ip_address("10.9.0.0")),
        RTAX.GATEWAY: pack_address(abi, ip_address("fe80::1"), 2),
        RTAX.NETMASK: pack_mask(abi, ip_network("10.9.0.0/16")),
        RTAX.IFP: pack_link(abi, 0x102),
    }
    metrics = {"mtu": 1400, "expire": 1 << 40}
    built = Message(RTM.ADD, flags=int(STATIC), seq=7, metrics=metrics, addresses=addresses).build(abi)
    (found,) = parse_messages(abi, built)
    assert (found.type, found.flags, found.seq, found.addresses) == (RTM.ADD, STATIC, 7, addresses)
    assert {name: value for name, value in found.metrics.items() if value} == metrics
    order: Literal["big", "little"] = "big" if abi.byteorder == "big" else "little"
    assert int.from_bytes(built[32:36], order) == 0x5  # RTV_MTU and RTV_EXPIRE
    assert int.from_bytes(built[48:56], order) == 1400
    assert addresses[RTAX.IFP][2:4] == (0x102).to_bytes(2, order)
    assert addresses[RTAX.GATEWAY][8:12] == bytes([0xFE, 0x80, 0, 2])  # KAME's way, big-endian everywhere


@pytest.mark.parametrize(
    ("network", "mask"),
    [
        ("10.0.0.0/8", "050000 00ff 000000"),
        ("10.0.0.0/9", "060000 00ff80 0000"),
        ("10.0.0.0/32", "080000 00ffffffff"),
        ("0.0.0.0/0", "0000000000000000"),
        ("::/0", "0000000000000000"),
        ("2001:db8::/32", "1c18 000000000000 ffffffff" + "00" * 12 + "00000000"),
    ],
)
def test_masks(network: str, mask: str) -> None:
    packed = pack_mask(AMD64, ip_network(network))
    assert packed.ljust(8, b"\0") == bytes.fromhex(mask.replace(" ", ""))


@pytest.mark.parametrize(
    ("address", "index", "inside"),
    [
        ("fe80::1%shmif0", 2, "fe800002"),
        ("ff02::1", 2, "ff020002"),
        ("ff05::1", 2, "ff050000"),
        ("2001:db8::1", 2, "20010db8"),
        ("fe80::1", 0, "fe800000"),
    ],
)
def test_scopes_are_inside_link_local_addresses(address: str, index: int, inside: str) -> None:
    packed = pack_address(LP64_BIG, ip_address(address), index)
    assert packed[8:12] == bytes.fromhex(inside)
    assert packed[24:28] == bytes(4)
    found = unpack_address(packed, NAMES)
    assert isinstance(found, IPv6Address)
    assert found.packed == ip_address(address).packed
    assert found.scope_id == ("shmif0" if inside.endswith("0002") else None)


def test_an_interface_that_went_is_told_by_its_number() -> None:
    assert str(unpack_address(pack_address(AMD64, ip_address("fe80::1"), 9), NAMES)) == "fe80::1%9"


def test_former_flags_have_their_names() -> None:
    former, later = Abi(8, 8, "little", release=(7, 2)), Abi(8, 8, "little", release=(8, 0))
    assert flag_names(former, 0x2501) == ["up", "cloning", "llinfo", "cloned"]
    assert flag_names(later, 0x501) == ["up", "connected", "lldata"]


# What a server may say


@pytest.mark.parametrize(
    "data", [b"\0\0\4\1", b"\3\0\4\1", b"\xff\xff\4\1", b"\1", bytes(200), b"\x78\0\4\1" + bytes(100)]
)
def test_messages_that_are_none_end_the_session(data: bytes) -> None:
    with pytest.raises(ProtocolError, match="routing messages are none"):
        Routes(Recorder(AMD64, data)).all()  # type: ignore[arg-type]


def test_messages_of_other_versions_and_kinds_are_passed_over() -> None:
    ours = Message(RTM.GET, addresses={RTAX.DST: pack_address(AMD64, ip_address("10.0.0.1"))}).build(AMD64)
    version = ours[:2] + b"\3" + ours[3:]
    kind = ours[:3] + b"\x14" + ours[4:]
    short = b"\x08\0\4\1" + bytes(4)
    (found,) = parse_messages(AMD64, version + kind + short + ours)
    assert found.addresses == {RTAX.DST: pack_address(AMD64, ip_address("10.0.0.1"))}


@pytest.mark.parametrize("raw", ["", "00", "0202", "1018", "ff12", "0012000000ffffff", "0563" + "ff" * 20])
def test_addresses_that_are_cut_off_do_no_harm(raw: str) -> None:
    addresses: dict[int, bytes] = {
        place: bytes.fromhex(raw) for place in (RTAX.DST, RTAX.GATEWAY, RTAX.NETMASK, RTAX.IFP, RTAX.IFA)
    }
    data = Message(RTM.GET, addresses=addresses).build(AMD64)
    for route in Routes(Recorder(AMD64, data)).all():  # type: ignore[arg-type]
        assert str(route)
    for family in (AF.INET, AF.INET6):
        Neighbours(Recorder(AMD64, data)).all(family)  # type: ignore[arg-type]


def dumped(address: str, flags: int) -> bytes:
    addresses: dict[int, bytes] = {
        RTAX.DST: pack_address(AMD64, ip_address(address)),
        RTAX.GATEWAY: pack_link(AMD64, 2, LINK),
    }
    return Message(RTM.GET, flags=flags, addresses=addresses).build(AMD64)


@pytest.mark.parametrize(
    ("release", "expected"),
    [((7, 99, 34), [False, True, None, False, True]), ((8, 0), [False, True, True, False, True])],
)
def test_flags_that_are_carried_from_one_neighbour_to_the_next(release: tuple[int, ...], expected: list[Any]) -> None:
    """if_llatbl.c of 7.99.34 adds flags to what is in its buffer; nothing cleared it between the entries."""
    flags = [0, RTF.ANNOUNCE, RTF.ANNOUNCE, 0, RTF.ANNOUNCE]
    data = b"".join(dumped(f"2001:db8::{number}", int(flag)) for number, flag in enumerate(flags, 1))
    abi = Abi(8, 8, "little", release=release)
    known = Neighbours(Recorder(abi, data)).all(AF.INET6)  # type: ignore[arg-type]
    assert [entry.is_proxy for entry in known] == expected


def test_a_first_neighbour_with_a_flag_may_have_it_of_none() -> None:
    known = Neighbours(Recorder(AMD64, dumped("2001:db8::1", int(RTF.ANNOUNCE)))).all(AF.INET6)  # type: ignore[arg-type]
    assert [entry.is_proxy for entry in known] == [None]


@pytest.mark.parametrize(("release", "other"), [((6, 1), 1), ((7, 2), 1), ((7, 99, 34), 0), ((10, 0), 0)])
def test_proxies_are_addresses_of_their_own_while_neighbours_are_routes(release: tuple[int, ...], other: int) -> None:
    """netinet/if_arp.c of release 7 looks for them with SIN_PROXY in struct sockaddr_inarp."""
    recorder = Recorder(Abi(8, 8, "big", release=release))
    proxy = Neighbour(ip_address("1.2.3.9"), "shmif0", LINK, is_proxy=True)
    for act in (Neighbours(recorder).add, Neighbours(recorder).remove):  # type: ignore[arg-type]
        act(proxy, NAMES)
    for message in recorder.told:
        assert message.addresses[RTAX.DST] == bytes([16, 2, 0, 0, 1, 2, 3, 9, 0, 0, 0, 0, 0, 0, 0, other])
    assert recorder.told[0].flags & RTF.ANNOUNCE


def test_an_answer_among_others(tmp_path: Path) -> None:
    """What others ask and change is heard as well; the answer is the one to this process with the question's number."""
    asked: list[Message] = []
    heard: list[bytes] = []

    def write(called: Called) -> tuple[int, int]:
        asked.extend(parse_messages(AMD64, called.read("buf", called["nbyte"])))
        addresses: dict[int, bytes] = {
            RTAX.DST: pack_address(AMD64, ip_address("10.0.0.0")),
            RTAX.GATEWAY: pack_address(AMD64, ip_address("10.0.0.9")),
            RTAX.NETMASK: pack_mask(AMD64, ip_network("10.0.0.0/8")),
            RTAX.IFP: pack_link(AMD64, 2),
        }
        number, flags = asked[0].seq, int(RTF.UP | RTF.GATEWAY | RTF.DONE)
        heard.extend(
            Message(kind, flags=flags, pid=pid, seq=seq, addresses=addresses).build(AMD64)
            for kind, pid, seq in (
                (RTM.GET, 6, number + 1),
                (RTM.GET, 7, number),
                (RTM.ADD, 6, number),
                (RTM.GET, 6, number),
            )
        )
        return 0, called["nbyte"]

    def receive(called: Called) -> tuple[int, int]:
        message = heard.pop(0)
        called.write("buf", message)
        return 0, len(message)

    answers: dict[str, Any] = {"__socket30": (0, 5), "write": write, "recvfrom": receive, "close": 0, "getpid": (0, 6)}
    with serving(tmp_path, answers) as served:
        route = served.kernel.routes.get(IPv4Address("10.1.2.3"), NAMES)
    assert route is not None
    assert (str(route), str(route.gateway), route.interface) == ("10.0.0.0/8", "10.0.0.9", "shmif0")
    assert asked[0].addresses[RTAX.DST] == pack_address(AMD64, ip_address("10.1.2.3"))
    assert heard == []
    assert served.names().count("close") == 1


# IPv6 prefixes and routers, as nd6_sysctl gives them


@every_abi
def test_prefixes_with_the_routers_that_advertise_them(abi: Abi) -> None:
    head, router = abi.struct("in6_prefix"), abi.struct("sockaddr_in6")
    address = ip_address("fe80::9")
    prefix = {"sin6_len": 28, "sin6_family": 24, "sin6_addr": ip_address("2001:db8:7::").packed}
    one = head.build(prefix=prefix, prefixlen=64, vltime=7200, pltime=0xFFFFFFFF, flags=1, if_index=2, advrtrs=2)
    routers = router.build(sin6_len=28, sin6_family=24, sin6_addr=address.packed, sin6_scope_id=2) * 2
    other = head.build(prefix=prefix, prefixlen=48, flags=2, if_index=1)
    found = NeighbourDiscovery(Recorder(abi, one + routers + other)).prefixes()  # type: ignore[arg-type]
    assert [str(known.prefix) for known in found] == ["2001:db8:7::/64", "2001:db8:7::/48"]
    assert [str(known) for known in found[0].routers] == ["fe80::9%shmif0"] * 2
    assert (found[0].valid, found[0].preferred, found[0].is_on_link, found[0].is_detached) == (7200, None, True, False)
    assert (found[1].interface, found[1].is_on_link, found[1].is_detached, found[1].routers) == ("lo0", False, True, ())


@every_abi
def test_default_routers(abi: Abi) -> None:
    address = {"sin6_len": 28, "sin6_family": 24, "sin6_addr": ip_address("fe80::9").packed}
    raw = abi.struct("in6_defrouter").build(rtaddr=address, flags=0x98, rtlifetime=1800, expire=99, if_index=2)
    (found,) = NeighbourDiscovery(Recorder(abi, raw)).routers()  # type: ignore[arg-type]
    assert (str(found.address), found.interface, found.is_managed, found.is_other) == (
        *("fe80::9%shmif0", "shmif0"),
        True,
        False,
    )
    assert (found.preference, found.lifetime, found.expire) == ("low", 1800, 99)


@pytest.mark.parametrize("members", [{"advrtrs": 3}, {"prefixlen": 129}])
def test_prefixes_that_are_cut_off_end_the_session(members: dict[str, int]) -> None:
    raw = AMD64.struct("in6_prefix").build(**members)
    with pytest.raises(ProtocolError, match="cut off"):
        NeighbourDiscovery(Recorder(AMD64, raw)).prefixes()  # type: ignore[arg-type]
