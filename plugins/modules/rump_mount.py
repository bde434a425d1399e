# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mounts and unmounts file systems in a rump kernel."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_mount
short_description: Mount and unmount file systems in a rump kernel
description:
  - Mounts a file system in a rump kernel, changes the options of one that is mounted, and unmounts it.
  - What is mounted is compared with what is asked for, down to the options and the size of a tmpfs, and changed
    in place where the file system can.
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
extends_documentation_fragment:
  - rumpkernel.rump.rump
  - rumpkernel.rump.rump.changes
attributes:
  idempotent:
    description: Run again with the same options, it changes nothing.
    support: partial
    details: With O(state=remounted) it remounts every time.
options:
  path:
    description: The mount point, an absolute path. It is made when missing, with its parents.
    type: str
    required: true
    aliases: [name]
  state:
    description:
      - V(mounted) mounts the file system, or changes the options of the one that is mounted. If another type of
        file system, or another device, is mounted there, the task fails; it is not unmounted silently.
      - V(unmounted) unmounts all that is mounted on O(path), and leaves the directory.
      - V(absent) unmounts as well and removes the directory, if it is empty.
      - V(remounted) gives the kernel the options once more, in any case, and fails if nothing is mounted.
      - A rump kernel has no fstab, so M(ansible.posix.mount)'s V(present), V(absent_from_fstab) and V(ephemeral)
        have no counterpart; all that is mounted is gone when the kernel halts.
    type: str
    choices: [absent, mounted, remounted, unmounted]
    default: mounted
  fstype:
    description:
      - The type of file system; required with O(state=mounted).
      - V(tmpfs), V(kernfs), V(procfs) and V(fdesc) need no device; V(ffs), V(ext2fs) and V(lfs) are mounted from
        O(src).
      - Any other type is mounted without arguments of its own, which some of them refuse.
      - The kernel needs the component for it, such as C(rumpfs_tmpfs) for V(tmpfs).
    type: str
  src:
    description:
      - The block device of V(ffs), V(ext2fs) and V(lfs), such as V(/dev/vnd0a), or the key of a file of the host that
        C(rump_server -d key=/disk,…) registered.
      - Without meaning for file systems that have no device.
    type: str
  opts:
    description:
      - Options, as one string with commas or as a list, by their names in mount(8).
      - V(ro) or V(rdonly), V(rw), V(async), V(sync), V(union), V(log), V(hidden), V(symperm), V(relatime), V(discard),
        V(extattr) and V(softdep); and V(atime), V(dev), V(devmtime), V(exec), V(suid) and V(coredump), which V(no)
        before the name turns off. V(defaults) adds nothing.
      - They are all the options that the file system is to have; those that are not named are off.
        Left out altogether, the options of a file system that is mounted stay as they are.
      - For tmpfs also V(size=8m) (bytes, or with k, m, g or t; 0 is no limit), V(nodes=1000) (the number of files),
        V(mode=0755), V(uid=0) and V(gid=0) of its root directory, the last two by number or by a name of the kernel's
        C(/etc/passwd) and C(/etc/group). Those that are not named stay as they are; at first, mode
        and owner are those of the mount point.
    type: list
    elements: str
  force:
    description: Unmount even if files are in use, or change to V(ro) even if some are open for writing.
    type: bool
    default: false
notes:
  - Of M(ansible.posix.mount)'s options, C(fstab), C(boot), C(dump), C(passno) and C(opts_no_log) are left out, as there
    is no fstab that they could be written to. C(backup) is, too.
seealso:
  - module: ansible.posix.mount
  - module: rumpkernel.rump.rump_file
"""

EXAMPLES = r"""
- name: Have a tmpfs of 8 MiB
  rumpkernel.rump.rump_mount:
    path: /data
    fstype: tmpfs
    opts: size=8m,mode=0750,noatime
    state: mounted

- name: Let nobody write to it from now on
  rumpkernel.rump.rump_mount:
    path: /data
    fstype: tmpfs
    opts: [ro, noatime]
    state: mounted

- name: See what the kernel tells of itself
  rumpkernel.rump.rump_mount:
    path: /kern
    fstype: kernfs
    state: mounted

- name: Mount a disk that the server was given with -d key=/disk,hostpath=disk.img,size=host
  rumpkernel.rump.rump_mount:
    path: /srv
    src: /disk
    fstype: ffs
    opts: log,nosuid
    state: mounted

- name: Unmount it
  rumpkernel.rump.rump_mount:
    path: /srv
    state: unmounted
"""

RETURN = r"""
path:
  description: The mount point, with no symbolic link in it.
  type: str
  returned: success
  sample: /data
src:
  description: What is mounted, by the name that the kernel has for it.
  type: str
  returned: when a file system is mounted
  sample: tmpfs
fstype:
  description: The type of the file system.
  type: str
  returned: when a file system is mounted
  sample: tmpfs
opts:
  description: The options in force, V(ro) or V(rw) first.
  type: list
  elements: str
  returned: when a file system is mounted
  sample: [rw, noatime]
size:
  description: The size of the file system in bytes.
  type: int
  returned: when a file system is mounted; not in check mode for one that is yet to be
  sample: 8388608
available:
  description: The bytes of it that are free.
  type: int
  returned: when a file system is mounted; not in check mode for one that is yet to be
  sample: 8384512
arguments:
  description: The arguments of a tmpfs.
  type: dict
  returned: when a tmpfs is mounted; not in check mode for one that is yet to be
  sample: {size: 8388608, nodes: 8195, mode: "0750", uid: 0, gid: 0}
  contains:
    size:
      description: The most that it may hold, in bytes; 0 for no limit.
      type: int
    nodes:
      description: The number of files that it may hold.
      type: int
    mode:
      description: The permissions of its root directory, in octal digits.
      type: str
    uid:
      description: The owner of its root directory.
      type: int
    gid:
      description: The group of its root directory.
      type: int
changes:
  description: What was changed, or would be.
  type: list
  elements: str
  returned: changed
  sample: ["mount tmpfs (tmpfs) on /data with rw,noatime,size=8388608,mode=0750, making the directory /data"]
"""

from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import mount
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import RumpModule

MODULE = RumpModule(
    options={
        "path": {"type": "str", "required": True, "aliases": ["name"]},
        "state": {
            "type": "str",
            "choices": ["absent", "mounted", "remounted", "unmounted"],
            "default": "mounted",
        },
        "fstype": {"type": "str"},
        "src": {"type": "str"},
        "opts": {"type": "list", "elements": "str"},
        "force": {"type": "bool", "default": False},
    },
    plan=mount.plan,
    constraints={"required_if": [("state", "mounted", ("fstype",))]},
)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
