# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The structures of sockets, poll, limits, modules and traces against the bytes that real kernels and clients sent.

Recordings whose numbers start with a B are of this library with a real kernel: there is no utility of rumpctrl's for
what they show.
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


def test_loading_a_module() -> None:
    found = transcript("amd64", "B1")
    unload, refused, forced = found.calls("modctl")
    assert (unload.error, refused.error, forced.error) == (0, 1, 0)
    layout = found.abi.struct("modctl_load_t")
    sent = forced.copied_in(found.arguments("modctl", forced)["arg"])
    assert sent == layout.build(ml_filename=0x10000, ml_flags=1)
    assert sent == bytes.fromhex("0000010000000000 01000000 00000000 0000000000000000 0000000000000000")
    assert forced.copied_in(layout.parse(sent).ml_filename) == b"kernfs\0"


def test_ancillary_data() -> None:
    found = transcript("amd64", "B2")
    head, layout = found.abi.struct("msghdr"), found.abi.struct("cmsghdr")
    (sent,), (received,) = found.calls("sendmsg"), found.calls("recvmsg")
    message = head.parse(sent.copied_in(found.arguments("sendmsg", sent)["msg"]))
    control = sent.copied_in(message.msg_control)
    assert control == layout.build(cmsg_len=20, cmsg_level=0xFFFF, cmsg_type=1).ljust(16, b"\0") + b"\5".ljust(8, b"\0")
    message = head.parse(received.copied_out(found.arguments("recvmsg", received)["msg"]))
    control = received.copied_out(message.msg_control)
    assert message.msg_controllen == len(control) == 24
    assert control == bytes.fromhex("14000000 ffff0000 01000000 00000000 06000000 00000000")
    parsed = layout.parse(control)
    assert (parsed.cmsg_len, parsed.cmsg_level, parsed.cmsg_type) == (20, 0xFFFF, 1)


def test_records_of_a_trace() -> None:
    found = transcript("amd64", "B0")
    call = found.calls("read")[0]
    written = call.copied_out(found.arguments("read", call)["buf"])
    layout = found.abi.struct("ktr_header")
    assert layout.size == 56
    assert written[: layout.size + 8] == bytes.fromhex(
        "08000000 0100 0200 03000000 72756d706b65726e656c2e72756d700000 000000"
        "23c4046b00000000 92dac50300000000 05000000 00000000 1800000000000000"
    )
    head = layout.parse(written)
    assert (head.ktr_len, head.ktr_kind, head.ktr_pid, head.ktr_lid) == (8, 2 << 16 | 1, 3, 5)
    assert (head.ktr_comm, head.ktr_ts.tv_sec, head.ktr_ts.tv_nsec) == (b"rumpkernel.rump", 0x6B04C423, 0x03C5DA92)
    position, records = 0, []
    while position < len(written):
        head = layout.parse(written, position)
        position += layout.size + head.ktr_len
        records.append((head.ktr_kind & 0xFFFF, written[position - head.ktr_len : position]))
    assert position == len(written) == call.values[0]
    assert records[3] == (3, b"/none\0")  # KTR_NAMEI of access("/none")
