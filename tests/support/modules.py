# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module's plan on a kernel as Ansible does, without Ansible."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import ModuleFailure, RumpModule
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel


def run_module(kernel: Kernel, module: Any, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    """The result of ``module`` (one of plugins/modules) with ``options``, which are validated first.

    :raises ModuleFailure: as :meth:`RumpModule.run` does.
    """
    rump_module: RumpModule = module.MODULE
    validator = ArgumentSpecValidator(rump_module.argument_spec, **rump_module.constraints)
    validated = validator.validate(options)
    assert not validated.error_messages, validated.error_messages
    return rump_module.run(kernel, validated.validated_parameters, check_mode)


def refused(kernel: Kernel, module: Any, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    """The result of a module that fails on these options, as Ansible would show it."""
    with pytest.raises(ModuleFailure) as raised:
        run_module(kernel, module, check_mode, **options)
    result = raised.value.result
    assert result["failed"]
    assert kernel.url in result["msg"]
    return result
