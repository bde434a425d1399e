# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The system calls that a rump kernel serves over sysproxy, as data.

A line a call: its number, its name in NetBSD's tables, and its arguments with their C types, from
sys/kern/syscalls.master of 7.99.34. ``pad`` arguments are the table's own: they align the 64-bit
offset that follows. What other releases have otherwise stands in SINCE and RELEASES.

A call is served remotely if the table marks it RUMP, so a kernel can have a call that it does not
serve. Sources: the table's revisions 1.261 (October 2012, on the way from 6 to 7), 1.269 to 1.285
(6.99.43 to 7.99.34), those of releases 8 and 9, and of 9.99 and 10.99 (spring 2024).
"""

from __future__ import annotations

from functools import lru_cache

from .errno import Errno
from .kernel_error import kernel_error
from .releases import Release, name_of

TABLE = """
3 read fd:int buf:pointer nbyte:size_t
4 write fd:int buf:pointer nbyte:size_t
5 open path:pointer flags:int mode:int
6 close fd:int
9 link path:pointer link:pointer
10 unlink path:pointer
12 chdir path:pointer
13 fchdir fd:int
15 chmod path:pointer mode:uint32
16 chown path:pointer uid:uint32 gid:uint32
20 getpid
22 unmount path:pointer flags:int
23 setuid uid:uint32
24 getuid
25 geteuid
27 recvmsg s:int msg:pointer flags:int
28 sendmsg s:int msg:pointer flags:int
29 recvfrom s:int buf:pointer len:size_t flags:int from:pointer fromlenaddr:pointer
30 accept s:int name:pointer anamelen:pointer
31 getpeername fdes:int asa:pointer alen:pointer
32 getsockname fdes:int asa:pointer alen:pointer
33 access path:pointer flags:int
34 chflags path:pointer flags:ulong
35 fchflags fd:int flags:ulong
36 sync
39 getppid
41 dup fd:int
42 pipe
43 getegid
45 ktrace fname:pointer ops:int facs:int pid:int
47 getgid
49 __getlogin namebuf:pointer namelen:size_t
50 __setlogin namebuf:pointer
54 ioctl fd:int com:ulong data:pointer
56 revoke path:pointer
57 symlink path:pointer link:pointer
58 readlink path:pointer buf:pointer count:size_t
60 umask newmask:uint32
61 chroot path:pointer
79 getgroups gidsetsize:int gidset:pointer
80 setgroups gidsetsize:int gidset:pointer
81 getpgrp
82 setpgid pid:int pgid:int
90 dup2 from:int to:int
92 fcntl fd:int cmd:int arg:pointer
95 fsync fd:int
98 connect s:int name:pointer namelen:uint32
104 bind s:int name:pointer namelen:uint32
105 setsockopt s:int level:int name:int val:pointer valsize:uint32
106 listen s:int backlog:int
118 getsockopt s:int level:int name:int val:pointer avalsize:pointer
120 readv fd:int iovp:pointer iovcnt:int
121 writev fd:int iovp:pointer iovcnt:int
123 fchown fd:int uid:uint32 gid:uint32
124 fchmod fd:int mode:uint32
126 setreuid ruid:uint32 euid:uint32
127 setregid rgid:uint32 egid:uint32
128 rename from:pointer to:pointer
131 flock fd:int how:int
132 mkfifo path:pointer mode:uint32
133 sendto s:int buf:pointer len:size_t flags:int to:pointer tolen:uint32
134 shutdown s:int how:int
135 socketpair domain:int type:int protocol:int rsv:pointer
136 mkdir path:pointer mode:uint32
137 rmdir path:pointer
147 setsid
173 pread fd:int buf:pointer nbyte:size_t pad:int offset:int64
174 pwrite fd:int buf:pointer nbyte:size_t pad:int offset:int64
181 setgid gid:uint32
182 setegid egid:uint32
183 seteuid euid:uint32
191 pathconf path:pointer name:int
192 fpathconf fd:int name:int
194 getrlimit which:int rlp:pointer
195 setrlimit which:int rlp:pointer
199 lseek fd:int pad:int offset:int64 whence:int
200 truncate path:pointer pad:int length:int64
201 ftruncate fd:int pad:int length:int64
202 __sysctl name:pointer namelen:uint oldv:pointer oldlenp:pointer newv:pointer newlen:size_t
207 getpgid pid:int
208 reboot opt:int bootstr:pointer
209 poll fds:pointer nfds:uint timeout:int
235 timer_create clock_id:int evp:pointer timerid:pointer
236 timer_delete timerid:int
239 timer_getoverrun timerid:int
241 fdatasync fd:int
246 modctl cmd:int arg:pointer
270 __posix_rename from:pointer to:pointer
274 lchmod path:pointer mode:uint32
275 lchown path:pointer uid:uint32 gid:uint32
283 __posix_chown path:pointer uid:uint32 gid:uint32
284 __posix_fchown fd:int uid:uint32 gid:uint32
285 __posix_lchown path:pointer uid:uint32 gid:uint32
286 getsid pid:int
288 fktrace fd:int ops:int facs:int pid:int
289 preadv fd:int iovp:pointer iovcnt:int pad:int offset:int64
290 pwritev fd:int iovp:pointer iovcnt:int pad:int offset:int64
296 __getcwd bufp:pointer length:size_t
297 fchroot fd:int
304 lchflags path:pointer flags:ulong
305 issetugid
306 utrace label:pointer addr:pointer len:size_t
344 kqueue
354 fsync_range fd:int flags:int start:int64 length:int64
356 getvfsstat buf:pointer bufsize:size_t flags:int
357 statvfs1 path:pointer buf:pointer flags:int
358 fstatvfs1 fd:int buf:pointer flags:int
360 extattrctl path:pointer cmd:int filename:pointer attrnamespace:int attrname:pointer
361 extattr_set_file path:pointer attrnamespace:int attrname:pointer data:pointer nbytes:size_t
362 extattr_get_file path:pointer attrnamespace:int attrname:pointer data:pointer nbytes:size_t
363 extattr_delete_file path:pointer attrnamespace:int attrname:pointer
364 extattr_set_fd fd:int attrnamespace:int attrname:pointer data:pointer nbytes:size_t
365 extattr_get_fd fd:int attrnamespace:int attrname:pointer data:pointer nbytes:size_t
366 extattr_delete_fd fd:int attrnamespace:int attrname:pointer
367 extattr_set_link path:pointer attrnamespace:int attrname:pointer data:pointer nbytes:size_t
368 extattr_get_link path:pointer attrnamespace:int attrname:pointer data:pointer nbytes:size_t
369 extattr_delete_link path:pointer attrnamespace:int attrname:pointer
370 extattr_list_fd fd:int attrnamespace:int data:pointer nbytes:size_t
371 extattr_list_file path:pointer attrnamespace:int data:pointer nbytes:size_t
372 extattr_list_link path:pointer attrnamespace:int data:pointer nbytes:size_t
375 setxattr path:pointer name:pointer value:pointer size:size_t flags:int
376 lsetxattr path:pointer name:pointer value:pointer size:size_t flags:int
377 fsetxattr fd:int name:pointer value:pointer size:size_t flags:int
378 getxattr path:pointer name:pointer value:pointer size:size_t
379 lgetxattr path:pointer name:pointer value:pointer size:size_t
380 fgetxattr fd:int name:pointer value:pointer size:size_t
381 listxattr path:pointer list:pointer size:size_t
382 llistxattr path:pointer list:pointer size:size_t
383 flistxattr fd:int list:pointer size:size_t
384 removexattr path:pointer name:pointer
385 lremovexattr path:pointer name:pointer
386 fremovexattr fd:int name:pointer
390 __getdents30 fd:int buf:pointer count:size_t
394 __socket30 domain:int type:int protocol:int
395 __getfh30 fname:pointer fhp:pointer fh_size:pointer
396 __fhopen40 fhp:pointer fh_size:size_t flags:int
397 __fhstatvfs140 fhp:pointer fh_size:size_t buf:pointer flags:int
410 __mount50 type:pointer path:pointer flags:int data:pointer data_len:size_t
416 __posix_fadvise50 fd:int pad:int offset:int64 len:int64 advice:int
417 __select50 nd:int in:pointer ou:pointer ex:pointer tv:pointer
418 __gettimeofday50 tp:pointer tzp:pointer
419 __settimeofday50 tv:pointer tzp:pointer
420 __utimes50 path:pointer tptr:pointer
421 __adjtime50 delta:pointer olddelta:pointer
423 __futimes50 fd:int tptr:pointer
424 __lutimes50 path:pointer tptr:pointer
425 __setitimer50 which:int itv:pointer oitv:pointer
426 __getitimer50 which:int itv:pointer
427 __clock_gettime50 clock_id:int tp:pointer
428 __clock_settime50 clock_id:int tp:pointer
429 __clock_getres50 clock_id:int tp:pointer
430 __nanosleep50 rqtp:pointer rmtp:pointer
435 __kevent50 fd:int changelist:pointer nchanges:size_t eventlist:pointer nevents:size_t timeout:pointer
436 __pselect50 nd:int in:pointer ou:pointer ex:pointer ts:pointer mask:pointer
437 __pollts50 fds:pointer nfds:uint ts:pointer mask:pointer
439 __stat50 path:pointer ub:pointer
440 __fstat50 fd:int sb:pointer
441 __lstat50 path:pointer ub:pointer
446 __timer_settime50 timerid:int flags:int value:pointer ovalue:pointer
447 __timer_gettime50 timerid:int value:pointer
450 __mknod50 path:pointer mode:uint32 dev:uint64
451 __fhstat50 fhp:pointer fh_size:size_t sb:pointer
453 pipe2 fildes:pointer flags:int
454 dup3 from:int to:int flags:int
455 kqueue1 flags:int
456 paccept s:int name:pointer anamelen:pointer mask:pointer flags:int
457 linkat fd1:int name1:pointer fd2:int name2:pointer flags:int
458 renameat fromfd:int from:pointer tofd:int to:pointer
459 mkfifoat fd:int path:pointer mode:uint32
460 mknodat fd:int path:pointer mode:uint32 pad:int dev:uint64
461 mkdirat fd:int path:pointer mode:uint32
462 faccessat fd:int path:pointer amode:int flag:int
463 fchmodat fd:int path:pointer mode:uint32 flag:int
464 fchownat fd:int path:pointer owner:uint32 group:uint32 flag:int
466 fstatat fd:int path:pointer buf:pointer flag:int
467 utimensat fd:int path:pointer tptr:pointer flag:int
468 openat fd:int path:pointer oflags:int mode:int
469 readlinkat fd:int path:pointer buf:pointer bufsize:size_t
470 symlinkat path1:pointer fd:int path2:pointer
471 unlinkat fd:int path:pointer flag:int
472 futimens fd:int tptr:pointer
473 __quotactl path:pointer args:pointer
475 recvmmsg s:int mmsg:pointer vlen:uint flags:uint timeout:pointer
476 sendmmsg s:int mmsg:pointer vlen:uint flags:uint
477 clock_nanosleep clock_id:int flags:int rqtp:pointer rmtp:pointer
479 posix_fallocate fd:int pad:int pos:int64 len:int64
480 fdiscard fd:int pad:int pos:int64 len:int64
"""

# The calls of the table above that releases before these do not serve.
SINCE: dict[Release, str] = {
    # In release 6 they were there in name, and answered ENOSYS.
    (6, 99, 16): """linkat renameat mkfifoat mkdirat faccessat fchmodat fchownat fstatat utimensat openat readlinkat
        symlinkat unlinkat""",
    (6, 99, 43): """ktrace fktrace utrace timer_create timer_delete timer_getoverrun __timer_settime50
        __timer_gettime50 __gettimeofday50 __settimeofday50 __adjtime50 __setitimer50 __getitimer50 __clock_gettime50
        __clock_settime50 __clock_getres50 __nanosleep50 recvmmsg sendmmsg clock_nanosleep mknodat""",
    (7,): "posix_fallocate fdiscard",
    (7, 99, 17): "__posix_rename __posix_chown __posix_fchown __posix_lchown",
}

# Since the release, (number, name, arguments) lines that add to the table or take the place of a line
# of the same name. The calls on struct statvfs kept their names in C and got new numbers in release 10,
# when the structure grew; those on struct kevent did so after it.
RELEASES: dict[Release, str] = {
    (9, 99): """
