# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sysctl modules' resource: one node of the kernel's tree, by its dotted name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..sysproxy import Kernel, KernelError
from ..sysproxy.kernel.sysctl import SysctlNode, Value
from ..sysproxy.netbsd.constants import CTLFLAG, CTLTYPE
from .failures import OptionError
from .plan import Plan

_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")


def plan(kernel: Kernel, parameters: Mapping[str, Any]) -> Plan:
    """Make the node ``name`` hold ``value``; without a value, only read it."""
    node = kernel.sysctl.node(parameters["name"])
    if node.type in (CTLTYPE.NODE, CTLTYPE.STRUCT):
        what = "a subtree" if node.type == CTLTYPE.NODE else "a structure"
        raise OptionError("name", f"{node.name} is {what}, not one value; rumpkernel.rump.rump_sysctl_info reads it")
    found = kernel.sysctl.get(node)
    if parameters.get("value") is None:
        return Plan(expected=describe(kernel, node, found))
    wanted = parse_value(node, str(parameters["value"]))
    if wanted == found:
        return Plan(expected=describe(kernel, node, found))
    if not node.writable:
        text = f"sysctl {node.name} is read-only (EPERM): it is {found!r} and cannot be made {wanted!r}"
        raise OptionError("name", text, call="sysctl", object=node.name, errno="EPERM")
    made = Plan(
        before={node.name: found},
        after={node.name: wanted},
        expected=describe(kernel, node, wanted),
        report=lambda: describe(kernel, node, kernel.sysctl.get(node)),
    )
    made.add(f"set {node.name} to {wanted!r}", lambda: kernel.sysctl.set(node, wanted))
    return made


def info(kernel: Kernel, parameters: Mapping[str, Any]) -> Plan:
    """Read one node, a subtree, or all that have a value."""
    nodes = list(kernel.sysctl.walk(parameters.get("name") or ""))
    values: dict[str, Any] = {}
    details: list[dict[str, Any]] = []
    for node, value in zip(nodes, kernel.sysctl.values(nodes), strict=True):
        if isinstance(value, KernelError):
            if len(nodes) == 1:
                raise value
            continue  # some nodes answer only with arguments in their name (net.inet.tcp.pcblist)
        if isinstance(value, bytes):
            value = value.hex()
        values[node.name] = value
        if parameters.get("details"):
            details.append(describe(kernel, node, value) | {"description": kernel.sysctl.describe(node)})
    expected: dict[str, Any] = {"sysctl": values}
    if parameters.get("details"):
        expected["nodes"] = details
    return Plan(expected=expected)


def parse_value(node: SysctlNode, text: str) -> Value:
    """The value that a user's text means for a node.

    :raises OptionError: it means none.
    """
    if node.type == CTLTYPE.STRING:
        if "\0" in text:
            raise OptionError("value", f"{node.name} is a string: it ends at a NUL byte, and cannot hold one")
        return text
    lowered = text.strip().lower()
    if node.type == CTLTYPE.BOOL:
        if lowered in _TRUE or lowered in _FALSE:
            return lowered in _TRUE
        raise OptionError("value", f"{node.name} is a bool: give true or false, not {text!r}")
    if lowered in ("true", "yes", "on", "false", "no", "off"):
        return int(lowered in _TRUE)  # YAML's booleans, for a switch that the kernel keeps as an int
    try:
        number = int(lowered, 0)
    except ValueError:
        raise OptionError("value", f"{node.name} is of type {node.type_name}: give a number, not {text!r}") from None
    bits = 32 if node.type == CTLTYPE.INT else 64
    unsigned = bool(node.flags & CTLFLAG.UNSIGNED)
    lowest, highest = (0, (1 << bits) - 1) if unsigned else (-(1 << bits - 1), (1 << bits - 1) - 1)
    if not lowest <= number <= highest:
        raise OptionError("value", f"{node.name} is of type {node.type_name}: {lowest} to {highest}, not {number}")
    return number


def describe(kernel: Kernel, node: SysctlNode, value: Value) -> dict[str, Any]:
    return {"name": node.name, "type": node.type_name, "writable": node.writable, "value": value}
