# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The routing socket: messages that change the routing table (sys/net/rtsock.c)."""

from __future__ import annotations

from .sockets import Socket


class RoutingSocket(Socket):
    """A socket of the family AF_ROUTE."""
