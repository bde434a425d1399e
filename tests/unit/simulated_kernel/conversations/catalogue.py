# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The conversations there are: calls whose every answer is written down, so that two kernels can be compared.

A conversation is a function that is given a :class:`~.scribe.Scribe`. What differs from kernel to kernel by its
nature (times, random addresses, numbers of nodes in memory) is not written down, or in a form that does not differ.
"""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations import (
    datagrams,
    discovery,
    disks,
    files,
    interface_addresses,
    interface_kinds,
    interfaces,
    local_sockets,
    modules,
    mounts,
    names,
    routes,
    socket_options,
    streams,
    variables,
)
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.scribe import Scribe, mount_tmpfs

Conversation = Callable[[Scribe], None]


def in_root(conversation: Callable[[Scribe, str], None]) -> Conversation:
    """Hold a conversation about a folder of the root file system."""

    def run(scribe: Scribe) -> None:
        scribe("mkdir", "/r", 0o755)
        conversation(scribe, "/r")

    return run


def in_tmpfs(conversation: Callable[[Scribe, str], None]) -> Conversation:
    """… of a tmpfs."""

    def run(scribe: Scribe) -> None:
        scribe("mkdir", "/t", 0o755)
        mount_tmpfs(scribe, "/t", size=8 << 20)
        conversation(scribe, "/t")

    return run


def on_bus(conversation: Callable[[Scribe, str], None]) -> Conversation:
    """… of an interface with a bus, which the real one makes a file of in its working directory."""

    def run(scribe: Scribe) -> None:
        conversation(scribe, "busmem")

    return run


_ABOUT_FOLDERS = (
    files.writing,
    names.naming,
    names.removed_but_open,
    names.attributes,
    names.special_files,
    names.at_calls,
)
_ABOUT_BUSES = (
    interfaces.shmif,
    interface_addresses.inet_addresses,
    interface_addresses.inet6_addresses,
    interface_addresses.duplicate_detection,
    interface_kinds.vlans,
    interface_kinds.bridges,
    interface_kinds.aggregates,
    interface_kinds.link_addresses,
    routes.routes_of_addresses,
    routes.routes_by_messages,
    routes.neighbours,
    discovery.discovery,
    datagrams.paths,
)
_OTHERS: tuple[Conversation, ...] = (
    files.root_directory,
    files.descriptors,
    mounts.mounts,
    mounts.small_tmpfs,
    mounts.kernfs,
    mounts.chroots,
    variables.sysctl_errors,
    variables.sysctl_tree,
    interfaces.sockets,
    interfaces.cloning,
    interfaces.other_interfaces,
    interface_kinds.tunnels,
    disks.vnd,
    streams.connections,
    streams.bad_addresses,
    streams.ports_in_use,
    streams.streams,
    streams.ends,
    streams.full_buffers,
    datagrams.datagrams,
    datagrams.raw_sockets,
    local_sockets.local_sockets,
    local_sockets.local_data,
    local_sockets.local_datagrams,
    local_sockets.descriptors_passed,
    socket_options.socket_options,
    socket_options.protocol_options,
    socket_options.signals,
    modules.modules,
    modules.traces,
)
CONVERSATIONS: dict[str, Conversation] = {
    **{f"{function.__name__} in the root": in_root(function) for function in _ABOUT_FOLDERS},
    **{f"{function.__name__} in a tmpfs": in_tmpfs(function) for function in _ABOUT_FOLDERS},
    **{function.__name__: function for function in _OTHERS},
    **{function.__name__: on_bus(function) for function in _ABOUT_BUSES},
}
EXTRA_COMPONENTS: dict[str, list[str]] = dict.fromkeys(
    ("vlans", "aggregates", "link_addresses", "tunnels"), interface_kinds.EXTRA
)
"""What the kernels of a conversation have beside the usual components."""
