# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mount module's resource: what is mounted at a path, and how."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from ..sysproxy import Errno, Kernel, KernelError
from ..sysproxy.kernel.mounts import MountPoint
from ..sysproxy.kernel.sysctl import UnknownSysctl
from ..sysproxy.netbsd.constants import MNT
from ..sysproxy.netbsd.kernel_error import kernel_error
from . import mount_options
from .failures import OptionError
from .mount_options import MountOptions
from .plan import Plan
from .users import Users

_ON_DEVICE = ("ext2fs", "ffs", "lfs")  # their argument is the device alone: struct ufs_args, struct ulfs_args
_ALIASES = {"ufs": "ffs"}  # as the kernel has it (sys/kern/vfs_syscalls.c, mount_get_vfsops)
_FIXED = ("fdesc", "kernfs", "procfs")  # these have no arguments, and refuse to be changed while mounted
_DISK = "a file of the server's host is a disk for a server that is started with -d key=/disk,hostpath=FILE,size=host"
_NO_LIMIT = -1  # UINT64_MAX, in tmpfs_args an off_t


def plan(kernel: Kernel, parameters: Mapping[str, Any]) -> Plan:
    """Make ``path`` be in ``state``, with the file system that is asked for."""
    return _Planner(kernel, parameters).plan()


@dataclass(frozen=True)
class TmpfsArguments:
    """The arguments of a tmpfs: ``size`` in bytes, 0 for no limit; ``nodes`` 0 for as many as the size has room for."""

    size: int = 0
    nodes: int = 0
    mode: int = 0o755
    uid: int = 0
    gid: int = 0

    @classmethod
    def read(cls, kernel: Kernel, path: str) -> TmpfsArguments:
        """Those of the tmpfs that is mounted at ``path``."""
        found = kernel.mount_arguments("tmpfs", path, "tmpfs_args")
        return cls(
            size=0 if found.ta_size_max == _NO_LIMIT else found.ta_size_max,
            nodes=found.ta_nodes_max,
            mode=stat.S_IMODE(found.ta_root_mode),
            uid=found.ta_root_uid,
            gid=found.ta_root_gid,
        )

    def structure(self, kernel: Kernel) -> bytes:
        """struct tmpfs_args (fs/tmpfs/tmpfs_args.h)."""
        return kernel.abi.struct("tmpfs_args").build(
            ta_version=1,
            ta_nodes_max=self.nodes,
            ta_size_max=self.size,
            ta_root_uid=self.uid,
            ta_root_gid=self.gid,
            ta_root_mode=self.mode,
        )

    def facts(self) -> dict[str, Any]:
        return {"size": self.size, "nodes": self.nodes, "mode": f"{self.mode:04o}", "uid": self.uid, "gid": self.gid}


def mounted_at(kernel: Kernel, path: str) -> list[MountPoint]:
    """What is mounted at the real path ``path``, the last one on top."""
    return [mount for mount in kernel.mounts() if os.path.normpath(mount.path) == path]


def describe(kernel: Kernel, path: str) -> dict[str, Any]:
    """What is mounted at ``path``: the module's result; the path alone where nothing is."""
    found = mounted_at(kernel, path)
    if not found:
        return {"path": path}
    mount = found[-1]
    facts: dict[str, Any] = {
        "path": path,
        "src": mount.source,
        "fstype": mount.fstype,
        "opts": mount_options.names(mount.flags),
        "size": mount.size,
        "available": mount.available,
    }
    if mount.fstype == "tmpfs":
        facts["arguments"] = TmpfsArguments.read(kernel, path).facts()
    return facts


