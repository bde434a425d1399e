# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the client does in a session of the fuzzer's: the façade's calls, by name.

None of them depends on chance, so that a name stands for the same for good. None makes mistakes of its own: what they
raise other than the library's errors is a fault of the library's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface
from itertools import islice
from typing import Any, Final

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.errors import CallTimeout, ForeignMemory
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel import Kernel
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.neighbours import Neighbour
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.routes import Route
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import KernelError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import (
    AF,
    RLIMIT,
    SO,
    SOCK,
    SOL,
    F,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.session import Request, Session

MOST: Final = 2000  # of what a server can list for ever


class Play:
    """What an action has: the kernel, and buffers that lie between markers."""

    def __init__(self, session: Session, marker: bytes) -> None:
        self.session = session
        self.kernel = Kernel(session)
        self._marker = marker
        self._buffers: list[bytearray] = []

    def buffer(self, size: int, content: bytes = b"content ") -> memoryview:
        """A buffer in the midst of a larger one that is not lent."""
        whole = bytearray(self._marker * 4 + (content * (size // len(content) + 1))[:size] + self._marker * 4)
        self._buffers.append(whole)
        edge = 4 * len(self._marker)
        return memoryview(whole)[edge : edge + size]

    def intact(self) -> bool:
        """Whether what lies beside the buffers is as it was."""
        edge = self._marker * 4
        return all(whole.startswith(edge) and whole.endswith(edge) for whole in self._buffers)


def _many(play: Play) -> None:
    requests = (Request("getpid", (), "", "") for _call in range(40))
    for _result in play.session.map(requests):
        pass


def _many_buffers(play: Play) -> None:
    requests = (Request("read", (3, play.buffer(500), 500), "") for _call in range(20))
    for _result in play.session.map(requests):
        pass


def _many_strings(play: Play) -> None:
    requests = (Request("mkdir", (b"/x%d\0" % number, 0o777), "") for number in range(30))
    for _result in islice(play.session.map(requests), 20):
        pass


def _cancelled(play: Play) -> None:
    """A call that is given up at once: its time limit has struck before it is made."""
    with contextlib.suppress(CallTimeout, KernelError):
        play.session.call("read", 3, play.buffer(100), 100, timeout=0)


def _in_any_order(play: Play) -> None:
    calls = [play.session.submit("read", 3, play.buffer(64), 64) for _call in range(6)]
    for call in (calls[3], calls[0], *calls):
        with contextlib.suppress(KernelError):
            play.session.wait(call)


def _socket(play: Play, family: int = AF.INET, kind: int = SOCK.STREAM) -> Any:
    made = play.kernel.socket(family, kind)
    made.setblocking(True)
    return made


@contextlib.contextmanager
def _closed(thing: Any) -> Iterator[Any]:
    try:
        yield thing
    finally:
        thing.close()


def _sockets(play: Play) -> None:
    with _closed(_socket(play)) as made:
        made.bind(("127.0.0.1", 80))
        made.getsockname()
        made.connect(("127.0.0.1", 80))
        made.send(play.buffer(100))
        made.recv(100)
        made.recv_into(play.buffer(50))
        made.getsockopt(SOL.SOCKET, SO.TYPE)
        made.getpeername()
        made.shutdown(2)


def _datagrams(play: Play) -> None:
    with _closed(_socket(play, AF.INET6, SOCK.DGRAM)) as made:
        made.sendto(play.buffer(100), ("::1", 80))
        made.recvfrom(100)
        made.recvfrom_into(play.buffer(50))
        made.recvmsg(100, 100)
        made.sendmsg([play.buffer(5), play.buffer(6)])


def _listening(play: Play) -> None:
    with _closed(_socket(play, AF.LOCAL)) as made:
        made.bind("/sock")
        made.listen()
        other, _address = made.accept()
        other.close()


def _streams(play: Play) -> None:
    with play.kernel.fopen("/x", "w+b") as stream:
        stream.write(play.buffer(300))
        stream.seek(0)
        stream.read(100)
        stream.readline(1000)


def _text(play: Play) -> None:
    with play.kernel.fopen("/x", errors="replace") as stream:
        for _line in islice(stream, 10):
            pass


def _whole_text(play: Play) -> None:
    with play.kernel.fopen("/x", errors="replace") as stream:
        stream.read()


def _polled(play: Play) -> None:
    poll = play.kernel.poll()
    poll.register(3)
    poll.register(4)
    poll.poll(0)


def _prefork(play: Play) -> None:
    play.session.prefork()
    play.session.exec()


def _lent(play: Play) -> None:
    with play.session.lend(play.buffer(100)), play.session.lend(b"const"):
        play.kernel.getpid()


def _anonymous(play: Play) -> None:
    play.kernel.ioctl(3, "SIOCGIFFLAGS", bytearray(play.kernel.abi.struct("ifreq").size))
    with contextlib.suppress(ForeignMemory):  # it asked for none
        play.session.anonymous(0x10000, 16)


def _kernel(function: Callable[[Kernel], object]) -> Callable[[Play], object]:
    return lambda play: function(play.kernel)


def _of_kernel(**functions: Callable[[Kernel], object]) -> dict[str, Callable[[Play], object]]:
    return {name: _kernel(function) for name, function in functions.items()}


ACTIONS: Final[dict[str, Callable[[Play], object]]] = {
    "anonymous": _anonymous,
    "cancelled": _cancelled,
    "datagrams": _datagrams,
    "in any order": _in_any_order,
    "lent": _lent,
    "listening": _listening,
    "many": _many,
    "many buffers": _many_buffers,
    "many strings": _many_strings,
    "polled": _polled,
    "prefork": _prefork,
    "pwrite": lambda play: play.kernel.pwrite(3, play.buffer(10000), 5),
    "read text": _whole_text,
    "readinto": lambda play: play.kernel.readinto(3, play.buffer(300)),
    "readv": lambda play: play.kernel.readv(3, [play.buffer(30), play.buffer(5000)]),
    "sockets": _sockets,
    "streams": _streams,
    "text": _text,
    "write": lambda play: play.kernel.write(3, play.buffer(100)),
    "write much": lambda play: play.kernel.write(3, play.buffer(70000)),
    "writev": lambda play: play.kernel.writev(3, [play.buffer(30), play.buffer(50)]),
    **_of_kernel(
        access=lambda k: k.access("/x", 0),
        add_address=lambda k: k.interfaces.add_address("shmif0", IPv4Interface("10.0.0.1/24")),
        add_address6=lambda k: k.interfaces.add_address("shmif0", IPv6Interface("fe80::1/64")),
        add_neighbour=lambda k: k.neighbours.add(Neighbour(IPv4Address("10.0.0.9"), "lo0", bytes(6))),
        add_route=lambda k: k.routes.add(Route(IPv4Network("10.9.0.0/16"), IPv4Address("10.0.0.9"), "lo0")),
        address_flags6=lambda k: k.interfaces.address_flags6("lo0", IPv6Address("fe80::1")),
        chmod=lambda k: k.chmod("/x", 0o600),
        chown=lambda k: k.chown("/x", 1, -1),
        clock=lambda k: k.clock_gettime_ns(),
        cloners=lambda k: k.interfaces.cloners(),
        describe=lambda k: [k.sysctl.describe(node) for node in islice(k.sysctl.walk(), MOST)],
        dup=lambda k: k.dup(3),
        exists=lambda k: k.exists("/x"),
        fcntl=lambda k: k.fcntl(3, F.GETFL),
        fstat=lambda k: k.fstat(3),
        getcwd=lambda k: k.getcwd(),
        getgroups=lambda k: k.getgroups(),
        getlogin=lambda k: k.getlogin(),
        getpid=lambda k: k.getpid(),
        getrlimit=lambda k: k.getrlimit(RLIMIT.NOFILE),
        getuid=lambda k: k.getuid(),
        getxattr=lambda k: k.getxattr("/x", "user.a"),
        interface_flags=lambda k: k.interfaces.flags("lo0"),
        interfaces=lambda k: k.interfaces.all(),
        linkstr=lambda k: k.interfaces.linkstr("shmif0"),
        listdir=lambda k: list(islice(k.scandir("/x"), MOST)),
        listxattr=lambda k: k.listxattr("/x"),
        lseek=lambda k: k.lseek(3, 0, 0),
        makedirs=lambda k: k.makedirs("/a/b/c", exist_ok=True),
        modules=lambda k: k.modules.all(),
        mount=lambda k: k.mount("tmpfs", "/x", 0, k.abi.struct("tmpfs_args").build()),
        mount_arguments=lambda k: k.mount_arguments("tmpfs", "/x", "tmpfs_args"),
        mount_device=lambda k: k.mount_device("ffs", "/dev/vnd0", "/x"),
        mounts=lambda k: k.mounts(),
        nd6_options=lambda k: k.nd6.options("lo0"),
        neighbours=lambda k: k.neighbours.all(AF.INET),
        neighbours6=lambda k: k.neighbours.all(AF.INET6),
        open=lambda k: k.close(k.open("/x", 0)),
        pathconf=lambda k: k.pathconf("/x", "PC_NAME_MAX"),
        pipe=lambda k: k.pipe(),
        pread=lambda k: k.pread(3, 100, 0),
        read=lambda k: k.read(3, 100),
        read_file=lambda k: k.read_file("/x"),
        readlink=lambda k: k.readlink("/x"),
        realpath=lambda k: k.realpath("/a/b/../c"),
        remove_address=lambda k: k.interfaces.remove_address("shmif0", IPv4Address("10.0.0.1")),
        rename=lambda k: k.rename("/x", "/y"),
        prefixes=lambda k: k.nd6.prefixes(),
        rmtree=lambda k: k.rmtree("/x"),
        route=lambda k: k.routes.get(IPv6Address("2001:db8::1")),
        routers=lambda k: k.nd6.routers(),
        routes=lambda k: k.routes.all(),
        set_linkstr=lambda k: k.interfaces.set_linkstr("shmif0", "/bus"),
        set_sysctl=lambda k: k.sysctl.set("kern.hostname", "name"),
        setgroups=lambda k: k.setgroups([1, 2]),
        stat=lambda k: k.stat("/x"),
        stat_many=lambda k: list(k.stat_many([f"/{number}" for number in range(20)])),
        stat_tree=lambda k: list(islice(k.stat_tree("/x"), MOST)),
        statvfs=lambda k: k.statvfs("/x"),
        sysctl=lambda k: k.sysctl.get("kern.hostname"),
        sysctl_number=lambda k: k.sysctl.get("hw.7"),
        sysctls=lambda k: list(islice(k.sysctl.values(list(islice(k.sysctl.walk(), MOST))), MOST)),
        umask=lambda k: k.umask(0),
        uname=lambda k: k.uname(),
        unlink_many=lambda k: list(k.unlink_many([f"/{number}" for number in range(20)])),
        unmount=lambda k: k.unmount("/x"),
        utime=lambda k: k.utime("/x", (1.0, 2.0)),
        walk=lambda k: list(islice(k.walk("/x"), MOST)),
        write_file=lambda k: k.write_file("/x", b"content"),
        write_files=lambda k: k.write_files({f"/{number}": b"content" for number in range(12)}),
        write_large=lambda k: k.write_file("/x", bytes(3 << 20)),
    ),
}
NAMES: Final = tuple(ACTIONS)
RARE: Final = frozenset(("write_large",))
"""What takes long."""
