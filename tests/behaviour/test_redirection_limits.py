# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module's Python on a kernel does not do: act on the controller, start programs, wait for ever.

And how it ends: by itself, by its time limit, with the kernel, and with the worker.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.redirection.runner import TookTooLong
from ansible_collections.rumpkernel.rump.tests.support.backends import ROOT, Server
from ansible_collections.rumpkernel.rump.tests.support.redirected import run_redirected

# What a module may do on the controller: the same on every machine.
pytestmark = pytest.mark.one_abi

TELL = """
import json, sys
def tell(**found):
    sys.stdout.write(json.dumps(found))
def error(function, *arguments, **more):
    try:
        return repr(function(*arguments, **more))
    except Exception as raised:
        return f"{type(raised).__name__}: {raised}"
"""


def told(url: str, script: str, *arguments: str, **program: object) -> dict[str, Any]:
    finished = run_redirected(url, TELL + script, *arguments, **program)
    assert (finished.rc, finished.stderr, finished.lost) == (0, b"", None)
    return dict(json.loads(finished.stdout))


@pytest.mark.parametrize(
    "call",
    [
        *("subprocess.run(['ls'])", "subprocess.run('ls', shell=True)", "os.system('ls')", "os.popen('ls')"),
        *("os.execv('/bin/ls', ['ls'])", "os.execvp('ls', ['ls'])", "os.fork()", "os.spawnlp(os.P_WAIT, 'ls', 'ls')"),
    ],
)
def test_programs_are_not_started(server: Server, call: str) -> None:
    found = told(server.url, f"import os, subprocess\ntell(error=error(lambda: {call}))")
    assert found["error"].startswith("NoProgram: ")
    assert "rump_command" in found["error"]


@pytest.mark.parametrize("call", ["kill(1, 9)", "wait()", "nice(1)", "getloadavg()", "setpriority(0, 0, 1)"])
def test_what_is_not_redirected_is_refused(server: Server, call: str) -> None:
    found = told(server.url, f"import os\ntell(error=error(lambda: os.{call}))")
    assert found["error"].startswith(f"Refused: os.{call.partition('(')[0]} is not redirected")


def test_what_netbsd_has_not_is_not_there(server: Server) -> None:
    names = ["sendfile", "copy_file_range", "listxattr", "memfd_create", "posix_spawn", "sched_getaffinity"]
    assert told(server.url, f"import os\ntell(has=[hasattr(os, name) for name in {names}])") == {"has": [False] * 6}


@pytest.mark.parametrize("name", ["ctypes", "sqlite3", "syslog", "multiprocessing.shared_memory", "curses"])
def test_what_is_written_in_c_is_not_imported(server: Server, name: str) -> None:
    found = told(server.url, f"import importlib\ntell(error=error(importlib.import_module, {name!r}))")
    assert found["error"].startswith("ImportError: ")
    assert "is not written in Python" in found["error"]


@pytest.mark.parametrize("name", ["ansible", "ansible.plugins", "ansible_collections.rumpkernel.rump"])
def test_the_controllers_ansible_is_out_of_reach(server: Server, name: str) -> None:
    found = told(server.url, f"import importlib\ntell(error=error(importlib.import_module, {name!r}))")
    assert found["error"].startswith("ModuleNotFoundError: ")


REACHES = {
    "open": "real.open(sys.argv[1], real.O_RDONLY)",
    "open, to write": "real.open(sys.argv[1], real.O_WRONLY)",
    "open, to write into Python": "real.open(posixpath.dirname(json.__file__) + '/x', real.O_CREAT | real.O_WRONLY)",
    "open, out of Python": "real.open(posixpath.dirname(json.__file__) + '/../../../../../etc/passwd', real.O_RDONLY)",
    "_io": "loaders._io.open(sys.argv[1])",
    "mkdir": "real.mkdir(sys.argv[1] + '2')",
    "unlink": "real.unlink(sys.argv[1])",
    "rename": "real.rename(sys.argv[1], sys.argv[1] + '2')",
    "chmod": "real.chmod(sys.argv[1], 0)",
    "listdir": "real.listdir('/')",
    "system": "real.system('touch ' + sys.argv[1] + '2')",
    "kill": "real.kill(real.getpid(), 9)",
    "fork": "real.fork()",
    "environment": "real.putenv(b'x', b'y')",
}


