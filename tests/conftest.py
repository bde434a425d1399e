# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says at the end of a run which kernels the tests met, and which tests did not run.

A fixture that hands out a kernel says so by `record_property("backend", TEXT)`, where TEXT begins with "simulated",
"rump_server" or "rumprun" and goes on with what tells this kernel from others (release, machine, transport).
"""

from __future__ import annotations

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    met: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    for outcome, reports in terminalreporter.stats.items():
        for report in reports:
            if not isinstance(report, pytest.TestReport):
                continue
            if outcome == "skipped":
                reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
                skipped[reason.removeprefix("Skipped: ")] += 1
            elif outcome in ("passed", "failed"):
                met.update(str(value) for name, value in report.user_properties if name == "backend")
    if met:
        terminalreporter.section("backends met")
        for backend, tests in sorted(met.items()):
            terminalreporter.line(f"{backend}: {tests} tests")
    if skipped:
        terminalreporter.section("NOT RUN", yellow=True, bold=True)
        for reason, tests in sorted(skipped.items()):
            terminalreporter.line(f"{tests} tests skipped: {reason}", yellow=True)
