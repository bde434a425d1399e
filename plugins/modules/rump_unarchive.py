# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Unpacks an archive into a directory of a rump kernel."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_unarchive
short_description: Unpack an archive into a directory of a rump kernel
description:
  - Unpacks a tar or zip archive of the controller, or of the kernel, into a directory of the kernel.
    A tar may be compressed with gzip, bzip2 or xz.
  - Options and their meanings are those of M(ansible.builtin.unarchive), and no program is needed on either side.
  - What is there already, with the same content, mode, owner and time, is left alone.
  - An archive that reaches outside its directory is refused before anything is changed, with names that are absolute
    or have V(..) in them, files below a link of its own, or links that lead outside. So are devices and pipes.
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
extends_documentation_fragment:
  - rumpkernel.rump.rump
  - rumpkernel.rump.rump.changes
options:
  src:
    description:
      - The archive, a file of the controller. A relative path is searched for in C(files) of the role and beside the
        playbook. With O(remote_src) it is a file of the kernel.
      - A URL is refused; M(ansible.builtin.get_url) on the controller downloads one.
    type: str
    required: true
  dest:
    description: The directory of the kernel that it is unpacked into, which has to be there.
    type: str
    required: true
  remote_src:
    description: The archive is a file of the kernel. The controller reads it, and writes what is in it.
    type: bool
    default: false
  creates:
    description: A path of the kernel. If it exists, nothing is done.
    type: str
  include:
    description:
      - Names in the archive that alone are unpacked, directories with all that is in them. V(*) and V(?) stand for
        other characters. A name that the archive has not is an error.
    type: list
    elements: str
    default: []
  exclude:
    description: Names in the archive that are not unpacked, in the same way.
    type: list
    elements: str
    default: []
  keep_newer:
    description: Leave files alone that are newer than those of the archive.
    type: bool
    default: false
  list_files:
    description: Return the names of what is unpacked as RV(files).
    type: bool
    default: false
  mode:
    description:
      - The permissions of all that is unpacked, as M(rumpkernel.rump.rump_file) takes them. By default they are
        those that the archive has.
    type: raw
  owner:
    description:
      - The owner of all that is unpacked, as M(rumpkernel.rump.rump_file) takes it. By default it is the number that a
        tar has, and for a zip, V(0).
    type: str
  group:
    description: The group, in the same way.
    type: str
  decrypt:
    description: Decrypt an archive that a vault encrypted.
    type: bool
    default: true
  extra_opts:
    description: Refused, as there is no program that could take them.
    type: list
    elements: str
    default: []
notes:
  - Hard links in an archive become files of their own.
  - The times of directories are set on those that are made. What the archive says of O(dest) itself is not heeded.
  - Over the connection P(rumpkernel.rump.sysproxy#connection) or V(local) the archive is the controller's. Over another
    one it is that of the host that the task runs on.
seealso:
  - module: ansible.builtin.unarchive
  - module: rumpkernel.rump.rump_archive
  - module: rumpkernel.rump.rump_sync
"""

EXAMPLES = r"""
- name: Unpack a site
  rumpkernel.rump.rump_unarchive:
    src: site.tar.gz
    dest: /data/site
    owner: 0
    group: 0

- name: Unpack a part of an archive that lies in the kernel, once
  rumpkernel.rump.rump_unarchive:
    src: /data/release.zip
    dest: /data/app
    remote_src: true
    include: [conf]
    mode: u=rwX,go=rX
    creates: /data/app/conf/ready
"""

RETURN = r"""
src:
  description: The archive.
  type: str
  returned: success
  sample: /home/me/site.tar.gz
dest:
  description: The directory that it was unpacked into.
  type: str
  returned: success
  sample: /data/site
handler:
  description: What kind of archive it is, V(tar) or V(zip).
  type: str
  returned: when it was read
  sample: tar
files:
  description: The names of all that the archive has and that is wanted.
  type: list
  elements: str
  returned: with O(list_files)
  sample: ["index.html"]
created:
  description: What was made, by paths in O(dest). In check mode this and the following are foretold.
  type: list
  elements: str
  returned: when it was read
  sample: ["index.html"]
updated:
  description: What was there, and got another content, kind, owner, mode or time.
  type: list
  elements: str
  returned: when it was read
  sample: []
deleted:
  description: Nothing; what is in O(dest) and not in the archive stays.
  type: list
  elements: str
  returned: when it was read
  sample: []
bytes:
  description: The bytes of the files that were sent.
  type: int
  returned: when it was read
  sample: 5120
atomic:
  description:
    - Whether every file was replaced at once. V(false) on the root file system of a rump kernel, which has no rename.
  type: bool
  returned: changed, and not in check mode
  sample: true
changes:
  description: What was changed, or would be, step by step.
  type: list
  elements: str
  returned: changed
  sample: ["make the file /data/site/index.html"]
"""

from ansible_collections.rumpkernel.rump.plugins.module_utils.file_options import OWNER
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import unarchive
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import RumpModule

MODULE = RumpModule(
    options={
        "src": {"type": "str", "required": True},
        "dest": {"type": "str", "required": True},
        "remote_src": {"type": "bool", "default": False},
        "creates": {"type": "str"},
        "include": {"type": "list", "elements": "str", "default": []},
        "exclude": {"type": "list", "elements": "str", "default": []},
        "keep_newer": {"type": "bool", "default": False},
        "list_files": {"type": "bool", "default": False},
        "mode": {"type": "raw"},
        **OWNER,
        "decrypt": {"type": "bool", "default": True},
        "extra_opts": {"type": "list", "elements": "str", "default": []},
    },
    plan=unarchive.plan,
    constraints={"mutually_exclusive": [("include", "exclude")]},
)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
