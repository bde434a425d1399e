# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which changes of a network end the connection that the task itself comes by, and what is done about these."""

from __future__ import annotations

from ..sysproxy.kernel.interfaces import IPInterface
from ..sysproxy.kernel.neighbours import Neighbour
from ..sysproxy.kernel.routes import Route
from . import network_connection
from .failures import OptionError
from .network_draft import Draft, Group
from .network_tables import ForetoldRoutes


class Judge:
    """Says of each change why our own connection does not outlive it; nothing for most."""

    def __init__(
        self,
        own: network_connection.OwnConnection | None,
        before: ForetoldRoutes,
        table: ForetoldRoutes,
        with_routes: bool = True,
    ) -> None:
        self._own, self._before = own, before
        self._moved = network_connection.rerouted(own, before, table) if own and with_routes else None

    def interface(self, group: Group) -> str:
        if self._own is None:
            return ""
        cut = network_connection.cut_by_interface(self._own, group.name, group.before, group.planned)
        if not cut and self._moved is not None and self._moved[1] is not None:
            coming = self._moved[1]
            is_new = coming.key not in self._before.routes
            if is_new and coming.gateway is None and coming.interface == group.name:
                return f"packets to {self._own.remote} would go to {coming}, the network of an address of {group.name}"
        return cut

    def removal(self, name: str, address: IPInterface) -> str:
        if self._own is None:
            return ""
        former = self._moved[0] if self._moved is not None else None
        if former is not None and former.destination == address.network and former.interface == name:
            return f"packets to {self._own.remote} go by {former}, which goes with {address}"
        return network_connection.cut_by_removal(self._own, name, address.ip)

    def route(self, found: Route | None, goal: Route | None) -> str:
        if self._own is None or self._moved is None:
            return ""
        keys = {way.key for way in self._moved if way is not None}
        if any(way is not None and way.key in keys for way in (found, goal)):
            return f"packets to {self._own.remote}, from where the connection comes, go by it"
        return ""

    def neighbour(self, found: Neighbour | None, goal: Neighbour | None) -> str:
        if self._own is None or found is None or goal is None:
            return ""
        return network_connection.cut_by_neighbour(self._own, self._before, found, goal.link_address)


def require_connection(draft: Draft, own: network_connection.OwnConnection | None) -> None:
    """Refuse what would end our own connection, unless there will be another, or it is said to be right.

    :raises OptionError: it is refused.
    """
    cutting = [step for step in draft.steps if step.cuts]
    if not cutting or draft.wanted.allow_disconnect or draft.made.url is not None:
        return
    step = cutting[0]
    raise OptionError(
        "allow_disconnect",
        f"to {step.text} would cut the connection by which this task reaches the kernel ({own}): {step.cuts}. "
        "Nothing was changed. Reach the kernel at another address for it, name the URL at which it will answer as "
        "reconnect, or set allow_disconnect",
        object=step.text,
    )
