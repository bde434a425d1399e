# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mirrors a directory of the controller into a rump kernel, or one of the kernel to the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_sync
short_description: Mirror directories between the controller and a rump kernel
description:
  - Makes a directory of a rump kernel hold what a directory of the controller does, or the other way.
    Only what differs is sent, several files at once.
  - The options mean what they do for M(ansible.posix.synchronize) and rsync(1), which is needed on neither side.
  - A file is whole at any moment, the old or the new; see RV(atomic).
  - Archives are unpacked by M(rumpkernel.rump.rump_unarchive) and made by M(rumpkernel.rump.rump_archive).
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
extends_documentation_fragment:
  - rumpkernel.rump.rump
  - rumpkernel.rump.rump.changes
options:
  src:
    description:
      - What is copied, a path of the controller for O(mode=push), of the kernel for O(mode=pull).
      - With a slash at the end it is what is in the directory, without one the directory itself, which then is in
        O(dest).
      - A relative path of the controller is searched for as that of M(ansible.builtin.copy) is, in C(files) of the
        role and beside the playbook.
    type: str
    required: true
  dest:
    description:
      - The directory that it is copied into, a path of the kernel for O(mode=push), of the controller for O(mode=pull).
        It is made with its parents when it is missing.
      - If O(src) is a file, and this is no directory and has no slash at the end, it is the name of the copy.
    type: str
    required: true
  mode:
    description: V(push) copies from the controller into the kernel, V(pull) from the kernel to the controller.
    type: str
    choices: [push, pull]
    default: push
  archive:
    description:
      - Sets what O(recursive), O(links), O(perms), O(times), O(owner) and O(group) are by default, and copies named
        pipes and, into the kernel, devices.
    type: bool
    default: true
  recursive:
    description: Copy directories with all that is in them. By default what O(archive) is.
    type: bool
  links:
    description:
      - Copy symbolic links as they are. Without it they are left out. By default what O(archive) is.
      - The times of links are not looked at.
    type: bool
  copy_links:
    description: Copy what links lead to instead of the links. One that leads nowhere is an error.
    type: bool
    default: false
  perms:
    description:
      - Give files the source's permissions. Without it new ones get these less what the umask 022 takes, and
        old ones keep theirs. By default what O(archive) is.
      - On the controller no file gets a set-user-id or set-group-id bit.
    type: bool
  times:
    description:
      - Give files and directories the source's modification times. By default what O(archive) is.
      - Without it there are no times to tell whether a file is the same, so that it is as with O(checksum).
    type: bool
  owner:
    description:
      - Give files the number of the source's owner. By default what O(archive) is.
      - On the controller only the superuser can, and for others it is ignored.
    type: bool
  group:
    description: The same for the group. By default what O(archive) is.
    type: bool
  checksum:
    description:
      - Tell what has changed by the content of files, instead of by size and modification time.
      - Times are compared to the second where the file system of the target has only seconds.
    type: bool
    default: false
  existing_only:
    description: Make nothing new, and only bring up to date what is there.
    type: bool
    default: false
  delete:
    description:
      - Remove what is in the directories of the target, and not in those of the source.
      - What O(exclude) leaves out is kept, unless O(delete_excluded) says otherwise, and so is a directory that a file
        system is mounted on.
    type: bool
    default: false
  delete_excluded:
    description: With O(delete), remove what O(exclude) leaves out, too.
    type: bool
    default: false
  dirs:
    description: Copy directories without what is in them, where O(recursive) is not set.
    type: bool
    default: false
  exclude:
    description:
      - Patterns of names that are left out, as with C(--exclude) of rsync(1).
      - C(*.o) is a name anywhere, C(/top) one at the top of what is copied, C(a/b) the end of a path, C(cache/)
        a directory. C(*) does not stand for C(/), C(**) does, and C(dir/***) is a directory with all in it.
      - The first pattern that a name fits decides. One that begins with a plus sign and a blank takes what fits.
    type: list
    elements: str
    default: []
notes:
  - Of M(ansible.posix.synchronize)'s options, those about rsync and the way to the other side are left out, as there is
    neither (C(compress), C(rsync_opts), C(rsync_path), C(rsync_timeout), C(dest_port), C(private_key), C(ssh_args),
    C(ssh_connection_multiplexing), C(ssh_multiplexing_path), C(set_remote_user), C(use_ssh_args), C(verify_host),
    C(delay_updates)). So are C(partial) and C(link_dest). C(rsync_opts) with C(--exclude) is O(exclude) here.
  - Over the connection P(rumpkernel.rump.sysproxy#connection) or V(local) the other side is the controller. Over
    another one it is the host that the task runs on.
  - Hard links become files of their own, sockets are left out.
  - A kernel is not trusted with the controller. For O(mode=pull) its device nodes are left out, with a warning, and
    the set-user-id and set-group-id bits of its files and directories, whoever runs the task.
    M(rumpkernel.rump.rump_archive) keeps both, in an archive.
seealso:
  - module: ansible.posix.synchronize
  - module: rumpkernel.rump.rump_unarchive
  - module: rumpkernel.rump.rump_archive
"""

EXAMPLES = r"""
- name: Put a site into the kernel, with nothing else beside it
  rumpkernel.rump.rump_sync:
    src: site/
    dest: /data/www
    delete: true
    exclude:
      - "*.swp"
      - /drafts/

- name: Put a directory into another one, as the superuser's
  rumpkernel.rump.rump_sync:
    src: conf
    dest: /etc
    owner: false
    group: false

- name: Get the logs
  rumpkernel.rump.rump_sync:
    mode: pull
    src: /data/logs/
    dest: /tmp/logs-of-web
"""

RETURN = r"""
src:
  description: What was copied.
  type: str
  returned: success
  sample: site/
dest:
  description: Where it was copied to.
  type: str
  returned: success
  sample: /data/www
created:
  description: What was made, by paths in O(dest), C(.) for itself. In check mode this and the following are foretold.
  type: list
  elements: str
  returned: success
  sample: ["index.html"]
updated:
  description: What was there, and got another content, kind, owner, mode or time.
  type: list
  elements: str
  returned: success
  sample: ["style.css"]
deleted:
  description: What was removed, for want of it in the source.
  type: list
  elements: str
  returned: success
  sample: ["old.html"]
bytes:
  description: The bytes of the files that were sent.
  type: int
  returned: success
  sample: 5120
atomic:
  description:
    - Whether every file was replaced at once. V(false) on the root file system of a rump kernel, which has no rename;
      there, a connection that is cut leaves a part of the file that it was about.
  type: bool
  returned: changed, and not in check mode
  sample: true
changes:
  description: What was changed, or would be, step by step.
  type: list
  elements: str
  returned: changed
  sample: ["make the file /data/www/index.html"]
"""

from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import sync
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import RumpModule

MODULE = RumpModule(
    options={
        "src": {"type": "str", "required": True},
        "dest": {"type": "str", "required": True},
        "mode": {"type": "str", "choices": ["push", "pull"], "default": "push"},
        "archive": {"type": "bool", "default": True},
        "recursive": {"type": "bool"},
        "links": {"type": "bool"},
        "copy_links": {"type": "bool", "default": False},
        "perms": {"type": "bool"},
        "times": {"type": "bool"},
        "owner": {"type": "bool"},
        "group": {"type": "bool"},
        "checksum": {"type": "bool", "default": False},
        "existing_only": {"type": "bool", "default": False},
        "delete": {"type": "bool", "default": False},
        "delete_excluded": {"type": "bool", "default": False},
        "dirs": {"type": "bool", "default": False},
        "exclude": {"type": "list", "elements": "str", "default": []},
    },
    plan=sync.plan,
)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
