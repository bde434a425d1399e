# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes, changes and removes files, directories, links, pipes and devices in a rump kernel."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_file
short_description: Manage files, directories, links, pipes and devices in a rump kernel
description:
  - Makes, changes and removes files, directories, symbolic and hard links, named pipes and devices in the file systems
    of a rump kernel.
  - Options, results and meanings are those of M(ansible.builtin.file), with what only NetBSD has beside them.
  - Its options C(seuser), C(serole), C(setype) and C(selevel) are left out, as NetBSD has no SELinux. So is
    C(attributes), whose letters are those of Linux' chattr(1); what NetBSD has in their place is O(flags).
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
extends_documentation_fragment:
  - rumpkernel.rump.rump
  - rumpkernel.rump.rump.changes
  - rumpkernel.rump.files
options:
  path:
    description:
      - The file that is managed. A path that is not absolute starts at the kernel's root directory.
      - There is no shell and no home directory, so C(~) and C($VARIABLES) stay as they are.
    type: str
    required: true
    aliases: [dest, name]
  state:
    description:
      - V(file) sets the attributes of a file that exists, and with no attributes given only reads them.
      - V(directory) makes the directory and the parents that it lacks; all that are made get the attributes.
      - V(link) and V(hard) make a symbolic or a hard link to O(src), or change one.
        Of a rump kernel's file systems the root file system (rumpfs) has no hard links.
      - V(fifo) makes a named pipe, V(char) and V(block) the node of a device, or change one. They replace each other,
        and anything else only with O(force). To open a pipe, the kernel needs the component rumpvfs_fifofs.
      - V(touch) makes an empty file when there is none, and sets the times of one that exists, unless
        O(access_time) and O(modification_time) say V(preserve).
      - V(absent) removes a file or link, or a directory with all that is in it. A directory in which file systems
        are mounted is not removed.
      - Left out, it is the state that O(path) has, V(directory) with O(recurse), or else V(file).
    type: str
    choices: [absent, block, char, directory, fifo, file, hard, link, touch]
  src:
    description:
      - What the link is to; for the states V(link) and V(hard) alone.
      - That of a symbolic link is written as it is, so that a relative one starts at the directory of O(path).
    type: str
  mode:
    description:
      - The permissions, as octal digits in quotes (V('0644'), V('1777')) or in symbolic form (V(u+rwx),
        V(u=rw,g=r,o=r)).
      - Clauses that name nobody, such as V(+x), heed the umask of the session in the kernel, which is 022.
    type: raw
  flags:
    description:
      - The file's flags, as chflags(1) has them, V(nodump), V(opaque), V(uappnd), V(uchg), V(arch), V(sappnd) and
        V(schg). A name sets a flag, with V(no) before it it clears the flag, and V(dump) clears V(nodump).
        Flags that are not named stay.
      - An octal number in quotes, alone, is all the flags, so that V('0') clears them.
      - A file with V(uchg), V(schg), V(uappnd) or V(sappnd) lets nothing of it be changed. When this option is given,
        such flags are lifted for as long as the task changes the file; when it is not, the kernel refuses the change.
      - The root file system (rumpfs) keeps flags, but does not act on them.
    type: list
    elements: str
  major:
    description: The major number of a device, for the states V(char) and V(block); this or O(driver) is required.
    type: int
  minor:
    description: The minor number of a device; required for the states V(char) and V(block).
    type: int
  driver:
    description:
      - The name of the device's driver, instead of O(major), such as V(vnd).
      - A rump kernel has no list of drivers, so that the number is read from the nodes of the driver that the kernel
        made in C(/dev) as it started.
    type: str
  recurse:
    description:
      - Set the attributes of all that is in a directory, too.
      - The walk does not go through links, but with O(follow) what they point to gets the attributes.
    type: bool
    default: false
  force:
    description:
      - Make a symbolic link to something that does not exist, or replace a file, an empty directory or another
        hard link by a link, a pipe or a device.
    type: bool
    default: false
  follow:
    description:
      - If O(path) is a symbolic link, what it points to gets the attributes, instead of the link itself.
    type: bool
    default: true
  modification_time:
    description:
      - The modification time, in the form that O(modification_time_format) gives, in the time zone of the controller.
      - V(preserve) leaves it, V(now) is the kernel's time.
      - Left out, it is V(now) for O(state=touch) and V(preserve) for all others.
    type: str
  modification_time_format:
    description: The form of O(modification_time), as for Python's strptime.
    type: str
    default: "%Y%m%d%H%M.%S"
  access_time:
    description:
      - The access time, in the form that O(access_time_format) gives, in the time zone of the controller.
      - V(preserve) leaves it, V(now) is the kernel's time.
      - Left out, it is V(now) for O(state=touch) and V(preserve) for all others.
    type: str
  access_time_format:
    description: The form of O(access_time), as for Python's strptime.
    type: str
    default: "%Y%m%d%H%M.%S"
  unsafe_writes:
    description:
      - Taken so that tasks for M(ansible.builtin.file) need no change; as there, it changes nothing, as this module
        writes no content.
    type: bool
    default: false
