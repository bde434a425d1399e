# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs rump kernels' servers as supervised processes of a host that has no service manager for them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_supervise
short_description: Run servers of rump kernels as supervised processes of a host
description:
  - Starts, stops, restarts and removes processes that stay when Ansible has left, each under a supervisor of its own,
    and makes what they need first, which is directories and disk images.
  - It is what the role P(rumpkernel.rump.rump_server#role) uses where there is no systemd. Use the role.
  - A process that ends with an error is started again after a second. The supervisor gives up when it lived less than
    ten seconds five times in a row. A process that ends well, as a rump kernel does that a client halts, stays ended.
  - Unlike the other modules of this collection it runs on a host with a Python, and not on a kernel.
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
options:
  directory:
    description:
      - The directory in which the module keeps a record of each process, C(NAME.process). It does not outlive the
        processes, so that a file system in memory such as C(/run) is right.
      - It is made where it is missing, and goes with the last process.
    type: path
    required: true
  shared:
    description: Directories that are there as long as any process of O(directory) is known. They go with the last.
    type: list
    elements: path
    default: []
  user:
    description: The user whose processes, directories and images they are. By default the user that runs the module.
    type: str
  group:
    description:
      - The group of the same. Directories pass it on to what is made in them, such as sockets.
      - By default that of the user.
    type: str
  directory_mode:
    description: The mode of directories that the module makes for processes. The bit that passes the group on is added.
    type: str
    default: "0750"
  umask:
    description: The processes' umask in octal. It decides the mode of their sockets, V(0117) makes it 0660.
    type: str
    default: "0117"
  timeout:
    description:
      - Seconds until a process that was started has to answer at its O(processes[].url), and those after which a
        process that was told to end is killed.
    type: float
    default: 30.0
  processes:
    description: The processes. Those that are not named are left alone.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What it is known by.
        type: str
        required: true
      state:
        description:
          - V(started) starts it where it does not run, and anew where it runs with other options.
          - V(restarted) starts it anew always.
          - V(stopped) ends it, and keeps what is in its directories.
          - V(absent) ends it, and removes its directories with all that is in them. A directory above them that is
            then empty goes, too.
        type: str
        choices: [started, stopped, restarted, absent]
        default: started
      command:
        description: The program and its arguments. The program has to stay in the foreground.
        type: list
        elements: str
        default: []
      environment:
        description: Variables that are added to its environment.
        type: dict
        default: {}
      url:
        description: The URL at which it serves sysproxy. The module waits until it answers there.
        type: str
      log:
        description: The file that gets what it writes.
        type: path
      dead_when:
        description:
          - A regular expression for the last line that it writes when it is of no more use and yet does not end, as
            QEMU does not whose guest halted. A process with such a line at the end of O(processes[].log) counts as one
            that does not run.
        type: str
      directories:
        description: Directories of its own.
        type: list
        elements: path
        default: []
      images:
        description: Files that are made where they are missing, all zeros, with no blocks taken.
        type: list
        elements: dict
        default: []
        suboptions:
          path:
            description: The file.
            type: path
            required: true
          size:
            description: Its size in bytes.
            type: int
            required: true
attributes:
  check_mode:
    description: Can run in check mode and tell what it would change.
    support: full
  diff_mode:
    description: Returns the processes' states before and after.
    support: full
  platform:
    description: The hosts that the module works on.
    support: full
    platforms: posix
"""

EXAMPLES = r"""
- name: A rump kernel with networking
  rumpkernel.rump.rump_supervise:
    directory: /run/rump
    group: operators
    processes:
      - name: web
        command: [rump_server, -s, -lrumpnet, -lrumpnet_net, -lrumpnet_netinet, "unix:///run/rump/web/socket"]
        url: unix:///run/rump/web/socket
        directories: [/run/rump/web, /var/lib/rump/web]
        log: /var/lib/rump/web/log

- name: Remove it, and all that it left
  rumpkernel.rump.rump_supervise:
    directory: /run/rump
    processes:
      - name: web
        state: absent
        directories: [/run/rump/web, /var/lib/rump/web]
"""

RETURN = r"""
processes:
  description: The processes after the task, in the order of the option.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: The name.
      type: str
    state:
      description: V(started), V(stopped) or V(absent).
      type: str
    pid:
      description: The number of the supervisor, which leads the process group, or null.
      type: int
    changed:
      description: Whether something was done, or would be.
      type: bool
changes:
  description: What was done, or would be, in order.
  type: list
  elements: str
  returned: always
log:
  description: The last lines that a process wrote which did not come to answer.
  type: list
  elements: str
  returned: when a process does not answer
"""

import contextlib
import fcntl
import grp
import json
import os
import pwd
import re
import shutil
import signal
import socket
import time
import traceback
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule

# The lock on the record is shared by the supervisor and its process: it is free when both are gone, whoever ended
# them, and while it is held the number in the record is a process group of theirs and of nobody else.
SUPERVISOR = r"""
socket=$1; shift
stopping= failures=0
trap 'stopping=1' TERM INT HUP
while :; do
    [ -z "$socket" ] || rm -f -- "$socket"
    started=$(date +%s)
    "$@" &
    child=$!
    [ -z "$stopping" ] || kill -TERM "$child"
    while :; do
        wait "$child"; status=$?
        kill -0 "$child" 2>/dev/null || break
    done
    if [ -n "$stopping" ] || [ "$status" -eq 0 ]; then exit 0; fi
    echo "supervisor: $1 ended with status $status"
    [ $(($(date +%s) - started)) -lt 10 ] || failures=0
    failures=$((failures + 1))
    if [ "$failures" -ge 5 ]; then echo "supervisor: gives up"; exit 1; fi
    sleep 1
    [ -z "$stopping" ] || exit 0
done
"""
PAUSE = 0.02
BANNER = b"RUMPSP-"
LOG_LINES = 20
LOG_BYTES = 10000


class Failure(Exception):
    """What ends the module, with more for its result."""

    def __init__(self, message, **more):
        super().__init__(message)
        self.more = more


class Owner:
    """Who runs the processes and has what is made for them.

    :raises Failure: there is no such user or group, or only the superuser could do this.
    """

    def __init__(self, user, group):
        self.switch = os.geteuid() == 0
        try:
            entry = pwd.getpwnam(user) if user else pwd.getpwuid(os.geteuid())
            self.group = grp.getgrnam(group).gr_gid if group else entry.pw_gid
        except KeyError as error:
            raise Failure(f"user, group: {error.args[0]}") from None
        self.name, self.user = entry.pw_name, entry.pw_uid
        if not self.switch and self.user != os.geteuid():
            raise Failure(f"user: only the superuser can run processes as {user}")

    def take(self, path):
        """Own the path, if not so yet; True when that changed something."""
        status = os.stat(path)
        if (status.st_uid, status.st_gid) == (self.user, self.group):
            return False
        try:
            os.chown(path, self.user, self.group)
        except OSError as error:
            raise Failure(f"group: {path} cannot be given to the group: {error.strerror}") from None
        return True

    def become(self):
        # Who is it already does not need the rights to become it, which root has not everywhere (user namespaces).
        if self.switch and (self.user, self.group) != (os.geteuid(), os.getegid()):
            os.setgroups(os.getgrouplist(self.name, self.group))
            os.setgid(self.group)
            os.setuid(self.user)


class Record:
    """What is known of a process: its file in the directory, and the lock on it."""

    def __init__(self, directory, name):
        self.path = os.path.join(directory, f"{name}.process")

    def read(self):
        """The specification that it was started with and its number; nothing for one that is not known."""
        try:
            with open(self.path, encoding="utf-8") as file:
                return json.load(file)
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return {}

    def exists(self):
        return os.path.exists(self.path)

    def running(self):
        """Whether the supervisor or its process is there."""
        try:
            with open(self.path, "r+b") as file:
                return not _lock(file.fileno())
        except (FileNotFoundError, NotADirectoryError):
            return False

    def remove(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)


def _lock(descriptor):
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def start(record, specification, owner, umask):
    """Run the process under a supervisor that stays.

    :raises Failure: it cannot be started.
    """
    descriptor = os.open(record.path, os.O_RDWR | os.O_CREAT, 0o600)
    if not _lock(descriptor):
        raise Failure(f"{record.path}: the process was started by somebody else meanwhile")
    reader, writer = os.pipe()
    between = os.fork()
    if between == 0:
        try:
            os.close(reader)
            os.setsid()
            if os.fork() == 0:
                _supervise(descriptor, specification, owner, umask)
        except BaseException:
            os.write(writer, traceback.format_exc().encode())
        os._exit(0)
    os.close(writer)  # the other end closes when the supervisor's program begins
    os.waitpid(between, 0)
    with os.fdopen(reader, "rb") as answer:
        trouble = answer.read().decode()
    os.close(descriptor)
    if trouble:
        raise Failure(f"{specification['command'][0]} cannot be started: {trouble.splitlines()[-1]}")


def _supervise(descriptor, specification, owner, umask):
    """Become the supervisor: the end of a chain of forks."""
    os.setpgid(0, 0)
    record = json.dumps({"pid": os.getpid(), "specification": specification}).encode()
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, record, 0)
    os.set_inheritable(descriptor, True)
    nothing = os.open(os.devnull, os.O_RDWR)
    log = nothing
    if specification["log"]:
        log = os.open(specification["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        os.fchown(log, owner.user, owner.group)
    os.umask(umask)
    owner.become()
    os.chdir("/")
    for standard, source in enumerate((nothing, log, log)):
        os.dup2(source, standard)
    url = specification["url"] or ""
    path = url[len("unix://") :] if url.startswith("unix://") else ""
    environment = {**os.environ, **specification["environment"]}
    arguments = ["sh", "-c", SUPERVISOR, "rump-supervise", path, *specification["command"]]
    os.execve("/bin/sh", arguments, environment)


def stop(record, timeout):
    """End the process and its supervisor.

    :raises Failure: it does not end.
    """
    group = record.read().get("pid")
    for number, limit in ((signal.SIGTERM, timeout), (signal.SIGKILL, 5.0)):
        if not record.running():
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, number)
        deadline = time.monotonic() + limit
        while record.running() and time.monotonic() < deadline:
            time.sleep(PAUSE)
    if record.running():
        raise Failure(f"{record.path}: process group {group} does not end")


def await_answer(record, specification, timeout, dead_when, begin):
    """Wait until the server says its banner. ``begin`` is where its log began when it was started.

    :raises Failure: it ended, or the time is over.
    """
    deadline = time.monotonic() + timeout
    while not _answers(specification["url"]):
        ended = not record.running()
        dead = is_dead(specification["log"], dead_when, begin)
        if ended or dead or time.monotonic() > deadline:
            lines = _last_lines(specification["log"], begin)
            why = "it ended" if ended else "it halted" if dead else f"not within {timeout:g} s"
            said = f"; it said: {' / '.join(lines)}" if lines else ""
            raise Failure(f"{record.path}: no answer at {specification['url']}, {why}{said}", log=lines)
        time.sleep(PAUSE)


def _answers(url):
    """Whether a sysproxy server is at the URL. Others than unix and tcp are taken for well."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        family, address = socket.AF_UNIX, url[len("unix://") :]
    elif parts.scheme in ("tcp", "tcp6"):
        family = socket.AF_INET if parts.scheme == "tcp" else socket.AF_INET6
        everywhere = {"0": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1", "::0": "::1"}
        address = (everywhere.get(parts.hostname, parts.hostname), parts.port)
    else:
        return True
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(1.0)
        try:
            client.connect(address)
            return client.recv(len(BANNER)) == BANNER
        except OSError:
            return False


def is_dead(path, dead_when, begin=0):
    """Whether the last line of a log says that its process is of no more use."""
    lines = _last_lines(path, begin) if dead_when else []
    return bool(lines) and re.search(dead_when, lines[-1]) is not None


def _last_lines(path, begin=0):
    try:
        with open(path, "rb") as file:
            file.seek(max(begin, os.path.getsize(path) - LOG_BYTES))
            return file.read().decode(errors="replace").splitlines()[-LOG_LINES:]
    except (OSError, TypeError):
        return []


def _size(path):
    try:
        return os.path.getsize(path)
    except (OSError, TypeError):
        return 0


class Host:
    """The processes of a directory, as they are and as they are wanted."""

    def __init__(self, options, check_mode):
        self.directory, self.shared = options["directory"], options["shared"]
        self.timeout, self.check_mode = options["timeout"], check_mode
        try:
            self.umask = int(options["umask"], 8)
            self.mode = int(options["directory_mode"], 8) | 0o2000
        except ValueError as error:
            raise Failure(f"umask, directory_mode: {error}") from None
        self.wanted = options["processes"]
        # Nobody is looked up for those that only go: the user may have gone before.
        stays = any(process["state"] != "absent" for process in self.wanted)
        self.owner = Owner(options["user"], options["group"]) if stays else None
        self.changes = []
        self.before = {}
        self.after = {}

    def change(self, what):
        """Note a change down; whether it is to be made."""
        self.changes.append(what)
        return not self.check_mode

    def converge(self):
        """Bring all processes to their states, and wait for those that were started together."""
        names = [process["name"] for process in self.wanted]
        for process in self.wanted:
            self.validate(process, names)
        if self.owner:
            self.make_directory(self.directory, 0o755, owned=False)
            for path in self.shared:
                self.make_directory(path, self.mode)
        results, started = [], []
        for process in self.wanted:
            record = Record(self.directory, process["name"])
            count = len(self.changes)
            self.before[process["name"]] = self.state(record)
            begin = _size(process["log"])
            begun = getattr(self, "to_be_" + process["state"])(process, record)
            state = {"restarted": "started"}.get(process["state"], process["state"])
            self.after[process["name"]] = state
            if begun and not self.check_mode:
                started.append((process, record, begin))
            results.append({"name": process["name"], "state": state, "changed": len(self.changes) > count})
        for process, record, begin in started:
            if process["url"]:
                await_answer(record, self.specification(process), self.timeout, process["dead_when"], begin)
        for result in results:
            record = Record(self.directory, result["name"])
            result["pid"] = record.read().get("pid") if record.running() else None
        self.clean()
        return results

    def validate(self, process, names):
        name = process["name"]
        if not name or "/" in name or name.startswith("."):
            raise Failure(f"processes: {name!r} is no name for a process; it has no / and no dot at its beginning")
        if names.count(name) > 1:
            raise Failure(f"processes: {name} is there twice")
        if process["state"] in ("started", "restarted"):
            if not process["command"]:
                raise Failure(f"processes: {name} has no command")
            program = process["command"][0]
            if not shutil.which(program):
                raise Failure(f"processes: {name}: there is no program {program} on this host")
            try:
                re.compile(process["dead_when"] or "")
            except re.error as error:
                raise Failure(f"processes: {name}: dead_when: {error}") from None

    def state(self, record):
        if record.running():
            return "started"
        return "stopped" if record.exists() else "absent"

    def specification(self, process):
        """What a running process is compared by."""
        specification = {name: process[name] for name in ("command", "url", "log")}
        specification["environment"] = {name: str(value) for name, value in process["environment"].items()}
        specification.update(user=self.owner.user, group=self.owner.group, umask=self.umask)
        return specification

    def to_be_started(self, process, record, anew=False):
        """Whether it was started, or would be."""
        for path in process["directories"]:
            self.make_directory(path, self.mode)
        for image in process["images"]:
            self.make_image(image)
        specification = self.specification(process)
        if record.running():
            same = record.read().get("specification") == specification
            if not anew and same and not is_dead(process["log"], process["dead_when"]):
                return False
            if self.change(f"stop {process['name']}"):
                stop(record, self.timeout)
        if self.change(f"start {process['name']}"):
            start(record, specification, self.owner, self.umask)
        return True

    def to_be_restarted(self, process, record):
        return self.to_be_started(process, record, anew=True)

    def to_be_stopped(self, process, record):
        for path in process["directories"]:
            self.make_directory(path, self.mode)
        if record.running():
            if self.change(f"stop {process['name']}"):
                stop(record, self.timeout)
        elif not record.exists() and self.change(f"note down {process['name']}"):
            with open(record.path, "x", encoding="utf-8") as file:
                os.fchmod(file.fileno(), 0o600)
        return False

    def to_be_absent(self, process, record):
        if record.running() and self.change(f"stop {process['name']}"):
            stop(record, self.timeout)
        for path in process["directories"]:
            self.remove_directory(path)
        if record.exists() and self.change(f"forget {process['name']}"):
            record.remove()
        return False

    def make_directory(self, path, mode, owned=True):
        if not os.path.isdir(path):
            if not self.change(f"make the directory {path}"):
                return
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.mkdir(path)
            if owned:
                self.owner.take(path)
            os.chmod(path, mode)
        elif owned:
            status = os.stat(path)
            right = (status.st_uid, status.st_gid) == (self.owner.user, self.owner.group)
            if (not right or status.st_mode & 0o7777 != mode) and self.change(f"set the rights of {path}"):
                self.owner.take(path)
                os.chmod(path, mode)

    def make_image(self, image):
        path = image["path"]
        if not os.path.exists(path) and self.change(f"make the image {path} of {image['size']} bytes"):
            with open(path, "xb") as file:
                file.truncate(image["size"])
                os.fchmod(file.fileno(), 0o660)
            self.owner.take(path)

    def remove_directory(self, path):
        if os.path.isdir(path) and self.change(f"remove the directory {path}"):
            shutil.rmtree(path)
            with contextlib.suppress(OSError):
                os.rmdir(os.path.dirname(path))

    def clean(self):
        """Remove what is there for all when none is left."""
        if not os.path.isdir(self.directory) or self.check_mode:
            return
        if not any(name.endswith(".process") for name in os.listdir(self.directory)):
            for path in self.shared:
                self.remove_directory(path)
            with contextlib.suppress(OSError):
                os.rmdir(self.directory)


def main():
    image = {"path": {"type": "path", "required": True}, "size": {"type": "int", "required": True}}
    process = {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["started", "stopped", "restarted", "absent"], "default": "started"},
        "command": {"type": "list", "elements": "str", "default": []},
        "environment": {"type": "dict", "default": {}},
        "url": {"type": "str"},
        "log": {"type": "path"},
        "dead_when": {"type": "str"},
        "directories": {"type": "list", "elements": "path", "default": []},
        "images": {"type": "list", "elements": "dict", "default": [], "options": image},
    }
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "shared": {"type": "list", "elements": "path", "default": []},
            "user": {"type": "str"},
            "group": {"type": "str"},
            "directory_mode": {"type": "str", "default": "0750"},
            "umask": {"type": "str", "default": "0117"},
            "timeout": {"type": "float", "default": 30.0},
            "processes": {"type": "list", "elements": "dict", "required": True, "options": process},
        },
        supports_check_mode=True,
    )
    host = None
    try:
        host = Host(module.params, module.check_mode)
        results = host.converge()
    except Failure as failure:
        module.fail_json(msg=str(failure), changes=host.changes if host else [], **failure.more)
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}", changes=host.changes if host else [])
    module.exit_json(
        changed=bool(host.changes),
        changes=host.changes,
        processes=results,
        diff={"before": host.before, "after": host.after},
    )


if __name__ == "__main__":
    main()
