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
notes:
  - Where the superuser runs the module for another O(user), this user cannot lead it astray. The module makes and opens
    files only in directories that belong to the superuser, and refuses others.
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
options:
  directory:
    description:
      - The directory in which the module keeps a record of each process, C(NAME.process). It does not outlive the
        processes, so that a file system in memory such as C(/run) is right.
      - It is made where it is missing, and goes when nothing is left in it but O(shared).
    type: path
    required: true
  shared:
    description: Directories that are there as long as anything else is in O(directory). They go with the last of it.
    type: list
    elements: path
    default: []
  user:
    description:
      - The user whose processes, images, and O(processes[].directories) they are, but for those directories in which a
        log or an image is.
      - By default the user that runs the module.
    type: str
  group:
    description:
      - The group of the same, and of logs. The user's directories pass it on to what is made in them, such as sockets.
      - By default that of the user.
    type: str
  directory_mode:
    description:
      - The mode of directories that the module makes for the user. The bit that passes the group on is added.
      - Directories in which a log or an image is have the mode 0751.
    type: str
    default: "0750"
  umask:
    description: The processes' umask in octal. It decides the mode of their sockets, V(0117) makes it 0660.
    type: str
    default: "0117"
  timeout:
    description:
      - Seconds until a process that was started has to answer at its O(processes[].url), and those after which a
        process that was told to end is killed. More than 0.
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
        description:
          - The URL at which it serves sysproxy, C(unix:///PATH), C(tcp://ADDRESS:PORT) or C(tcp6://[ADDRESS]:PORT). The
            module waits until it answers there.
          - Nothing else may answer there before, and no other process of O(directory) may have the same.
        type: str
      log:
        description:
          - The file that gets what it writes. It belongs to the user that runs the module, and O(group) may read it.
        type: path
      dead_when:
        description:
          - A regular expression for the last line that it writes when it is of no more use and yet does not end, as
            QEMU does not whose guest halted. A process with such a line at the end of O(processes[].log) counts as one
            that does not run.
        type: str
      directories:
        description:
          - Directories of its own. They belong to O(user), but those in which O(processes[].log) or one of
            O(processes[].images) is belong to the user that runs the module.
        type: list
        elements: path
        default: []
      images:
        description:
          - Files that are made where they are missing, all zeros, with no blocks taken. They belong to O(user). Those
            that are there are given to it if they are in one of O(processes[].directories).
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
import stat
import time
import traceback

from ansible.module_utils.basic import AnsibleModule

# The lock on the record is shared by the supervisor and its process: it is free when both are gone, whoever ended
# them, and while it is held the number in the record is a process group of theirs and of nobody else.
SUPERVISOR = r"""
socket=$1; shift
stopping= failures=0
trap 'stopping=1' TERM INT HUP
while :; do
    [ ! -S "$socket" ] || rm -f -- "$socket"
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
SUPERVISOR_SAYS = "supervisor: "
SUPERVISOR_SLEEPS = 1.0  # seconds until it starts again what failed
PAUSE = 0.02
# Seconds that a process has to live for its answer to be believed: one that finds its address taken ends before.
HOLD = 0.5
# Seconds in which the sockets of a process that ended are closed: its lock may be free a moment before.
CLOSING = 2.0
BANNER = b"RUMPSP-"
LOG_LINES = 20
LOG_BYTES = 10000
LOG_MODE = 0o640
IMAGE_MODE = 0o660
# Of directories with a log or images: the processes' user can enter, and change nothing.
KEPT_MODE = 0o751
SOCKET_PATH_BYTES = 103
FAMILIES = {"unix": socket.AF_UNIX, "tcp": socket.AF_INET, "tcp6": socket.AF_INET6}
TCP_FORMS = {"tcp": r"([A-Za-z0-9.*-]+):([0-9]{1,5})/?", "tcp6": r"\[([0-9A-Fa-f:.]+)\]:([0-9]{1,5})/?"}
URL_FORMS = (
    f"unix:///PATH of at most {SOCKET_PATH_BYTES} bytes, tcp://ADDRESS:PORT or tcp6://[ADDRESS]:PORT with a port"
    " from 1 to 65535"
)
EVERYWHERE = ("0", "*", "0.0.0.0", "::", "::0")


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
        self.process_group = self.group if self.switch else os.getegid()

    def give(self, descriptor, path, user, mode):
        """Have an open file or directory belong to a user and the group, with a mode.

        :raises Failure: the superuser alone could do this.
        """
        status = os.fstat(descriptor)
        if (status.st_uid, status.st_gid) != (user, self.group):
            try:
                os.fchown(descriptor, user, self.group)
            except OSError as error:
                raise Failure(f"user, group: {path} cannot be given to them: {error.strerror}") from None
        os.fchmod(descriptor, mode)

    def become(self):
        # Who is it already does not need the rights to become it, which root has not everywhere (user namespaces).
        if self.switch and (self.user, self.group) != (os.geteuid(), os.getegid()):
            os.setgroups(os.getgrouplist(self.name, self.group))
            os.setgid(self.group)
            os.setuid(self.user)


class Endpoint:
    """Where a server listens.

    :raises ValueError: the URL is none. The error says what would be one.
    """

    def __init__(self, url):
        self.scheme, _separator, rest = url.partition("://")
        self.path = None
        if self.scheme == "unix":
            self.path = rest
            if not rest.startswith("/") or "\0" in rest or len(os.fsencode(rest)) > SOCKET_PATH_BYTES:
                raise ValueError(f"{url!r} is not {URL_FORMS}")
        else:
            found = re.fullmatch(TCP_FORMS.get(self.scheme, "(?!)"), rest)
            if not found or not 0 < int(found[2]) < 1 << 16:
                raise ValueError(f"{url!r} is not {URL_FORMS}")
            self.host, self.port = found[1], int(found[2])
            loopback = "127.0.0.1" if self.scheme == "tcp" else "::1"
            self.everywhere = self.host in EVERYWHERE
            self.host = loopback if self.everywhere or self.host == "localhost" else self.host

    def clashes(self, other):
        """Whether two servers cannot listen at both."""
        if self.scheme != other.scheme:
            return False
        if self.path is not None:
            return os.path.realpath(self.path) == os.path.realpath(other.path)
        if self.port != other.port:
            return False
        if self.host == other.host or (self.everywhere and other.everywhere):
            return True
        # A guest's own address is none of the host's.
        return (self.everywhere and other.is_ours()) or (other.everywhere and self.is_ours())

    def is_ours(self):
        """Whether the address is one of this host's."""
        with socket.socket(FAMILIES[self.scheme], socket.SOCK_STREAM) as probe:
            try:
                probe.bind((self.host, 0))
            except OSError:
                return False
        return True

    def taken(self):
        """Whether somebody listens there."""
        with socket.socket(FAMILIES[self.scheme], socket.SOCK_STREAM) as client:
            try:
                self._connect(client)
            except BlockingIOError:  # a unix socket with more clients than it has room for
                return True
            except OSError:
                return False
        return True

    def answers(self):
        """Whether a sysproxy server says its banner there."""
        with socket.socket(FAMILIES[self.scheme], socket.SOCK_STREAM) as client:
            try:
                self._connect(client)
                return client.recv(len(BANNER)) == BANNER
            except OSError:
                return False

    def _connect(self, client):
        client.settimeout(1.0)
        client.connect(self.path if self.path is not None else (self.host, self.port))


class Record:
    """What is known of a process: its file in the directory, and the lock on it."""

    def __init__(self, directory, name):
        self.path = os.path.join(directory, f"{name}.process")

    def read(self):
        """The specification that it was started with and its number; nothing for one that is not known."""
        try:
            with open(self.path, encoding="utf-8") as file:
                known = json.load(file)
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return {}
        # A signal to 0, 1 or -1 would reach more than a process group of the module's.
        pid = known.get("pid") if isinstance(known, dict) else None
        return known if isinstance(pid, int) and not isinstance(pid, bool) and pid > 1 else {}

    def write(self, specification):
        """Note this process down as the one that leads the group."""
        text = json.dumps({"pid": os.getpid(), "began": _began(os.getpid()), "specification": specification})
        descriptor = os.open(self.path, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)

    def exists(self):
        return os.path.exists(self.path)

    def running(self):
        """Whether the supervisor or its process is there."""
        try:
            with open(self.path, "rb") as file:
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


def _began(pid):
    """When a process began, in ticks since the host did; None where that is not told, or there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


def start(record, specification, owner, umask):
    """Run the process under a supervisor that stays.

    :raises Failure: it cannot be started.
    """
    log = open_log(specification["log"], owner) if specification["log"] else None
    # The process inherits this descriptor, by which it must not be able to write.
    descriptor = os.open(record.path, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    if not _lock(descriptor):
        raise Failure(f"{record.path}: the process was started by somebody else meanwhile")
    reader, writer = os.pipe()
    between = os.fork()
    if between == 0:
        try:
            os.close(reader)
            os.setsid()
            if os.fork() == 0:
                _supervise(record, descriptor, log, specification, owner, umask)
        except BaseException:
            os.write(writer, traceback.format_exc().encode())
        os._exit(0)
    os.close(writer)  # the other end closes when the supervisor's program begins
    os.waitpid(between, 0)
    with os.fdopen(reader, "rb") as answer:
        trouble = answer.read().decode()
    os.close(descriptor)
    if log is not None:
        os.close(log)
    if trouble:
        raise Failure(f"{specification['command'][0]} cannot be started: {trouble.splitlines()[-1]}")


def _supervise(record, descriptor, log, specification, owner, umask):
    """Become the supervisor: the end of a chain of forks."""
    os.setpgid(0, 0)
    record.write(specification)
    os.set_inheritable(descriptor, True)
    nothing = os.open(os.devnull, os.O_RDWR)
    output = nothing if log is None else log
    os.umask(umask)
    owner.become()
    os.chdir("/")
    for standard, source in enumerate((nothing, output, output)):
        os.dup2(source, standard)
    url = specification["url"] or ""
    path = url[len("unix://") :] if url.startswith("unix://") else ""
    environment = {**os.environ, **specification["environment"]}
    arguments = ["sh", "-c", SUPERVISOR, "rump-supervise", path, *specification["command"]]
    os.execve("/bin/sh", arguments, environment)


def open_log(path, owner):
    """A descriptor that adds to a log, which is made where it is missing.

    :raises Failure: it is something else than a file of its own.
    """
    # Without waiting for who would read a pipe.
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags, LOG_MODE)
    except OSError as error:
        raise Failure(f"log: {path}: {error.strerror}; it is to be a regular file") from None
    if not _is_plain(os.fstat(descriptor)):
        raise Failure(f"log: {path} is no regular file with this one name")
    owner.give(descriptor, path, os.geteuid(), LOG_MODE)
    os.set_blocking(descriptor, True)
    return descriptor


def _is_plain(status):
    """Whether it is a regular file, and not another name of one that is somewhere else."""
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1


def stop(record, timeout):
    """End the process and its supervisor.

    :raises Failure: it does not end.
    """
    known = record.read()
    for number, limit in ((signal.SIGTERM, timeout), (signal.SIGKILL, 5.0)):
        if not record.running():
            return
        if known:
            _signal(known, number)
        deadline = time.monotonic() + limit
        while record.running() and time.monotonic() < deadline:
            time.sleep(PAUSE)
    if record.running():
        raise Failure(f"{record.path}: process group {known.get('pid')} does not end, or is not the one that has it")


def _signal(known, number):
    """Send a signal to the process group of a record, with no more rights than its user has."""
    group, user, began = known["pid"], known["specification"]["user"], _began(known["pid"])
    if began and known.get("began", began) != began:
        return  # the group is gone, and its number another process's
    child = os.fork()
    if child == 0:
        with contextlib.suppress(OSError):
            if user != os.geteuid():
                os.setuid(user)
            os.killpg(group, number)
        os._exit(0)
    os.waitpid(child, 0)


def await_answer(record, process, timeout, begin, since):
    """Wait until the server says its banner, and lives on.

    ``begin`` is where its log began when it was started, ``since`` when that was, in seconds of the monotonic clock.

    :raises Failure: it ended, or the time is over.
    """
    endpoint, log = Endpoint(process["url"]), process["log"]
    deadline = time.monotonic() + timeout
    failures = 0
    while True:
        answers = endpoint.answers()
        ended = not record.running()
        lines = _last_lines(log, begin)
        now, before = time.monotonic(), failures
        failures = sum(line.startswith(SUPERVISOR_SAYS) for line in lines)
        if failures != before:
            since = now + SUPERVISOR_SLEEPS
        if answers and not ended and now - since >= HOLD:
            return
        dead = not answers and is_dead(log, process["dead_when"], begin)
        if ended or dead or now > deadline + (SUPERVISOR_SLEEPS + HOLD if answers else 0):
            why = "it ended" if ended else "it halted" if dead else f"not within {timeout:g} s"
            why += ", and something else answers there" if answers else ""
            said = f"; it said: {' / '.join(lines)}" if lines else ""
            raise Failure(f"{record.path}: no answer at {process['url']}, {why}{said}", log=lines)
        time.sleep(max(PAUSE, HOLD - (now - since)) if answers else PAUSE)


def is_dead(path, dead_when, begin=0):
    """Whether the last line of a log says that its process is of no more use."""
    lines = _last_lines(path, begin) if dead_when else []
    return bool(lines) and re.search(dead_when, lines[-1]) is not None


def _last_lines(path, begin=0):
    """The last lines of a log from a place on. There are none in what is no log."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not _is_plain(status):
                return []
            file.seek(max(begin, status.st_size - LOG_BYTES))
            return file.read().decode(errors="replace").splitlines()[-LOG_LINES:]
    except (OSError, TypeError):
        return []


def _size(path):
    try:
        return os.lstat(path).st_size
    except (OSError, TypeError):
        return 0


def _octal(options, name, limit):
    """A mode that is told in octal digits.

    :raises Failure: it is none.
    """
    try:
        mode = int(options[name], 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= limit:
        raise Failure(f"{name}: {options[name]!r} is no octal number from 0 to {limit:o}")
    return mode


class Host:
    """The processes of a directory, as they are and as they are wanted."""

    def __init__(self, options, check_mode):
        self.directory, self.shared = options["directory"], options["shared"]
        self.timeout, self.check_mode = options["timeout"], check_mode
        self.umask = _octal(options, "umask", 0o777)
        self.mode = _octal(options, "directory_mode", 0o7777) | stat.S_ISGID
        if not self.timeout > 0:
            raise Failure(f"timeout: {self.timeout:g} is not more than 0 seconds")
        self.wanted = options["processes"]
        # Nobody is looked up for those that only go: the user may have gone before.
        self.stay = [process for process in self.wanted if process["state"] != "absent"]
        self.owner = Owner(options["user"], options["group"]) if self.stay else None
        # Whether another user could have an interest in what the superuser does in his directories.
        self.wary = os.geteuid() == 0 and options["user"] not in (None, "root")
        self.changes = []
        self.gone = set()
        self.before = {}
        self.after = {}

    def change(self, what):
        """Note a change down; whether it is to be made."""
        self.changes.append(what)
        return not self.check_mode

    def converge(self):
        """Bring all processes to their states, and wait for those that were started together."""
        for process in self.wanted:
            self.validate(process)
        self.validate_urls()
        if self.owner:
            self.make_directory(self.directory, 0o755)
            for path in self.shared:
                self.make_directory(path, self.mode, self.owner.user)
        results, to_start = [], []
        for process in self.wanted:
            record = Record(self.directory, process["name"])
            count = len(self.changes)
            self.before[process["name"]] = self.state(record)
            starts = getattr(self, "to_be_" + process["state"])(process, record)
            state = {"restarted": "started"}.get(process["state"], process["state"])
            self.after[process["name"]] = state
            if starts:
                to_start.append((process, record))
            results.append({"name": process["name"], "state": state, "changed": starts or len(self.changes) > count})
        # All that is to end has ended: what it had, others may take.
        started = [(process, record, *self.launch(process, record)) for process, record in to_start]
        for process, record, begin, since in started:
            if process["url"] and not self.check_mode:
                await_answer(record, process, self.timeout, begin, since)
        for result in results:
            record = Record(self.directory, result["name"])
            result["pid"] = record.read().get("pid") if record.running() else None
        self.clean()
        return results

    def launch(self, process, record):
        """Start a process; how long its log was, and when that was."""
        begin = _size(process["log"])
        if self.change(f"start {process['name']}"):
            deadline = time.monotonic() + CLOSING
            while process["url"] and Endpoint(process["url"]).taken():
                if time.monotonic() > deadline:
                    raise self.taken(process)
                time.sleep(PAUSE)
            start(record, self.specification(process), self.owner, self.umask)
        return begin, time.monotonic()

    def validate(self, process):
        """:raises Failure: something about a process cannot be."""
        name = process["name"]
        if not name or "/" in name or name.startswith("."):
            raise Failure(f"processes: {name!r} is no name for a process; it has no / and no dot at its beginning")
        if [other["name"] for other in self.wanted].count(name) > 1:
            raise Failure(f"processes: {name} is there twice")
        if self.wary:
            self.trust(self.directory)
            for path in (*self.shared, *process["directories"]):
                self.trust(os.path.dirname(path))
            if process["state"] in ("started", "restarted"):
                # The others are made, or given to the superuser, before anything is made in them.
                for path in self.kept(process) - set(process["directories"]):
                    self.trust(path)
        for path in process["directories"]:
            if os.path.lexists(path) and not stat.S_ISDIR(os.lstat(path).st_mode):
                raise Failure(f"processes: {name}: directories: {path} is something else than a directory")
        if process["state"] in ("started", "restarted"):
            self.validate_start(process)

    def validate_start(self, process):
        name = process["name"]
        if not process["command"]:
            raise Failure(f"processes: {name} has no command")
        program = process["command"][0]
        if not shutil.which(program):
            raise Failure(f"processes: {name}: there is no program {program} on this host")
        try:
            re.compile(process["dead_when"] or "")
        except re.error as error:
            raise Failure(f"processes: {name}: dead_when: {error}") from None
        if process["log"]:
            self.validate_folder(process, "log", process["log"])
            if os.path.lexists(process["log"]) and not _is_plain(os.lstat(process["log"])):
                raise Failure(f"processes: {name}: log: {process['log']} is no regular file with this one name")
        for image in process["images"]:
            self.validate_folder(process, "images", image["path"])
            if image["size"] < 1:
                raise Failure(f"processes: {name}: images: {image['path']} has a size of 1 byte or more")
            if os.path.lexists(image["path"]) and not os.path.exists(image["path"]):
                raise Failure(f"processes: {name}: images: {image['path']} is a link to nothing")
        if process["url"]:
            self.validate_url(process)

    def validate_url(self, process):
        name = process["name"]
        try:
            path = Endpoint(process["url"]).path
        except ValueError as error:
            raise Failure(f"processes: {name}: url: {error}") from None
        if path is None:
            return
        self.validate_folder(process, "url", path)
        if os.path.lexists(path) and not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise Failure(f"processes: {name}: url: {path} is there, and is no socket")
        folder = os.path.dirname(path)
        if folder in self.kept(process) and self.owner.user != os.geteuid():
            raise Failure(
                f"processes: {name}: url: {self.owner.name} cannot make a socket in {folder}, where the log or an image"
                " is; give it another directory"
            )
        if folder in self.shared or folder in set(process["directories"]) - self.kept(process):
            return  # these pass on the group
        group = self.owner.process_group
        if folder not in process["directories"] and os.path.isdir(folder):
            status = os.stat(folder)
            group = status.st_gid if status.st_mode & stat.S_ISGID else group
        if group != self.owner.group:
            raise Failure(
                f"processes: {name}: url: a socket in {folder} would not get the group of number {self.owner.group};"
                " have it in one of its directories without log and images, or in one that passes on this group"
            )

    def validate_folder(self, process, option, path):
        """:raises Failure: the directory of a path is neither there nor made."""
        folder = os.path.dirname(path)
        made = [self.directory, *self.shared]
        for other in self.stay:
            made += other["directories"]
        if not os.path.isdir(folder) and not any(f"{other}/".startswith(f"{folder}/") for other in made):
            raise Failure(f"processes: {process['name']}: {option}: there is no directory {folder}")

    def validate_urls(self):
        """:raises Failure: something else serves, or would serve, at a process's URL."""
        wanted = [
            (process, Endpoint(process["url"]))
            for process in self.wanted
            if process["url"] and process["state"] in ("started", "restarted")
        ]
        for number, (process, endpoint) in enumerate(wanted):
            for other, clashing in wanted[:number]:
                if endpoint.clashes(clashing):
                    raise Failure(
                        f"processes: {process['name']}: url: {process['url']} cannot be told from that of"
                        f" {other['name']}, {other['url']}"
                    )
        ours = {process["name"] for process in self.wanted}
        leaving = []
        for name, url in self.served():
            if name in ours:
                leaving.append(Endpoint(url))
                continue
            for process, endpoint in wanted:
                if endpoint.clashes(Endpoint(url)):
                    raise Failure(f"processes: {process['name']}: url: {process['url']} is taken: {name} serves {url}")
        for process, endpoint in wanted:
            if not any(endpoint.clashes(other) for other in leaving) and endpoint.taken():
                raise self.taken(process)

    def served(self):
        """The names and URLs of the processes that run."""
        names = os.listdir(self.directory) if os.path.isdir(self.directory) else []
        for name in sorted(name[: -len(".process")] for name in names if name.endswith(".process")):
            record = Record(self.directory, name)
            url = record.read().get("specification", {}).get("url")
            if url and record.running():
                yield name, url

    def taken(self, process):
        return Failure(f"processes: {process['name']}: url: something else answers at {process['url']} already")

    def trust(self, path):
        """Have a directory be one in which the superuser alone makes files.

        :raises Failure: others can, or can put another in its place.
        """
        path = inner = os.path.realpath(path)
        while True:
            if os.path.lexists(path):
                status = os.lstat(path)
                # In /tmp, others cannot replace what is there. They can make what is not.
                open_to_all = status.st_mode & stat.S_IWOTH and (path == inner or not status.st_mode & stat.S_ISVTX)
                open_to_group = status.st_mode & stat.S_IWGRP and status.st_gid != 0
                if status.st_uid != 0 or open_to_all or open_to_group:
                    raise Failure(
                        f"{inner}: the superuser makes nothing there for another user, since others than the superuser"
                        f" can write in {path}; have it belong to root, with no more than mode 0755"
                    )
            if path == "/":
                return
            path = os.path.dirname(path)

    def kept(self, process):
        """The directories in which the log and the images of a process are."""
        paths = [image["path"] for image in process["images"]]
        paths += [process["log"]] if process["log"] else []
        return {os.path.dirname(path) for path in paths}

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
        """Have all be ready for a start; whether it is to be started."""
        self.make_directories(process)
        for image in process["images"]:
            self.make_image(process, image)
        if record.running():
            same = record.read().get("specification") == self.specification(process)
            if not anew and same and not is_dead(process["log"], process["dead_when"]):
                return False
            if self.change(f"stop {process['name']}"):
                stop(record, self.timeout)
        return True

    def to_be_restarted(self, process, record):
        return self.to_be_started(process, record, anew=True)

    def to_be_stopped(self, process, record):
        self.make_directories(process)
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
        if record.exists():
            self.gone.add(record.path)
            if self.change(f"forget {process['name']}"):
                record.remove()
        return False

    def make_directories(self, process):
        kept = self.kept(process)
        for path in process["directories"]:
            if path in kept:
                self.make_directory(path, KEPT_MODE, os.geteuid())
            else:
                self.make_directory(path, self.mode, self.owner.user)

    def make_directory(self, path, mode, user=None):
        """Make a directory, or give the one that is there its mode, to this user and the group. Without a user it is
        left as it is."""
        if not os.path.isdir(path):
            if not self.change(f"make the directory {path}"):
                return
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if self.wary:
                self.trust(os.path.dirname(path))
            os.mkdir(path)
            if user is None:
                os.chmod(path, mode)
                return
        else:
            status = os.stat(path)
            right = (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (user, self.owner.group, mode)
            if user is None or right or not self.change(f"set the rights of {path}"):
                return
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            self.owner.give(descriptor, path, user, mode)
        finally:
            os.close(descriptor)

    def make_image(self, process, image):
        """Make an image, or give the one that is there to the user, if its directory is one of the process's."""
        path, owner = image["path"], self.owner
        if not os.path.exists(path):
            if not self.change(f"make the image {path} of {image['size']} bytes"):
                return
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.truncate(image["size"])
                owner.give(descriptor, path, owner.user, IMAGE_MODE)
            return
        status = os.lstat(path)
        if os.path.dirname(path) not in process["directories"] or not _is_plain(status):
            return
        if (status.st_uid, status.st_gid) == (owner.user, owner.group) or not self.change(f"set the rights of {path}"):
            return
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if _is_plain(os.fstat(descriptor)):
                owner.give(descriptor, path, owner.user, IMAGE_MODE)
        finally:
            os.close(descriptor)

    def remove_directory(self, path):
        if not os.path.isdir(path):
            return
        self.gone.add(path)
        if self.change(f"remove the directory {path}"):
            shutil.rmtree(path)
            with contextlib.suppress(OSError):
                os.rmdir(os.path.dirname(path))

    def clean(self):
        """Remove what is there for all when nothing else is left."""
        if self.stay or not os.path.isdir(self.directory):
            return
        left = {os.path.join(self.directory, name) for name in os.listdir(self.directory)}
        if left - self.gone - set(self.shared):
            return
        for path in self.shared:
            self.remove_directory(path)
        if not self.check_mode:
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
        changes = host.changes if host else []
        module.fail_json(msg=str(failure), changed=bool(changes), changes=changes, **failure.more)
    except OSError as error:
        changes = host.changes if host else []
        module.fail_json(msg=f"{error.filename}: {error.strerror}", changed=bool(changes), changes=changes)
    module.exit_json(
        changed=bool(host.changes),
        changes=host.changes,
        processes=results,
        diff={"before": host.before, "after": host.after},
    )


if __name__ == "__main__":
    main()
