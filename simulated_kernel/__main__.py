# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m ansible_collections.rumpkernel.rump.simulated_kernel URL…``."""

from __future__ import annotations

import sys

from .cli import main

sys.exit(main())
