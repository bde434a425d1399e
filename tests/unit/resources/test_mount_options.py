# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mount options by name."""

from __future__ import annotations

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import mount_options
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.failures import OptionError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import MNT
from ansible_collections.rumpkernel.rump.tests.support.users import GROUP, PASSWD, users_of

NONE = MNT(0)


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ([], NONE),
        (["defaults"], NONE),
        (["rw"], NONE),
        (["ro"], MNT.RDONLY),
        (["rdonly"], MNT.RDONLY),
        (["noro"], NONE),
        (["norw"], MNT.RDONLY),
        (["ro", "rw"], NONE),
        (["rw", "ro"], MNT.RDONLY),
        (["noatime", "nodev", "nosuid"], MNT.NOATIME | MNT.NODEV | MNT.NOSUID),
        (["noexec", "exec"], NONE),
        (["async", "noasync", "sync"], MNT.SYNCHRONOUS),
        ([" union", "log ", ""], MNT.UNION | MNT.LOG),
        (["hidden", "symperm", "nocoredump"], MNT.IGNORE | MNT.SYMPERM | MNT.NOCOREDUMP),
        (["softdep"], MNT.SOFTDEP),
    ],
)
def test_flags(options: list[str], flags: MNT) -> None:
    assert mount_options.parse("ffs", options, users_of()) == mount_options.MountOptions(flags, {})


@pytest.mark.parametrize("flag", list(mount_options.NAMES))
def test_each_flag_has_one_name(flag: MNT) -> None:
    assert mount_options.parse("ffs", mount_options.names(flag), users_of()).flags == flag


def test_names_leave_out_what_the_kernel_sets() -> None:
    assert mount_options.names(MNT.LOCAL | MNT.ROOTFS) == ["rw"]
    assert mount_options.names(MNT.LOCAL | MNT.RDONLY | MNT.NOATIME | MNT.SYNCHRONOUS) == ["ro", "sync", "noatime"]


def test_tmpfs_arguments() -> None:
    wanted = {"size": 8 << 20, "nodes": 100, "mode": 0o1777, "uid": 5, "gid": 6}
    options = ["size=8m", "nodes=100", "mode=1777", "uid=5", "gid=6", "ro"]
    assert mount_options.parse("tmpfs", options, users_of()) == mount_options.MountOptions(MNT.RDONLY, wanted)
    letters = ["-s=8M", "-n=100", "-m=1777", "-u=www", "-g=web"]
    users = users_of({PASSWD: b"www:*:5:6::/:\n", GROUP: b"web:*:6:\n"})
    assert mount_options.parse("tmpfs", letters, users) == mount_options.MountOptions(NONE, wanted)


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("4096", 4096), ("4k", 4096), ("64K", 65536), ("3mb", 3 << 20), ("2g", 2 << 30), ("1t", 1 << 40)],
)
def test_sizes(text: str, size: int) -> None:
    assert mount_options.parse_size(text) == size


@pytest.mark.parametrize("text", ["", "1", "4095", "50%", "8 m", "-8m", "8x", "0x10", "99999999t", "1.5g"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(OptionError, match=r"^opts: size: "):
        mount_options.parse_size(text)


@pytest.mark.parametrize(
    ("fstype", "option", "message"),
    [
        ("ffs", "size=8m", "means nothing to ffs"),
        ("kernfs", "mode=0755", "means nothing to kernfs"),
        ("tmpfs", "colour=red", "tmpfs has no option 'colour'"),
        ("tmpfs", "size", "needs a value"),
        ("tmpfs", "mode=rwx", "octal"),
        ("tmpfs", "mode=10000", "0 to 7777"),
        ("tmpfs", "nodes=3", "4 to"),
        ("tmpfs", "uid=wheel", "uid: the kernel has no user 'wheel'"),
        ("tmpfs", "gid=nobody", "gid: the kernel has no group 'nobody'"),
        ("tmpfs", "gid=-1", "gid: give a number from 0 to"),
        ("ffs", "fast", "'fast' is unknown"),
        ("ffs", "nofast", "'nofast' is unknown"),
        ("ffs", "update", "not an option of a mount point"),
        ("ffs", "force", "option force"),
    ],
)
def test_no_options(fstype: str, option: str, message: str) -> None:
    with pytest.raises(OptionError, match=rf"^opts: .*{message}"):
        mount_options.parse(fstype, [option], users_of())
