# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only door to the rest of the collection: the frames and the ABI of the sysproxy library.

Every other module of this package takes what it needs of them from here, so that what the
simulated kernel shares with the client under test is seen at a glance.
"""

from __future__ import annotations

from ..plugins.module_utils.sysproxy import frames
from ..plugins.module_utils.sysproxy.frames import ProtocolError
from ..plugins.module_utils.sysproxy.netbsd import Abi, Errno
from ..plugins.module_utils.sysproxy.netbsd.machines import MACHINES

__all__ = ["MACHINES", "Abi", "Errno", "ProtocolError", "frames"]
