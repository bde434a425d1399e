# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_fetch
short_description: Fetch a file from a rump kernel
description:
  - Copies a file of a rump kernel to the controller.
  - Options, results and meanings are those of M(ansible.builtin.fetch), whose own code names the files and compares
    them.
  - The controller's file is written beside the old one and renamed over it, so that a connection that breaks leaves
    the one that was there.
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
extends_documentation_fragment:
  - rumpkernel.rump.rump
options:
  src:
    description:
      - The file of the kernel, which is to be a regular one, or a symbolic link to one.
      - A path that is not absolute starts at the kernel's root directory.
    type: str
    required: true
  dest:
    description:
      - The directory of the controller that files are saved in. One of the host C(web) with the path C(/etc/app.conf)
        becomes C(dest/web/etc/app.conf), unless O(flat) is set.
    type: str
    required: true
  flat:
    description:
      - O(dest) is the file itself, or with a C(/) at its end the directory that the file goes into under its own name.
    type: bool
    default: false
  fail_on_missing:
    description: Fail if the file is not there or is a directory. Otherwise the task tells of it and goes on.
    type: bool
    default: true
  validate_checksum:
    description: Fail if what arrived has not the checksum that the kernel's file had.
    type: bool
    default: true
attributes:
  check_mode:
    description: Can run in check mode and tell what it would change.
    support: none
    details: As its namesake, it is skipped.
  diff_mode:
    description: Returns what is different before and after.
    support: none
  idempotent:
    description: Run again with the same options, it changes nothing.
    support: full
notes:
  - Files of any size are fetched; only a part of one is in memory at a time.
  - Over the connection V(local) it reaches the kernel of O(server).
seealso:
  - module: ansible.builtin.fetch
  - module: rumpkernel.rump.rump_slurp
  - module: rumpkernel.rump.rump_copy
"""

EXAMPLES = r"""
- name: Keep each kernel's log, as logs/HOST/var/log/app.log
  rumpkernel.rump.rump_fetch:
    src: /var/log/app.log
    dest: logs

- name: Fetch one file to a name, if it is there
  rumpkernel.rump.rump_fetch:
    src: /etc/app.conf
    dest: /tmp/app.conf
    flat: true
    fail_on_missing: false
"""

RETURN = r"""
dest:
  description: The controller's file.
  type: str
  returned: when there is a file to be fetched
  sample: /home/me/site/logs/web/var/log/app.log
file:
  description: The kernel's file.
  type: str
  returned: when nothing was fetched
  sample: /var/log/app.log
msg:
  description: Why nothing was fetched, with the host and the path.
  type: str
  returned: failure, and with O(fail_on_missing=false) when there is no such file
  sample: "web: /var/log/app.log: the remote file does not exist, not transferring, ignored"
checksum:
  description: The SHA-1 of the controller's file.
  type: str
  returned: when there is a file to be fetched
  sample: 6e642bb8dd5c2e027bf21dd923337cbb4214f827
remote_checksum:
  description: The SHA-1 of the kernel's file.
  type: str
  returned: changed
  sample: 6e642bb8dd5c2e027bf21dd923337cbb4214f827
md5sum:
  description: The MD5 of the controller's file, where Python may make one.
  type: str
  returned: when there is a file to be fetched
  sample: 2a5aeecc61dc98c4d780b14b330e3282
remote_md5sum:
  description: Always nothing, as of the namesake.
  type: str
  returned: changed
"""
