# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Routes whose packets would go on to come from an address that is no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ..sysproxy import Kernel
from ..sysproxy.kernel.interfaces import Interface
from ..sysproxy.kernel.routes import Route
from ..sysproxy.netbsd.constants import RTF
from . import route
from .network_tables import ForetoldNames, ForetoldRoutes


def stale_routes(
    before: ForetoldRoutes, table: ForetoldRoutes, listed: Mapping[str, Interface], coming: Mapping[str, Interface]
) -> list[Route]:
    """Routes by a gateway that keep an address of the kernel's as their source after that is gone.

    The kernel chooses the source when a route is made, and goes on with it. A change of the route to what it is makes
    it choose anew.
    """
    held = {address.interface.ip for found in coming.values() for address in found.addresses}
    lost = {
        address.interface.network
        for found in listed.values()
        for address in found.addresses
        if address.interface.ip not in held
    }
    stale = []
    for found in table.routes.values():
        if not found.is_by_gateway or found.gateway is None or found.gateway.is_loopback:
            continue
        former = before.routes.get(found.key)
        source = former.source if former is not None else None
        if former is not None and former.gateway == found.gateway and source is not None:
            is_stale = source not in held and not source.is_link_local
        else:
            # It is yet to be made, or by another gateway: the kernel may choose what is about to go.
            is_stale = any(found.gateway.version == one.version and found.gateway in one for one in lost)
        way = table.leading_to(found.gateway, but=found.key)
        led = before.leading_to(found.gateway, but=found.key)
        if way is not None and led is not None and led.interface == found.interface != way.interface:
            is_stale = True
        if is_stale and way is not None and not way.is_by_gateway:
            stale.append(found)
    return stale


def chooser(kernel: Kernel, found: Route, names: ForetoldNames) -> Callable[[], object]:
    """What has the kernel choose a route's source anew, and leaves all else of it."""
    kept = int(RTF.UP | RTF.GATEWAY | RTF.HOST) | sum(bit for name, bit in route.FLAGS.items() if name != "cloning")
    made = replace(found, interface="", metrics=route.kept_metrics(found), flags=found.flags & kept)
    return lambda: kernel.routes.change(made, names)
