# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Structures against the bytes that real kernels and real clients sent, and what the utilities said of them.

Padding in a C client's structures is what its stack held, so those are compared member by member.
"""

from __future__ import annotations

import ipaddress
import re
import stat
from typing import Final

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import (
    CTLFLAG,
    CTLTYPE,
    DT,
    MNT,
    SYSCTL,
)
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import Transcript, transcript

pytestmark = pytest.mark.parametrize("machine", ["amd64", "i386"])

QUERY: Final = -2
DESCRIBE: Final = -7


def sysctl_replies(found: Transcript, last: int) -> dict[tuple[int, ...], bytes]:
    """What the kernel answered to the requests about nodes whose number ends with ``last``, by their parents."""
    replies = {}
    for call in found.calls("__sysctl"):
        arguments = found.arguments("__sysctl", call)
        packed = call.copied_in(arguments["name"])
        mib = tuple(found.abi.read_integer("int", packed[at:]) for at in range(0, len(packed), 4))
        if mib[-1] == last and not call.error:
            replies[mib[:-1]] = call.copied_out(arguments["oldv"])
    return replies


def stats_by_path(found: Transcript) -> dict[str, bytes]:
    result = {}
    for call in found.calls("__lstat50"):
        arguments = found.arguments("__lstat50", call)
        if not call.error:
            path = call.copied_in(arguments["path"]).rstrip(b"\0").decode()
            result[path] = call.copied_out(arguments["ub"])
    return result


def test_interface_flags(machine: str) -> None:
    found = transcript(machine, "05")
    layout = found.abi.struct("ifreq")
    went_in, came_out = found.structures("SIOCGIFFLAGS")[0]
    assert layout.parse(went_in).ifr_name == b"shmif0"
    parsed = layout.parse(came_out)
    assert parsed.ifr_name == b"shmif0"
    assert f"flags={parsed.ifr_ifru.ifru_flags & 0xFFFF:#x}<" in found.stdout


def test_setting_interface_flags(machine: str) -> None:
    found = transcript(machine, "10")
    layout = found.abi.struct("ifreq")
    went_in, came_out = found.structures("SIOCSIFFLAGS")[0]
    assert came_out == b""
    built = layout.build(ifr_name=b"shmif0", ifr_ifru={"ifru_flags": 0x8803 - 0x10000})
    assert layout.parse(went_in).ifr_name == layout.parse(built).ifr_name == b"shmif0"
    assert went_in[16:18] == built[16:18] == bytes.fromhex("0388")


def test_interface_mtu(machine: str) -> None:
    found = transcript(machine, "05")
    layout = found.abi.struct("ifreq")
    mtu = layout.parse(found.structures("SIOCGIFMTU")[0][1]).ifr_ifru.ifru_mtu
    assert f" mtu {mtu}\n" in found.stdout
    metric = layout.parse(found.structures("SIOCGIFMETRIC")[0][1]).ifr_ifru.ifru_metric
    assert metric == 0
    assert "metric" not in found.stdout  # ifconfig leaves out a metric of 0


def test_setting_interface_mtu(machine: str) -> None:
    found = transcript(machine, "08")
    layout = found.abi.struct("ifreq")
    ((went_in, _came_out),) = found.structures("SIOCSIFMTU")
    built = layout.build(ifr_name=b"shmif0", ifr_ifru={"ifru_mtu": 1400})
    assert layout.parse(went_in).ifr_name == b"shmif0"
    assert went_in[16:20] == built[16:20]
    assert layout.parse(went_in).ifr_ifru.ifru_mtu == 1400


@pytest.mark.parametrize(
    ("prefix", "address", "mask"), [("04", "1.2.3.4", "255.255.255.0"), ("06", "1.2.3.5", "255.255.255.255")]
)
def test_adding_an_ipv4_address(machine: str, prefix: str, address: str, mask: str) -> None:
    found = transcript(machine, prefix)
    ((went_in, _came_out),) = found.structures("SIOCAIFADDR")
    sockaddr, netmask = (
        {"sin_len": 16, "sin_family": 2, "sin_addr": ipaddress.IPv4Address(text).packed} for text in (address, mask)
    )
    assert went_in == found.abi.struct("ifaliasreq").build(ifra_name=b"shmif0", ifra_addr=sockaddr, ifra_mask=netmask)


def test_removing_an_ipv4_address(machine: str) -> None:
    found = transcript(machine, "11")
    ((went_in, _came_out),) = found.structures("SIOCDIFADDR")
    sockaddr = {"sa_len": 16, "sa_family": 2, "sa_data": bytes([0, 0, 1, 2, 3, 5]) + bytes(8)}
    assert went_in == found.abi.struct("ifreq").build(ifr_name=b"shmif0", ifr_ifru={"ifru_addr": sockaddr})


def test_adding_an_ipv6_address(machine: str) -> None:
    found = transcript(machine, "07")
    ((went_in, _came_out),) = found.structures("SIOCAIFADDR_IN6")
    sockaddr, mask = (
        {"sin6_len": 28, "sin6_family": 24, "sin6_addr": ipaddress.IPv6Address(text).packed}
        for text in ("2001:db8::1", "ffff:ffff:ffff:ffff::")
    )
    assert went_in == found.abi.struct("in6_aliasreq").build(
        ifra_name=b"shmif0",
        ifra_addr=sockaddr,
        ifra_prefixmask=mask,
        ifra_lifetime={"ia6t_vltime": 0xFFFFFFFF, "ia6t_pltime": 0xFFFFFFFF},
    )


def test_setting_a_link_string(machine: str) -> None:
    found = transcript(machine, "03")
    layout = found.abi.struct("ifdrv")
    (call,) = found.ioctls("SIOCSLINKSTR")
    request = layout.parse(call.copied_in(found.arguments("ioctl", call)["data"]))
    text = call.copied_in(request.ifd_data)
    assert (request.ifd_name, request.ifd_cmd, request.ifd_len, text) == (b"shmif0", 0, 7, b"busmem\0")
    built = layout.build(ifd_name=b"shmif0", ifd_len=7, ifd_data=request.ifd_data)
    assert layout.parse(built) == request


def test_reading_a_link_string(machine: str) -> None:
    found = transcript(machine, "05")
    layout = found.abi.struct("ifdrv")
    size, text = found.ioctls("SIOCGLINKSTR")
    address = found.arguments("ioctl", size)["data"]
    assert layout.parse(size.copied_in(address)).ifd_cmd == 1
    assert layout.parse(size.copied_out(address)).ifd_len == 7
    request = layout.parse(text.copied_in(found.arguments("ioctl", text)["data"]))
    assert (request.ifd_cmd, request.ifd_len) == (0, 7)
    linkstr = text.copied_out(request.ifd_data).rstrip(b"\0").decode()
    assert f"linkstr: {linkstr}\n" in found.stdout


def test_cloners(machine: str) -> None:
    found = transcript(machine, "14")
    layout = found.abi.struct("if_clonereq")
    how_many, which = found.ioctls("SIOCIFGCLONERS")
    assert layout.parse(how_many.copied_out(found.arguments("ioctl", how_many)["data"])).ifcr_total == 9
    went_in = which.copied_in(found.arguments("ioctl", which)["data"])
    request = layout.parse(went_in)
    assert layout.build(ifcr_total=9, ifcr_count=9, ifcr_buffer=request.ifcr_buffer) == went_in
    names = which.copied_out(request.ifcr_buffer)
    assert found.stdout.split() == [names[at : at + 16].rstrip(b"\0").decode() for at in range(0, 9 * 16, 16)]


def test_interface_statistics(machine: str) -> None:
    found = transcript(machine, "15")
    _went_in, came_out = found.structures("SIOCGIFDATA")[0]
    request = found.abi.struct("ifdatareq").parse(came_out)
    data = request.ifdr_data
    assert request.ifdr_name == b"shmif0"
    assert f"input: {data.ifi_ipackets} packets, {data.ifi_ibytes} bytes\n" in found.stdout
    output = f"output: {data.ifi_opackets} packets, {data.ifi_obytes} bytes, {data.ifi_omcasts} multicasts"
    assert output in found.stdout
    assert f" mtu {data.ifi_mtu}\n" in found.stdout


def test_interface_capabilities(machine: str) -> None:
    found = transcript(machine, "05")
    request = found.abi.struct("ifcapreq").parse(found.structures("SIOCGIFCAP")[0][1])
    assert (request.ifcr_name, request.ifcr_capabilities, request.ifcr_capenable) == (b"shmif0", 0, 0)


def test_state_of_an_ipv6_address(machine: str) -> None:
    found = transcript(machine, "05")
    layout = found.abi.struct("in6_ifreq")
    went_in, came_out = found.structures("SIOCGIFAFLAG_IN6")[0]
    asked = layout.parse(went_in).ifr_ifru.ifru_addr
    address = ipaddress.IPv6Address(asked.sin6_addr)
    assert f"inet6 {address}%shmif0 prefixlen 64 tentative scopeid {asked.sin6_scope_id:#x}" in found.stdout
    assert layout.parse(came_out).ifr_ifru.ifru_flags6 == 0x2


def test_a_question_about_sysctl_nodes(machine: str) -> None:
    found = transcript(machine, "20")
    layout = found.abi.struct("sysctlnode")
    question = layout.build(sysctl_flags=SYSCTL.VERS_1)
    asked = [call for call in found.calls("__sysctl") if found.arguments("__sysctl", call)["newv"]]
    assert asked
    for call in asked:
        address = found.arguments("__sysctl", call)["newv"]
        # The kernel fetches the flags alone first.
        assert [data for start, data in call.copyins if start == address] == [question[:4], question]


def test_sysctl_nodes(machine: str) -> None:
    found = transcript(machine, "20")
    layout = found.abi.struct("sysctlnode")
    replies = sysctl_replies(found, QUERY)
    assert all(len(data) % layout.size == 0 for data in replies.values())

    def children(parent: tuple[int, ...]) -> dict[bytes, tuple[int, CTLTYPE, CTLFLAG, int]]:
        data = replies[parent]
        parsed = [layout.parse(data, at) for at in range(0, len(data), layout.size)]
        return {
            node.sysctl_name: (
                node.sysctl_num,
                CTLTYPE(node.sysctl_flags & 0xF),
                CTLFLAG(node.sysctl_flags & 0xFFFFF0),
                node._sysctl_size,
            )
            for node in parsed
        }

    top = children(())
    assert list(top)[:4] == [b"kern", b"vm", b"vfs", b"net"]
    assert top[b"kern"] == (1, CTLTYPE.NODE, CTLFLAG.PERMANENT, 96)
    kern = children((1,))
    assert kern[b"ostype"] == (1, CTLTYPE.STRING, CTLFLAG.PERMANENT, 7)
    assert kern[b"hostname"][:2] == (10, CTLTYPE.STRING)
    assert kern[b"hostname"][2] & CTLFLAG.READWRITE == CTLFLAG.READWRITE
    assert kern[b"osrevision"] == (3, CTLTYPE.INT, CTLFLAG.PERMANENT | CTLFLAG.IMMEDIATE, 4)


def test_sysctl_descriptions(machine: str) -> None:
    found = transcript(machine, "26")
    layout, node_layout = found.abi.struct("sysctldesc_head"), found.abi.struct("sysctlnode")
    nodes, descriptions = sysctl_replies(found, QUERY), sysctl_replies(found, DESCRIBE)
    assert descriptions
    for parent, data in descriptions.items():
        heads = []
        position = 0
        while position < len(data):
            head = layout.parse(data, position)
            heads.append((head.descr_num, head.descr_ver))
            position += layout.size + head.descr_len
            position += -position % 4
        assert position == len(data)
        known = [node_layout.parse(nodes[parent], at) for at in range(0, len(nodes[parent]), node_layout.size)]
        assert set(heads) <= {(node.sysctl_num, node.sysctl_ver) for node in known}


def test_file_status(machine: str) -> None:
    found = transcript(machine, "57")
    layout = found.abi.struct("stat")
    lines = {line.rpartition(" ")[2]: line for line in found.stdout.splitlines()[1:]}
    for path, data in stats_by_path(found).items():
        line = lines.get(path)
        if line:
            parsed = layout.parse(data)
            mode, links, owner, group, size = line.split()[:5]
            assert stat.filemode(parsed.st_mode) == mode
            assert (parsed.st_nlink, parsed.st_uid, parsed.st_gid, parsed.st_size) == tuple(
                map(int, (links, owner, group, size))
            )
            lines.pop(path)
    assert lines == {}


def test_file_times(machine: str) -> None:
    found = transcript(machine, "57")
    parsed = found.abi.struct("stat").parse(stats_by_path(found)["hello"])
    minutes = re.search(r"(\d\d):(\d\d) hello", found.stdout)
    assert minutes is not None
    for moment in (parsed.st_atim, parsed.st_mtim, parsed.st_ctim, parsed.st_birthtim):
        assert 0 <= moment.tv_nsec < 10**9
        assert moment.tv_sec // 60 % 1440 == int(minutes[1]) * 60 + int(minutes[2])
    assert parsed.st_rdev == (1 << 64) - 1
    assert (parsed.st_blksize, parsed.st_blocks, parsed.st_flags) == (4096, 8, 0)


def test_directory_entries(machine: str) -> None:
    found = transcript(machine, "57")
    layout = found.abi.struct("dirent_head")
    call = found.calls("__getdents30")[0]
    data = call.copied_out(found.arguments("__getdents30", call)["buf"])
    assert len(data) == call.values[0]
    entries = []
    position = 0
    while position < len(data):
        head = layout.parse(data, position)
        start = position + layout.offset_of("d_type") + 1
        entries.append((data[start : start + head.d_namlen], head.d_type, head.d_fileno))
        position += head.d_reclen
    assert [(name, kind) for name, kind, _inode in entries] == [(b".", DT.DIR), (b"..", DT.DIR), (b"hello", DT.REG)]
    hello = found.abi.struct("stat").parse(stats_by_path(found)["hello"])
    assert hello.st_ino == entries[2][2]


@pytest.mark.parametrize("prefix", ["52", "53", "75"])
def test_file_systems(machine: str, prefix: str) -> None:
    found = transcript(machine, prefix)
    layout = found.abi.struct("statvfs")
    call = found.calls("getvfsstat")[1]
    data = call.copied_out(found.arguments("getvfsstat", call)["buf"])
    entries = [layout.parse(data, at) for at in range(0, len(data), layout.size)]
    assert len(entries) == call.values[0] == 2
    if prefix == "53":
        for line, entry in zip(found.stdout.splitlines()[1:], entries, strict=True):
            assert line.split()[0] == entry.f_mntfromname.decode()
            assert line.split()[-1] == entry.f_mntonname.decode()
        assert entries[1].f_blocks * entries[1].f_frsize == 16384 * 512
        assert entries[1].f_bavail * entries[1].f_frsize == 16376 * 512
        return
    lines = [
        f"{entry.f_mntfromname.decode()} on {entry.f_mntonname.decode()} type {entry.f_fstypename.decode()} (local)"
        for entry in entries
    ]
    assert lines == found.stdout.splitlines()
    assert all(entry.f_flag & MNT.LOCAL for entry in entries)
    assert entries[0].f_flag == MNT.LOCAL | MNT.ROOTFS
    assert {entry.f_namemax for entry in entries} == {255}


def test_mounting_a_tmpfs(machine: str) -> None:
    found = transcript(machine, "51")
    (call,) = found.calls("__mount50")
    arguments = found.arguments("__mount50", call)
    built = found.abi.struct("tmpfs_args").build(ta_version=1, ta_size_max=8 << 20, ta_root_mode=0o40755)
    assert call.copied_in(arguments["data"]) == built
    assert arguments["data_len"] == len(built)


def test_mounting_an_ffs(machine: str) -> None:
    found = transcript(machine, "74")
    (call,) = found.calls("__mount50")
    arguments = found.arguments("__mount50", call)
    data = call.copied_in(arguments["data"])
    device = found.abi.struct("ufs_args").parse(data).fspec
    assert call.copied_in(device) == b"/dev/vnd0a\0"
    assert data == found.abi.struct("ufs_args").build(fspec=device)
    assert arguments["data_len"] == len(data)


def test_configuring_a_vnd(machine: str) -> None:
    found = transcript(machine, "72")
    layout = found.abi.struct("vnd_ioctl")
    (call,) = found.ioctls("VNDIOCSET")
    address = found.arguments("ioctl", call)["data"]
    went_in = call.copied_in(address)
    file = layout.parse(went_in).vnd_file
    assert call.copied_in(file) == b"/ffs.img\0"
    assert went_in == layout.build(vnd_file=file)
    # The file of 2 MiB that newfs made.
    assert layout.parse(call.copied_out(address)).vnd_size == 2 << 20
    assert layout.parse(call.copied_out(address)).vnd_osize == 2 << 20


def test_listing_a_vnd(machine: str) -> None:
    found = transcript(machine, "82")
    layout = found.abi.struct("vnd_user")
    ((went_in, came_out),) = found.structures("VNDIOCGET")
    parsed = layout.parse(came_out)
    assert layout.parse(went_in).vnu_unit == -1
    assert found.stdout == f"vnd{parsed.vnu_unit}: dev 0,{parsed.vnu_dev} inode {parsed.vnu_ino}\n"


def test_times_of_a_copy(machine: str) -> None:
    found = transcript(machine, "63")
    layout = found.abi.struct("timespec")
    (call,) = found.calls("utimensat")
    went_in = call.copied_in(found.arguments("utimensat", call)["tptr"])
    moments = [layout.parse(went_in, at) for at in (0, layout.size)]
    assert b"".join(layout.build(tv_sec=moment.tv_sec, tv_nsec=moment.tv_nsec) for moment in moments) == went_in
    # They are those of the original.
    originals = [
        found.abi.struct("stat").parse(made.copied_out(found.arguments(name, made)[buffer]))
        for name, buffer in (("__stat50", "ub"), ("__lstat50", "ub"), ("__fstat50", "sb"))
        for made in found.calls(name)
        if not made.error
    ]
    assert any([original.st_atim, original.st_mtim] == moments for original in originals)
