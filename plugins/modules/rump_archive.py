# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packs files of a rump kernel into an archive on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_archive
short_description: Pack files of a rump kernel into an archive on the controller
description:
  - Makes an archive on the controller of files and directories of a rump kernel, a tar, which may be compressed, or a
    zip.
  - Options and their meanings are those of M(community.general.archive), but for O(dest), which is the controller's.
    The sources are not removed.
  - The same files make the same archive byte for byte, so that a second run changes nothing.
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
extends_documentation_fragment:
  - rumpkernel.rump.rump
  - rumpkernel.rump.rump.changes
options:
  path:
    description:
      - What is packed, files and directories of the kernel. V(*), V(?) and V([a-z]) stand for other characters.
      - The names in the archive begin at the directory that all of them are in. Of a directory with a slash at the end
        only what is in it is packed.
    type: list
    elements: str
    required: true
  dest:
    description: The archive, a file of the controller. A relative path starts at the playbook's directory.
    type: str
    required: true
  format:
    description:
      - How it is packed. V(gz), V(bz2) and V(xz) are a tar that is compressed, or a single file that is, unless
        O(force_archive) says otherwise.
    type: str
    choices: [bz2, gz, tar, xz, zip]
    default: gz
  exclude_path:
    description: Paths of the kernel that are left out with all that is in them; with the same patterns.
    type: list
    elements: str
    default: []
  exclusion_patterns:
    description: Patterns of names and paths that are left out, in which V(*) stands for V(/), too.
    type: list
    elements: str
    default: []
  force_archive:
    description: Make an archive of a single file, too.
    type: bool
    default: false
  mode:
    description: The permissions of the archive. By default V(0644), or those of the one that is there.
    type: raw
notes:
  - Sockets are left out, and devices and pipes of a zip, with a warning.
  - Over the connection P(rumpkernel.rump.sysproxy#connection) or V(local) the archive is the controller's. Over another
    one it is that of the host that the task runs on.
seealso:
  - module: community.general.archive
  - module: rumpkernel.rump.rump_unarchive
  - module: rumpkernel.rump.rump_sync
"""

EXAMPLES = r"""
- name: Keep the logs
  rumpkernel.rump.rump_archive:
    path: /data/logs
    dest: /tmp/logs.tar.gz
    exclude_path: [/data/logs/debug]

- name: Keep what is in two directories as a zip
  rumpkernel.rump.rump_archive:
    path:
      - /data/site/
      - /data/app/conf/*.json
    dest: /tmp/state.zip
    format: zip
    mode: '0600'
"""

RETURN = r"""
dest:
  description: The archive.
  type: str
  returned: success
  sample: /tmp/logs.tar.gz
dest_state:
  description:
    - V(archive), V(compress) for a single file that is only compressed, V(incomplete) if some of O(path) is missing,
      V(absent) in check mode if all of it is.
  type: str
  returned: success
  sample: archive
arcroot:
  description: The directory of the kernel at which the names in the archive begin.
  type: str
  returned: success
  sample: /data
archived:
  description: The paths of all that is in the archive but directories.
  type: list
  elements: str
  returned: success
  sample: ["/data/logs/today"]
missing:
  description: Those of O(path) at which nothing is.
  type: list
  elements: str
  returned: success
  sample: []
expanded_paths:
  description: What O(path) stands for.
  type: list
  elements: str
  returned: success
  sample: ["/data/logs"]
expanded_exclude_paths:
  description: What O(exclude_path) stands for.
  type: list
  elements: str
  returned: success
  sample: ["/data/logs/debug"]
changes:
  description: What was changed, or would be.
  type: list
  elements: str
  returned: changed
  sample: ["make the archive /tmp/logs.tar.gz"]
"""

from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import archive
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import RumpModule

MODULE = RumpModule(
    options={
        "path": {"type": "list", "elements": "str", "required": True},
        "dest": {"type": "str", "required": True},
        "format": {"type": "str", "choices": ["bz2", "gz", "tar", "xz", "zip"], "default": "gz"},
        "exclude_path": {"type": "list", "elements": "str", "default": []},
        "exclusion_patterns": {"type": "list", "elements": "str", "default": []},
        "force_archive": {"type": "bool", "default": False},
        "mode": {"type": "raw"},
    },
    plan=archive.plan,
)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
