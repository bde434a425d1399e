# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module of the collection is, beside its documentation: an argument specification and a plan.

:class:`RumpModule` runs in two places. In an Ansible worker, an action plugin calls :meth:`~RumpModule.run`
over the play's connection. As a process of its own (``connection: local``), :meth:`~RumpModule.main`
connects to the option ``server`` and does the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.basic import AnsibleModule, env_fallback, missing_required_lib

from .resources.failures import OptionError, Unmet, advice, advice_on_sysctl
from .resources.plan import Plan
from .sysproxy import Kernel, KernelError, RumpError, RumpWarning, connect
from .sysproxy.kernel.sysctl import UnknownSysctl
from .sysproxy.netbsd.layout import CONSTRUCT_IMPORT_ERROR

Parameters = Mapping[str, Any]

SERVER_ARGUMENTS: dict[str, dict[str, Any]] = {
    "server": {"type": "str", "fallback": (env_fallback, ["RUMP_SERVER"])},
    "connect_timeout": {"type": "float", "default": 10.0},
    "call_timeout": {"type": "float", "default": 30.0},
}


class ModuleFailure(Exception):
    """A module's failure: :attr:`result` is what it returns, in Ansible's terms."""

    def __init__(self, result: dict[str, Any]) -> None:
        self.result = result
        super().__init__(result["msg"])


@dataclass(frozen=True)
class RumpModule:
    """A module: its options, and the function that makes a plan of them.

    ``constraints`` are the keyword arguments of AnsibleModule such as ``required_if``.
    """

    options: dict[str, dict[str, Any]]
    plan: Callable[[Kernel, Parameters], Plan]
    constraints: dict[str, Sequence[Any]] = field(default_factory=dict)

    @property
    def argument_spec(self) -> dict[str, dict[str, Any]]:
        return {**self.options, **SERVER_ARGUMENTS}

    def run(self, kernel: Kernel, parameters: Parameters, check_mode: bool) -> dict[str, Any]:
        """Plan, execute unless in check mode, and report.

        :raises ModuleFailure: an option is wrong or the kernel refused a call.
        :raises RumpError: the session with the kernel broke.
        """
        plan = None
        try:
            plan = self.plan(kernel, parameters)
            if not check_mode:
                plan.execute()
            return plan.result(check_mode)
        except KernelError as error:
            raise refusal(kernel.url, error, plan) from error
        except OptionError as error:
            raise ModuleFailure(_failure(kernel.url, str(error), plan, **error.about)) from error
        except Unmet as error:
            raise ModuleFailure({**error.facts, **_failure(kernel.url, str(error), plan)}) from error
        except UnknownSysctl as error:
            about = {"call": "sysctl", "object": error.name, "errno": "ENOENT"}
            raise ModuleFailure(
                _failure(kernel.url, f"name: {error}{advice_on_sysctl(error)}", plan, **about)
            ) from error

    def main(self) -> None:
        """The module as a program of its own."""
        module = AnsibleModule(argument_spec=self.argument_spec, supports_check_mode=True, **self.constraints)
        if CONSTRUCT_IMPORT_ERROR is not None:
            module.fail_json(msg=missing_required_lib("construct"), exception=CONSTRUCT_IMPORT_ERROR)
        server = module.params["server"]
        if not server:
            module.fail_json(
                msg="server: give the URL of the rump kernel's server, as this option or in the environment's "
                "RUMP_SERVER, or run the task over the connection rumpkernel.rump.sysproxy"
            )
        with warnings.catch_warnings(record=True, category=RumpWarning) as said:
            warnings.simplefilter("default", RumpWarning)
            result = self._run_on_server(module, server)
        if not module._diff:
            result.pop("diff", None)
        for warning in (*(str(warning.message) for warning in said), *result.pop("warnings", [])):
            module.warn(warning)
        if result.get("failed"):
            module.fail_json(**result)
        module.exit_json(**result)

    def _run_on_server(self, module: AnsibleModule, server: str) -> dict[str, Any]:
        limits = {"timeout": module.params["call_timeout"], "connect_timeout": module.params["connect_timeout"]}
        try:
            with connect(server, **limits) as kernel:
                return self.run(kernel, module.params, module.check_mode)
        except ModuleFailure as failure:
            return failure.result
        except RumpError as error:
            return {"failed": True, "msg": str(error), "server": server}


def refusal(url: str, error: KernelError, plan: Plan | None = None) -> ModuleFailure:
    """The failure of a task for a call that the kernel at ``url`` refused, with what ``plan`` did before."""
    about = {"call": error.call, "object": error.subject, "errno": error.name}
    return ModuleFailure(_failure(url, f"{error}{advice(error)}", plan, **about))


def _failure(url: str, text: str, plan: Plan | None, **about: str) -> dict[str, Any]:
    done = plan.done if plan else []
    result: dict[str, Any] = {"failed": True, "changed": bool(done), "msg": f"{url}: {text}", "server": url, **about}
    if done:
        result["changes"] = list(done)
    return result
