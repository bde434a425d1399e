# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel as a whole: its name, sysctls by number, modules, traces, and its end."""

from __future__ import annotations

import os
import time

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import (
    ConnectError,
    ConnectionLost,
    Kernel,
    KernelError,
    SessionClosed,
    connect,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.modules import ModuleClass, ModuleSource
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.sysctl import UnknownSysctl
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import KTR
from ansible_collections.rumpkernel.rump.tests.support.backends import Server


def test_its_name(kernel: Kernel) -> None:
    kernel.sysctl.set("kern.hostname", "mountain")
    name = kernel.uname()
    assert (name.sysname, name.nodename) == ("NetBSD", "mountain")
    assert name.release == ".".join(map(str, kernel.abi.release))
    assert name.machine == kernel.abi.machine
    assert name.version.startswith("NetBSD ")
    assert name.version == name.version.strip()


def test_sysctls_by_number(kernel: Kernel) -> None:
    node = kernel.sysctl.node((1, 10))
    assert (node.name, node.mib) == ("kern.hostname", (1, 10))
    kernel.sysctl.set((1, 10), "valley")
    assert kernel.sysctl.get((1, 10)) == kernel.sysctl.get("kern.hostname") == "valley"
    assert kernel.sysctl.get((6, 7)) == kernel.sysctl.get("hw.pagesize")
    assert isinstance(kernel.sysctl.describe("kern.ostype"), str)
    with pytest.raises(UnknownSysctl):
        kernel.sysctl.node((1, 99999))


def test_modules(kernel: Kernel) -> None:
    tmpfs = kernel.modules.get("tmpfs")
    assert tmpfs is not None
    assert (tmpfs.kind, tmpfs.source) == (ModuleClass.VFS, ModuleSource.BUILTIN)
    assert tmpfs.enabled
    assert kernel.modules.get("nosuch") is None
    with pytest.raises(FileExistsError):
        kernel.modules.load("tmpfs")
    with pytest.raises(FileNotFoundError):
        kernel.modules.load("nosuch")
    kernel.mkdir("/t")
    arguments = kernel.abi.struct("tmpfs_args").build(ta_version=1)
    kernel.mount("tmpfs", "/t", 0, arguments)
    with pytest.raises(KernelError, match="modunload tmpfs: EBUSY"):
        kernel.modules.unload("tmpfs")
    kernel.unmount("/t")
    kernel.modules.unload("tmpfs")
    assert not kernel.modules.get("tmpfs").enabled  # type: ignore[union-attr]
    with pytest.raises(KernelError, match="ENODEV"):
        kernel.mount("tmpfs", "/t", 0, arguments)
    with pytest.raises(PermissionError):
        kernel.modules.load("tmpfs")
    kernel.modules.load("tmpfs", force=True)
    kernel.mount("tmpfs", "/t", 0, arguments)


def test_traces(kernel: Kernel) -> None:
    with pytest.raises(FileNotFoundError):
        kernel.ktrace("/trace")
    kernel.write_file("/trace", b"")
    kernel.ktrace("/trace")
    kernel.exists("/nosuch")
    kernel.ktrace_stop("/trace")
    kernel.getcwd()
    deadline = time.monotonic() + 20
    while len(records := list(kernel.trace_records(kernel.read_file("/trace")))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    told = [(KTR(record.type), record.syscall(kernel.abi)) for record in records]
    assert told[:3] == [(KTR.SYSCALL, "__stat50"), (KTR.NAMEI, None), (KTR.SYSRET, "__stat50")]
    assert "__getcwd" not in [name for _kind, name in told]
    assert records[1].data.rstrip(b"\0") == b"/nosuch"
    assert {record.pid for record in records} == {kernel.getpid()}
    assert abs(records[0].time / 10**9 - kernel.clock_gettime()) < 60
    with pytest.raises(ValueError, match="no record of a trace"):
        list(kernel.trace_records(b"\xff" * 100))


def test_only_root_halts(kernel: Kernel) -> None:
    kernel.seteuid(5)
    with pytest.raises(PermissionError):
        kernel.halt()
    assert kernel.geteuid() == 5


@pytest.mark.parametrize("sync", [True, False])
def test_halting(server: Server, sync: bool) -> None:
    with connect(server.url, timeout=20) as kernel, connect(server.url) as other:
        kernel.halt(sync=sync)
        with pytest.raises(SessionClosed):
            kernel.getpid()
        with pytest.raises(ConnectionLost):
            other.getpid()
    path = server.url.removeprefix("unix://")
    deadline = time.monotonic() + 10
    while os.path.exists(path) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not os.path.exists(path)
    with pytest.raises(ConnectError):
        connect(server.url, connect_timeout=1)
