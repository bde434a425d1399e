# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The structures of sockets, poll, limits and modules against the bytes that real kernels and clients sent.

The structures of ktrace and of loading modules are in no recording; the offsets tables hold those, and
on a real kernel the behaviour suite does.
"""

from __future__ import annotations

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import AF
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import transcript

every_machine = pytest.mark.parametrize("machine", ["amd64", "i386"])


@every_machine
def test_poll(machine: str) -> None:
    found = transcript(machine, "42")
    layout = found.abi.struct("pollfd")
    call = found.calls("poll")[0]
    address = found.arguments("poll", call)["fds"]
    asked, answered = layout.parse(call.copied_in(address)), layout.parse(call.copied_out(address))
    assert (asked.fd, asked.events, asked.revents) == (5, 0x40, 0)  # POLLRDNORM
    assert (answered.fd, answered.events, answered.revents) == (5, 0x40, 0x40)
    assert layout.build(fd=5, events=0x40) == call.copied_in(address) == bytes.fromhex("0500000040000000")


@every_machine
def test_messages_and_their_vectors(machine: str) -> None:
    found = transcript(machine, "43")
    head, vector, address = (found.abi.struct(name) for name in ("msghdr", "iovec", "sockaddr_in6"))
    call = found.calls("sendmsg")[0]
    sent = head.parse(call.copied_in(found.arguments("sendmsg", call)["msg"]))
    assert (sent.msg_namelen, sent.msg_iovlen, sent.msg_control, sent.msg_controllen) == (28, 1, 0, 0)
    piece = vector.parse(call.copied_in(sent.msg_iov))
    assert piece.iov_len == 16
    echo = call.copied_in(piece.iov_base)
    assert len(echo) == 16
    assert echo[0] == 128  # an ICMPv6 echo request
    name = call.copied_in(sent.msg_name)
    assert address.parse(name).sin6_addr == bytes(15) + b"\1"
    assert name == address.build(sin6_len=28, sin6_family=AF.INET6, sin6_addr=bytes(15) + b"\1")
    call = found.calls("recvmsg")[0]
    received = head.parse(call.copied_in(found.arguments("recvmsg", call)["msg"]))
    answer = call.copied_out(vector.parse(call.copied_in(received.msg_iov)).iov_base)
    assert answer[:1] == b"\x81"
    assert answer[4:] == echo[4:], "an echo holds what was sent"


@every_machine
def test_limits(machine: str) -> None:
    found = transcript(machine, "86")
    call = found.calls("setrlimit")[0]
    sent = call.copied_in(found.arguments("setrlimit", call)["rlp"])
    assert sent == found.abi.struct("rlimit").build(rlim_cur=0, rlim_max=0) == bytes(16)


@every_machine
def test_the_time_of_day(machine: str) -> None:
    found = transcript(machine, "42")
    call = found.calls("__gettimeofday50")[0]
    told = call.copied_out(found.arguments("__gettimeofday50", call)["tp"])
    parsed = found.abi.struct("timeval").parse(told)
    assert 1_790_000_000 < parsed.tv_sec < 1_800_000_000
    assert 0 <= parsed.tv_usec < 1_000_000
    assert told.hex() in ("ac20046b00000000c3dc0d0000000000", "5a2b046b000000005fea0500")


@every_machine
def test_addresses_of_sockets(machine: str) -> None:
    inet = transcript(machine, "42")
    call = inet.calls("connect")[0]
    name_server = call.copied_in(inet.arguments("connect", call)["name"])
    built = inet.abi.struct("sockaddr_in").build(sin_family=AF.INET, sin_port=b"\0\x35")
    assert name_server == built == bytes.fromhex("0002003500000000") + bytes(8)
    local = transcript(machine, "56")
    call = local.calls("connect")[0]
    log = call.copied_in(local.arguments("connect", call)["name"])
    parsed = local.abi.struct("sockaddr_un").parse(log)
    assert (parsed.sun_len, parsed.sun_family, parsed.sun_path) == (106, AF.LOCAL, b"/var/run/log")


def test_modules() -> None:
    found = transcript("amd64", "98")
    vector, record = found.abi.struct("iovec"), found.abi.struct("modstat_t")
    call = found.calls("modctl")[-1]
    argument = found.arguments("modctl", call)["arg"]
    asked = vector.parse(call.copied_in(argument))
    answered = vector.parse(call.copied_out(argument))
    assert answered.iov_len == asked.iov_len == 0x38A8
    listed = call.copied_out(asked.iov_base)
    assert len(listed) % record.size == 0
    names = {record.parse(listed, at).ms_name.decode() for at in range(0, len(listed), record.size)}
    shown = {line.split()[0] for line in found.stdout.splitlines()[1:]}
    assert names == shown
