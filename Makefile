# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Every target but help and clean works inside .venv, which is made at first use and again when the requirements change.
# PYTHON=/path/to/python3 chooses the Python that it is made with.
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.made
SHELL := /bin/bash

.DEFAULT_GOAL := help
.PHONY: help venv demo test bench docs clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(STAMP) ## make the virtual environment in .venv

$(STAMP): requirements.txt requirements-dev.txt tests/make-venv
	@PYTHON='$(PYTHON)' tests/make-venv '$(VENV)'
	@touch $@

demo: $(STAMP) ## configure a fleet of simulated kernels with a playbook, and show the result
	@PATH="$(CURDIR)/$(BIN):$$PATH" demo/run

test: $(STAMP) ## run all checks and tests
	@PATH="$(CURDIR)/$(BIN):$$PATH" python tests/run.py

bench: $(STAMP) ## measure what a task costs
	@PATH="$(CURDIR)/$(BIN):$$PATH" benchmarks/run

docs: $(STAMP) ## build the documentation site, in .site/html
	@PATH="$(CURDIR)/$(BIN):$$PATH" python docs/site/build.py

clean: ## remove what the other targets made
	rm -rf $(VENV) .ansible .site .mypy_cache .pytest_cache .ruff_cache tests/output changelogs/.plugin-cache.yaml *.tar.gz
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
