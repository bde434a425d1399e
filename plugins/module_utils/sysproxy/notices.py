# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the library has to say beside results and errors: categories of Python's warnings."""

from __future__ import annotations


class RumpWarning(UserWarning):
    """Base of the library's warnings."""


class UnprotectedServer(RumpWarning):
    """A server is reached over a public address, with nothing that keeps others from it."""


class UnknownRelease(RumpWarning):
    """The kernel's release is none of those that are described; the nearest of them was taken."""
