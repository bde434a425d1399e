# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rumpctrl's utilities: NetBSD's programs, run on the controller with the kernel that RUMP_SERVER names below them.

They are programs of their own, that whoever runs Ansible has built and put into a folder; nothing else is run,
and no shell. The files that they name are the kernel's; their standard streams are the controller's.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..sysproxy.transport import SshAddress, Tcp6Address, TcpAddress, parse_url
from .failures import OptionError

DEFAULT_TIMEOUT: Final = 120.0
"""Seconds that a utility may take."""

_UPSTREAM: Final = "https://github.com/rumpkernel/rumpctrl"
_ENDING: Final = 5.0  # seconds for a utility that was killed to be gone, with all that holds its output open
# What librumpclient takes from its environment beside RUMP_SERVER, and would believe more (rumpclient.c).
_CLIENT_VARIABLES: Final = ("RUMP__PARSEDSERVER", "RUMPCLIENT__EXECFD")


@dataclass(frozen=True)
class Finished:
    """What a utility left: its exit status (minus the signal that ended it), and all that it wrote."""

    rc: int
    stdout: bytes
    stderr: bytes


class TimedOut(Exception):
    """A utility did not end in time and was ended; :attr:`finished` is what it had written."""

    def __init__(self, text: str, finished: Finished) -> None:
        self.finished = finished
        super().__init__(text)


def find(folder: str | None, name: str) -> str:
    """The path of the utility ``name`` in ``folder``.

    :raises OptionError: there is no such folder, or no such program in it.
    """
    if not folder:
        raise OptionError(
            "rumpctrl_path",
            f"{name!r} is to be run by rumpctrl's utilities, and a rump kernel has no programs of its own: build "
            f"{_UPSTREAM} on the controller and name its folder bin in ansible_rumpctrl_path, or in the "
            "environment's RUMPCTRL_PATH; or use the modules of this collection, which need no utilities",
        )
    whole = os.path.abspath(os.path.expanduser(folder))
    if not os.path.isdir(whole):
        raise OptionError(
            "rumpctrl_path", f"there is no folder {whole} on the controller, where rumpctrl's {name!r} is"
        )
    if name in ("", ".", "..") or os.path.basename(name) != name:
        raise OptionError(
            "cmd", f"give the utility's name alone, such as 'newfs', not {name!r}: it is run from {whole}"
        )
    program = shutil.which(name, path=whole)
    if program is None:
        known = sorted(entry.name for entry in os.scandir(whole) if shutil.which(entry.name, path=whole))
        raise OptionError("cmd", f"there is no utility {name!r} in {whole}: {', '.join(known) or 'no programs at all'}")
    return program


def server_for_utilities(url: str) -> str:
    """``url`` as librumpclient reads it: unix sockets, and TCP with an IPv4 address.

    :raises OptionError: it leads where the utilities cannot go.
    """
    address = parse_url(url)
    if isinstance(address, SshAddress):
        raise OptionError(
            "server",
            f"rumpctrl's utilities do not reach {url}, only unix:// and tcp:// URLs: forward the socket (ssh -L "
            "/tmp/csock:/run/csock HOST) and give unix:///tmp/csock, or use the modules of this collection",
        )
    if isinstance(address, Tcp6Address):
        raise OptionError(
            "server", f"rumpctrl's utilities do not reach {url}: they have no IPv6; give a unix:// or tcp:// URL"
        )
    if isinstance(address, TcpAddress):
        try:
            found = socket.getaddrinfo(address.host, address.port, socket.AF_INET, socket.SOCK_STREAM)
        except OSError as error:
            raise OptionError("server", f"{url}: {error.strerror}") from error
        return f"tcp://{found[0][4][0]}:{address.port}"
    return url


def run(program: str, arguments: Sequence[str], url: str, stdin: bytes | None, timeout: float) -> Finished:
    """Run a utility (its path) with ``arguments`` on the kernel at ``url``, as :func:`server_for_utilities` gives it.

    :param stdin: what it reads; without it, its standard input is empty.
    :param timeout: seconds, after which it is killed with all that it started.
    :raises TimedOut: it was.
    :raises OptionError: the program cannot be run.
    """
    environment = {key: value for key, value in os.environ.items() if key not in _CLIENT_VARIABLES}
    # mount and fsck start others of the folder; there is nothing else that they should find.
    environment |= {"RUMP_SERVER": url, "PATH": os.path.dirname(program)}
    try:
        process = subprocess.Popen(
            [program, *arguments],
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise OptionError("cmd", f"{program} cannot be run: {error}") from error
    with process:
        try:
            stdout, stderr = process.communicate(stdin, timeout)
        except subprocess.TimeoutExpired as error:
            raise TimedOut(
                f"{os.path.basename(program)} did not end within {timeout:g} s, and was killed", _kill(process)
            ) from error
        except BaseException:
            _kill(process)
            raise
    return Finished(process.returncode, stdout, stderr)


def _kill(process: subprocess.Popen[bytes]) -> Finished:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    try:
        stdout, stderr = process.communicate(timeout=_ENDING)
    except subprocess.TimeoutExpired as error:
        stdout, stderr = error.stdout or b"", error.stderr or b""
    return Finished(process.returncode or -signal.SIGKILL, stdout, stderr)
