# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What NetBSD's releases have otherwise than 7.99.34, which the tables are made from.

Each fact stands with the place in NetBSD's sources that it was read in.
"""

from __future__ import annotations

from typing import Final

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi, KernelError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.ioctls import CHANGED, IOCTLS
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.ioctls import SINCE as IOCTLS_SINCE
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.releases import (
    CONSTANTS,
    Release,
    is_known,
    parse_release,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.syscalls import (
    GONE,
    RELEASES,
    SINCE,
    TABLE,
    syscall_names,
    syscall_table,
)

AT_CALLS: Final = [
    "linkat",
    "renameat",
    "mkfifoat",
    "mkdirat",
    "faccessat",
    "fchmodat",
    "fchownat",
    "fstatat",
    "utimensat",
    "openat",
    "readlinkat",
    "symlinkat",
    "unlinkat",
]
EVERY: Final[list[Release]] = [(6, 1), (7, 2), (7, 99, 34), (8, 2), (9, 3), (10, 0), (10, 99, 10), (11, 0)]


def abi(release: Release, word_size: int = 8) -> Abi:
    return Abi(word_size, 8, "little", release)


@pytest.mark.parametrize(
    ("name", "release", "number"),
    [
        # sys/kern/syscalls.master 1.261 (6.99.16) to 1.285 (7.99.34), and of 8 and 9.
        *(("getvfsstat", release, 356) for release in ((6, 1), (7, 2), (7, 99, 34), (8, 2), (9, 3))),
        *(("statvfs1", release, 357) for release in ((6, 1), (7, 2), (8, 2), (9, 3))),
        *(("fstatvfs1", release, 358) for release in ((6, 1), (7, 2), (8, 2), (9, 3))),
        *(("__fhstatvfs140", release, 397) for release in ((6, 1), (9, 3))),
        # sys/kern/syscalls.master of 9.99 (2020): "483 STD RUMP { int|sys|90|getvfsstat(struct statvfs *buf, …"
        *(("getvfsstat", release, 483) for release in ((9, 99, 60), (10, 0), (10, 99, 10), (11, 0))),
        *(("statvfs1", release, 484) for release in ((9, 99, 60), (10, 0), (11, 0))),
        *(("fstatvfs1", release, 485) for release in ((9, 99, 60), (10, 0), (11, 0))),
        *(("__fhstatvfs140", release, 486) for release in ((9, 99, 60), (10, 0), (11, 0))),
        # sys/kern/syscalls.master of 10.99 (spring 2024)
        ("lpathconf", (10, 1), 499),
        ("__kevent100", (10, 99, 10), 501),
        ("__dup3100", (10, 99, 10), 505),
        ("clock_getcpuclockid2", (10, 99, 10), 482),
        # "435 STD RUMP { int|sys|50|kevent(…" up to 10
        *(("__kevent50", release, 435) for release in ((6, 1), (7, 2), (8, 2), (9, 3), (10, 0))),
        *(("dup3", release, 454) for release in ((6, 1), (7, 2), (8, 2), (9, 3), (10, 0))),
        *(("__stat50", release, 439) for release in EVERY),
        *(("__mount50", release, 410) for release in EVERY),
        *(("__getdents30", release, 390) for release in EVERY),
    ],
)
def test_numbers(name: str, release: Release, number: int) -> None:
    assert abi(release).syscall_number(name) == number
    assert abi(release).syscall_name(number) == name


@pytest.mark.parametrize(
    ("names", "absent", "present"),
    [
        # sys/kern/vfs_syscalls.c: of release 6 they answer ENOSYS; at 6.99.16 they work.
        (AT_CALLS, (6, 1), (6, 99, 16)),
        # "45 STD { int|sys||ktrace(…" without RUMP in 1.261, with it in 1.269 (6.99.43)
        (["ktrace", "fktrace", "utrace", "timer_create", "__clock_gettime50", "__nanosleep50"], (6, 99, 16), (7, 0)),
        (["recvmmsg", "sendmmsg", "clock_nanosleep"], (6, 1), (7, 0)),
        # "460 STD RUMP { int|sys||mknodat(int fd, const char *path, mode_t mode, uint32_t dev)" in 1.261,
        # "…, mode_t mode, int PAD, dev_t dev)" in 1.269
        (["mknodat"], (6, 99, 16), (7, 0)),
        (["posix_fallocate", "fdiscard"], (6, 1), (7, 0)),
        # without RUMP at 7.99.4, with it in the sources of May and June 2015, 7.99.17
        (["__posix_rename", "__posix_chown", "__posix_fchown", "__posix_lchown"], (7, 99, 4), (7, 99, 34)),
        (["lpathconf"], (9, 3), (10, 0)),
        (["__kevent100", "__dup3100"], (10, 0), (10, 99, 10)),
        # "435 COMPAT_100 …" and "454 COMPAT_100 …" of 10.99: compatibility calls are not served remotely.
        (["__kevent50", "dup3"], (10, 99, 10), (10, 0)),
    ],
)
def test_calls_that_a_release_does_not_serve(names: list[str], absent: Release, present: Release) -> None:
    for name in names:
        assert abi(present).has_syscall(name)
        assert not abi(absent).has_syscall(name)
        with pytest.raises(KernelError, match=f"{name} in release {absent[0]}") as caught:
            abi(absent).syscall_number(name)
        assert caught.value.name == "ENOSYS"
        with pytest.raises(KernelError):
            abi(absent).encode_arguments(name)


def test_calls_that_no_release_serves() -> None:
    for release in EVERY:
        with pytest.raises(KeyError):
            abi(release).syscall_number("fork")


def test_calls_that_files_need_are_there_in_every_release() -> None:
    calls = [
        "read",
        "write",
        "open",
        "close",
        "link",
        "unlink",
        "chmod",
        "chown",
        "rename",
        "mkdir",
        "rmdir",
        "symlink",
        "readlink",
        "unmount",
        "getvfsstat",
        "lchmod",
        "lchown",
        "ioctl",
        "__sysctl",
        "__socket30",
        "__stat50",
        "__lstat50",
        "__fstat50",
        "__getdents30",
        "__mount50",
        "__mknod50",
        "__utimes50",
        "__lutimes50",
        "futimens",
        "pread",
        "pwrite",
        "lseek",
        "ftruncate",
        "reboot",
        "modctl",
    ]
    for release in EVERY:
        assert [name for name in calls if not abi(release).has_syscall(name)] == []


def test_no_two_calls_of_a_release_have_one_number() -> None:
    for release in EVERY:
        assert len(syscall_names(release)) == len(syscall_table(release))


def test_what_differs_is_about_calls_that_there_are() -> None:
    names = {line.split()[1] for text in (TABLE, *RELEASES.values()) for line in text.split("\n") if line}
    assert {name for text in (*SINCE.values(), *GONE.values()) for name in text.split()} <= names


@pytest.mark.parametrize(
    ("name", "former", "later", "since"),
    [
        # sys/sys/socket.h of 6.99.16 and 7.99.34: 5; of release 8: 6, and 5 is NET_RT_OIFLIST "(pre 8.0)"
        ("NET_RT_IFLIST", 5, 6, (8, 0)),
        # sys/net/route.h 1.82 (2013), 1.93 (2015): 0xc, 0xd, 0x15; 1.114 (2017): 0x16, 0x17, 0x18, the former
        # being RTM_ONEWADDR, RTM_ODELADDR and RTM_OCHGADDR "(pre-8.0)"; changed on 2016-09-21
        ("RTM_NEWADDR", 0xC, 0x16, (8, 0)),
        ("RTM_DELADDR", 0xD, 0x17, (8, 0)),
        ("RTM_CHGADDR", 0x15, 0x18, (8, 0)),
        # sys/sys/module.h: MODCTL_STAT, number 2 in 7.99.34, 4 where MODCTL_OSTAT is 2; that is in
        # sys/compat/common/kern_mod_80.c, so release 8 had it
        ("MODCTL_STAT", 2, 4, (9, 0)),
    ],
)
def test_constants(name: str, former: int, later: int, since: Release) -> None:
    for release in EVERY:
        assert abi(release).constant(name) == (later if release >= since else former), release


def test_constants_that_do_not_differ_are_elsewhere() -> None:
    assert all(len(set(values.values())) > 1 for values in CONSTANTS.values())
    with pytest.raises(KeyError):
        abi((10, 0)).constant("O_RDWR")


@pytest.mark.parametrize(
    ("release", "size"), [((6, 1), 24), ((7, 2), 24), ((7, 99, 34), 24), ((8, 0), 32), ((9, 3), 32), ((10, 0), 32)]
)
@pytest.mark.parametrize("word_size", [4, 8])
def test_the_address_message(release: Release, size: int, word_size: int) -> None:
    """sys/net/if.h of 6.99.16 and 7.99.34, and of release 10 (ifam_pid, ifam_addrflags)."""
    layout = abi(release, word_size).struct("ifa_msghdr")
    assert layout.size == size
    assert ("ifam_addrflags" in layout.offsets) == (size == 32)


@pytest.mark.parametrize("word_size", [4, 8])
@pytest.mark.parametrize("release", EVERY)
def test_the_address_message_and_its_number_change_together(release: Release, word_size: int) -> None:
    new = abi(release, word_size).constant("RTM_NEWADDR") == 0x16
    assert (abi(release, word_size).constant("NET_RT_IFLIST") == 6) == new
    assert (abi(release, word_size).struct("ifa_msghdr").size == 32) == new


@pytest.mark.parametrize("release", EVERY)
def test_the_filesystem_list_and_its_number_change_together(release: Release) -> None:
    """sys/sys/statvfs.h of release 10: uint64_t f_spare[4] and f_mntfromlabel; 1.18 (2013): uint32_t f_spare[4]."""
    new = abi(release).syscall_number("getvfsstat") == 483
    assert abi(release).struct("statvfs").size == (3296 if new else 2256)
    assert ("f_mntfromlabel" in abi(release).struct("statvfs").offsets) == new


@pytest.mark.parametrize("release", EVERY)
def test_structures_that_stayed(release: Release) -> None:
    """sys/net/if.h and sys/netinet6/in6_var.h of 6.99.16, 7.99.34 and 10; sys/sys/stat.h of 6.99.16."""
    for name in ("ifreq", "if_msghdr", "ifaliasreq", "in6_aliasreq", "in6_ifreq", "stat", "tmpfs_args"):
        assert abi(release).struct(name).size == abi((7, 99, 34)).struct(name).size


SOME_DO_NOT_HAVE: Final = " ".join(IOCTLS_SINCE.values()).split()


def test_ioctls_that_a_release_does_not_have() -> None:
    """sys/sys/sockio.h 1.31 (2012) has no SIOCGIFAFLAG_IN, 1.33 (2015-05-02) has it."""
    for release in EVERY:
        there = release >= (7, 99, 34)
        assert abi(release).has_ioctl("SIOCGIFAFLAG_IN") == there
        assert (abi(release).ioctl_name(0xC0906927) == "SIOCGIFAFLAG_IN") == there
    with pytest.raises(KernelError, match=r"SIOCGIFAFLAG_IN in release 7\.2: ENOTTY"):
        abi((7, 2)).ioctl("SIOCGIFAFLAG_IN")


@pytest.mark.parametrize("release", EVERY)
def test_ioctls_that_stayed(release: Release) -> None:
    """netinet6/in6_var.h of 7.99.34 and 10 number these alike."""
    for name in IOCTLS:
        if name in SOME_DO_NOT_HAVE or any(name in changed for changed in CHANGED.values()):
            continue
        assert abi(release).ioctl(name) == abi((7, 99, 34)).ioctl(name)


def test_ioctls_of_neighbour_discovery() -> None:
    """netinet6/in6_var.h of 7.99.34 (table) and of 10, where a kernel no longer hears router advertisements."""
    former, later = abi((9, 3)), abi((10, 0))
    assert (former.ioctl("SIOCGIFINFO_IN6"), former.ioctl("SIOCSIFINFO_IN6")) == (0xC048696C, 0xC048696D)
    assert (later.ioctl("SIOCGIFINFO_IN6"), later.ioctl("SIOCSIFINFO_IN6")) == (0xC0206971, 0xC0206972)
    assert former.has_ioctl("SIOCSRTRFLUSH_IN6")
    assert former.has_ioctl("SIOCSPFXFLUSH_IN6")
    assert not later.has_ioctl("SIOCSRTRFLUSH_IN6")
    assert not later.has_ioctl("SIOCSPFXFLUSH_IN6")


@pytest.mark.parametrize(
    ("release", "known"),
    [
        ("5.1", False),
        ("6.0", True),
        ("6.1.5", True),
        ("7.99.34", True),
        ("9.3_STABLE", True),
        ("10.0", True),
        ("10.1", True),
        ("10.99.12", True),
        ("11.0_BETA", False),
        ("12.99.1", False),
        ("current", False),
    ],
)
def test_known_releases(release: str, known: bool) -> None:
    assert is_known(parse_release(release)) == known


def test_a_later_release_is_taken_for_the_newest() -> None:
    later, newest = abi((12, 0)), abi((10, 99, 99))
    assert syscall_table(later.release) == syscall_table(newest.release)
    assert later.struct("statvfs").size == newest.struct("statvfs").size
    assert [later.constant(name) for name in CONSTANTS] == [newest.constant(name) for name in CONSTANTS]


@pytest.mark.parametrize("release", EVERY)
def test_the_module_list_and_its_command_change_together(release: Release) -> None:
    assert (abi(release).constant("MODCTL_STAT") == 4) == ("ms_reqoffset" in abi(release).struct("modstat_t").offsets)
