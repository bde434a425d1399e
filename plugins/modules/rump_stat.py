# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells what a file of a rump kernel is."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_stat
short_description: Read the status of a file in a rump kernel
description:
  - Tells whether there is a file, and its type, owner, mode, times, flags and checksum.
  - Options, results and meanings are those of M(ansible.builtin.stat).
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
extends_documentation_fragment:
  - rumpkernel.rump.rump
  - rumpkernel.rump.rump.info
  - rumpkernel.rump.files.checksum
options:
  path:
    description:
      - The file to read the status of. A path that is not absolute starts at the kernel's root directory; C(~) and
        C($VARIABLES) stay as they are.
    type: str
    required: true
    aliases: [dest, name]
  follow:
    description: If O(path) is a symbolic link, tell of what it leads to, instead of the link itself.
    type: bool
    default: false
  get_checksum:
    description:
      - Compute a checksum of a regular file. The controller does, from content that it reads on the way.
    type: bool
    default: true
  get_attributes:
    description: Return the names of the file's flags as C(attributes) and C(attr_flags), and C(version).
    type: bool
    default: true
    aliases: [attr, attributes]
  get_mime:
    description:
      - Return C(mimetype) and C(charset). A rump kernel has no program file(1) that could tell them, so that they are
        V(unknown), as M(ansible.builtin.stat) has it then.
    type: bool
    default: true
    aliases: [mime, mime_type]
seealso:
  - module: ansible.builtin.stat
  - module: rumpkernel.rump.rump_file
  - module: rumpkernel.rump.rump_find
"""

EXAMPLES = r"""
- name: Look at a file
  rumpkernel.rump.rump_stat:
    path: /etc/app.conf
    checksum_algorithm: sha256
  register: conf

- name: Hold it to what was released
  ansible.builtin.assert:
    that:
      - conf.stat.exists
      - conf.stat.mode == '0644'
      - conf.stat.checksum == released

- name: Look at what a link leads to
  rumpkernel.rump.rump_stat:
    path: /var/db/current
    follow: true
    get_checksum: false
"""

RETURN = r"""
stat:
  description: What the file is.
  type: dict
  returned: success
  contains:
    exists:
      description: Whether there is one. When there is none, this is all.
      type: bool
    path:
      description: The path that was asked for.
      type: str
    mode:
      description: The permissions, in octal digits.
      type: str
      sample: '0644'
    isdir:
      description: Whether it is a directory.
      type: bool
    ischr:
      description: Whether it is a character device.
      type: bool
    isblk:
      description: Whether it is a block device.
      type: bool
    isreg:
      description: Whether it is a regular file.
      type: bool
    isfifo:
      description: Whether it is a named pipe.
      type: bool
    islnk:
      description: Whether it is a symbolic link.
      type: bool
    issock:
      description: Whether it is a local socket.
      type: bool
    uid:
      description: The number of the owner.
      type: int
    gid:
      description: The number of the group.
      type: int
    pw_name:
      description: The name of the owner, by the kernel's own files, or V(root) for 0.
      type: str
      returned: when the kernel knows one
    gr_name:
      description: The name of the group, in the same way, or V(wheel) for 0.
      type: str
      returned: when the kernel knows one
    size:
      description: The size in bytes.
      type: int
    inode:
      description: The number of the inode.
      type: int
    dev:
      description: The number of the file system.
      type: int
    nlink:
      description: How many names it has.
      type: int
    atime:
      description: When it was last read, in seconds since 1970.
      type: float
    mtime:
      description: When it was last written.
      type: float
    ctime:
      description: When anything of it was last changed.
      type: float
    birthtime:
      description: When it was made.
      type: float
    rusr:
      description: Whether the owner may read it.
      type: bool
    wusr:
      description: Whether the owner may write it.
      type: bool
    xusr:
      description: Whether the owner may execute or search it.
      type: bool
    rgrp:
      description: Whether the group may read it.
      type: bool
    wgrp:
      description: Whether the group may write it.
      type: bool
    xgrp:
      description: Whether the group may execute or search it.
      type: bool
    roth:
      description: Whether others may read it.
      type: bool
    woth:
      description: Whether others may write it.
      type: bool
    xoth:
      description: Whether others may execute or search it.
      type: bool
    isuid:
      description: Whether the set-user-id bit is set.
      type: bool
    isgid:
      description: Whether the set-group-id bit is set.
      type: bool
    readable:
      description: Whether the session, which is the superuser's, may read it.
      type: bool
    writeable:
      description: Whether the session may write it.
      type: bool
    executable:
      description: Whether the session may execute or search it.
      type: bool
    lnk_target:
      description: What a symbolic link holds.
      type: str
      returned: for a symbolic link
    lnk_source:
      description: What a symbolic link leads to, with no link in it.
      type: str
      returned: for a symbolic link
    blocks:
      description: The blocks of 512 bytes that it takes.
      type: int
    block_size:
      description: The size in bytes that it is best read in.
      type: int
    device_type:
      description: The device number of a device.
      type: int
    major:
      description: The major part of the device number.
      type: int
      returned: for a device
    minor:
      description: The minor part of the device number.
      type: int
      returned: for a device
    flags:
      description: The flags, as the bits of chflags(2).
      type: int
    generation:
      description: The generation of the inode.
      type: int
    checksum:
      description: The checksum of the content, in hexadecimal digits.
      type: str
      returned: for a regular file, when O(get_checksum) is true
    mimetype:
      description: V(unknown).
      type: str
      returned: when O(get_mime) is true
    charset:
      description: V(unknown).
      type: str
      returned: when O(get_mime) is true
    attributes:
      description: The names of the flags that are set, as chflags(1) has them.
      type: list
      elements: str
      returned: when O(get_attributes) is true
      sample: [nodump, uchg]
    attr_flags:
      description: The same in one string, as C(ls -lo) shows them.
      type: str
      returned: when O(get_attributes) is true
      sample: nodump,uchg
    version:
      description: The generation of the inode, as a string.
      type: str
      returned: when O(get_attributes) is true
"""

from ansible_collections.rumpkernel.rump.plugins.module_utils.file_options import CHECKSUM
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import file_facts
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import RumpModule

MODULE = RumpModule(
    options={
        "path": {"type": "str", "required": True, "aliases": ["dest", "name"]},
        "follow": {"type": "bool", "default": False},
        "get_checksum": {"type": "bool", "default": True},
        **CHECKSUM,
        "get_attributes": {"type": "bool", "default": True, "aliases": ["attr", "attributes"]},
        "get_mime": {"type": "bool", "default": True, "aliases": ["mime", "mime_type"]},
    },
    plan=file_facts.plan,
)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
