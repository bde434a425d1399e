# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs one of rumpctrl's utilities on a rump kernel."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_command
short_description: Run one of rumpctrl's utilities on a rump kernel
description:
  - Runs a program of rumpctrl, which are NetBSD's own C(newfs), C(ifconfig), C(npfctl) and others built to make
    their system calls in a rump kernel, with E(RUMP_SERVER) set to the kernel's server.
  - The utilities are not part of this collection. Whoever uses this module builds them on the controller, from
    U(https://github.com/rumpkernel/rumpctrl), and names their folder in O(rumpctrl_path). All other modules of the
    collection do without.
  - The options and results are those of M(ansible.builtin.command), whose rules hold in check mode too.
  - Only programs of that folder are run, and no shell. Paths among the arguments are the kernel's.
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
extends_documentation_fragment:
  - rumpkernel.rump.rump
attributes:
  check_mode:
    description: Can run in check mode and tell what it would change, with no call that changes the kernel.
    support: partial
    details: With O(creates) or O(removes) it tells whether the command would run; without them it is skipped.
  diff_mode:
    description: Returns what is different before and after.
    support: none
  idempotent:
    description: Run again with the same options, it changes nothing.
    support: partial
    details: What a command changes is not known. With O(creates) or O(removes) it is run when these say so.
options:
  cmd:
    description: The utility's name and its arguments, in one text that is split as a shell would split it.
    type: str
  argv:
    description: The utility's name and its arguments, as a list.
    type: list
    elements: str
  creates:
    description: A path or pattern in the kernel. If something matches, the command is not run.
    type: str
  removes:
    description: A path or pattern in the kernel. If nothing matches, the command is not run.
    type: str
  stdin:
    description: What the command reads from its standard input, which is empty otherwise.
    type: str
  stdin_add_newline:
    description: Whether a newline is added to O(stdin).
    type: bool
    default: true
  strip_empty_ends:
    description: Whether empty lines at the end of the output are left out of the result.
    type: bool
    default: true
  timeout:
    description: Seconds that the command may take, after which it is ended and the task fails.
    type: float
    default: 120.0
  rumpctrl_path:
    description:
      - The folder on the controller that the utilities are in, C(bin) of a rumpctrl that was built.
      - Over the connection P(rumpkernel.rump.sysproxy#connection) it falls back to that one's option of the same
        name, which is the variable C(ansible_rumpctrl_path), and then to the environment variable E(RUMPCTRL_PATH).
    type: path
notes:
  - The utilities reach servers by C(unix://) and C(tcp://) URLs with IPv4 addresses, not by C(ssh://) ones.
  - Nothing has a working directory to change in between. Give absolute paths.
  - The command may be given in free form, too, if no word of it has an equals sign.
seealso:
  - module: ansible.builtin.command
  - module: ansible.builtin.raw
"""

EXAMPLES = r"""
- name: Make a file system
  rumpkernel.rump.rump_command:
    cmd: newfs /dev/rvnd0a

- name: See what interfaces there are
  rumpkernel.rump.rump_command: ifconfig -a

- name: Copy a file, unless that was done
  rumpkernel.rump.rump_command:
    argv: [cp, /etc/motd, "/data/message of the day"]
    creates: /data/message of the day

- name: Load packet filter rules from the controller's side
  rumpkernel.rump.rump_command:
    cmd: dd of=/npf.conf
    stdin: "{{ lookup('ansible.builtin.file', 'npf.conf') }}"
"""

RETURN = r"""
cmd:
  description: The command that was run, or would be.
  type: list
  elements: str
  returned: always
  sample: [newfs, /dev/rvnd0a]
rc:
  description: The command's exit status, or minus the number of the signal that ended it.
  type: int
  returned: always
  sample: 0
stdout:
  description: What it wrote to its standard output.
  type: str
  returned: always
stdout_lines:
  description: The same by lines.
  type: list
  elements: str
  returned: always
stderr:
  description: What it wrote to its standard error.
  type: str
  returned: always
stderr_lines:
  description: The same by lines.
  type: list
  elements: str
  returned: always
start:
  description: When it was started, by the controller's clock.
  type: str
  returned: when it was run
  sample: "2026-01-31 12:00:00.100000"
end:
  description: When it had ended.
  type: str
  returned: when it was run
  sample: "2026-01-31 12:00:00.200000"
delta:
  description: How long it took.
  type: str
  returned: when it was run
  sample: "0:00:00.100000"
changes:
  description: What was run, or would be.
  type: list
  elements: str
  returned: changed
  sample: ["run newfs /dev/rvnd0a"]
"""

from ansible.module_utils.basic import env_fallback
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import command
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import RumpModule

MODULE = RumpModule(
    options={
        "cmd": {"type": "str"},
        "argv": {"type": "list", "elements": "str"},
        "creates": {"type": "str"},
        "removes": {"type": "str"},
        "stdin": {"type": "str"},
        "stdin_add_newline": {"type": "bool", "default": True},
        "strip_empty_ends": {"type": "bool", "default": True},
        "timeout": {"type": "float", "default": 120.0},
        "rumpctrl_path": {"type": "path", "fallback": (env_fallback, ["RUMPCTRL_PATH"])},
    },
    plan=command.plan,
    constraints={"required_one_of": [["cmd", "argv"]], "mutually_exclusive": [["cmd", "argv"]]},
)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
