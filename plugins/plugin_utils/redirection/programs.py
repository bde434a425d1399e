# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The few programs that modules ask about a system, answered from the kernel's state: no process is started.

They are what Ansible's facts run on NetBSD: ``ifconfig -a``, ``route -n get default``, ``sysctl NAME`` and ``mount``.
They only read, and say what NetBSD's own programs say (compared with those of rumpctrl), as far as somebody asks.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, KernelError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.interfaces import (
    Interface,
    InterfaceAddress,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.sysctl import SysctlNode, UnknownSysctl
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import AF, CTLTYPE, IFF, MNT

_ORDINALS: Final = ("top", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


class Answer(NamedTuple):
    """What a program leaves: its exit status, and what it wrote."""

    rc: int
    stdout: str = ""
    stderr: str = ""


def path_of(name: str) -> str | None:
    """Where NetBSD has the program, if it is one of these: ``ifconfig`` and ``/sbin/ifconfig`` are known."""
    folder, base = os.path.split(name)
    return f"/sbin/{base}" if base in _PROGRAMS and folder in ("", "/sbin") else None


def run(kernel: Kernel, arguments: Sequence[str]) -> Answer | None:
    """What the program ``arguments[0]`` says of the kernel, or None where it is none of these."""
    path = path_of(arguments[0]) if arguments else None
    return None if path is None else _PROGRAMS[os.path.basename(path)](kernel, list(arguments[1:]))


def _ifconfig(kernel: Kernel, arguments: list[str]) -> Answer:
    if arguments != ["-a"]:
        return _not_here("ifconfig", "-a", "rumpkernel.rump.rump_ifconfig")
    with contextlib.suppress(KernelError):
        return Answer(0, "".join(line + "\n" for found in kernel.interfaces.all() for line in _interface(found)))
    return Answer(0)  # a kernel with no network has no interfaces


def _interface(found: Interface) -> Iterator[str]:
    names = ",".join(str(flag.name) for flag in IFF if flag & found.flags)
    yield f"{found.name}: flags={int(found.flags):#x}{f'<{names}>' if names else ''} mtu {found.mtu}"
    if found.link_address:
        # NetBSD has the first line, which Ansible's facts do not know; they know the second, of other BSDs.
        yield f"\taddress: {found.link_address.hex(':')}"
        yield f"\tether {found.link_address.hex(':')}"
    alias = ""
    for address in found.addresses:
        if address.interface.version == 4:
            yield f"\tinet {alias}{_inet(found, address)}"
            alias = "alias "
        else:
            yield f"\tinet6 {_inet6(found, address)}"


def _inet(found: Interface, address: InterfaceAddress) -> str:
    text = str(address.interface.ip)
    if found.flags & IFF.POINTOPOINT and address.destination is not None:
        text += f" -> {address.destination}"
    text += f" netmask {int(address.interface.netmask):#010x}"
    return f"{text} broadcast {address.broadcast}" if address.broadcast is not None else text


def _inet6(found: Interface, address: InterfaceAddress) -> str:
    host = str(address.interface.ip).partition("%")[0]
    local = address.interface.ip.is_link_local
    text = f"{host}%{found.name}" if local else host
    text += f" prefixlen {address.interface.network.prefixlen}"
    return f"{text} scopeid {found.index:#x}" if local else text


# What mount(8) calls the flags (sys/fstypes.h, __MNT_FLAGS), in its order.
_MOUNT_FLAGS: Final = (
    (MNT.ASYNC, "asynchronous"),
    (MNT.NOATIME, "noatime"),
    (MNT.NOCOREDUMP, "nocoredump"),
    (MNT.NODEV, "nodev"),
    (MNT.NODEVMTIME, "nodevmtime"),
    (MNT.NOEXEC, "noexec"),
    (MNT.NOSUID, "nosuid"),
    (MNT.RDONLY, "read-only"),
    (MNT.SOFTDEP, "soft dependencies"),
    (MNT.SYMPERM, "symperm"),
    (MNT.SYNCHRONOUS, "synchronous"),
    (MNT.UNION, "union"),
    (MNT.LOG, "log"),
    (MNT.LOCAL, "local"),
)


def _mount(kernel: Kernel, arguments: list[str]) -> Answer:
    if arguments:
        return _not_here("mount", "", "rumpkernel.rump.rump_mount")
    lines = []
    for mount in kernel.mounts():
        flags = ", ".join(name for flag, name in _MOUNT_FLAGS if mount.flags & flag)
        lines.append(f"{mount.source} on {mount.path} type {mount.fstype}{f' ({flags})' if flags else ''}\n")
    return Answer(0, "".join(lines))


def _route(kernel: Kernel, arguments: list[str]) -> Answer:
    words = [word for word in arguments if word not in ("-n", "-inet")]
    family = AF.INET6 if "-inet6" in words else AF.INET
    if [word for word in words if word != "-inet6"] != ["get", "default"]:
        return _not_here("route", "-n get default", "rumpkernel.rump.rump_route_info")
    try:
        routes = kernel.routes.all(family)
    except KernelError:
        routes = []
    gateways = [route.gateway for route in routes if not route.destination.prefixlen and route.gateway is not None]
    found = kernel.routes.get(ipaddress.ip_address("::" if family == AF.INET6 else "0.0.0.0")) if gateways else None
    if found is None:
        return Answer(1, "", "route: writing to routing socket: not in table\n")
    told = [("route to", "default"), ("destination", "default"), ("mask", "default"), ("gateway", gateways[0])]
    told += [("local addr", found.source)] if found.source is not None else []
    return Answer(0, "".join(f"{name:>11}: {value}\n" for name, value in (*told, ("interface", found.interface))))


def _sysctl(kernel: Kernel, arguments: list[str]) -> Answer:
    names = [argument for argument in arguments if not argument.startswith("-")]
    options = [argument for argument in arguments if argument.startswith("-")]
    if not names or not set(options) <= {"-n"}:
        return _not_here("sysctl", "[-n] NAME", "rumpkernel.rump.rump_sysctl")
    lines, errors = [], []
    for name in names:
        try:
            nodes = list(kernel.sysctl.walk(name))
        except UnknownSysctl as error:
            level = _ORDINALS[min(name.split(".").index(error.component), len(_ORDINALS) - 1)]
            within = f" in '{name}'" if level != "top" else ""
            errors.append(f"sysctl: {level} level name '{error.component}'{within} is invalid\n")
            continue
        for node, value in zip(nodes, kernel.sysctl.values(nodes), strict=True):
            if isinstance(value, (KernelError, bytes)):
                continue  # structures have forms of their own in sysctl(8)
            lines.append(f"{_value(node, value)}\n" if options else f"{node.name} = {_value(node, value)}\n")
    return Answer(1 if errors else 0, "".join(lines), "".join(errors))


def _value(node: SysctlNode, value: int | str | bool) -> str:
    return str(int(value)) if node.type == CTLTYPE.BOOL else str(value)


def _not_here(program: str, known: str, instead: str) -> Answer:
    command = f"{program} {known}".strip()
    text = f"a rump kernel has no programs, and only {command!r} is answered, from its state; use {instead}"
    return Answer(1, "", f"{program}: {text}\n")


_PROGRAMS: Final[dict[str, Callable[[Kernel, list[str]], Answer]]] = {
    "ifconfig": _ifconfig,
    "mount": _mount,
    "route": _route,
    "sysctl": _sysctl,
}
