# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_template
short_description: Template a file into a rump kernel
description:
  - Fills in a Jinja2 template of the controller's and writes what comes of it to a file of a rump kernel.
  - Options, results and meanings are those of M(ansible.builtin.template), whose own code does the templating. SELinux
    and chattr(1) have no counterpart.
  - The file is written as M(rumpkernel.rump.rump_copy) writes it, so that there is always the old content or the new.
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
extends_documentation_fragment:
  - rumpkernel.rump.files
  - rumpkernel.rump.files.written
  - ansible.builtin.template_common
  - rumpkernel.rump.rump
  - rumpkernel.rump.rump.changes
options:
  src:
    type: str
  dest:
    description:
      - Where the file goes. A path that is not absolute starts at the kernel's root directory.
      - If it is a directory, the file goes into it under the template's name.
    type: str
notes:
  - The template is read on the controller, over the connection V(local), too. There it reaches the kernel of O(server).
seealso:
  - module: ansible.builtin.template
  - module: rumpkernel.rump.rump_copy
"""

EXAMPLES = r"""
- name: Make the directory, since a kernel that was just started has none but /dev and /tmp
  rumpkernel.rump.rump_file:
    path: /app
    state: directory

- name: Configure the application from a template of the role
  rumpkernel.rump.rump_template:
    src: listen.conf.j2
    dest: /app/listen.conf
    mode: '0640'
    owner: 100

- name: A file whose lines end as on DOS, and a template that is full of braces
  rumpkernel.rump.rump_template:
    src: menu.j2
    dest: /app/menu.txt
    newline_sequence: '\r\n'
    variable_start_string: '[%'
    variable_end_string: '%]'
"""

RETURN = r"""
dest:
  description: The file.
  type: str
  returned: success, and in check mode when the content stays as it is
  sample: /etc/app.conf
src:
  description: The template.
  type: str
  returned: changed, and not in check mode
  sample: /home/me/site/templates/app.conf.j2
checksum:
  description: The SHA-1 of the content.
  type: str
  returned: success, and in check mode when the content stays as it is
  sample: 6e642bb8dd5c2e027bf21dd923337cbb4214f827
md5sum:
  description: The MD5 of the content, where Python may make one.
  type: str
  returned: changed
  sample: 2a5aeecc61dc98c4d780b14b330e3282
atomic:
  description: Whether there was always the old content or the new. V(false) where the file system has no rename.
  type: bool
  returned: when content was written
  sample: true
backup_file:
  description: The name that the old file was kept under.
  type: str
  returned: with O(backup), when there was one that was replaced
  sample: /etc/app.conf.4711.2026-02-12@22:09:00~
state:
  description: What is at the path.
  type: str
  returned: success, and in check mode when the content stays as it is
  sample: file
mode:
  description: The permissions, in octal digits.
  type: str
  returned: success, and in check mode when the content stays as it is
  sample: '0640'
uid:
  description: The number of the owner.
  type: int
  returned: success, and in check mode when the content stays as it is
  sample: 100
gid:
  description: The number of the group.
  type: int
  returned: success, and in check mode when the content stays as it is
  sample: 0
owner:
  description: The name of the owner, or the number where the kernel knows no name.
  type: str
  returned: success, and in check mode when the content stays as it is
  sample: '100'
group:
  description: The name of the group, or the number where the kernel knows no name.
  type: str
  returned: success, and in check mode when the content stays as it is
  sample: '0'
size:
  description: The size in bytes.
  type: int
  returned: success, and in check mode when the content stays as it is
  sample: 1220
flags:
  description: The file's flags, by their names in chflags(1).
  type: list
  elements: str
  returned: success, and in check mode when the content stays as it is
  sample: []
changes:
  description: What was changed, step by step.
  type: list
  elements: str
  returned: changed, and not in check mode
  sample: ["write the 1220 bytes of /etc/app.conf"]
"""
