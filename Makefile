# Needs make and Python 3.10 or later, nothing else: the first run sets up .venv by itself.
#
#   make demo                      500 calls with faults, and what each side saw
#   make demo ARGS="--calls 60"    options of `after200 demo`
#   make test                      the whole test suite
#   make test ARGS="-k receiver"   a part of it
#   make test PYTHON=python3.12    with a Python of your choice (make clean first when .venv has another)

SHELL := /bin/sh

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && echo "$$python" && break; done)
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Three at a time, each file's tests in one process: many of them wait for sockets and subprocesses.
PARALLEL ?= -n 3 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help demo test lint format types build ci clean

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*##/  make \1 \t/p' $(MAKEFILE_LIST)

demo: $(VENV)/.installed  ## 500 calls with faults: what HTTP says and what was true
	$(BIN)/after200 demo $(ARGS)

test: $(VENV)/.installed  ## the test suite (ARGS are pytest's)
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

lint: $(VENV)/.tools  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.tools  ## let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.tools  ## mypy, strict
	$(BIN)/mypy

build: $(VENV)/.tools  ## sdist, and from it the wheel, in dist/
	$(BIN)/python -m build

ci:  ## everything that CI runs, in environments of its own
	.ci/run

clean:  ## remove .venv and what builds and checks leave behind
	rm -rf $(VENV) .cache .nox dist build .pytest_cache .mypy_cache .ruff_cache

# pyproject.toml says what is installed, so a change there installs again; a failed installation leaves no stamp.
$(VENV)/.installed: pyproject.toml
	@set -e; \
	if [ -z "$(PYTHON)" ]; then \
		echo "after200 needs Python 3.10 or later, and none was found on PATH." >&2; \
		echo "Name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 1; fi; \
	if ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then \
		found=$$("$(PYTHON)" --version 2>&1) || found="no Python that runs"; \
		echo "after200 needs Python 3.10 or later; PYTHON=$(PYTHON) is $$found." >&2; \
		echo "Name another: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 1; fi; \
	if ! "$(PYTHON)" -m venv $(VENV); then \
		echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; \
		exit 1; fi
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@

$(VENV)/.tools: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[lint,monitoring]'
	@touch $@
