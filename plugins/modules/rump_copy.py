# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Copies files into a rump kernel, or within one."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_copy
short_description: Copy files into a rump kernel, or within one
description:
  - Copies a file or a directory of the controller, or of the kernel, to a place in the file systems of a rump kernel,
    or writes a content that is given.
  - Options, results and meanings are those of M(ansible.builtin.copy), whose own code finds, decrypts, walks and
    compares the files. SELinux and chattr(1) have no counterpart.
  - The new content is written beside the old and renamed over it, so that there is always the one or the other,
    even if the connection breaks. The root file system of a rump kernel (rumpfs) has no rename; there the file itself
    is written, and the result RV(ignore:atomic) is V(false).
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
extends_documentation_fragment:
  - rumpkernel.rump.rump
  - rumpkernel.rump.rump.changes
  - rumpkernel.rump.files
  - rumpkernel.rump.files.written
options:
  src:
    description:
      - A file or directory of the controller, found as M(ansible.builtin.copy) finds it, or with O(remote_src) one of
        the kernel.
      - Of a directory whose name ends with C(/) what is in it is copied, of another the directory itself.
      - A file that is encrypted by Ansible Vault is decrypted, unless O(decrypt) says otherwise.
    type: str
  content:
    description:
      - What the file is to hold, instead of O(src). What is not a string is written as JSON.
    type: raw
  dest:
    description:
      - Where the copy goes. A path that is not absolute starts at the kernel's root directory.
      - If it is a directory, or ends with C(/), the file goes into it under its own name. A directory is made only if
        O(dest) ends with C(/), or O(src) is a directory.
      - There is no shell and no home directory, so C(~) and C($VARIABLES) stay as they are.
    type: str
    required: true
  directory_mode:
    description: The permissions of the directories that are made, in the same forms.
    type: raw
  remote_src:
    description: O(src) is the kernel's, and not the controller's. Nothing is decrypted then.
    type: bool
    default: false
  local_follow:
    description:
      - Copy what the symbolic links in a directory lead to, instead of the links.
      - Left out, it is V(true) for a directory of the controller's and V(false) with O(remote_src).
    type: bool
  checksum:
    description: The SHA-1 that the source must have.
    type: str
  decrypt:
    description: Decrypt a source of the controller's that is encrypted by Ansible Vault.
    type: bool
    default: true
notes:
  - The files are read on the controller, over the connection V(local), too. There it reaches the kernel of O(server).
  - M(rumpkernel.rump.rump_sync) copies large trees faster, several files at a time.
seealso:
  - module: ansible.builtin.copy
  - module: rumpkernel.rump.rump_template
  - module: rumpkernel.rump.rump_fetch
  - module: rumpkernel.rump.rump_file
"""

EXAMPLES = r"""
- name: Make a directory, since a kernel that was just started has none but /dev and /tmp
  rumpkernel.rump.rump_file:
    path: /etc
    state: directory

- name: Copy a file of the role
  rumpkernel.rump.rump_copy:
    src: app.conf
    dest: /etc/app.conf
    mode: '0640'
    owner: 100
    backup: true

- name: Write a content
  rumpkernel.rump.rump_copy:
    content: |
      192.0.2.1 router
    dest: /etc/hosts

- name: Copy what is in a directory, modes included
  rumpkernel.rump.rump_copy:
    src: www/
    dest: /var/www
    mode: preserve
    directory_mode: '0755'

- name: Copy a file of the kernel's to another place in it
  rumpkernel.rump.rump_copy:
    src: /etc/app.conf
    dest: /etc/app.conf.first
    remote_src: true
    force: false
"""

RETURN = r"""
dest:
  description: The file, or the directory that was copied to.
  type: str
  returned: success, and in check mode when the content stays as it is
  sample: /etc/app.conf
path:
  description: The same as RV(dest).
  type: str
  returned: for a single file, when its content stays as it is
  sample: /etc/app.conf
src:
  description: The source; not of a content that was given.
  type: str
  returned: changed
  sample: /home/me/site/files/app.conf
checksum:
  description: The SHA-1 of the content.
  type: str
  returned: for a single file
  sample: 6e642bb8dd5c2e027bf21dd923337cbb4214f827
md5sum:
  description: The MD5 of the content, where Python may make one.
  type: str
  returned: changed, for a single file
  sample: 2a5aeecc61dc98c4d780b14b330e3282
atomic:
  description:
    - Whether there was always the old content or the new. V(false) where the file system has no rename, of all files
      together when there are several.
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
  returned: for a single file
  sample: file
mode:
  description: The permissions, in octal digits.
  type: str
  returned: for a single file
  sample: '0640'
uid:
  description: The number of the owner.
  type: int
  returned: for a single file
  sample: 100
gid:
  description: The number of the group.
  type: int
  returned: for a single file
  sample: 0
owner:
  description: The name of the owner, or the number where the kernel knows no name.
  type: str
  returned: for a single file
  sample: '100'
group:
  description: The name of the group, or the number where the kernel knows no name.
  type: str
  returned: for a single file
  sample: '0'
size:
  description: The size in bytes.
  type: int
  returned: for a single file
  sample: 1220
flags:
  description: The file's flags, by their names in chflags(1).
  type: list
  elements: str
  returned: for a single file
  sample: []
changes:
  description: What was changed, step by step.
  type: list
  elements: str
  returned: changed, and not in check mode
  sample: ["write the 1220 bytes of /etc/app.conf"]
"""

from ansible_collections.rumpkernel.rump.plugins.module_utils.file_options import OWNER, WRITTEN
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import copy
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import RumpModule

MODULE = RumpModule(
    options={
        "src": {"type": "str"},
        "content": {"type": "raw", "no_log": True},
        "dest": {"type": "str", "required": True},
        "directory_mode": {"type": "raw"},
        "remote_src": {"type": "bool", "default": False},
        "local_follow": {"type": "bool"},
        "checksum": {"type": "str"},
        "decrypt": {"type": "bool", "default": True},
        **OWNER,
        **WRITTEN,
    },
    plan=copy.plan,
)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
