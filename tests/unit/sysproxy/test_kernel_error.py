# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refused calls: NetBSD's errnos, their texts, and the exceptions that they become."""

from __future__ import annotations

import copy
import errno as host_errno
import pickle

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.plan import Plan
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.errors import RumpError, UnknownMachine
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi, Errno, KernelError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.errno import MESSAGES
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.kernel_error import kernel_error
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import table, transcript

# Names of the same number as another's, and constants that only look like errnos.
ALIASES = {"EWOULDBLOCK", "ELAST"}


def test_every_errno_of_netbsd() -> None:
    numbers = {row[0]: int(row[1]) for row in table("constants") if row[0] in Errno.__members__}
    assert {name: number for name, number in numbers.items() if Errno[name] != number} == {}
    missing = [name for name, number in numbers.items() if number > 0 and number not in MESSAGES]
    assert missing == []
    # No number from 1 to the last one is without a name.
    assert [number for number in range(1, 97) if number not in set(Errno)] == []
    assert max(Errno) == int(next(row[1] for row in table("constants") if row[0] == "ELAST"))


def test_the_kernels_own_errnos() -> None:
    assert Errno.ERESTART == -3
    assert Errno.EJUSTRETURN == -2


@pytest.mark.parametrize("machine", ["amd64", "i386"])
@pytest.mark.parametrize(
    ("prefix", "call", "number", "text"),
    [
        ("12", "ioctl", Errno.EEXIST, "File exists"),
        ("13", "ioctl", Errno.ENXIO, "Device not configured"),
        ("22", "__sysctl", Errno.EPERM, "Operation not permitted"),
        ("65", "__lstat50", Errno.ENOENT, "No such file or directory"),
        ("67", "link", Errno.EOPNOTSUPP, "Operation not supported"),
        ("67", "rename", Errno.EOPNOTSUPP, "Operation not supported"),
    ],
)
def test_what_real_utilities_said(machine: str, prefix: str, call: str, number: int, text: str) -> None:
    found = transcript(machine, prefix)
    assert number in [made.error for made in found.calls(call)]
    assert MESSAGES[number] == text
    assert f": {text}\n" in found.stderr


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("EAGAIN", BlockingIOError),
        ("EALREADY", BlockingIOError),
        ("EINPROGRESS", BlockingIOError),
        ("EPIPE", BrokenPipeError),
        ("ECHILD", ChildProcessError),
        ("ECONNABORTED", ConnectionAbortedError),
        ("ECONNREFUSED", ConnectionRefusedError),
        ("ECONNRESET", ConnectionResetError),
        ("EEXIST", FileExistsError),
        ("ENOENT", FileNotFoundError),
        ("EINTR", InterruptedError),
        ("EISDIR", IsADirectoryError),
        ("ENOTDIR", NotADirectoryError),
        ("EACCES", PermissionError),
        ("EPERM", PermissionError),
        ("ESRCH", ProcessLookupError),
        ("ETIMEDOUT", TimeoutError),
    ],
)
def test_pythons_own_classes(name: str, kind: type[OSError]) -> None:
    error = kernel_error(Errno[name], "open", "/x")
    assert isinstance(error, kind)
    assert isinstance(error, KernelError)
    assert isinstance(error, RumpError)
    assert error.errno == getattr(host_errno, name)
    assert error.number == Errno[name]


@pytest.mark.parametrize("number", Errno)
def test_every_errno_makes_an_exception(number: Errno) -> None:
    error = kernel_error(number, "ioctl", "shmif0")
    assert error.name == number.name
    assert number.name in str(error)


def test_what_an_error_says() -> None:
    error = kernel_error(22, "SIOCSIFMTU", "shmif0")
    assert str(error) == "SIOCSIFMTU shmif0: EINVAL (Invalid argument)"
    assert (error.call, error.subject, error.name, error.strerror) == (
        "SIOCSIFMTU",
        "shmif0",
        "EINVAL",
        "Invalid argument",
    )
    assert str(kernel_error(1, "getpid")) == "getpid: EPERM (Operation not permitted)"


def test_the_hosts_number_is_the_hosts() -> None:
    # 45 is EOPNOTSUPP for NetBSD, and something else for most hosts.
    error = kernel_error(45, "rename", "a -> b")
    assert (error.number, error.name, error.errno) == (45, "EOPNOTSUPP", host_errno.EOPNOTSUPP)


@pytest.mark.parametrize("number", [97, 1 << 30, -7, 0])
def test_unknown_numbers_are_errors_too(number: int) -> None:
    error = kernel_error(number, "open", "/x")
    assert error.__class__ is KernelError
    assert error.name == f"errno {number}"
    assert str(error) == f"open /x: errno {number} (unknown error)"


def test_what_a_terminal_would_obey_is_escaped_in_texts_alone() -> None:
    path = "/\x1b]0;mine\x07\n\udcff\u202eä"
    error = kernel_error(2, "open", path)
    assert str(error) == r"open /\x1b]0;mine\x07\n\udcff\u202eä: ENOENT (No such file or directory)"
    assert error.subject == path
    with pytest.raises(UnknownMachine, match=r"of a\\x1b\[0m/\\x07 are not known"):
        Abi.from_banner("RUMPSP-0.4-a\x1b[0m-7.99.34/\x07")
    warned = Plan(expected={}, warnings=["\x1b[2Jdev is a device"]).result(False)["warnings"]
    assert warned == [r"\x1b[2Jdev is a device"]


def test_errors_can_be_copied_and_pickled() -> None:
    error = kernel_error(2, "open", "/x")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert (twin.number, twin.errno, twin.subject) == (error.number, error.errno, error.subject)
