# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Ansible's modules tell of a file: the facts that ansible.builtin.stat and ansible.builtin.find return.

ansible-core has the two lists in its modules, which are no library: a module that is packed to run as a process takes
only module_utils with it.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from typing import Any, Final

from ..sysproxy import Kernel, KernelError
from ..sysproxy.kernel.attributes import names_of_flags
from ..sysproxy.kernel.files import major, minor
from .failures import OptionError
from .file import checked_path
from .plan import Plan
from .users import Users

_PERMISSIONS: Final = {
    "wusr": stat.S_IWUSR,
    "rusr": stat.S_IRUSR,
    "xusr": stat.S_IXUSR,
    "wgrp": stat.S_IWGRP,
    "rgrp": stat.S_IRGRP,
    "xgrp": stat.S_IXGRP,
    "woth": stat.S_IWOTH,
    "roth": stat.S_IROTH,
    "xoth": stat.S_IXOTH,
    "isuid": stat.S_ISUID,
    "isgid": stat.S_ISGID,
}


def plan(kernel: Kernel, parameters: Mapping[str, Any]) -> Plan:
    """The plan of rump_stat, which changes nothing."""
    path = checked_path("path", parameters["path"])
    digest = new_digest(parameters["checksum_algorithm"])
    follow = bool(parameters.get("follow"))
    try:
        found = kernel.stat(path, follow_symlinks=follow)
    except FileNotFoundError:
        return Plan(expected={"stat": {"exists": False}})
    native = kernel.native_stat(path, follow_symlinks=follow)
    facts = {
        "exists": True,
        "path": path,
        **facts_of(found),
        # What Python's os.stat has beside that on a BSD, and ansible.builtin.stat passes on.
        "blocks": found.st_blocks,
        "block_size": found.st_blksize,
        "device_type": found.st_rdev,
        "flags": native.st_flags,
        "generation": native.st_gen,
        "birthtime": native.st_birthtim.tv_sec + native.st_birthtim.tv_nsec / 10**9,
        "readable": kernel.access(path, os.R_OK),
        "writeable": kernel.access(path, os.W_OK),
        "executable": kernel.access(path, os.X_OK),
    }
    if stat.S_ISLNK(found.st_mode):
        facts |= {"lnk_source": _realpath(kernel, path), "lnk_target": kernel.readlink(path)}
    if stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode):
        facts |= {"major": major(found.st_rdev), "minor": minor(found.st_rdev)}
    facts |= {key: name for key, name in names_of_ids(found, Users(kernel)).items() if name}
    if stat.S_ISREG(found.st_mode) and facts["readable"] and parameters["get_checksum"]:
        kernel.copy_out(path, DigestSink(digest))
        facts["checksum"] = digest.hexdigest()
    if parameters["get_mime"]:
        # What ansible.builtin.stat returns where there is no program file(1).
        facts |= {"mimetype": "unknown", "charset": "unknown"}
    if parameters["get_attributes"]:
        names = names_of_flags(native.st_flags)
        facts |= {"attributes": names, "attr_flags": ",".join(names), "version": str(native.st_gen)}
    return Plan(expected={"stat": facts})


def facts_of(found: os.stat_result) -> dict[str, Any]:
    """What both of Ansible's modules tell."""
    mode = found.st_mode
    return {
        "mode": f"{stat.S_IMODE(mode):04o}",
        "isdir": stat.S_ISDIR(mode),
        "ischr": stat.S_ISCHR(mode),
        "isblk": stat.S_ISBLK(mode),
        "isreg": stat.S_ISREG(mode),
        "isfifo": stat.S_ISFIFO(mode),
        "islnk": stat.S_ISLNK(mode),
        "issock": stat.S_ISSOCK(mode),
        "uid": found.st_uid,
        "gid": found.st_gid,
        "size": found.st_size,
        "inode": found.st_ino,
        "dev": found.st_dev,
        "nlink": found.st_nlink,
        "atime": found.st_atime,
        "mtime": found.st_mtime,
        "ctime": found.st_ctime,
        **{name: bool(mode & bit) for name, bit in _PERMISSIONS.items()},
    }


def names_of_ids(found: os.stat_result, users: Users) -> dict[str, str]:
    """The names of the owner and the group, empty for a number that has none, as ansible.builtin.find returns them."""
    return {"pw_name": users.user_name(found.st_uid) or "", "gr_name": users.group_name(found.st_gid) or ""}


class DigestSink:
    """A digest as a file that is written to."""

    def __init__(self, digest: hashlib._Hash) -> None:
        self._digest = digest

    def write(self, data: bytes | memoryview) -> int:
        self._digest.update(data)
        return len(data)


def new_digest(algorithm: str) -> hashlib._Hash:
    """
    :raises OptionError: the controller's Python has no such algorithm, as it is with md5 in FIPS mode.
    """
    try:
        return hashlib.new(algorithm)
    except ValueError as error:
        raise OptionError("checksum_algorithm", f"{error}: this controller's Python has no {algorithm}") from None


def _realpath(kernel: Kernel, path: str) -> str:
    """As ``os.path.realpath``, which leaves links that go round as they are."""
    try:
        return kernel.realpath(path)
    except KernelError as error:
        if error.name != "ELOOP":
            raise
        return os.path.normpath(os.path.join("/", path))
