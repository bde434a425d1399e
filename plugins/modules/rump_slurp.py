# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Returns the content of a file of a rump kernel."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_slurp
short_description: Read a file of a rump kernel
description:
  - Returns the whole content of a file, in base64.
  - Options, results and meanings are those of M(ansible.builtin.slurp).
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
extends_documentation_fragment:
  - rumpkernel.rump.rump
  - rumpkernel.rump.rump.info
options:
  src:
    description:
      - The file to read. A path that is not absolute starts at the kernel's root directory; C(~) and C($VARIABLES)
        stay as they are.
      - A pipe, a socket or a device is refused, as its content may have no end.
    type: str
    required: true
    aliases: [path]
notes:
  - The content is held in the controller's memory, more than once. For large files take a module that fetches.
seealso:
  - module: ansible.builtin.slurp
  - module: rumpkernel.rump.rump_stat
"""

EXAMPLES = r"""
- name: Read a file
  rumpkernel.rump.rump_slurp:
    src: /etc/motd
  register: motd

- name: Show it
  ansible.builtin.debug:
    msg: "{{ motd.content | b64decode }}"
"""

RETURN = r"""
content:
  description: The content, in base64.
  type: str
  returned: success
  sample: V2VsY29tZS4K
encoding:
  description: How the content is encoded, V(base64).
  type: str
  returned: success
  sample: base64
source:
  description: The file that was read.
  type: str
  returned: success
  sample: /etc/motd
"""

from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import slurp
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import RumpModule

MODULE = RumpModule(
    options={"src": {"type": "str", "required": True, "aliases": ["path"]}},
    plan=slurp.plan,
)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
