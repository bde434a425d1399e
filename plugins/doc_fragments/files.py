# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation of the modules of files shares; their options are in module_utils/file_options.py."""

from __future__ import annotations


class ModuleDocFragment:
    """``rumpkernel.rump.files``: whose files are; ``….files.written``: how they are written; ``….files.checksum``."""

    DOCUMENTATION = r"""
options:
  owner:
    description:
      - The owner, by number, or by a name of the kernel's own C(/etc/master.passwd) or C(/etc/passwd).
      - V(root) is 0 where the kernel has no such file, as most have not.
    type: str
  group:
    description:
      - The group, by number, or by a name of the kernel's own C(/etc/group).
      - V(wheel) and V(root) are 0 where the kernel has no such file.
    type: str
"""

    WRITTEN = r"""
options:
  backup:
    description:
      - Keep the file that is replaced, under a name that tells the time. It takes no room and no time where the file
        system has hard links.
    type: bool
    default: false
  force:
    description: Replace a file that has another content. With V(false), only a file that is missing is made.
    type: bool
    default: true
  mode:
    description:
      - The permissions, as octal digits in quotes (V('0644')) or in symbolic form (V(u=rw,g=r,o=r)), or V(preserve)
        for those of O(src).
      - Left out, a file that is there keeps its own, and a new one gets 0644.
    type: raw
  follow:
    description:
      - If O(dest) is a symbolic link, replace what it leads to. Otherwise the link is replaced by the file.
    type: bool
    default: false
  validate:
    description:
      - Not possible, and refused with that reason. A rump kernel runs no programs that could look at the file.
    type: str
  unsafe_writes:
    description:
      - Taken so that tasks for the module of C(ansible.builtin) need no change. Where the file system has no rename,
        the file itself is written anyway.
    type: bool
    default: false
"""

    CHECKSUM = r"""
options:
  checksum_algorithm:
    description: The algorithm of the checksum. That of V(md5) may be missing from a controller in FIPS mode.
    type: str
    choices: [md5, sha1, sha224, sha256, sha384, sha512]
    default: sha1
    aliases: [checksum, checksum_algo]
"""
