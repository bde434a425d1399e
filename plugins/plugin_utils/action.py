# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of the collection's action plugins: run the module in the worker, over the play's connection.

A forked worker is already there for the task; making the system calls in it saves packing the module
and starting a process for it. Over any other connection the module runs as modules do.
"""

from __future__ import annotations

from typing import Any, ClassVar

from ansible.module_utils.common.parameters import _list_no_log_values, remove_values
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import connection_loader
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import ModuleFailure, RumpModule, refusal
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import KernelError, RumpError

from .becoming import as_user
from .failures import unreachable

TRANSPORT = "rumpkernel.rump.sysproxy"

# Ansible imports action plugins before it forks its workers. Loading the connection plugin here gives
# it and its options, with the library below it, to all of them, instead of each loading it by itself.
connection_loader.get(TRANSPORT, class_only=True)


class RumpAction(ActionBase):
    """An action that is a module of ours; subclasses name it."""

    module: ClassVar[RumpModule]

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        if self._connection.transport != TRANSPORT:
            return self._execute_module(task_vars=task_vars, wrap_async=bool(self._task.async_val))
        result = super().run(tmp, task_vars)
        del tmp
        spec = self.module.argument_spec
        _validation, parameters = self.validate_argument_spec(spec, **self.module.constraints)
        host = (task_vars or {}).get("inventory_hostname", "the host")
        try:
            kernel = self._connection.kernel
            if self._task.args.get("server") not in (None, kernel.url):
                result.update(
                    failed=True,
                    msg=f"server: this task reaches {host} at {kernel.url} by its connection; "
                    "leave the option out, or run the task with connection: local",
                )
            else:
                with as_user(self._connection, kernel):
                    result.update(self.module.run(kernel, parameters, self._task.check_mode))
                if not self._task.diff:
                    result.pop("diff", None)
        except ModuleFailure as failure:
            result.update(failure.result, msg=f"{host}: {failure}")
        except KernelError as error:
            refused = refusal(kernel.url, error)
            result.update(refused.result, msg=f"{host}: {refused}")
        except RumpError as error:
            self._connection.close()
            raise unreachable(f"{host}: {error}") from None
        except Exception:
            raise
        except BaseException:  # the task's limit: it may have struck in the middle of anything
            self._connection.close()
            raise
        result["invocation"] = {"module_args": parameters}
        return remove_values(result, _list_no_log_values(spec, parameters))
