# Every command of the project, once: .ci/run and the workflows call these targets. `make` lists them.
#
# Needs make and Python 3.10 or later, nothing else: the first run of a target makes .venv and installs what it uses.
#
#   make demo ARGS="--calls 60"    ARGS are the options of the program that the target runs
#   make test ARGS="-k receiver"   a part of the test suite
#   make test PYTHON=python3.12    with a Python of your choice (make clean first when .venv has another)

SHELL := /bin/sh

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && echo "$$python" && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
ARGS ?=
EXAMPLES ?= 50000
# Four at a time, each file's tests in one process: many of them wait for sockets and subprocesses.
PARALLEL ?= -n 4 --dist loadfile --no-loadscope-reorder

# Without bytecode, importing the SDK takes seconds, and hundreds of processes import it.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-all long servers lint format types build matrix newest boards pictures ci clean

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1 \t/p' $(MAKEFILE_LIST)

demo: $(VENV)/.cli  ## 500 calls with faults: what HTTP says and what was true
	$(BIN)/after200 demo $(ARGS)

TEST := $(BIN)/python -m pytest -p tests.support.not_run -p tests.support.durations $(PARALLEL)

test: $(VENV)/.test  ## every behaviour once; the last line says what was not run because a program is missing
	$(TEST) -p tests.support.representatives $(ARGS)

test-all: $(VENV)/.test  ## every variant of every test, as CI runs them
	$(TEST) $(ARGS)

long: $(VENV)/.test  ## what takes an hour: every scenario on every surface in both span modes, the fuzz with EXAMPLES, programs on LiteLLM, every outage that must page, the pages of Prometheus 2, each file that an addition needs left out, and every dashboard in every situation at every width
	AFTER200_ALL_SURFACES=1 $(BIN)/python -m pytest $(PARALLEL) tests/streams $(ARGS)
	$(BIN)/python -m pytest $(PARALLEL) tests/transparency tests/libraries/test_fuzz.py tests/libraries/test_fuzz_wire.py --examples $(EXAMPLES) $(ARGS)
	$(BIN)/python -m pytest tests/libraries/test_programs.py tests/libraries/test_proxy_and_aider.py $(ARGS)
	AFTER200_WHOLE_GRID=1 $(BIN)/python -m pytest $(PARALLEL) tests/monitoring/test_targets.py tests/monitoring/test_pages.py $(ARGS)
	AFTER200_EVERY_ADDITION=1 $(BIN)/python -m pytest $(PARALLEL) tests/ci/test_to_add.py $(ARGS)
	AFTER200_EVERY_DRAWING=1 $(BIN)/python -m pytest $(PARALLEL) tests/drawing/test_boards.py $(ARGS)

servers:  ## the servers and checkers that some tests talk to, in .cache/monitoring (needs apt-get, go and npm; not root)
	.ci/install-monitoring $(ARGS)

lint: $(VENV)/.lint  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.lint  ## let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.lint $(VENV)/.test  ## mypy, strict
	$(BIN)/mypy

build: $(VENV)/.lint  ## the source distribution, and from it the wheel, in dist/
	$(BIN)/python -m build $(ARGS)

matrix: $(VENV)/.test  ## the tests on every supported combination of versions; ARGS="--list" names them
	$(BIN)/python -m matrix $(ARGS)

newest: $(VENV)/.test  ## the tests on the newest release of the SDK, and on a newer pre-release if there is one
	$(BIN)/python -m matrix --newest $(ARGS)

boards: $(VENV)/.test  ## draw every dashboard in every situation, in .cache/drawn, and say what a reader would stumble over
	$(BIN)/python -m tests.drawing $(ARGS)

pictures: $(VENV)/.test  ## draw the pictures of the documentation, after an hour of real calls
	$(BIN)/python -m tests.cli.watch_pictures
	$(BIN)/python -m tests.drawing.pictures $(ARGS)

ci:  ## everything that CI runs, in environments of its own
	.ci/run $(ARGS)

clean:  ## remove .venv and what builds and checks leave behind
	rm -rf $(VENV) .cache dist build .pytest_cache .mypy_cache .ruff_cache

# One stamp for each set of extras and dependency groups. pyproject.toml says what is installed, so a change there
# installs again; a failed installation leaves no stamp. pip knows groups from 25.1 on, so a new environment gets a new pip.

$(VENV)/.made:
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
	$(PIP) --upgrade 'pip >= 25.1'
	@touch $@

$(VENV)/.cli: pyproject.toml $(VENV)/.made
	$(PIP) -e '.[cli]'
	@touch $@

# The library that writes the dashboards has no release for Python 3.10; pyproject.toml leaves it out there.
$(VENV)/.test: pyproject.toml $(VENV)/.made
	$(PIP) -e '.[cli,pytest,monitoring,completion]' --group test --group docs
	@touch $@

$(VENV)/.lint: pyproject.toml $(VENV)/.made
	$(PIP) -e . --group lint
	@touch $@
