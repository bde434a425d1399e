# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Python's functions on files do: a program that tests run here, and in a module's Python on a kernel.

Each function is called in an empty directory of its own, and its result printed as JSON. They ask for nothing that
differs between systems. The program's argument is the directory above.
"""

from __future__ import annotations

import errno
import glob
import io
import json
import os
import pathlib
import shutil
import stat
import sys
import tempfile
from typing import Any


def error(function: Any, *arguments: Any, **more: Any) -> Any:
    try:
        return function(*arguments, **more)
    except OSError as raised:
        kind = next(base for base in type(raised).__mro__ if base.__module__ == "builtins")
        return kind.__name__, errno.errorcode[raised.errno or 0], raised.filename, raised.filename2


def write(path: Any, text: str = "text") -> None:
    with open(path, "w") as file:
        file.write(text)


def read(path: Any) -> str:
    with open(path) as file:
        return file.read()


def mode(path: Any) -> str:
    return oct(os.lstat(path).st_mode)


def do_open_text() -> Any:
    write("f", "eins\nzwei\n")
    return (read("f"), open("f").readlines(), os.stat("f").st_size)


def do_open_bytes() -> Any:
    open(b"f", "wb").write(b"\x00\xff")  # noqa: SIM115
    return open(b"f", "rb").read()


def do_open_append() -> Any:
    write("f", "a")
    with open("f", "a") as f:
        f.write("b")
        at = f.tell()
    return (read("f"), at)


def do_open_exclusive() -> Any:
    open("f", "x").close()
    return error(open, "f", "x")


def do_open_update() -> Any:
    write("f", "abc")
    with open("f", "r+") as f:
        f.seek(1)
        f.write("X")
    return read("f")


def do_open_unbuffered() -> Any:
    with open("f", "wb", 0) as f:
        n = f.write(b"abc")
    return (n, read("f"))


def do_open_encoding() -> Any:
    with open("f", "w", encoding="latin-1") as f:
        f.write("ä")
    return open("f", "rb").read()


def do_open_newline() -> Any:
    with open("f", "w", newline="\r\n") as f:
        f.write("a\n")
    return (open("f", "rb").read(), read("f"))


def do_open_missing() -> Any:
    return error(open, "nothing")


def do_open_a_directory() -> Any:
    os.mkdir("d")
    return (error(open, "d"), error(open, "d", "w"))


def do_open_below_a_file() -> Any:
    write("f")
    return error(open, "f/x")


def do_open_wrong_mode() -> Any:
    def refused(letters: str) -> bool:
        try:
            open("f", letters).close()
        except ValueError:
            return True
        return False

    return [refused(letters) for letters in ("rw", "", "bt", "z", "rr", "w", "r+")]


def do_open_descriptor() -> Any:
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    with open(fd, "w") as f:
        f.write("x")
        same = f.fileno() == fd
    return (same, read("f"))


def do_open_opener() -> Any:
    with open("f", "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
        name = f.name
    return (name, mode("f"))


def do_open_pathlike() -> Any:
    with open(pathlib.Path("f"), "w") as f:
        return (f.name == pathlib.Path("f"), f.mode)


def do_open_permissions() -> Any:
    os.umask(0o027)
    write("f")
    return mode("f")


def do_open_standard_stream() -> Any:
    return open(1, "w", closefd=False).fileno()


def do_file_attributes() -> Any:
    f = open("f", "wb")  # noqa: SIM115
    out = (
        f.name,
        f.mode,
        f.closed,
        f.readable(),
        f.writable(),
        f.seekable(),
        f.isatty(),
        isinstance(f, io.BufferedWriter),
    )
    f.close()
    return out


def do_file_truncate() -> Any:
    write("f", "abcdef")
    with open("f", "r+b") as f:
        f.truncate(2)
    return read("f")


def do_file_iteration() -> Any:
    write("f", "a\nb")
    return list(open("f"))


def do_fileio() -> Any:
    with io.FileIO("f", "w") as f:
        f.write(b"x")
        raw = isinstance(f, io.RawIOBase)
    return (raw, read("f"))


def do_io_open() -> Any:
    open("f", "w").close()
    return (os.path.exists("f"), io.open is open)


def do_fdopen() -> Any:
    with os.fdopen(os.open("f", os.O_WRONLY | os.O_CREAT), "wb") as f:
        f.write(b"x")
    return read("f")


def do_read_write_seek() -> Any:
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    out = (
        os.write(fd, b"abcdef"),
        os.lseek(fd, 2, 0),
        os.read(fd, 2),
        os.lseek(fd, -1, 2),
        os.read(fd, 9),
        os.read(fd, 9),
    )
    os.close(fd)
    return out


def do_pread_pwrite() -> Any:
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    return (os.pwrite(fd, b"abc", 2), os.pread(fd, 9, 0))


def do_readv_writev() -> Any:
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    n = os.writev(fd, [b"ab", b"c"])
    os.lseek(fd, 0, 0)
    a, b = (bytearray(1), bytearray(9))
    return (n, os.readv(fd, [a, b]), bytes(a), bytes(b[:2]))


def do_fstat() -> Any:
    fd = os.open("f", os.O_WRONLY | os.O_CREAT, 0o640)
    return (oct(os.fstat(fd).st_mode), os.fstat(fd).st_size, os.stat(fd).st_nlink)


def do_fchmod() -> Any:
    fd = os.open("f", os.O_WRONLY | os.O_CREAT)
    os.fchmod(fd, 0o604)
    out = mode("f")
    os.chmod(fd, 0o600)
    return (out, mode("f"))


def do_ftruncate() -> Any:
    fd = os.open("f", os.O_WRONLY | os.O_CREAT)
    os.ftruncate(fd, 5)
    os.truncate(fd, 3)
    os.fsync(fd)
    os.fdatasync(fd)
    return os.stat("f").st_size


def do_dup() -> Any:
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    copy = os.dup(fd)
    os.close(fd)
    return (os.write(copy, b"x"), copy != fd)


def do_dup2() -> Any:
    a, b = (os.open("a", os.O_RDWR | os.O_CREAT), os.open("b", os.O_RDWR | os.O_CREAT))
    os.dup2(a, b)
    os.write(b, b"x")
    return (os.path.getsize("a"), os.path.getsize("b"))


def do_pipe() -> Any:
    a, b = os.pipe()
    os.write(b, b"through")
    os.close(b)
    return (os.read(a, 99), os.read(a, 99))


def do_bad_descriptor() -> Any:
    return (error(os.read, 77, 1), error(os.close, 77), error(os.fstat, -1))


def do_isatty() -> Any:
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    return (os.isatty(fd), error(os.ttyname, fd), error(os.get_terminal_size, fd))


def do_open_flags() -> Any:
    def attempt(flags: int) -> Any:
        return error(lambda: os.close(os.open("f", flags)))

    return (
        attempt(os.O_RDONLY),
        attempt(os.O_CREAT | os.O_EXCL | os.O_WRONLY),
        attempt(os.O_CREAT | os.O_EXCL),
        attempt(os.O_TRUNC | os.O_WRONLY),
        attempt(os.O_DIRECTORY),
    )


def do_open_no_follow() -> Any:
    write("f")
    os.symlink("f", "l")
    return type(error(os.open, "l", os.O_RDONLY | os.O_NOFOLLOW)).__name__


def do_stat() -> Any:
    write("f", "abc")
    s = os.stat("f")
    return (
        stat.S_ISREG(s.st_mode),
        s.st_size,
        s.st_nlink,
        s.st_uid == os.getuid(),
        s.st_mtime_ns // 10**9 == int(s.st_mtime),
        len(s),
    )


def do_stat_missing() -> Any:
    write("f")
    return (error(os.stat, "x"), error(os.stat, "f/x"), error(os.lstat, b"x"), error(os.stat, "x" * 300))


def do_stat_links() -> Any:
    write("f")
    os.symlink("f", "l")
    os.symlink("nothing", "d")
    return (
        oct(os.stat("l").st_mode),
        stat.S_ISLNK(os.lstat("l").st_mode),
        stat.S_ISLNK(os.stat("l", follow_symlinks=False).st_mode),
        error(os.stat, "d"),
    )


def do_os_path() -> Any:
    write("f")
    os.mkdir("d")
    os.symlink("d", "l")
    return [
        (
            p,
            os.path.exists(p),
            os.path.isfile(p),
            os.path.isdir(p),
            os.path.islink(p),
            os.path.lexists(p),
            os.path.ismount(p),
        )
        for p in ("f", "d", "l", "x", b"f")
    ]


def do_os_path_absolute() -> Any:
    os.makedirs("a/b")
    os.chdir("a")
    return (os.path.abspath("b"), os.path.realpath("../a/b"), os.getcwd(), os.path.relpath(".", ".."))


def do_os_path_real() -> Any:
    os.mkdir("d")
    os.symlink("d", "l")
    os.symlink(os.path.abspath("l"), "m")
    return (os.path.realpath("m/x"), os.path.realpath(b"l"), os.path.samefile("d", "m"))


def do_os_path_times() -> Any:
    write("f")
    os.utime("f", (1, 2))
    return (os.path.getmtime("f"), os.path.getatime("f"), os.path.getsize("f"))


def do_access() -> Any:
    write("f")
    os.chmod("f", 0o600)
    return (os.access("f", os.F_OK), os.access("f", os.R_OK | os.W_OK), os.access("x", os.F_OK))


def do_readlink() -> Any:
    os.symlink("to/there", "l")
    return (os.readlink("l"), os.readlink(b"l"), error(os.readlink, "x"), os.readlink(pathlib.Path("l")))


def do_statvfs() -> Any:
    s = os.statvfs(".")
    return (s.f_namemax, s.f_bavail <= s.f_blocks, type(s).__name__)


def do_mkdir() -> Any:
    os.mkdir("d", 0o700)
    out = (mode("d"), error(os.mkdir, "d"), error(os.mkdir, "x/y"), error(os.rmdir, "x"))
    os.rmdir(b"d")
    return (out, os.path.exists("d"))


def do_makedirs() -> Any:
    os.makedirs("a/b/c", 0o700)
    os.makedirs("a/b/c", exist_ok=True)
    out = (mode("a"), mode("a/b/c"), error(os.makedirs, "a/b/c"))
    os.removedirs("a/b/c")
    return (out, os.listdir())


def do_rmdir_not_empty() -> Any:
    os.makedirs("a/b")
    return error(os.rmdir, "a")


def do_listdir() -> Any:
    write("b")
    write("a")
    os.mkdir("c")
    return (
        sorted(os.listdir()),
        sorted(os.listdir(b".")),
        sorted(os.listdir(pathlib.Path("."))),
        error(os.listdir, "a"),
        error(os.listdir, "x"),
    )


def do_listdir_odd_names() -> Any:
    open(b"\xff", "w").close()
    write("ä")
    return (sorted(os.listdir()), sorted(os.listdir(b".")))


def do_scandir() -> Any:
    write("f")
    os.mkdir("d")
    os.symlink("d", "l")
    with os.scandir(".") as found:
        return sorted(
            (
                e.name,
                e.path,
                e.is_dir(),
                e.is_file(),
                e.is_symlink(),
                e.is_dir(follow_symlinks=False),
                stat.S_ISLNK(e.stat(follow_symlinks=False).st_mode),
                os.fspath(e),
            )
            for e in found
        )


def do_scandir_bytes() -> Any:
    write("f")
    return ([(e.name, e.path) for e in os.scandir(b".")], error(os.scandir, "x"))


def do_walk() -> Any:
    os.makedirs("a/b")
    write("a/f")
    os.symlink("b", "a/l")
    return (
        [sorted(map(str, step)) for step in os.walk(".")],
        len(list(os.walk(".", topdown=False, followlinks=True))),
        list(os.walk("x")),
    )


def do_chdir() -> Any:
    os.mkdir("d")
    os.chdir("d")
    write("f")
    os.chdir("..")
    return (os.listdir("d"), error(os.chdir, "x"), os.getcwdb())


def do_fchdir() -> Any:
    os.mkdir("d")
    fd = os.open("d", os.O_RDONLY)
    os.fchdir(fd)
    write("f")
    os.chdir("..")
    return os.listdir("d")


def do_unlink() -> Any:
    write("a")
    write("b")
    os.unlink("a")
    os.remove(b"b")
    return (os.listdir(), error(os.unlink, "a"))


def do_rename() -> Any:
    write("a", "1")
    write("b", "2")
    os.rename("a", "b")
    out = (os.listdir(), read("b"), error(os.rename, "x", "y"))
    os.replace("b", "c")
    return (out, os.listdir())


def do_rename_directories() -> Any:
    os.makedirs("a/b")
    os.mkdir("c")
    write("f")
    os.rename("a", "d")
    out = (os.listdir("d"), error(os.rename, "f", "c"), error(os.rename, "c", "f"))
    os.renames("d/b", "n/e")
    return (out, sorted(os.listdir()))


def do_link() -> Any:
    write("a")
    os.link("a", "b")
    return (os.stat("b").st_nlink, os.path.samefile("a", "b"), error(os.link, "a", "b"), error(os.link, "x", "y"))


def do_symlink() -> Any:
    os.symlink("x", "l")
    return (error(os.symlink, "y", "l"), os.path.exists("l"), os.readlink("l"))


def do_mkfifo() -> Any:
    os.mkfifo("p", 0o600)
    return (mode("p"), stat.S_ISFIFO(os.stat("p").st_mode))


def do_truncate() -> Any:
    write("f", "abc")
    os.truncate("f", 1)
    return (read("f"), error(os.truncate, "x", 1))


def do_utime() -> Any:
    write("f")
    os.utime("f", ns=(1500000000, 2_000_001_000))
    s = os.stat("f")
    precise = (s.st_atime_ns, s.st_mtime_ns)
    os.utime("f", (3, 4))
    seconds = os.stat("f").st_mtime
    os.utime("f")
    return ((precise, seconds), os.stat("f").st_mtime > 10**9)


def do_utime_link() -> Any:
    write("f")
    os.symlink("f", "l")
    os.utime("l", (1, 2), follow_symlinks=False)
    return (os.lstat("l").st_mtime, os.stat("f").st_mtime > 2)


def do_chmod() -> Any:
    write("f")
    os.chmod("f", 0o4711)
    out = mode("f")
    os.chmod(b"f", 0o600)
    return (out, mode("f"), error(os.chmod, "x", 384))


def do_chown() -> Any:
    write("f")
    os.chown("f", -1, -1)
    os.lchown("f", -1, -1)
    fd = os.open("f", os.O_RDONLY)
    os.fchown(fd, -1, -1)
    os.chown(fd, os.getuid(), -1)
    return (os.stat("f").st_uid == os.getuid(), error(os.chown, "x", -1, -1))


def do_shutil_copies() -> Any:
    write("f", "x")
    os.chmod("f", 0o640)
    os.utime("f", (1, 2))
    shutil.copy("f", "g")
    shutil.copy2("f", "h")
    shutil.copyfile("f", "i")
    return (mode("g"), mode("h"), os.stat("h").st_mtime, read("i"))


def do_shutil_trees() -> Any:
    os.makedirs("a/b")
    write("a/b/f")
    os.symlink("f", "a/b/l")
    shutil.copytree("a", "c", symlinks=True)
    shutil.rmtree("a")
    return (sorted(os.listdir()), sorted(os.listdir("c/b")), os.readlink("c/b/l"))


def do_shutil_move() -> Any:
    os.makedirs("a/b")
    write("f")
    shutil.move("a", "c")
    shutil.move("f", "c")
    return (sorted(os.listdir("c")), error(shutil.rmtree, "x"))


def do_shutil_disk() -> Any:
    return (shutil.disk_usage(".").total >= shutil.disk_usage(".").free, shutil.which("no-such-program"))


def do_shutil_archives() -> Any:
    os.mkdir("a")
    write("a/f", "x")
    shutil.make_archive("z", "zip", "a")
    shutil.make_archive("t", "gztar", "a")
    shutil.unpack_archive("z.zip", "u")
    shutil.unpack_archive("t.tar.gz", "v")
    return (read("u/f"), read("v/f"))


def do_pathlib() -> Any:
    p = pathlib.Path("d/e")
    p.mkdir(parents=True)
    (p / "f").write_text("x")
    (p / "l").symlink_to("f")
    out = (
        (p / "f").read_text(),
        (p / "l").resolve().name,
        sorted(map(str, pathlib.Path().rglob("*"))),
        (p / "f").stat().st_size,
        (p / "x").exists(),
        pathlib.Path.cwd() == pathlib.Path(os.getcwd()),
    )
    (p / "f").unlink()
    (p / "l").rename("m")
    return out


def do_glob() -> Any:
    os.makedirs("a/b")
    write("a/x.py")
    write("a/b/y.py")
    return (sorted(glob.glob("**/*.py", recursive=True)), glob.glob("a/*.py"), glob.glob(b"a/b/*"))


def do_tempfile() -> Any:
    fd, p = tempfile.mkstemp(dir=".", suffix="s")
    os.close(fd)
    d = tempfile.mkdtemp(dir=os.getcwd())
    return (mode(p), mode(d), p.endswith("s"))


def do_tempfile_objects() -> Any:
    with tempfile.NamedTemporaryFile(dir=".") as f:
        f.write(b"x")
        f.flush()
        inside = (os.path.getsize(f.name), os.path.basename(f.name).startswith("tmp"))
    with tempfile.TemporaryDirectory(dir=".") as d:
        write(d + "/f")
    with tempfile.SpooledTemporaryFile(dir=".", max_size=1) as s:
        s.write(b"abc")
        s.seek(0)
        spooled = s.read()
    return (inside, spooled, os.listdir())


def do_mkfifo_and_nodes() -> Any:
    return error(os.mkfifo, "x/y")[:2]


def main() -> None:
    results = {}
    for name, function in list(globals().items()):
        if not name.startswith("do_"):
            continue
        top = os.path.join(sys.argv[1], name)
        os.mkdir(top)
        os.chdir(top)
        os.umask(0o022)
        try:
            results[name] = repr(function()).replace(sys.argv[1], "ROOT")
        except Exception as raised:
            results[name] = f"raised {type(raised).__name__}: {raised}"
    sys.stdout.write(json.dumps(results))


if __name__ == "__main__":
    main()
