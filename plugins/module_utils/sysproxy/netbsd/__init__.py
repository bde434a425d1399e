# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NetBSD's side of a system call: numbers, argument blocks, structures, errnos and constants.

The same description serves every word size, byte order and release; :class:`Abi` picks.
"""

from __future__ import annotations

from .abi import Abi, AbiHints
from .errno import Errno
from .kernel_error import KernelError
from .layout import DataModel, Layout

__all__ = ["Abi", "AbiHints", "DataModel", "Errno", "KernelError", "Layout"]
