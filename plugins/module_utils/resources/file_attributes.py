# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Owner, group, mode, times and flags of one file: what is asked for, and what of it is to be changed."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ..sysproxy import Kernel
from ..sysproxy.kernel.attributes import names_of_flags
from ..sysproxy.netbsd.constants import UTIME
from .failures import OptionError
from .file_flags import Flags, flags_text, unlocked
from .file_mode import Mode, mode_text
from .plan import Plan
from .users import Users, parse_id


@dataclass
class Difference:
    """The two sides of a file's diff."""

    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)

    def note(self, key: str, before: object, after: object) -> None:
        if before != after:
            self.before[key] = before
            self.after[key] = after


@dataclass(frozen=True)
class Attributes:
    """What is asked of a file; None leaves a thing as it is.

    Times are nanoseconds since the epoch, or UTIME.NOW for the kernel's clock at the moment of the change.
    """

    mode: Mode | None = None
    uid: int | None = None
    gid: int | None = None
    access_time: int | None = None
    modification_time: int | None = None
    flags: Flags | None = None

    @classmethod
    def parse(cls, parameters: Mapping[str, Any], state: str, users: Users) -> Attributes:
        """From the options ``mode``, ``owner``, ``group``, ``flags`` and those of the times.

        :raises OptionError: one of them means nothing.
        """
        owner, group = parameters.get("owner"), parameters.get("group")
        return cls(
            mode=None if parameters.get("mode") is None else Mode.parse(parameters["mode"]),
            uid=None if owner is None else parse_id("owner", owner, users.uid),
            gid=None if group is None else parse_id("group", group, users.gid),
            access_time=parse_time("access_time", parameters, state),
            modification_time=parse_time("modification_time", parameters, state),
            flags=None if parameters.get("flags") is None else Flags.parse(parameters["flags"]),
        )

    def of_new(self) -> Attributes:
        """What is left to do on a file that was just made: its times are now anyway."""
        return replace(
            self,
            access_time=None if self.access_time is UTIME.NOW else self.access_time,
            modification_time=None if self.modification_time is UTIME.NOW else self.modification_time,
        )

    def but_flags(self) -> Attributes:
        """All but the flags, which may forbid to rename a file, or to make something in a directory."""
        return replace(self, flags=None)

    def only_flags(self) -> Attributes:
        return Attributes(flags=self.flags)

    def note_new(self, difference: Difference, st_mode: int) -> None:
        """Tell of the attributes that a file will have that is to be made with ``st_mode``."""
        if self.uid is not None:
            difference.after["owner"] = self.uid
        if self.gid is not None:
            difference.after["group"] = self.gid
        if self.mode is not None:
            difference.after["mode"] = mode_text(self.mode.of(st_mode))
        if self.flags is not None:
            difference.after["flags"] = names_of_flags(self.flags.of(0))

    def plan(self, kernel: Kernel, plan: Plan, path: str, difference: Difference | None = None) -> None:
        """Add to ``plan`` what is to be changed of ``path`` itself; its times are those of its target, if it is a link.

        :raises KernelError: ``path`` cannot be read.
        """
        if self == Attributes():
            return
        difference = difference or Difference()
        others = Plan()
        self._plan_others(kernel, others, path, kernel.lstat(path), difference)
        if self.flags is None:
            plan.changes += others.changes
            return
        flags = kernel.native_stat(path, follow_symlinks=False).st_flags
        # Flags that are named are the task's to lift for as long as it works on the file.
        now = unlocked(flags) if others.changes else flags
        if now != flags:
            _add_flags(kernel, plan, path, now, f"lift the flags {flags_text(flags & ~now)} of {path} to change it")
        plan.changes += others.changes
        wanted = self.flags.of(flags)
        difference.note("flags", names_of_flags(flags), names_of_flags(wanted))
        if wanted != now:
            _add_flags(kernel, plan, path, wanted, f"set the flags of {path} to {flags_text(wanted)}")

    def _plan_others(
        self, kernel: Kernel, plan: Plan, path: str, found: os.stat_result, difference: Difference
    ) -> None:
        """Owner, group, mode and times."""
        mode = None if self.mode is None else self.mode.of(found.st_mode)
        # A kernel may take the set-id bits of a file whose owner changes.
        again = mode if mode is not None and mode & (stat.S_ISUID | stat.S_ISGID) else None
        if self.uid is not None and self.uid != found.st_uid:
            difference.note("owner", found.st_uid, self.uid)
            plan.add(f"set the owner of {path} to {self.uid}", partial(_chown, kernel, path, self.uid, -1, again))
        if self.gid is not None and self.gid != found.st_gid:
            difference.note("group", found.st_gid, self.gid)
            plan.add(f"set the group of {path} to {self.gid}", partial(_chown, kernel, path, -1, self.gid, again))
        if mode is not None and mode != stat.S_IMODE(found.st_mode):
            difference.note("mode", mode_text(found.st_mode), mode_text(mode))
            plan.add(
                f"set the mode of {path} to {mode_text(mode)}",
                partial(kernel.chmod, path, mode, follow_symlinks=False),
            )
        self._plan_times(kernel, plan, path, found, difference)

    def _plan_times(self, kernel: Kernel, plan: Plan, path: str, found: os.stat_result, difference: Difference) -> None:
        if self.access_time is None and self.modification_time is None:
            return
        if stat.S_ISLNK(found.st_mode):
            found = kernel.stat(path)
        wanted: list[int | None] = []
        words = []
        for name, key, wish, has in (
            ("access", "atime", self.access_time, found.st_atime_ns),
            ("modification", "mtime", self.modification_time, found.st_mtime_ns),
        ):
            differs = wish is not None and (wish is UTIME.NOW or wish != has)
            wanted.append(wish if differs else None)
            if differs:
                words.append(name)
                difference.note(key, has / 10**9, "now" if wish is UTIME.NOW else (wish or 0) / 10**9)
        if words:
            text = f"set the {' and '.join(words)} time{'s' if len(words) > 1 else ''} of {path}"
            times = wanted[0], wanted[1]
            plan.add(text, lambda: kernel.utime(path, ns=times))

    def settle(self, kernel: Kernel, path: str) -> None:
        """Give them to ``path``, which was just made."""
        plan = Plan()
        self.of_new().plan(kernel, plan, path)
        plan.execute()


def _add_flags(kernel: Kernel, plan: Plan, path: str, flags: int, text: str) -> None:
    plan.add(text, partial(kernel.chflags, path, flags, follow_symlinks=False))


def _chown(kernel: Kernel, path: str, uid: int, gid: int, mode: int | None) -> None:
    kernel.chown(path, uid, gid, follow_symlinks=False)
    if mode is not None:
        kernel.chmod(path, mode, follow_symlinks=False)


def parse_time(option: str, parameters: Mapping[str, Any], state: str) -> int | None:
    """The time that ``access_time`` or ``modification_time`` means, by its format, as ansible.builtin.file reads it.

    Nanoseconds since the epoch; None to leave it, UTIME.NOW for now. A time without a zone is one of the controller's.

    :raises OptionError: it does not fit its format.
    """
    text = parameters.get(option)
    if text is None:
        text = "now" if state == "touch" else "preserve"
    if text == "preserve":
        return None
    if text == "now":
        return UTIME.NOW
    pattern = parameters[f"{option}_format"]
    try:
        return int(time.mktime(time.strptime(text, pattern))) * 10**9
    except (ValueError, OverflowError) as error:
        raise OptionError(option, f"{error}: give a time in the format {pattern!r}, 'now' or 'preserve'") from None
