# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of actions that stand between the controller's files and a kernel's.

Such an action works on the controller whatever the connection is: over the collection's own on the host's kernel, over
``local`` on that of the option ``server``. :class:`BuiltinFileAction` puts one of ansible-core's own actions on a
kernel: their walks, vaults, templates, diffs and results stay theirs, and the few modules that they run on a host are
the collection's plans, run here.
"""

from __future__ import annotations

import base64
import contextlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import connection_loader, shell_loader
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import copy, file
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.failures import OptionError
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.file_attributes import Attributes
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.plan import Plan
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.sums import sums_of_kernel
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.users import Users
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import ModuleFailure, RumpModule, refusal
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, KernelError, RumpError, connect
from ansible_collections.rumpkernel.rump.plugins.modules import rump_file

from .action import TRANSPORT
from .becoming import as_user
from .download import download
from .failures import unreachable

connection_loader.get(TRANSPORT, class_only=True)

_PEEK = 8192  # bytes that ansible.builtin.file looks at to tell whether a file is binary


class FileAction(ActionBase):
    """An action with a kernel. Subclasses name their options and do the work in :meth:`work`."""

    options: ClassVar[dict[str, dict[str, Any]]]
    """The argument specification, with that of the server."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    kernel: Kernel
    host: str
    _connection: Any

    def work(self, parameters: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Do the task on :attr:`kernel`; the result, in Ansible's terms."""
        raise NotImplementedError

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        del tmp
        task_vars = {} if task_vars is None else task_vars
        self.host = str(task_vars.get("inventory_hostname", "the host"))
        _validation, parameters = self.validate_argument_spec(self.options)
        ours = self._connection.transport == TRANSPORT
        try:
            with self._reached(parameters):
                return self.work(parameters, task_vars)
        except ModuleFailure as failure:
            return {**failure.result, "msg": f"{self.host}: {failure}"}
        except KernelError as error:
            refused = refusal(self.kernel.url, error)
            return {**refused.result, "msg": f"{self.host}: {refused}"}
        except OptionError as error:
            return {"failed": True, "changed": False, "msg": f"{self.host}: {error}"}
        except RumpError as error:
            if ours:
                self._connection.close()
                raise unreachable(f"{self.host}: {error}") from None
            return {"failed": True, "msg": f"{self.host}: {error}", "server": parameters.get("server")}
        except Exception:
            raise
        except BaseException:  # the task's limit: it may have struck in the middle of anything
            if ours:
                self._connection.close()
            raise

    @contextlib.contextmanager
    def _reached(self, parameters: Mapping[str, Any]) -> Iterator[None]:
        """A block with :attr:`kernel`, the one that the task is about.

        :raises AnsibleActionFail: the options and the connection name none, or two.
        """
        transport = self._connection.transport
        if transport == TRANSPORT:
            self.kernel = self._connection.kernel
            if self._task.args.get("server") not in (None, self.kernel.url):
                raise AnsibleActionFail(
                    f"server: this task reaches {self.host} at {self.kernel.url} by its connection; "
                    "leave the option out, or run the task with connection: local"
                )
            with as_user(self._connection, self.kernel):
                yield
            return
        if transport != "local":
            raise AnsibleActionFail(
                f"the files are the controller's, and over the connection {transport!r} it does not reach the kernel: "
                f"use {TRANSPORT}, or local with the option server"
            )
        environment: dict[str, Any] = {}
        self._compute_environment_string(environment)
        server = self._task.args.get("server") or environment.get("RUMP_SERVER") or os.environ.get("RUMP_SERVER")
        if not server:
            raise AnsibleActionFail(
                "server: give the URL of the rump kernel's server, as this option or in the environment's "
                f"RUMP_SERVER, or run the task over the connection {TRANSPORT}"
            )
        limits = {"timeout": parameters["call_timeout"], "connect_timeout": parameters["connect_timeout"]}
        with connect(server, **limits) as self.kernel:
            yield


class BuiltinFileAction(FileAction):
    """One of ansible-core's actions, on a kernel. It is the next class after this one among a subclass's bases."""

    def work(self, parameters: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        self._sent: dict[str, IO[bytes]] = {}
        self._told: list[dict[str, Any]] = []  # what the modules returned
        self._users = Users(self.kernel)
        _refuse_options(parameters, self._users)
        host_connection = self._connection
        self._connection = _KernelConnection(self.kernel)
        try:
            return super(FileAction, self).run(None, task_vars)
        finally:
            self._connection = host_connection
            for stream in self._sent.values():
                stream.close()

    # What ansible-core's actions do on a host

    def _execute_module(
        self, module_name: str | None = None, module_args: dict[str, Any] | None = None, **_more: Any
    ) -> dict[str, Any]:
        """One of the modules that these actions need, on the kernel and by its short name."""
        plans: dict[str, Callable[[Kernel, Mapping[str, Any]], Plan]] = {
            "copy": self._plan_copy,
            "file": self._plan_file,
            "slurp": self._plan_slurp,
            "stat": self._plan_stat,
        }
        arguments = dict(self._task.args if module_args is None else module_args)
        name = str(module_name).rpartition(".")[2]
        module = RumpModule({}, plans[name])
        try:
            result = module.run(self.kernel, arguments, self._task.check_mode)
        except ModuleFailure as failure:
            result = {**failure.result, "msg": f"{self.host}: {failure}"}
            if name == "stat":
                raise AnsibleActionFail(result["msg"], result=result) from None
        if not self._task.diff:
            result.pop("diff", None)
        self._told.append(result)
        return result

    def _plan_copy(self, kernel: Kernel, arguments: Mapping[str, Any]) -> Plan:
        source = self._sent.get(str(arguments["src"]))
        if source is None:
            _validation, parameters = self.validate_argument_spec(self.options)
            return copy.plan(kernel, parameters, self._users)
        name = arguments["_original_basename"]
        parameters = {**arguments, "src": source.name, "remote_src": False}
        return copy.plan_sent(kernel, parameters, source, name, self._users, differs=True)

    def _plan_file(self, kernel: Kernel, arguments: Mapping[str, Any]) -> Plan:
        arguments = dict(arguments)
        path = str(arguments.pop("path", None) or arguments.pop("dest"))
        if arguments.pop("_diff_peek", False):
            return Plan(expected=_peeked(kernel, path, self._users))
        name = arguments.pop("_original_basename", None)
        if name and arguments.get("state") != "link" and kernel.isdir(path):
            path = os.path.join(path, name)
        known = {key: value for key, value in arguments.items() if key in rump_file.MODULE.argument_spec}
        validated = ArgumentSpecValidator(rump_file.MODULE.argument_spec).validate({**known, "path": path})
        if validated.error_messages:
            raise AnsibleActionFail("; ".join(validated.error_messages))
        return file.plan(kernel, validated.validated_parameters, self._users)

    def _plan_slurp(self, kernel: Kernel, arguments: Mapping[str, Any]) -> Plan:
        path = str(arguments.get("src") or arguments["path"])
        try:
            found = kernel.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return Plan(expected={"failed": True, "msg": f"file not found: {path}"})
        if not stat.S_ISREG(found.st_mode):
            kind = "directory and must be a file" if stat.S_ISDIR(found.st_mode) else "device, pipe or socket, no file"
            return Plan(expected={"failed": True, "msg": f"source is a {kind}: {path}"})
        content = base64.b64encode(kernel.read_file(path)).decode()
        return Plan(expected={"content": content, "encoding": "base64", "source": path})

    def _plan_stat(self, kernel: Kernel, arguments: Mapping[str, Any]) -> Plan:
        path = str(arguments["path"])
        try:
            found = kernel.stat(path, follow_symlinks=bool(arguments.get("follow")))
        except KernelError as error:
            if error.name not in ("ENOENT", "ENOTDIR"):
                raise
            return Plan(expected={"stat": {"exists": False}})
        facts: dict[str, Any] = {
            "exists": True,
            "isdir": stat.S_ISDIR(found.st_mode),
            "isreg": stat.S_ISREG(found.st_mode),
            "islnk": stat.S_ISLNK(found.st_mode),
            "size": found.st_size,
        }
        if facts["islnk"]:
            facts["lnk_source"] = kernel.realpath(path)
        if facts["isreg"] and arguments.get("get_checksum"):
            facts["checksum"] = sums_of_kernel(kernel, path).sha1
        return Plan(expected={"stat": facts})

    def _transfer_file(self, local_path: str, remote_path: str) -> str:
        """Nothing goes to a temporary place in the kernel: the copy reads the controller's file, which stays open."""
        if remote_path in self._sent:
            self._sent.pop(remote_path).close()
        self._sent[remote_path] = Path(local_path).open("rb")  # noqa: SIM115 - work() closes it
        return remote_path

    def _fixup_perms2(self, remote_paths: Any, remote_user: str | None = None, execute: bool = True) -> list[str]:
        return list(remote_paths)

    def _remote_expand_user(self, path: str, sudoable: bool = True, pathsep: str | None = None) -> str:
        """There are no home directories."""
        return path

    def _remove_tmp_path(self, tmp_path: str | None, force: bool = False) -> None:
        """There is no temporary folder."""


def _refuse_options(parameters: Mapping[str, Any], users: Users) -> None:
    """What is wrong with the paths, and with the attributes that files are to get; ansible-core's actions do not look
    in check mode.

    :raises OptionError: no file could have them.
    """
    for option in ("src", "dest"):
        if parameters.get(option):  # without one, ansible-core says what is missing
            file.checked_path(option, parameters[option])
    mode = parameters.get("mode")
    copy.refuse_validation(parameters)
    copy.directory_mode(parameters)
    Attributes.parse({**parameters, "mode": None if mode == "preserve" else mode}, "file", users)


class _KernelConnection:
    """What ansible-core's actions ask of a connection."""

    transport = TRANSPORT
    become = None

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._shell = shell_loader.get("sh")
        self._shell.tmpdir = "/"

    def fetch_file(self, in_path: str, out_path: str) -> None:
        download(self.kernel, in_path, out_path)


def _peeked(kernel: Kernel, path: str, users: Users) -> dict[str, Any]:
    """What a diff has to know of a file: whether it looks binary, and what Ansible's modules tell of it."""
    facts = {"path": path, "appears_binary": False, "state": "absent", **file.describe(kernel, path, users)}
    if kernel.isfile(path):
        descriptor = kernel.open(path, os.O_RDONLY)
        try:
            facts["appears_binary"] = b"\0" in kernel.read(descriptor, _PEEK)
        finally:
            if not kernel.session.closed:
                kernel.close(descriptor)
    return facts