483 getvfsstat buf:pointer bufsize:size_t flags:int
484 statvfs1 path:pointer buf:pointer flags:int
485 fstatvfs1 fd:int buf:pointer flags:int
486 __fhstatvfs140 fhp:pointer fh_size:size_t buf:pointer flags:int
""",
    (10,): """
499 lpathconf path:pointer name:int
""",
    (10, 99): """
482 clock_getcpuclockid2 idtype:int id:int clock_id:pointer
501 __kevent100 fd:int changelist:pointer nchanges:size_t eventlist:pointer nevents:size_t timeout:pointer
505 __dup3100 from:int to:int flags:int
""",
}

# Since the release, calls that it does not serve any more: others took their place.
GONE: dict[Release, str] = {(10, 99): "__kevent50 dup3"}

Arguments = tuple[tuple[str, str], ...]


def _lines(text: str) -> dict[str, str]:
    return {line.split()[1]: line for line in text.split("\n") if line}


_TABLE = _lines(TABLE)


@lru_cache(maxsize=32)
def syscall_table(release: Release) -> dict[str, str]:
    """The calls that a release serves: name to line."""
    table = dict(_TABLE)
    for since, lines in sorted(RELEASES.items()):
        if since <= release:
            table.update(_lines(lines))
    absent = [names for since, names in SINCE.items() if release < since]
    absent += [names for since, names in GONE.items() if since <= release]
    for name in " ".join(absent).split():
        del table[name]
    return table


@lru_cache(maxsize=32)
def syscall_names(release: Release) -> dict[int, str]:
    """The names of a release's calls by their numbers."""
    return {int(line.split(" ", 1)[0]): name for name, line in syscall_table(release).items()}


def syscall(release: Release, name: str) -> tuple[int, Arguments]:
    """A call's number and its (argument, C type) pairs.

    :raises KernelError: ENOSYS, as the kernel would say: other releases serve the call, and this one does not.
    :raises KeyError: no release serves such a call.
    """
    line = syscall_table(release).get(name)
    if line is None:
        if any(name in table for table in (_TABLE, *map(_lines, RELEASES.values()))):
            raise kernel_error(Errno.ENOSYS, name, f"in release {name_of(release)}")
        raise KeyError(name)
    number, _name, *arguments = line.split()
    return int(number), tuple((label, kind) for label, _colon, kind in (pair.partition(":") for pair in arguments))
