# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The library's calls on files, directories, links and devices, in the shapes of Python's ``os``."""

from __future__ import annotations

import gzip
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, KernelError, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.attributes import (
    flags_of_names,
    names_of_flags,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.files import major, makedev, minor
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import LOCK, SF, UF, F, O
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, ROOT, running

FFS_IMAGE = ROOT / "tests" / "data" / "ffs-512k.img.gz"


@pytest.fixture
def tmpfs(kernel: Kernel) -> str:
    """The path of a tmpfs, which has all that the root file system lacks."""
    kernel.mkdir("/t")
    kernel.mount("tmpfs", "/t", 0, kernel.abi.struct("tmpfs_args").build(ta_version=1, ta_root_mode=0o755))
    return "/t"


@pytest.fixture(params=BACKENDS)
def ffs(request: pytest.FixtureRequest, tmp_path: Path, record_property) -> Iterator[Kernel]:  # type: ignore[no-untyped-def]
    """A kernel with an FFS on /f."""
    image = tmp_path / "disk.img"
    image.write_bytes(gzip.decompress(FFS_IMAGE.read_bytes()))
    with running(request.param, tmp_path, options=("-d", f"key=/disk,hostpath={image},size=host")) as server:
        record_property("backend", server.description)
        with connect(server.url, timeout=20) as kernel:
            kernel.mkdir("/f")
            kernel.mount_device("ffs", "/disk", "/f")
            yield kernel


def refused(error: pytest.ExceptionInfo[KernelError]) -> str:
    return error.value.name


# Descriptors


def test_reading_and_writing(kernel: Kernel) -> None:
    fd = kernel.open("/file", os.O_RDWR | os.O_CREAT, 0o640)
    assert kernel.write(fd, b"0123456789") == 10
    assert kernel.lseek(fd, 2, os.SEEK_SET) == 2
    assert kernel.read(fd, 3) == b"234"
    buffer = bytearray(4)
    assert kernel.readinto(fd, buffer) == 4
    assert buffer == b"5678"
    assert kernel.pread(fd, 100, 8) == b"89"
    assert kernel.pwrite(fd, memoryview(b"ab"), 4) == 2
    assert kernel.lseek(fd, 0, os.SEEK_CUR) == 9
    assert kernel.lseek(fd, -1, os.SEEK_END) == 9
    kernel.ftruncate(fd, 6)
    kernel.fsync(fd)
    kernel.fdatasync(fd)
    assert kernel.fstat(fd).st_size == 6
    kernel.close(fd)
    assert kernel.read_file("/file") == b"0123ab"
    with pytest.raises(KernelError) as error:
        kernel.read(fd, 1)
    assert refused(error) == "EBADF"


def test_large_offsets(ffs: Kernel) -> None:
    fd = ffs.open("/f/sparse", os.O_RDWR | os.O_CREAT)
    far = (1 << 33) + 5
    assert ffs.lseek(fd, far, os.SEEK_SET) == far
    assert ffs.pwrite(fd, b"end", far) == 3
    assert ffs.fstat(fd).st_size == far + 3
    assert ffs.lseek(fd, -4, os.SEEK_END) == far - 1
    assert ffs.read(fd, 5) == b"\0end"
    ffs.truncate("/f/sparse", far + 1)
    assert ffs.pread(fd, 5, far) == b"e"


def test_vectors(kernel: Kernel) -> None:
    fd = kernel.open("/file", os.O_RDWR | os.O_CREAT)
    assert kernel.writev(fd, [b"ab", b"", bytearray(b"cdef")]) == 6
    first, second = bytearray(4), bytearray(10)
    assert kernel.preadv(fd, [first, second], 1) == 5
    assert (first, second[:1]) == (b"bcde", b"f")
    assert kernel.pwritev(fd, [b"X", b"Y"], 2) == 2
    kernel.lseek(fd, 0, os.SEEK_SET)
    assert kernel.readv(fd, [first]) == 4
    assert first == b"abXY"
    with pytest.raises(ValueError, match="at most 1024 buffers"):
        kernel.writev(fd, [b""] * 1025)


def test_copies_of_a_descriptor_share_their_position(kernel: Kernel) -> None:
    kernel.write_file("/file", b"0123456789")
    fd = kernel.open("/file", os.O_RDONLY)
    copy = kernel.dup(fd)
    assert kernel.dup2(fd, 40) == 40
    assert [kernel.read(each, 2) for each in (fd, copy, 40)] == [b"01", b"23", b"45"]
    kernel.close(fd)
    assert kernel.read(copy, 1) == b"6"
    assert kernel.fcntl(copy, F.DUPFD, 50) == 50


def test_flags_of_a_descriptor(kernel: Kernel, tmpfs: str) -> None:
    fd = kernel.open(f"{tmpfs}/file", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    assert kernel.get_flags(fd) == O.RDWR | O.APPEND
    kernel.set_flags(fd, O.NONBLOCK)
    assert kernel.get_flags(fd) == O.RDWR | O.NONBLOCK
    assert not kernel.get_blocking(fd)
    kernel.set_blocking(fd, True)
    assert kernel.get_blocking(fd)
    assert kernel.get_inheritable(fd)
    kernel.set_inheritable(fd, False)
    assert not kernel.get_inheritable(fd)
    assert not kernel.get_inheritable(kernel.open(f"{tmpfs}/file", os.O_RDONLY | os.O_CLOEXEC))
    with pytest.raises(ValueError, match="is not a valid F"):
        kernel.fcntl(fd, 7)  # type: ignore[arg-type]


def test_pipes(kernel: Kernel) -> None:
    reader, writer = kernel.pipe()
    assert stat.S_ISFIFO(kernel.fstat(reader).st_mode)
    kernel.write(writer, b"through")
    assert kernel.read(reader, 100) == b"through"
    kernel.set_blocking(reader, False)
    with pytest.raises(BlockingIOError):
        kernel.read(reader, 1)
    kernel.close(writer)
    assert kernel.read(reader, 1) == b""
    with pytest.raises(KernelError) as error:
        kernel.lseek(reader, 0, os.SEEK_CUR)
    assert refused(error) == "ESPIPE"


def test_locks(kernel: Kernel, tmpfs: str) -> None:
    kernel.write_file(f"{tmpfs}/lock", b"")
    fd = kernel.open(f"{tmpfs}/lock", os.O_RDWR)
    kernel.flock(fd, LOCK.EX | LOCK.NB)
    with connect(kernel.url) as other:
        theirs = other.open(f"{tmpfs}/lock", os.O_RDWR)
        with pytest.raises(BlockingIOError):
            other.flock(theirs, LOCK.SH | LOCK.NB)
        kernel.flock(fd, LOCK.UN)
        other.flock(theirs, LOCK.SH | LOCK.NB)


def test_room_for_a_file_cannot_be_reserved(kernel: Kernel, tmpfs: str) -> None:
    fd = kernel.open(f"{tmpfs}/file", os.O_RDWR | os.O_CREAT)
    with pytest.raises(KernelError) as error:
        kernel.posix_fallocate(fd, 0, 100)
    assert refused(error) == "EOPNOTSUPP"


# Paths


def test_paths_from_a_directorys_descriptor(kernel: Kernel, tmpfs: str) -> None:
    kernel.mkdir(f"{tmpfs}/d")
    top = kernel.open(f"{tmpfs}/d", os.O_RDONLY | os.O_DIRECTORY)
    kernel.mkdir("sub", dir_fd=top)
    fd = kernel.open("sub/file", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=top)
    kernel.write(fd, b"text")
    assert kernel.stat("sub/file", dir_fd=top).st_size == 4
    kernel.symlink("sub/file", "link", dir_fd=top)
    assert kernel.readlink("link", dir_fd=top) == "sub/file"
    assert stat.S_ISLNK(kernel.lstat("link", dir_fd=top).st_mode)
    assert kernel.stat("link", dir_fd=top).st_size == 4
    kernel.link("sub/file", "hard", src_dir_fd=top, dst_dir_fd=top)
    assert kernel.stat("hard", dir_fd=top).st_nlink == 2
    kernel.rename("hard", "moved", src_dir_fd=top, dst_dir_fd=top)
    kernel.chmod("moved", 0o444, dir_fd=top)
    kernel.chown("moved", 5, 6, dir_fd=top)
    kernel.utime("moved", ns=(10**9, 2 * 10**9 + 5), dir_fd=top)
    found = kernel.stat(f"{tmpfs}/d/moved")
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (0o444, 5, 6)
    assert (found.st_atime_ns, found.st_mtime_ns) == (10**9, 2 * 10**9 + 5)
    assert kernel.access("moved", os.F_OK, dir_fd=top)
    assert not kernel.access("missing", os.F_OK, dir_fd=top)
    kernel.mkfifo("fifo", dir_fd=top)
    kernel.mknod("null", stat.S_IFCHR | 0o600, makedev(2, 2), dir_fd=top)
    assert sorted(kernel.listdir(f"{tmpfs}/d")) == ["fifo", "link", "moved", "null", "sub"]
    for name in ("fifo", "link", "moved", "null", "sub/file"):
        kernel.unlink(name, dir_fd=top)
    kernel.rmdir("sub", dir_fd=top)
    assert kernel.listdir(f"{tmpfs}/d") == []
    kernel.fchdir(top)
    assert kernel.getcwd() == f"{tmpfs}/d"


def test_the_root_file_system_has_no_rename_and_no_hard_links(kernel: Kernel) -> None:
    kernel.write_file("/file", b"")
    for call in (kernel.rename, kernel.link):
        with pytest.raises(KernelError) as error:
            call("/file", "/other")
        assert refused(error) == "EOPNOTSUPP"


def test_what_a_path_is(kernel: Kernel, tmpfs: str) -> None:
    kernel.write_file(f"{tmpfs}/file", b"")
    for name, target in (("tofile", "file"), ("todir", "."), ("nowhere", "missing"), ("round", "round")):
        kernel.symlink(target, f"{tmpfs}/{name}")
    tests = (kernel.exists, kernel.lexists, kernel.isfile, kernel.isdir, kernel.islink)
    wanted = {
        "file": (True, True, True, False, False),
        ".": (True, True, False, True, False),
        "tofile": (True, True, True, False, True),
        "todir": (True, True, False, True, True),
        "nowhere": (False, True, False, False, True),
        "round": (False, True, False, False, True),
        "missing": (False, False, False, False, False),
        "file/below": (False, False, False, False, False),
    }
    assert {name: tuple(test(f"{tmpfs}/{name}") for test in tests) for name in wanted} == wanted


def test_truncate(kernel: Kernel, tmpfs: str) -> None:
    kernel.write_file(f"{tmpfs}/file", b"0123456789")
    kernel.truncate(f"{tmpfs}/file", 4)
    assert kernel.read_file(f"{tmpfs}/file") == b"0123"
    kernel.truncate(f"{tmpfs}/file", 6)
    assert kernel.read_file(f"{tmpfs}/file") == b"0123\0\0"


def test_devices(kernel: Kernel, tmpfs: str) -> None:
    device = kernel.stat("/dev/null").st_rdev
    assert stat.S_ISCHR(kernel.stat("/dev/null").st_mode)
    kernel.mknod(f"{tmpfs}/null", stat.S_IFCHR | 0o666, device)
    kernel.mknod(f"{tmpfs}/disk", stat.S_IFBLK | 0o600, makedev(14, 0x12345))
    kernel.mknod(f"{tmpfs}/plain", stat.S_IFREG | 0o600)
    found = kernel.stat(f"{tmpfs}/disk")
    assert stat.S_ISBLK(found.st_mode)
    assert (major(found.st_rdev), minor(found.st_rdev)) == (14, 0x12345)
    assert stat.S_ISREG(kernel.stat(f"{tmpfs}/plain").st_mode)
    fd = kernel.open(f"{tmpfs}/null", os.O_RDWR)
    assert kernel.write(fd, b"gone") == 4
    assert kernel.read(fd, 4) == b""


def test_fifos(kernel: Kernel, tmpfs: str) -> None:
    kernel.mkfifo(f"{tmpfs}/fifo", 0o644)
    found = kernel.stat(f"{tmpfs}/fifo")
    assert stat.S_ISFIFO(found.st_mode)
    assert stat.S_IMODE(found.st_mode) == 0o644


# Directories


def test_walking(kernel: Kernel, tmpfs: str) -> None:
    kernel.makedirs(f"{tmpfs}/a/b/c")
    kernel.write_file(f"{tmpfs}/a/file", b"")
    kernel.symlink("b", f"{tmpfs}/a/link")
    found = [(top, sorted(directories), sorted(others)) for top, directories, others in kernel.walk(f"{tmpfs}/a")]
    a = f"{tmpfs}/a"
    assert found == [(a, ["b"], ["file", "link"]), (f"{a}/b", ["c"], []), (f"{a}/b/c", [], [])]
    upwards = [top for top, _directories, _others in kernel.walk(a, topdown=False)]
    assert upwards == [f"{a}/b/c", f"{a}/b", a]
    for _top, directories, _others in kernel.walk(a):
        directories.clear()
    with pytest.raises(FileNotFoundError):
        list(kernel.walk(f"{tmpfs}/missing"))
    errors: list[KernelError] = []
    assert list(kernel.walk(f"{tmpfs}/missing", onerror=errors.append)) == []
    assert [error.name for error in errors] == ["ENOENT"]


def test_removing_trees(kernel: Kernel, tmpfs: str) -> None:
    kernel.makedirs(f"{tmpfs}/x/y/z")
    kernel.removedirs(f"{tmpfs}/x/y/z")
    assert not kernel.exists(f"{tmpfs}/x")
    kernel.makedirs(f"{tmpfs}/x/y/z")
    kernel.write_file(f"{tmpfs}/x/file", b"")
    kernel.removedirs(f"{tmpfs}/x/y/z")
    assert kernel.listdir(f"{tmpfs}/x") == ["file"]
    kernel.makedirs(f"{tmpfs}/x/y/z")
    kernel.rmtree(f"{tmpfs}/x")
    assert kernel.listdir(tmpfs) == []
    kernel.makedirs(f"{tmpfs}/x", exist_ok=True)
    with pytest.raises(FileExistsError):
        kernel.makedirs(f"{tmpfs}/x")


# Attributes


def test_modes_owners_and_times_of_descriptors(kernel: Kernel, tmpfs: str) -> None:
    fd = kernel.open(f"{tmpfs}/file", os.O_RDWR | os.O_CREAT, 0o600)
    kernel.fchmod(fd, 0o4755)
    kernel.futime(fd, (1.5, 2.25))
    assert (kernel.fstat(fd).st_atime, kernel.fstat(fd).st_mtime) == (1.5, 2.25)
    kernel.futime(fd, ns=(None, 7))
    assert (kernel.fstat(fd).st_atime, kernel.fstat(fd).st_mtime_ns) == (1.5, 7)
    assert stat.S_IMODE(kernel.fstat(fd).st_mode) == 0o4755
    kernel.fchown(fd, 3, -1)
    assert (kernel.fstat(fd).st_uid, kernel.fstat(fd).st_gid) == (3, 0)
    with pytest.raises(ValueError, match="not both"):
        kernel.utime(f"{tmpfs}/file", (1, 1), ns=(1, 1))


def test_file_flags(kernel: Kernel, tmpfs: str) -> None:
    path = f"{tmpfs}/file"
    kernel.write_file(path, b"")
    kernel.chflags(path, flags_of_names(["uimmutable", "nodump"]))
    found = kernel.native_stat(path).st_flags
    assert found == UF.IMMUTABLE | UF.NODUMP
    assert names_of_flags(found) == ["nodump", "uchg"]
    with pytest.raises(PermissionError):
        kernel.open(path, os.O_WRONLY)
    fd = kernel.open(path, os.O_RDONLY)
    kernel.fchflags(fd, 0)
    kernel.symlink("file", f"{tmpfs}/link")
    kernel.chflags(f"{tmpfs}/link", UF.NODUMP, follow_symlinks=False)
    assert kernel.native_stat(path).st_flags == 0
    assert kernel.native_stat(f"{tmpfs}/link", follow_symlinks=False).st_flags == UF.NODUMP


def test_names_of_flags() -> None:
    assert names_of_flags(SF.ARCHIVED | SF.IMMUTABLE | SF.APPEND | UF.APPEND | UF.OPAQUE) == [
        *("uappnd", "opaque", "arch", "schg", "sappnd"),
    ]
    assert names_of_flags(0x40) == ["0x40"]
    assert names_of_flags(0) == []
    with pytest.raises(ValueError, match="'colour' is no file flag"):
        flags_of_names(["colour"])


def test_extended_attributes(ffs: Kernel) -> None:
    kernel = ffs
    kernel.write_file("/f/file", b"")
    with pytest.raises(KernelError) as error:
        kernel.setxattr("/f/file", "user.colour", b"blue")
    assert refused(error) == "ENOTSUP"
    kernel.makedirs("/f/.attribute/user")
    kernel.makedirs("/f/.attribute/system")
    kernel.start_extended_attributes("/f")
    kernel.setxattr("/f/file", "user.colour", b"blue")
    kernel.setxattr("/f/file", "user.empty", b"")
    assert kernel.getxattr("/f/file", "user.colour") == b"blue"
    assert kernel.getxattr("/f/file", "user.empty") == b""
    assert sorted(kernel.listxattr("/f/file")) == ["user.colour", "user.empty"]
    with pytest.raises(FileExistsError):
        kernel.setxattr("/f/file", "user.colour", b"red", os.XATTR_CREATE)
    kernel.setxattr("/f/file", "user.colour", b"r" * 1000, os.XATTR_REPLACE)
    fd = kernel.open("/f/file", os.O_RDWR)
    assert kernel.getxattr(fd, "user.colour") == b"r" * 1000
    kernel.removexattr(fd, "user.empty")
    assert kernel.listxattr(fd) == ["user.colour"]
    with pytest.raises(KernelError) as error:
        kernel.getxattr("/f/file", "user.none")
    assert refused(error) == "ENODATA"
    kernel.symlink("file", "/f/link")
    assert kernel.getxattr("/f/link", "user.colour") == b"r" * 1000
    with pytest.raises(KernelError):
        kernel.getxattr("/f/link", "user.colour", follow_symlinks=False)
    kernel.close(fd)
    kernel.stop_extended_attributes("/f")


def test_where_there_are_no_extended_attributes(kernel: Kernel, tmpfs: str) -> None:
    for path in ("/file", f"{tmpfs}/file"):
        kernel.write_file(path, b"")
        for call in (
            lambda path: kernel.getxattr(path, "user.a"),
            lambda path: kernel.setxattr(path, "user.a", b""),
            kernel.listxattr,
            lambda path: kernel.removexattr(path, "user.a"),
        ):
            with pytest.raises(KernelError) as error:
                call(path)
            assert refused(error) == "ENOTSUP"


# File systems


def test_sizes_and_limits(kernel: Kernel) -> None:
    kernel.mkdir("/t")
    kernel.mount("tmpfs", "/t", 0, kernel.abi.struct("tmpfs_args").build(ta_version=1, ta_size_max=1 << 20))
    found = kernel.statvfs("/t")
    assert found.f_frsize * found.f_blocks == 1 << 20
    assert found.f_namemax == 255
    assert found.f_flag == 0
    fd = kernel.open("/t", os.O_RDONLY)
    assert kernel.fstatvfs(fd).f_blocks == found.f_blocks
    assert kernel.pathconf("/t", "PC_NAME_MAX") == kernel.fpathconf(fd, "PC_NAME_MAX") == 255
    assert kernel.pathconf("/t", "PC_PATH_MAX") == 1024
    with pytest.raises(KernelError) as error:
        kernel.pathconf("/t", "PC_MAX_CANON")
    assert refused(error) == "EINVAL"
    with pytest.raises(ValueError, match="is no limit of a path"):
        kernel.pathconf("/t", "PC_COLOUR")
    kernel.sync()
