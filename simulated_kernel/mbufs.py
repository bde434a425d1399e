# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mbufs, in so far as their sizes show: in what a socket's buffer holds, in the loopback's MTU, in a sysctl.

Sources: MSIZE of sys/arch/*/include/param.h, MLEN and MHLEN of sys/sys/mbuf.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .rooms import Abi

CLUSTER_SIZE = 2048


@dataclass(frozen=True)
class Mbufs:
    """Bytes of an mbuf: all of it, and what data fits into the first one of a packet and into a further one."""

    size: int
    first: int
    further: int

    @classmethod
    def of(cls, abi: Abi) -> Mbufs:
        if abi.word_size == 4:
            return cls(256, 188, 224)
        size = 256 if abi.machine == "sparc64" else 512
        return cls(size, size - 112, size - 56)

    @property
    def without_cluster(self) -> int:
        """The most data of a packet that needs no cluster."""
        return self.first + self.further

    def memory_for(self, length: int) -> int:
        """About how much memory a packet's data takes."""
        if length > self.without_cluster:
            return -(-length // CLUSTER_SIZE) * (self.size + CLUSTER_SIZE)
        return self.size * (1 if length <= self.first else 2)
