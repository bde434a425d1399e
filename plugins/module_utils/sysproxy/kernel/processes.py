# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The session's own process: identity, working directory, root, umask."""

from __future__ import annotations

import os

from .base import Base, StrPath


class Processes(Base):
    """What ``os`` says of the process that the session is in the kernel."""

    def getpid(self) -> int:
        return self.call("getpid")[0]

    def getuid(self) -> int:
        return self.call("getuid")[0]

    def getgid(self) -> int:
        return self.call("getgid")[0]

    def umask(self, mask: int) -> int:
        """The former umask."""
        return self.call("umask", mask)[0]

    def chdir(self, path: StrPath) -> None:
        self.path_call("chdir", path)

    def getcwd(self) -> str:
        buffer = bytearray(1024)
        self.call("__getcwd", buffer, len(buffer))
        return os.fsdecode(bytes(buffer).split(b"\0")[0])