class _Planner:
    """One task: its options, and the plan that grows."""

    def __init__(self, kernel: Kernel, parameters: Mapping[str, Any]) -> None:
        self.kernel = kernel
        self.users = Users(kernel)
        path = str(parameters["path"])
        if not path.startswith("/") or "\0" in path:
            raise OptionError("path", f"give an absolute path, not {path!r}")
        self.path = kernel.realpath(path)
        self.state: str = parameters["state"]
        self.src: str | None = parameters.get("src") or None
        fstype = parameters.get("fstype")
        self.fstype: str | None = _ALIASES.get(fstype, fstype) if fstype else None
        self.opts: list[str] | None = parameters.get("opts")
        self.force = MNT.FORCE if parameters.get("force") else MNT(0)
        self.found = mounted_at(kernel, self.path)
        self.flags = MNT(0)  # those that the plan sets
        self.made = Plan()

        self._unmount_first = f"unmount {self.path} first (state: unmounted)"

    def plan(self) -> Plan:
        if self.state == "mounted":
            self._mounted()
        elif self.state == "remounted":
            self._remounted()
        else:
            self._unmounted()
        if not self.made.expected:
            self.made.expected = describe(self.kernel, self.path)
        if self.made.changes:
            self.made.report = self._report
        return self.made

    # state: mounted

    def _mounted(self) -> None:
        fstype = cast(str, self.fstype)  # the module requires it with this state
        options = mount_options.parse(fstype, self.opts or [], self.users)
        if fstype in _ON_DEVICE and self.src is None:
            raise OptionError("src", f"{fstype} is mounted from a device: give its path, such as /dev/vnd0a")
        if not self.found:
            self._mount(fstype, options)
            return
        mount = self.found[-1]
        self._require_same(mount)
        wanted = options.flags if self.opts is not None else mount.flags & mount_options.SEEN
        self._change(mount, replace(options, flags=wanted))

    def _require_same(self, mount: MountPoint) -> None:
        """:raises OptionError: what is mounted is another file system than the one that is asked for."""
        if self.fstype is not None and self.fstype != mount.fstype:
            text = f"{self.path} has {mount.fstype} mounted on it, not {self.fstype}: {self._unmount_first}"
            raise OptionError("fstype", text)
        if self.src is not None and mount.fstype in _ON_DEVICE and not self._same_device(self.src, mount.source):
            text = f"{self.path} has {mount.source} mounted on it, not {self.src}: {self._unmount_first}"
            raise OptionError("src", text)

    def _same_device(self, one: str, other: str) -> bool:
        if os.path.normpath(one) == os.path.normpath(other):
            return True
        try:
            devices = [self.kernel.stat(path) for path in (one, other)]
        except OSError:
            return False
        return all(stat.S_ISBLK(device.st_mode) for device in devices) and devices[0].st_rdev == devices[1].st_rdev

    def _mount(self, fstype: str, options: MountOptions) -> None:
        """Plan a new mount, with the directory that it needs."""
        self._require_file_system(fstype)
        if fstype in _ON_DEVICE and self.src is not None:
            self.made.conditions.append(partial(self._require_device, fstype, self.src))
        missing = self._missing_directories()
        source = self._source(fstype)
        opts = mount_options.names(options.flags)
        if fstype == "tmpfs":
            call = partial(self._mount_tmpfs, options)
        elif fstype in _ON_DEVICE:
            call = partial(self._mount_device, fstype, source, options)
        else:
            call = partial(self._mount_plainly, fstype, options)
        made = self.made
        made.before = {"path": self.path, "state": "unmounted"}
        made.after = {"path": self.path, "state": "mounted", "fstype": fstype, "src": source, "opts": opts}
        made.after |= _readable(options.arguments)
        made.expected = {"path": self.path, "src": source, "fstype": fstype, "opts": opts}
        text = f"mount {source} ({fstype}) on {self.path} with {','.join([*opts, *_words(options.arguments)])}"
        if missing:
            text += f", making the director{'ies' if len(missing) > 1 else 'y'} {', '.join(missing)}"
        made.add(text, partial(self._mount_on_new_directories, missing, call))
        self.flags = options.flags

    def _source(self, fstype: str) -> str:
        """What the kernel will call the source: it knows that of a device, and takes the type's name for others."""
        return self.src if fstype in _ON_DEVICE and self.src is not None else fstype

    def _mount_on_new_directories(self, missing: list[str], call: partial[None]) -> None:
        done: list[str] = []
        try:
            for directory in missing:
                self.kernel.mkdir(directory, 0o755)
                done.append(directory)
            call()
        except (KernelError, OptionError):
            for directory in reversed(done):  # a mount that failed leaves nothing
                self.kernel.rmdir(directory)
            raise

    def _mount_tmpfs(self, options: MountOptions) -> None:
        """As mount_tmpfs(8): mode and owner are those of the mount point unless they are given."""
        found = self.kernel.stat(self.path)
        point = TmpfsArguments(mode=stat.S_IMODE(found.st_mode), uid=found.st_uid, gid=found.st_gid)
        arguments = replace(point, **options.arguments)
        self.kernel.mount("tmpfs", self.path, options.flags | self.force, arguments.structure(self.kernel))

    def _mount_device(self, fstype: str, source: str, options: MountOptions) -> None:
        try:
            self.kernel.mount_device(fstype, source, self.path, options.flags | self.force)
        except KernelError as error:
            if error.name != "ENXIO":
                raise
            about = {"call": error.call, "object": error.subject, "errno": error.name}
            text = f"there is no disk behind the device {source} ({error}); {_DISK}"
            raise OptionError("src", text, **about) from error

    def _mount_plainly(self, fstype: str, options: MountOptions) -> None:
        """A file system that needs no arguments, or whose arguments are not known here."""
        try:
            self.kernel.mount(fstype, self.path, options.flags | self.force)
        except KernelError as error:
            if error.name != "EINVAL":
                raise
            known = ", ".join(("tmpfs", *_ON_DEVICE, *_FIXED))
            text = (
                f"the kernel has {fstype}, and refuses to mount it without arguments of its own ({error}); "
                f"this module has the arguments of {known}"
            )
            raise OptionError("fstype", text, call=error.call, object=error.subject, errno=error.name) from error

    def _require_file_system(self, fstype: str) -> None:
        """:raises KernelError: ENODEV, which is what a mount of this type would meet in this kernel."""
        try:
            known = str(self.kernel.sysctl.get("vfs.generic.fstypes")).split()
            if fstype in known or self.kernel.sysctl.get("kern.module.autoload"):
                return
        except UnknownSysctl:
            return  # the mount itself will tell
        raise kernel_error(Errno.ENODEV, "mount", f"{fstype} on {self.path}")

    def _require_device(self, fstype: str, src: str) -> None:
        """:raises OptionError: ``src`` is no block device, which a mount would meet with ENOENT or ENOTBLK."""
        about = {"call": "mount", "object": f"{fstype} {src} on {self.path}"}
        try:
            found = self.kernel.stat(src)
        except (FileNotFoundError, NotADirectoryError):
            text = f"there is no {src} in this kernel; {_DISK}"
            raise OptionError("src", text, **about, errno="ENOENT") from None
        if not stat.S_ISBLK(found.st_mode):
            raise OptionError("src", f"{src} is not a block device", **about, errno="ENOTBLK")

    def _missing_directories(self) -> list[str]:
        """The mount point and its parents, as far as they are to be made.

        :raises OptionError: the path, or what should be a parent, is no directory.
        """
        missing: list[str] = []
        path = self.path
        while not self.kernel.exists(path):
            missing.insert(0, path)
            path = os.path.dirname(path)
        if not self.kernel.isdir(path):
            text = f"{path} is not a directory, so that nothing can be mounted on {self.path}"
            raise OptionError("path", text, call="mount", object=self.path, errno="ENOTDIR")
        return missing

    # Changes of what is mounted

    def _remounted(self) -> None:
        if not self.found:
            self.made.conditions.append(self._require_mounted)
            self.made.add(f"remount {self.path}", self._require_mounted)
            return
        mount = self.found[-1]
        self._require_same(mount)
        options = mount_options.parse(mount.fstype, self.opts or [], self.users)
        wanted = options.flags if self.opts is not None else mount.flags & mount_options.SEEN
        self._change(mount, replace(options, flags=wanted), always=True)

    def _require_mounted(self) -> None:
        """:raises OptionError: nothing is mounted that could be remounted."""
        raise OptionError("path", f"nothing is mounted on {self.path}; state: mounted, with fstype, mounts something")

    def _change(self, mount: MountPoint, options: MountOptions, always: bool = False) -> None:
        """Plan a change in place (MNT_UPDATE) of the options that differ; ``always`` if none does, too."""
        has = mount.flags & mount_options.SEEN
        wanted = options.flags & mount_options.SEEN
        arguments = TmpfsArguments.read(self.kernel, self.path) if mount.fstype == "tmpfs" else None
        differing = {
            name: value for name, value in options.arguments.items() if arguments and getattr(arguments, name) != value
        }
        if has == wanted and not differing and not always:
            return
        self._require_changeable(mount, has ^ wanted, differing)
        old, new = mount_options.names(has), mount_options.names(wanted)
        made = self.made
        made.before = {"path": self.path, "state": "mounted", "opts": old}
        made.after = {"path": self.path, "state": "mounted", "opts": new}
        if arguments:
            made.before |= _readable({name: getattr(arguments, name) for name in differing})
            made.after |= _readable(differing)
        made.expected = describe(self.kernel, self.path) | {"opts": new}
        if arguments:
            made.expected["arguments"] = replace(arguments, **differing).facts()
        text = f"remount {self.path} with {','.join([*new, *_words(differing)])}"
        made.add(text, partial(self._update, mount, options.flags, arguments, differing))
        self.flags = wanted

    def _require_changeable(self, mount: MountPoint, flags: MNT, differing: Mapping[str, int]) -> None:
        """:raises OptionError: the kernel cannot make the change while the file system is mounted."""
        option = "opts" if flags or differing else "state"
        if mount.fstype in _FIXED:
            text = f"{mount.fstype} cannot be changed while it is mounted: {self._unmount_first}"
            raise OptionError(option, text, call="mount", object=f"{mount.fstype} on {self.path}", errno="EOPNOTSUPP")
        if flags & MNT.IGNORE:
            raise OptionError(option, f"'hidden' counts only when a file system is mounted: {self._unmount_first}")
        if differing.get("size") == 0:
            text = f"a tmpfs that has a limit cannot lose it while it is mounted: {self._unmount_first}"
            raise OptionError(option, text)

    def _update(
        self, mount: MountPoint, flags: MNT, arguments: TmpfsArguments | None, differing: Mapping[str, int]
    ) -> None:
        update = flags | MNT.UPDATE | self.force
        try:
            if arguments:
                # Size and nodes of 0 stay as they are; owner and mode are set in any case.
                changed = replace(arguments, **{"size": 0, "nodes": 0, **differing})
                self.kernel.mount("tmpfs", self.path, update, changed.structure(self.kernel))
            elif mount.fstype in _ON_DEVICE:
                self.kernel.mount_device(mount.fstype, None, self.path, update)
            else:
                self.kernel.mount(mount.fstype, self.path, update)
        except KernelError as error:
            if error.name != "EOPNOTSUPP":
                raise
            about = {"call": error.call, "object": error.subject, "errno": error.name}
            what = "made read-only" if flags & ~mount.flags & MNT.RDONLY else "changed"
            text = f"{mount.fstype} cannot be {what} while it is mounted ({error}): {self._unmount_first}"
            raise OptionError("opts", text, **about) from error

    def _report(self) -> dict[str, Any]:
        """What is mounted after the changes; warns of flags that the file system dropped silently."""
        found = mounted_at(self.kernel, self.path)
        dropped = self.flags & mount_options.SEEN & ~found[-1].flags if found else MNT(0)
        if dropped:
            names = ", ".join(name for name in mount_options.names(dropped) if name != "rw")
            self.made.warnings.append(f"{self.path}: the kernel mounts {found[-1].fstype} without {names}")
        return describe(self.kernel, self.path)

    # state: unmounted, absent

    def _unmounted(self) -> None:
        made = self.made
        for mount in reversed(self.found):
            if mount.flags & MNT.ROOTFS:
                text = "the root file system cannot be unmounted"
                raise OptionError("path", text, call="unmount", object=self.path, errno="EINVAL")
            text = f"unmount {mount.source} ({mount.fstype}) from {self.path}"
            made.add(text, partial(self._unmount, self.force))
        if self.found:
            mount = self.found[-1]
            made.before = {
                "path": self.path,
                "state": "mounted",
                "fstype": mount.fstype,
                "src": mount.source,
                "opts": mount_options.names(mount.flags),
            }
            made.after = {"path": self.path, "state": "unmounted"}
        if self.state == "absent" and self.kernel.exists(self.path):
            self._remove_directory()
        made.expected = {"path": self.path}

    def _unmount(self, flags: MNT) -> None:
        try:
            self.kernel.unmount(self.path, flags)
        except KernelError as error:
            if error.name != "EBUSY" or flags:
                raise
            about = {"call": error.call, "object": error.subject, "errno": error.name}
            text = f"{error}: files of it are in use, or something is mounted below it; force: true unmounts it anyway"
            raise OptionError("path", text, **about) from error

    def _remove_directory(self) -> None:
        if not self.found and (not self.kernel.isdir(self.path) or self.kernel.listdir(self.path)):
            text = f"{self.path} is no empty directory: absent removes nothing but the mount point"
            raise OptionError("path", text, call="rmdir", object=self.path, errno="ENOTEMPTY")
        self.made.before = {"path": self.path, "state": "unmounted", **self.made.before}
        self.made.after = {"path": self.path, "state": "absent"}
        self.made.add(f"remove the directory {self.path}", partial(self.kernel.rmdir, self.path))


def _readable(arguments: Mapping[str, int]) -> dict[str, Any]:
    """Arguments for a diff: the mode in octal digits."""
    return {name: f"{value:04o}" if name == "mode" else value for name, value in arguments.items()}


def _words(arguments: Mapping[str, int]) -> list[str]:
    return [f"{name}={value}" for name, value in _readable(arguments).items()]
