# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The façade: a rump kernel as an object shaped like Python's ``os``.

:class:`Kernel` has the calls of files, processes, sockets and mount points itself; what Python has no shape for
hangs on it: ``k.sysctl``, ``k.interfaces``, ``k.routes``, ``k.neighbours``, ``k.nd6`` and ``k.modules``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Self

from .attributes import Attributes
from .clocks import Clocks
from .extended_attributes import ExtendedAttributes
from .filesystems import FileSystems
from .many import Many
from .modules import Modules
from .mounts import Mounts
from .network import Network
from .streams import Streams
from .tracing import Tracing


class Kernel(Many, Attributes, ExtendedAttributes, FileSystems, Streams, Mounts, Network, Clocks, Tracing):
    """A rump kernel over one session; made by :func:`~..connect`."""

    @property
    def url(self) -> str:
        return self.session.url

    @cached_property
    def modules(self) -> Modules:
        return Modules(self)

    def move(self, url: str, connect_timeout: float, confirm: Callable[[], object] | None = None) -> None:
        """Go on over a new connection, to another URL of the same kernel; descriptors stay as they are.

        See :meth:`.session.Session.reopen`. Its errors leave all as it was, and so do those of ``confirm``, which is
        called when the kernel is reached over the new connection.
        """
        former = self.session
        self.session = former.reopen(url, connect_timeout)
        try:
            if confirm is not None:
                confirm()
        except BaseException:
            self.session.close()
            self.session = former
            raise
        former.close()

    def disconnect(self) -> None:
        """End the session; the kernel closes what it left open."""
        self.session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.disconnect()
