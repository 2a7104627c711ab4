# Every target makes its own virtual environment and installs what it needs.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# The tests start hundreds of processes: none of them needs to compile what another one has compiled.
unexport PYTHONDONTWRITEBYTECODE

# Real parts that the tests start: an RTMP server, a browser, real footage, real speech.
TEST_PACKAGES := chromium libnginx-mod-rtmp nats-server nginx opencv-doc openssl pocketsphinx-testdata valgrind

# What decides and does no I/O: tested on every branch, in seconds. The rest waits for real media and
# real processes most of the time, so it runs in four processes. Four at once can be too much for a
# shared machine: what fails there is told, and decided by a second run in which it is alone.
PURE_TESTS := tests/domain tests/models tests/protocol tests/test_errors.py
REAL_TESTS := $(PURE_TESTS:%=--ignore=%)
PURE_COVERAGE := --cov-branch --cov-fail-under=100 --cov-report=term-missing:skip-covered \
	--cov=rtstream_async.errors --cov=rtstream_async.local.domain \
	--cov=rtstream_async.models --cov=rtstream_async.protocol

.PHONY: demo test check pyright mypy lint-imports collect format bench clean help

help:  ## Show the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

demo: $(VENV)/.demo  ## Watch a live stream, end to end, with no key and no network
	@$(BIN)/rtstream demo

test: check  ## Run the checks and all tests
	@tools/debian-packages $(TEST_PACKAGES)
	$(BIN)/python -m pytest $(PURE_TESTS) $(PURE_COVERAGE) --numprocesses 2
	$(BIN)/python -m pytest $(REAL_TESTS) --numprocesses 4 --dist loadfile --no-loadscope-reorder \
	|| $(BIN)/python -m pytest $(REAL_TESTS) --last-failed --last-failed-no-failures none --exitfirst

check: $(VENV)/.dev  ## Lint, types, floors
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target pyright mypy lint-imports collect

pyright mypy lint-imports: $(VENV)/.dev  # side by side: the first takes as long as all others
	$(BIN)/$@

collect: $(VENV)/.dev  # find and compile the tests once, before many processes do
	@$(BIN)/python -m pytest --collect-only --quiet >$(VENV)/.collected || { cat $(VENV)/.collected; exit 1; }

format: $(VENV)/.dev  ## Format and fix what can be fixed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/.dev  ## Measure, as ratios within one run
	$(BIN)/python -m benchmarks

clean:  ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer with venv and pip is needed' \
	  '(Debian: apt-get install python3-venv), or set PYTHON=/path/to/python3' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.demo: $(VENV)/.python pyproject.toml
	$(PIP) --editable '.[all]'
	@touch $@

$(VENV)/.dev: $(VENV)/.demo pyproject.toml
	$(PIP) --group test --group lint
	$(PIP) --no-deps --no-compile --group photographs
	@touch $@