notes:
  - The root file system of a rump kernel (rumpfs) has no rename. There a link that is changed is removed and made
    anew, and a warning says so; on tmpfs and ffs the new one takes the place of the old one at once.
seealso:
  - module: ansible.builtin.file
  - module: rumpkernel.rump.rump_mount
"""

EXAMPLES = r"""
- name: Make a directory with its parents
  rumpkernel.rump.rump_file:
    path: /var/db/app
    state: directory
    mode: '0750'
    owner: 100
    group: 100

- name: Make an empty file, once
  rumpkernel.rump.rump_file:
    path: /var/db/app/ready
    state: touch
    mode: u=rw,g=r,o=
    access_time: preserve
    modification_time: preserve

- name: Make a symbolic link
  rumpkernel.rump.rump_file:
    path: /var/db/current
    src: app
    state: link

- name: Let the group into all directories, and run what others run
  rumpkernel.rump.rump_file:
    path: /var/db
    state: directory
    recurse: true
    mode: g+rX

- name: Let nobody change a file, the superuser included
  rumpkernel.rump.rump_file:
    path: /etc/app.conf
    flags: [schg, nodump]

- name: Make the nodes of a second vnd disk
  rumpkernel.rump.rump_file:
    path: /dev/{{ item.name }}
    state: "{{ item.state }}"
    driver: vnd
    minor: 8
    mode: '0640'
  loop:
    - name: vnd1a
      state: block
    - name: rvnd1a
      state: char

- name: Make a named pipe
  rumpkernel.rump.rump_file:
    path: /var/db/app/requests
    state: fifo
    mode: '0620'

- name: Remove a directory and all that is in it
  rumpkernel.rump.rump_file:
    path: /var/db/app
    state: absent
"""

RETURN = r"""
path:
  description: The path that was managed; of a link that is followed, the one that it leads to.
  type: str
  returned: with O(state) V(absent), V(block), V(char), V(directory), V(fifo) or V(file)
  sample: /var/db/app
dest:
  description: The path that was managed.
  type: str
  returned: with O(state) V(hard), V(link) or V(touch)
  sample: /var/db/current
src:
  description: What the link is to.
  type: str
  returned: with O(state) V(hard) or V(link)
  sample: app
state:
  description:
    - What is at the path, V(directory), V(file), V(hard) (a file with several names), V(link), V(fifo), V(char),
      V(block) or V(absent). For pipes and devices M(ansible.builtin.file) says V(file).
    - In check mode, this and the following are what is there before the change.
  type: str
  returned: when the path exists, and with O(state=absent)
  sample: directory
mode:
  description: The permissions, in octal digits.
  type: str
  returned: when the path exists
  sample: '0750'
uid:
  description: The number of the owner.
  type: int
  returned: when the path exists
  sample: 100
gid:
  description: The number of the group.
  type: int
  returned: when the path exists
  sample: 100
owner:
  description: The name of the owner, or the number where the kernel knows no name.
  type: str
  returned: when the path exists
  sample: '100'
group:
  description: The name of the group, or the number where the kernel knows no name.
  type: str
  returned: when the path exists
  sample: '100'
size:
  description: The size in bytes.
  type: int
  returned: when the path exists
  sample: 512
flags:
  description: The names of the flags that are set, as chflags(1) has them.
  type: list
  elements: str
  returned: when the path exists
  sample: [nodump]
major:
  description: The major number.
  type: int
  returned: when the path is a device
  sample: 14
minor:
  description: The minor number.
  type: int
  returned: when the path is a device
  sample: 8
changes:
  description: What was changed, or would be, step by step.
  type: list
  elements: str
  returned: changed
  sample: ["make the directory /var/db", "make the directory /var/db/app"]
"""

from ansible_collections.rumpkernel.rump.plugins.module_utils.file_options import OWNER
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import file
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import RumpModule

_STATES = ["absent", "block", "char", "directory", "fifo", "file", "hard", "link", "touch"]
_TIME_FORMAT = "%Y%m%d%H%M.%S"

MODULE = RumpModule(
    options={
        "path": {"type": "str", "required": True, "aliases": ["dest", "name"]},
        "state": {"type": "str", "choices": _STATES},
        "src": {"type": "str"},
        "mode": {"type": "raw"},
        **OWNER,
        "flags": {"type": "list", "elements": "str"},
        "major": {"type": "int"},
        "minor": {"type": "int"},
        "driver": {"type": "str"},
        "recurse": {"type": "bool", "default": False},
        "force": {"type": "bool", "default": False},
        "follow": {"type": "bool", "default": True},
        "modification_time": {"type": "str"},
        "modification_time_format": {"type": "str", "default": _TIME_FORMAT},
        "access_time": {"type": "str"},
        "access_time_format": {"type": "str", "default": _TIME_FORMAT},
        "unsafe_writes": {"type": "bool", "default": False},
    },
    constraints={
        "mutually_exclusive": [("major", "driver")],
        "required_if": [
            ("state", state, wanted, any_of)
            for state in ("block", "char")
            for wanted, any_of in ((("minor",), False), (("major", "driver"), True))
        ],
    },
    plan=file.plan,
)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
