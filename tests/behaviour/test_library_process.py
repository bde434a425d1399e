# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The session's process in the kernel: identity, credentials, limits, root and clocks."""

from __future__ import annotations

import os

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, KernelError, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.processes import RLIM_INFINITY
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import CLOCK, RLIMIT


def test_each_session_is_a_process(kernel: Kernel) -> None:
    with connect(kernel.url) as other:
        assert kernel.getpid() != other.getpid()
        assert kernel.getppid() == other.getppid() == 1
        kernel.umask(0o077)
        kernel.chdir("/dev")
        assert (other.umask(0o022), other.getcwd()) == (0o022, "/")
        assert (kernel.umask(0o022), kernel.getcwd()) == (0o077, "/dev")


def test_credentials(kernel: Kernel) -> None:
    assert (kernel.getuid(), kernel.geteuid(), kernel.getgid(), kernel.getegid()) == (0, 0, 0, 0)
    kernel.write_file("/secret", b"text", 0o600)
    kernel.setgroups([7, 8, 9])
    assert kernel.getgroups() == [7, 8, 9]
    kernel.setegid(50)
    kernel.seteuid(40)
    assert (kernel.getuid(), kernel.geteuid(), kernel.getgid(), kernel.getegid()) == (0, 40, 0, 50)
    with pytest.raises(PermissionError):
        kernel.read_file("/secret")
    with pytest.raises(PermissionError):
        kernel.setgroups([])
    kernel.seteuid(0)
    assert kernel.read_file("/secret") == b"text"
    kernel.setgroups([])
    assert kernel.getgroups() == []
    kernel.setregid(51, 52)
    kernel.setreuid(-1, 41)
    assert (kernel.getuid(), kernel.geteuid(), kernel.getgid(), kernel.getegid()) == (0, 41, 51, 52)


def test_another_user_for_good(kernel: Kernel) -> None:
    kernel.setgid(30)
    kernel.setuid(20)
    assert (kernel.getuid(), kernel.geteuid(), kernel.getgid(), kernel.getegid()) == (20, 20, 30, 30)
    with pytest.raises(PermissionError):
        kernel.setuid(0)
    assert not kernel.access("/", os.W_OK)
    with connect(kernel.url) as other:
        assert other.getuid() == 0


def test_large_ids(kernel: Kernel) -> None:
    kernel.setegid(4_000_000_000)
    kernel.seteuid(4_000_000_001)
    assert (kernel.getegid(), kernel.geteuid()) == (4_000_000_000, 4_000_000_001)


def test_ids_that_nobody_can_have_are_refused(kernel: Kernel) -> None:
    kernel.write_file("/file", b"")
    for wrong in (-2, 0xFFFFFFFF, 1 << 32):
        for refused in (kernel.seteuid, kernel.setegid, kernel.setuid, kernel.setgid):
            with pytest.raises(ValueError, match="not"):
                refused(wrong)
        with pytest.raises(ValueError, match="not"):
            kernel.setgroups([0, wrong])
        with pytest.raises(ValueError, match="not"):
            kernel.chown("/file", wrong, wrong)
    for refused in (kernel.seteuid, kernel.setegid, kernel.setuid, kernel.setgid):
        with pytest.raises(ValueError, match="not -1"):
            refused(-1)


def test_the_kernel_leaves_an_id_of_minus_one_as_it_is(kernel: Kernel) -> None:
    kernel.setegid(50)
    kernel.seteuid(40)
    for call in ("seteuid", "setegid", "setuid", "setgid"):
        assert kernel.call(call, 0xFFFFFFFF)[0] == 0
    assert (kernel.getuid(), kernel.geteuid(), kernel.getgid(), kernel.getegid()) == (0, 40, 0, 50)


def test_process_groups_and_sessions(kernel: Kernel) -> None:
    kernel.setsid()
    assert kernel.getpgid(0) == kernel.getpgrp() == kernel.getsid(0) == kernel.getpid()
    assert kernel.getlogin() == ""
    kernel.setlogin("operator")
    assert kernel.getlogin() == "operator"


def test_limits(kernel: Kernel) -> None:
    assert kernel.getrlimit(RLIMIT.FSIZE) == (RLIM_INFINITY, RLIM_INFINITY)
    kernel.setrlimit(RLIMIT.NOFILE, (10, 20))
    assert kernel.getrlimit(RLIMIT.NOFILE) == (10, 20)
    assert [kernel.open("/", os.O_RDONLY) for _file in range(7)] == [3, 4, 5, 6, 7, 8, 9]
    with pytest.raises(KernelError) as error:
        kernel.open("/", os.O_RDONLY)
    assert error.value.name == "EMFILE"
    with connect(kernel.url) as other:
        assert other.getrlimit(RLIMIT.NOFILE) != (10, 20)


def test_another_root(kernel: Kernel) -> None:
    kernel.makedirs("/jail/inside")
    kernel.chroot("/jail")
    kernel.chdir("/")
    assert kernel.listdir("/") == ["inside"]
    assert kernel.listdir("/..") == ["inside"]
    with pytest.raises(FileNotFoundError):
        kernel.stat("/dev")
    with connect(kernel.url) as other:
        assert other.exists("/dev")


def test_clocks(kernel: Kernel) -> None:
    monotonic = kernel.clock_gettime_ns(CLOCK.MONOTONIC)
    assert 0 < monotonic <= kernel.clock_gettime_ns(CLOCK.MONOTONIC)
    assert 0 < kernel.clock_getres(CLOCK.MONOTONIC) <= 0.01
    kernel.clock_settime(CLOCK.REALTIME, 2_000_000_000.5)
    assert 2_000_000_000.5 <= kernel.clock_gettime() < 2_000_000_060
    with pytest.raises(KernelError) as error:
        kernel.clock_settime(CLOCK.MONOTONIC, 1)
    assert error.value.name == "EINVAL"