@pytest.mark.parametrize("reach", REACHES)
def test_the_guard_stops_what_goes_past_the_redirection(server: Server, tmp_path: Path, reach: str) -> None:
    canary = tmp_path / "canary"
    canary.write_text("here")
    script = "import importlib._bootstrap_external as loaders, posixpath\nreal = loaders._os\n"
    finished = run_redirected(server.url, f"{TELL}{script}tell(error=error(lambda: {REACHES[reach]}))", str(canary))
    assert json.loads(finished.stdout)["error"].startswith("ControllerTouched: ")
    assert len(finished.alarms) == 1
    assert canary.read_text() == "here"
    assert sorted(os.listdir(tmp_path)) == sorted(["canary", *_of_server(tmp_path)])


def _of_server(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.partition(".")[0] in ("csock", "server", "journal")]


def test_the_environment_is_not_the_controllers(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_CONTROLLER", "x")
    found = told(server.url, "import os\ntell(**os.environ)", environment={"MINE": "1", "LANG": "de_DE"})
    assert found["MINE"] == "1"
    assert found["LANG"] == "de_DE"
    assert found["HOME"] == "/root"
    assert set(found) == {"MINE", "LANG", "HOME", "USER", "LOGNAME", "PATH", "SHELL"}


def test_who_and_where_it_is(server: Server, kernel: Kernel) -> None:
    kernel.sysctl.set("kern.hostname", "web")
    script = """
import grp, os, platform, pwd, socket, sys
tell(
    name=os.uname().nodename, system=platform.system(), node=platform.node(), platform=sys.platform[:6],
    ids=[os.getuid(), os.geteuid(), os.getgid(), os.getegid()], cwd=os.getcwd(), pid=os.getpid(),
    root=pwd.getpwnam("root").pw_uid, wheel=grp.getgrgid(0).gr_name, home=os.path.expanduser("~"),
    nobody=error(pwd.getpwnam, "nobody"), umask=os.umask(0),
)
"""
    found = told(server.url, script)
    assert found.pop("pid") > 1
    assert "nobody" in found.pop("nobody")
    assert found == {
        "name": "web",
        "system": "NetBSD",
        "node": "web",
        "platform": "netbsd",
        "ids": [0, 0, 0, 0],
        "cwd": "/",
        "root": 0,
        "wheel": "wheel",
        "home": "/root",
        "umask": 0o22,
    }


def test_the_kernels_users(server: Server, kernel: Kernel) -> None:
    kernel.mkdir("/etc")
    kernel.write_file("/etc/passwd", b"# users\nroot:*:0:0:Root:/:/bin/sh\nwww:*:24:25:Web:/var/www:/bin/sh\nbroken\n")
    kernel.write_file("/etc/group", b"wheel:*:0:root\nwww:*:25:\nlogs:*:30:www,root\n")
    script = """
import grp, os, pwd
tell(
    names=[user.pw_name for user in pwd.getpwall()], gid=pwd.getpwnam("www").pw_gid, gecos=pwd.getpwuid(24).pw_gecos,
    members=grp.getgrnam("logs").gr_mem, home=os.path.expanduser("~www/x"),
    me=[os.getuid(), os.getgid(), os.getgroups()], own=os.environ["HOME"], denied=error(os.setuid, 0),
)
"""
    found = told(server.url, script, user="www")
    assert found.pop("denied").startswith("KernelPermissionError")
    assert sorted(found.pop("me")[2]) == [25, 30]
    assert found == {
        "names": ["root", "www"],
        "gid": 25,
        "gecos": "Web",
        "members": ["www", "root"],
        "home": "/var/www/x",
        "own": "/var/www",
    }
    missing = run_redirected(server.url, "", user="nobody_knows")
    assert missing.refused is not None
    assert "nobody_knows" in missing.refused


def test_the_kernels_clock(server: Server, kernel: Kernel) -> None:
    there = kernel.clock_gettime()
    script = "import time\ntell(now=time.time(), year=time.gmtime().tm_year, text=time.strftime('%Y'))"
    found = told(server.url, script)
    assert there <= found["now"] < there + 30
    assert found["year"] == time.gmtime(there).tm_year


def test_how_it_ends(server: Server, kernel: Kernel) -> None:
    for script, code, said in (
        ("import sys; sys.exit(3)", 3, ""),
        ("import sys; sys.exit()", 0, ""),
        ("import sys; sys.exit('because')", 1, "because\n"),
        ("import os; os._exit(4)", 4, ""),
        ("import atexit; atexit.register(lambda: open('/late', 'w').close())", 0, ""),
    ):
        finished = run_redirected(server.url, script)
        assert (finished.rc, finished.stderr.decode(), finished.lost) == (code, said, None)
    assert kernel.exists("/late")
    broken = run_redirected(server.url, "def broken():\n    1 / 0\nbroken()")
    assert broken.rc == 1
    assert "ZeroDivisionError" in broken.stderr.decode()
    assert "line 2, in broken" in broken.stderr.decode()


def test_much_is_said(server: Server) -> None:
    finished = run_redirected(server.url, "import sys; sys.stderr.write('e' * 300000); sys.stdout.write('o' * 300000)")
    assert (len(finished.stdout), len(finished.stderr)) == (300000, 300000)


def test_the_limit(server: Server) -> None:
    start = time.monotonic()
    with pytest.raises(TookTooLong, match=r"0\.5 s"):
        run_redirected(server.url, "while True: pass", limit=0.5)
    assert time.monotonic() - start < 5


def test_the_kernel_ends(server: Server) -> None:
    """The module goes on without looking; what is told is that the session is gone."""
    script = """
import os
open("/started", "w").close()
while True:
    try:
        os.stat("/")
    except OSError:
        break
"""
    with connect(server.url) as kernel:
        ending = threading.Thread(target=lambda: _kill_when(server, kernel))
        ending.start()
        finished = run_redirected(server.url, script)
        ending.join(10)
    assert finished.lost is not None
    assert server.url in finished.lost


def _kill_when(server: Server, kernel: Kernel) -> None:
    _until(lambda: kernel.exists("/started"))
    server.kill()


def test_the_root_file_system_has_no_rename(server: Server, kernel: Kernel) -> None:
    script = """
import os
for name, text in (("/a", "new"), ("/b", "old")):
    with open(name, "w") as file:
        file.write(text)
os.chmod("/a", 0o640)
os.utime("/a", (1, 2))
os.symlink("a", "/l")
os.mkdir("/d")
os.rename("/a", "/b")
os.rename("/l", "/m")
tell(directory=error(os.rename, "/d", "/e"), onto=error(os.rename, "/b", "/d"), missing=error(os.rename, "/x", "/y"))
"""
    finished = run_redirected(server.url, TELL + script)
    found = json.loads(finished.stdout)
    assert len(finished.notes) == 1
    assert "without rename" in finished.notes[0]
    assert kernel.read_file("/b") == b"new"
    there = kernel.stat("/b")
    assert (there.st_mode & 0o7777, there.st_mtime) == (0o640, 2)
    assert kernel.readlink("/m") == "a"
    assert [kernel.lexists(name) for name in ("/a", "/l")] == [False, False]
    assert "EOPNOTSUPP" in found["directory"]
    assert "ENOENT" in found["missing"]
    assert found["onto"] != "None"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_the_worker_ends(server: Server) -> None:
    """A module does not go on when the worker that started it is gone."""
    program = f"""
import sys
sys.path.insert(0, {str(ROOT / ".collections")!r})
import ansible
from ansible_collections.rumpkernel.rump.tests.support.redirected import run_redirected
print("ready", flush=True)
run_redirected({server.url!r}, "while True: pass")
"""
    worker = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert worker.stdout is not None
    worker.stdout.readline()
    children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children")
    _until(lambda: children.read_text().split())
    child = int(children.read_text().split()[0])
    time.sleep(0.2)  # for the child to be at its loop
    worker.send_signal(signal.SIGKILL)
    worker.wait(10)
    worker.stdout.close()
    _until(lambda: not Path(f"/proc/{child}").exists() or "Z (zombie)" in Path(f"/proc/{child}/status").read_text())


def _until(happened: Any) -> None:
    deadline = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)
