# make demo    issue sample cards through a real PC/SC service with virtual readers, read them back
# make test    all tests
# make check   style, types, architecture, dead code
# make docs    pages and pictures made from the program
# make bench   measurements (see benchmarks/)
# make lock    pin and hash the requirements anew

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup demo test check docs bench lock clean

VENV  := .venv
BIN   := $(VENV)/bin
STAMP := $(VENV)/.set-up
# One more than there are cores: many tests wait for a reader, a server or a disk.
JOBS  ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n + 1)))
TESTS ?=

export PYTHON

help: ## this list
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 10

setup: $(STAMP) ## install what is missing: Debian packages (root or sudo), then .venv

$(STAMP): pyproject.toml requirements.in requirements-build.txt requirements-dev.txt tools/setup.sh
	tools/setup.sh
	@touch $@

demo: $(STAMP) ## sample roster onto virtual cards through PC/SC, and read back
	@tools/demo.sh

test: $(STAMP) ## everything, with a real pcscd where root or user namespaces allow it
	$(BIN)/python -m pytest -q -n $(JOBS) $(TESTS)

check: $(STAMP) ## ruff, mypy --strict, import-linter, vulture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture

docs: $(STAMP) ## pages and pictures made from the program
	$(BIN)/python tools/docs.py
	$(BIN)/python -m tests.registry.forms.samples docs/images
	$(BIN)/python -m tests.registry.intake.pictures docs/images
	$(BIN)/python -m tests.registry.statistics.pictures docs/images

bench: $(STAMP) ## commands, bytes, seconds, cards per hour
	$(BIN)/python -m benchmarks

lock: $(STAMP) ## pin and hash the requirements anew
	tools/lock.sh

clean: ## remove .venv and everything generated
	rm -rf $(VENV) build dist ./*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
