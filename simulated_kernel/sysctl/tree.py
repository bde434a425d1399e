# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sysctl tree of one kernel, made from data/sysctl.json and what the kernel's options say.

The data is what a real kernel (NetBSD 7.99.34, amd64) said of itself: names, numbers, types, flags,
sizes, values. Where a value depends on the machine or on the moment it is computed here.
"""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import refuse
from ..mbufs import Mbufs
from ..sockets.lists import LISTS as SOCKET_LISTS
from ..storage import raw_partition
from .node import SysctlNode
from .request import SysctlRequest

if TYPE_CHECKING:
    from ..kernel import SimulatedKernel

STRINGS_WITHOUT_NUL = frozenset({"hw.disknames", "hw.iostatnames", "vfs.generic.fstypes", "kern.timecounter.choice"})
FIRST_FREE_NUMBER = 1208
"""Nodes made after the start get numbers from here on (CREATE_BASE and what the start used)."""
LOOPBACK_NUMBERS = 1189
DEVICE_LISTS = ("net.inet.multicast", "net.inet6.multicast", "net.sdl", "net.ether.multicast")
CURRENT_PROCESS = 0x7FFFFFFF
# Which component brings a subtree; the longest prefix of the dotted name counts.
COMPONENT_OF = {
    "net.local": "rumpnet",
    "net.inet": "rumpnet_netinet",
    "net.inet6": "rumpnet_netinet6",
    "net.inet.ip.gifttl": "rumpnet_gif",
    "net.inet6.ip6.gifhlim": "rumpnet_gif",
    "net.route": "rumpnet_net",
    "net.oroute": "rumpnet_net",
    "net.sdl": "rumpnet_net",
    "net.ether": "rumpnet_net",
    "net.interfaces": "rumpnet_net",
    "net.link": "rumpnet_tap",
    "net.bpf": "rumpdev_bpf",
    "kern.mbuf": "rumpnet",
    "kern.sbmax": "rumpnet",
    "kern.somaxkva": "rumpnet",
    "kern.tty": "rumpkern_tty",
    "kern.tkstat": "rumpkern_tty",
    "kern.usercrypto": "rumpdev_opencrypto",
    "kern.userasymcrypto": "rumpdev_opencrypto",
    "kern.cryptodevallowsoft": "rumpdev_opencrypto",
    "vm.buf": "rumpvfs",
    "vfs": "rumpvfs",
    "vfs.ffs": "rumpfs_ffs",
    "vfs.mfs": "rumpfs_mfs",
    "vfs.ufs": "rumpfs_ffs",
    "vfs.wapbl": "rumpfs_ffs",
    "vfs.msdosfs": "rumpfs_msdos",
    "vfs.fdesc": "rumpfs_fdesc",
    "vfs.null": "rumpfs_null",
    "vfs.kernfs": "rumpfs_kernfs",
    "vfs.cd9660": "rumpfs_cd9660",
    "vfs.union": "rumpfs_union",
    "vfs.ext2fs": "rumpfs_ext2fs",
    "vfs.ptyfs": "rumpfs_ptyfs",
    "vfs.layerfs": "rumpvfs_layerfs",
}
MACHINE_ARCHES = {
    "amd64": "x86_64",
    "i386": "i386",
    "evbarm": "earmv7hf",
    "evbmips": "mipseb",
    "evbppc": "powerpc",
    "macppc": "powerpc",
    "sparc": "sparc",
    "sparc64": "sparc64",
    "aarch64": "aarch64",
}


@lru_cache(maxsize=1)
def _data() -> list[dict[str, Any]]:
    text = (Path(__file__).parents[1] / "data" / "sysctl.json").read_text("utf-8")
    return list(json.loads(text))


class SysctlTree:
    """The tree, and the numbers that new nodes get."""

    def __init__(self, kernel: SimulatedKernel) -> None:
        self.kernel = kernel
        self.root = SysctlNode(0, "", "node")
        self._next_number = FIRST_FREE_NUMBER
        for record in _data():
            self._add(record)
        self._set_machine()
        self._set_functions()
        self._set_checks()
        self._pair_tcp()
        self._follow_interfaces()

    def _add(self, record: dict[str, Any]) -> None:
        parent = self.root
        for number in record["mib"][:-1]:
            found = parent.child(number)
            if found is None:
                return
            parent = found
        path = f"{parent.path()}.{record['name']}".lstrip(".")
        if not self._is_there(path):
            return
        node = SysctlNode(
            record["mib"][-1],
            record["name"],
            record["type"],
            flags=record.get("flags", 0),
            version=record["version"],
            size=record.get("size", 0),
            slots=record.get("slots", 0),
            value=record.get("value"),
            error=record.get("error"),
            zeros=record.get("zeros"),
            alias=record.get("alias"),
            bare=path in STRINGS_WITHOUT_NUL,
            has_function=record.get("function", False),
            has_data=record.get("data", False),
        )
        if "ints" in record:
            node.value = self.kernel.abi.integers("int", *record["ints"])
        if record.get("long") and self.kernel.abi.word_size == 4:
            node.type, node.size = "int", 4
        parent.add(node)
        node.slots = record.get("slots", 0)

    def _is_there(self, path: str) -> bool:
        names = path.split(".")
        for length in range(len(names), 0, -1):
            component = COMPONENT_OF.get(".".join(names[:length]))
            if component is not None:
                return self.kernel.has(component)
        return True

    def find(self, path: str) -> SysctlNode | None:
        """The node of a dotted name, or None."""
        node = self.root
        for name in path.split("."):
            try:
                node = node.named(name)
            except KeyError:
                return None
        return node

    def value(self, path: str, default: Any) -> Any:
        """A node's value, or ``default`` where its component is missing."""
        node = self.find(path)
        return default if node is None else node.current()

    def _set(self, path: str, value: Any) -> None:
        node = self.find(path)
        if node is not None:
            node.value = value
            if node.type == "string" and not node.writable and node.size:
                node.size = len(value) + 1

    def _set_machine(self) -> None:
        """What the options say of the machine and the release."""
        abi, options = self.kernel.abi, self.kernel.options
        release = ".".join(map(str, abi.release))
        major, minor, patch = (*abi.release, 0, 0, 0)[:3]
        self._set("kern.ostype", abi.ostype)
        self._set("kern.osrelease", release)
        self._set("kern.osrevision", major * 100_000_000 + minor * 1_000_000 + patch * 100)
        self._set("kern.version", f"{abi.ostype} {release} (RUMP-ROAST)\n")
        self._set("kern.hostname", options.hostname)
        self._set("kern.module.path", f"/stand/{abi.machine}/{release}/modules")
        self._set("hw.machine", abi.machine)
        self._set("hw.machine_arch", MACHINE_ARCHES.get(abi.machine, abi.machine))
        self._set("hw.byteorder", 1234 if abi.byteorder == "little" else 4321)
        self._set("hw.alignbytes", abi.int64_alignment - 1)
        self._set("kern.mbuf.msize", Mbufs.of(abi).size)
        self._set("kern.rawpartition", raw_partition(abi.machine))
        self._set("hw.ncpu", options.cpus)
        self._set("hw.ncpuonline", options.cpus)

    def _set_functions(self) -> None:
        kernel = self.kernel

        def compute(path: str, function: Any) -> None:
            node = self.find(path)
            if node is not None:
                node.compute = function

        compute("kern.hardclock_ticks", lambda: kernel.clock.uptime() // 10_000_000)
        compute("vfs.generic.fstypes", lambda: " ".join(kernel.filesystem_types()))
        compute("kern.urandom", lambda: int.from_bytes(os.urandom(4), "little", signed=True))
        for path, function in (
            ("kern.arandom", _random_bytes),
            ("net.route.rtable", kernel.network.serve_rtable),
            ("net.inet6.icmp6.nd6_drlist", kernel.network.discovery.serve_routers),
            ("net.inet6.icmp6.nd6_prlist", kernel.network.discovery.serve_prefixes),
            *SOCKET_LISTS.items(),
        ):
            node = self.find(path)
            if node is not None:
                node.function = function
        oroute = self.find("net.oroute.rtable")
        if oroute is not None:
            oroute.function = kernel.network.serve_rtable
        for path in DEVICE_LISTS:
            node = self.find(path)
            if node is not None:
                node.function = _refuse_device
        self._set_limits()

    def _set_limits(self) -> None:
        """proc.PID.*: the limits of the process that asks."""
        limits = self.find("proc.curproc.rlimit")
        if limits is None:
            return
        for resource in limits.children:
            for node in resource.children:
                node.function = _process_limit
        core = self.find("proc.curproc.corename")
        if core is not None:
            core.function = _core_name

    def _set_checks(self) -> None:
        for path, check in CHECKS.items():
            node = self.find(path)
            if node is not None:
                node.check = check

    def _pair_tcp(self) -> None:
        """net.inet6.tcp6 shows the variables of net.inet.tcp."""
        six, four = self.find("net.inet6.tcp6"), self.find("net.inet.tcp")
        if six is not None and four is not None:
            _pair(six, four)

    # Interfaces

    def _follow_interfaces(self) -> None:
        parent = self.find("net.interfaces")
        if parent is None:
            return
        numbers = self._next_number
        self._next_number = LOOPBACK_NUMBERS
        for interface in self.kernel.network.interfaces:
            self.interface_attached(interface.name)
        self._next_number = numbers

    def _take_number(self) -> int:
        number = self._next_number
        self._next_number += 1
        return number

    def interface_attached(self, name: str) -> None:
        """Make net.interfaces.NAME."""
        parent = self.find("net.interfaces")
        if parent is None:
            return
        top = parent.add(SysctlNode(self._take_number(), name, "node", version=self._next_number))
        if name == "lo0":
            received = top.add(SysctlNode(self._take_number(), "rcvq", "node", version=self._next_number))
            received.add(_queue_node(self._take_number(), "drops", 0))
        queue = top.add(SysctlNode(self._take_number(), "sndq", "node", version=self._next_number))
        queue.add(_queue_node(self._take_number(), "len", 0))
        queue.add(_queue_node(self._take_number(), "maxlen", 256, flags=0x70))
        queue.add(_queue_node(self._take_number(), "drops", 0))

    def interface_detached(self, name: str) -> None:
        parent = self.find("net.interfaces")
        if parent is not None:
            parent.children = [child for child in parent.children if child.name != name]


def _queue_node(number: int, name: str, value: int, flags: int = 0) -> SysctlNode:
    return SysctlNode(number, name, "int", flags=flags, version=number, size=4, value=value, has_data=True)


def _pair(one: SysctlNode, other: SysctlNode) -> None:
    for node in one.children:
        try:
            partner = other.named(node.name)
        except KeyError:
            continue
        if node.is_node:
            _pair(node, partner)
        elif node.type in ("int", "quad", "string", "bool"):
            node.twin, node.check = partner, partner.check


async def _random_bytes(request: SysctlRequest, node: SysctlNode, rest: list[int]) -> None:
    """kern.arandom: as many random bytes as there is room for, up to 256."""
    if rest:
        raise refuse("EINVAL")
    if request.new:
        raise refuse("EPERM")
    if request.old_length > 8192:
        raise refuse("E2BIG")
    length = min(request.old_length, 256)
    if request.old:
        await request.memory.copyout(request.old, os.urandom(length))
    request.old_length = length


async def _refuse_device(request: SysctlRequest, node: SysctlNode, rest: list[int]) -> None:
    """Nodes that want an interface's index behind them."""
    raise refuse("ENODEV" if rest else "EINVAL")


async def _process_limit(request: SysctlRequest, node: SysctlNode, rest: list[int]) -> None:
    """A limit of the process that asks: proc.PID.rlimit.NAME.soft and .hard."""
    assert node.parent is not None
    _process_of(request)
    resource, which = node.parent.number - 1, 0 if node.name == "soft" else 1
    pair = list(request.process.limits.get(resource, (0, 0)))
    await request.give(request.abi.integer("int64", pair[which]))
    if request.new and request.new_length:
        if request.new_length != 8:
            raise refuse("EINVAL")
        pair[which] = await request.memory.integer("int64", request.new)
        request.process.limits[resource] = (pair[0], pair[1])


def _process_of(request: SysctlRequest) -> None:
    """proc.PID: the process must exist."""
    pid = request.name[1]
    if pid != CURRENT_PROCESS and pid not in request.kernel.processes:
        raise refuse("ESRCH")


async def _core_name(request: SysctlRequest, node: SysctlNode, rest: list[int]) -> None:
    _process_of(request)
    if request.new:
        raise refuse("EINVAL")
    await request.give(b"rumpdump\0")


def _between(low: int, high: int) -> Any:
    def check(value: int) -> None:
        if not low <= value <= high:
            raise refuse("EINVAL")

    return check


def _one_of(*names: bytes) -> Any:
    def check(value: bytes) -> None:
        if value not in names:
            raise refuse("EINVAL")

    return check


def _check_firmware_path(value: bytes) -> None:
    """Every part is an absolute path."""
    if not all(part.startswith(b"/") for part in value.split(b":")):
        raise refuse("EINVAL")


_ANY = (1 << 31) - 1
CHECKS: dict[str, Any] = {
    "kern.timecounter.hardware": _one_of(b"clockinterrupt"),
    "kern.module.autotime": _between(0, _ANY),
    "kern.tty.qsize": _between(1024, 65536),
    "net.inet.ip.anonportmin": _between(1024, 65534),
    "net.inet.ip.anonportmax": _between(49153, 65535),
    "net.inet.ip.lowportmin": _between(600, 1022),
    "net.inet.ip.lowportmax": _between(601, 1023),
    "net.inet.ip.mtudisctimeout": _between(0, _ANY),
    "net.inet.ip.ifq.maxlen": _between(1, 65535),
    "net.inet.ip.anonportalgo.selected": _one_of(
        b"bsd", b"random_start", b"random_pick", b"hash", b"doublehash", b"randinc"
    ),
    "net.inet.icmp.returndatabytes": _between(8, 512),
    "net.inet.icmp.redirtimeout": _between(0, _ANY),
    "net.inet.tcp.rfc1323": _between(0, _ANY),
    "net.inet.tcp.win_scale": _between(0, _ANY),
    "net.inet.tcp.timestamps": _between(0, _ANY),
    "net.inet.tcp.mssdflt": _between(32, _ANY),
    "net.inet.tcp.init_win": _between(0, 10),
    "net.inet.tcp.init_win_local": _between(0, 10),
    "net.inet.tcp.congctl.selected": _one_of(b"reno", b"newreno", b"cubic"),
    "net.inet6.ip6.anonportmin": _between(1024, 65534),
    "net.inet6.ip6.anonportmax": _between(49153, 65535),
    "net.inet6.ip6.lowportmin": _between(600, 1022),
    "net.inet6.ip6.lowportmax": _between(601, 1023),
    "net.inet6.ip6.ifq.maxlen": _between(1, 65535),
    "net.inet6.ip6.anonportalgo.selected": _one_of(
        b"bsd", b"random_start", b"random_pick", b"hash", b"doublehash", b"randinc"
    ),
    "net.inet6.icmp6.redirtimeout": _between(0, _ANY),
    "net.bpf.maxbufsize": _between(32, 1 << 24),
    "hw.firmware.path": _check_firmware_path,
}
