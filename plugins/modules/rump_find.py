# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds files of a rump kernel by what they are."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_find
short_description: Find files in a rump kernel
description:
  - Returns the files of one or more directories that all of the filters let through.
  - Options, results and meanings are those of M(ansible.builtin.find). Patterns that mean nothing are refused, where
    that module skips the paths.
  - The kernel is asked about many files at a time, so that a large tree takes one task.
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
extends_documentation_fragment:
  - rumpkernel.rump.rump
  - rumpkernel.rump.rump.info
  - rumpkernel.rump.files.checksum
options:
  paths:
    description:
      - The directories to look in. A path that is not absolute starts at the kernel's root directory; C(~) and
        C($VARIABLES) stay as they are.
      - One that is no directory is skipped, with a warning.
    type: list
    elements: str
    required: true
    aliases: [name, path]
  recurse:
    description: Look in the directories below, too. File systems that are mounted there are no borders.
    type: bool
    default: false
  depth:
    description: How many levels to look into with O(recurse); without this option, all there are.
    type: int
  follow:
    description:
      - Look in directories that symbolic links lead to, too, except those above the link.
    type: bool
    default: false
  file_type:
    description: The type of what is looked for; V(any) for all types, pipes and devices among them.
    type: str
    choices: [any, directory, file, link]
    default: file
  hidden:
    description: Find files whose names begin with a dot, too. Directories with such names are looked in anyway.
    type: bool
    default: false
  patterns:
    description:
      - Patterns of the shell for the names of the files, without their directories; with O(use_regex), regular
        expressions, which have to match from the name's start.
      - A file's name has to match one of them. Without any, all names do.
    type: list
    elements: str
    default: []
    aliases: [pattern]
  excludes:
    description: Patterns of the same kind; a file whose name matches one of them is left out.
    type: list
    elements: str
    aliases: [exclude]
  use_regex:
    description: Whether O(patterns) and O(excludes) are Python's regular expressions, and not the shell's patterns.
    type: bool
    default: false
  age:
    description:
      - Find files that are this old or older, in seconds, or with one of the letters V(s), V(m), V(h), V(d) and V(w)
        after the number, in minutes, hours, days or weeks.
      - A negative age finds those that are this old or younger.
      - It is the kernel's clock that counts.
    type: str
  age_stamp:
    description: The time that O(age) is counted from.
    type: str
    choices: [atime, ctime, mtime]
    default: mtime
  size:
    description:
      - Find files of this size or larger, in bytes, or with one of the letters V(b), V(k), V(m), V(g) and V(t) after
        the number, in units of 1024 bytes and so on.
      - A negative size finds those of this size or smaller. It counts for regular files alone.
    type: str
  mode:
    description:
      - Find files with these permissions, as octal digits in quotes (V('0644')) or in symbolic form (V(u=rw,g=r,o=r)).
    type: raw
  exact_mode:
    description: Whether O(mode) is all the permissions; otherwise one of them is enough.
    type: bool
    default: true
  contains:
    description:
      - A regular expression that a line of the file has to begin with. For O(file_type=file) alone.
    type: str
  read_whole_file:
    description: Whether what O(contains) says may be anywhere in the file, and go over several lines.
    type: bool
    default: false
  encoding:
    description:
      - The encoding of the files that O(contains) looks into; UTF-8 without this option.
      - A file that is in another one, and an encoding that nobody knows, end the search in a path, with a warning.
    type: str
  get_checksum:
    description: Return the checksums of regular files. The controller computes them from content that it reads.
    type: bool
    default: false
  limit:
    description: Stop at this many files.
    type: int
seealso:
  - module: ansible.builtin.find
  - module: rumpkernel.rump.rump_stat
"""

EXAMPLES = r"""
- name: Find logs that are older than two days
  rumpkernel.rump.rump_find:
    paths: /var/log
    patterns: ['*.log', '*.log.?']
    age: 2d
    recurse: true
  register: old

- name: Remove them
  rumpkernel.rump.rump_file:
    path: "{{ item.path }}"
    state: absent
  loop: "{{ old.files }}"
  loop_control:
    label: "{{ item.path }}"

- name: Find files that others may write
  rumpkernel.rump.rump_find:
    paths: [/etc, /var]
    recurse: true
    mode: o=w
    exact_mode: false

- name: Find out whether anything says so
  rumpkernel.rump.rump_find:
    paths: /etc
    contains: 'listen\s'
    limit: 1
"""

RETURN = r"""
files:
  description: What was found. Each has the members of RV(rumpkernel.rump.rump_stat#module:stat) that are named here.
  type: list
  elements: dict
  returned: success
  contains:
    path:
      description: The path.
      type: str
    mode:
      description: The permissions, in octal digits.
      type: str
    size:
      description: The size in bytes.
      type: int
    uid:
      description: The number of the owner.
      type: int
    gid:
      description: The number of the group.
      type: int
    pw_name:
      description: The name of the owner, empty where the kernel knows none.
      type: str
    gr_name:
      description: The name of the group, empty where the kernel knows none.
      type: str
    isreg:
      description: Whether it is a regular file.
      type: bool
    isdir:
      description: Whether it is a directory.
      type: bool
    islnk:
      description: Whether it is a symbolic link.
      type: bool
    ischr:
      description: Whether it is a character device.
      type: bool
    isblk:
      description: Whether it is a block device.
      type: bool
    isfifo:
      description: Whether it is a named pipe.
      type: bool
    issock:
      description: Whether it is a local socket.
      type: bool
    rusr:
      description: Whether the owner may read it.
      type: bool
    wusr:
      description: Whether the owner may write it.
      type: bool
    xusr:
      description: Whether the owner may run it.
      type: bool
    rgrp:
      description: Whether the group may read it.
      type: bool
    wgrp:
      description: Whether the group may write it.
      type: bool
    xgrp:
      description: Whether the group may run it.
      type: bool
    roth:
      description: Whether others may read it.
      type: bool
    woth:
      description: Whether others may write it.
      type: bool
    xoth:
      description: Whether others may run it.
      type: bool
    isuid:
      description: Whether it is run as its owner.
      type: bool
    isgid:
      description: Whether it is run as its group.
      type: bool
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
    checksum:
      description: The checksum of the content, in hexadecimal digits.
      type: str
      returned: for regular files, when O(get_checksum) is true
matched:
  description: How many files were found.
  type: int
  returned: success
  sample: 14
examined:
  description: How many files were met on the way.
  type: int
  returned: success
  sample: 34
skipped_paths:
  description: The paths that could not be looked into, and why.
  type: dict
  returned: success
  sample: {"/var/nothing": "'/var/nothing' is not a directory"}
msg:
  description: Whether all was looked into.
  type: str
  returned: success
  sample: All paths examined
"""

from ansible_collections.rumpkernel.rump.plugins.module_utils.file_options import CHECKSUM
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import find
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import RumpModule

MODULE = RumpModule(
    options={
        "paths": {"type": "list", "elements": "str", "required": True, "aliases": ["name", "path"]},
        "recurse": {"type": "bool", "default": False},
        "depth": {"type": "int"},
        "follow": {"type": "bool", "default": False},
        "file_type": {"type": "str", "choices": ["any", "directory", "file", "link"], "default": "file"},
        "hidden": {"type": "bool", "default": False},
        "patterns": {"type": "list", "elements": "str", "default": [], "aliases": ["pattern"]},
        "excludes": {"type": "list", "elements": "str", "aliases": ["exclude"]},
        "use_regex": {"type": "bool", "default": False},
        "age": {"type": "str"},
        "age_stamp": {"type": "str", "choices": ["atime", "ctime", "mtime"], "default": "mtime"},
        "size": {"type": "str"},
        "mode": {"type": "raw"},
        "exact_mode": {"type": "bool", "default": True},
        "contains": {"type": "str"},
        "read_whole_file": {"type": "bool", "default": False},
        "encoding": {"type": "str"},
        "get_checksum": {"type": "bool", "default": False},
        **CHECKSUM,
        "limit": {"type": "int"},
    },
    plan=find.plan,
)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
