# Set-up and every check are one command each; all that is needed beforehand is Python >= 3.11 and make.
# `make PYTHON=python3.12 demo` chooses the interpreter that .venv is made with.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$python && break; done)

VENV := .venv
BIN := $(VENV)/bin
PINS := constraints/ci.txt
# a stamp is newer than what it was installed from; installing the full set installs the base as well
BASE := $(VENV)/.base-installed
FULL := $(VENV)/.full-installed
# LAION's own code of CLAP pins an older numpy, and runs with this one: an environment of its own, for parity
LAION_VENV := .venv-laion
LAION := $(LAION_VENV)/.laion-installed

DEMO := demo-report
# every test runs once: those of tests/shaped.py with each array's shape and dtype checked against its annotation
SHAPES := --shaped only --jaxtyping-packages=alignkit,array_checker.arrays_only
OFFLINE := HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 RAY_USAGE_STATS_ENABLED=0
# a process per core with one BLAS thread each: two pools of BLAS threads on two cores wait for each other
IN_PARALLEL := -n auto --dist worksteal
QUIET_DOCS := NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true

.PHONY: help demo venv test test-laion check docs bench analyses constraints scatter clean

help:  ## show this list
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|' 2>/dev/null \
		|| grep -E '^[a-z-]+:.*##' Makefile

demo: $(BASE)  ## install the base where .venv is absent and run the tour offline; says where its report lies
	$(BIN)/alignkit demo --out $(DEMO) --force

venv: $(FULL)  ## make .venv with every extra and the tools for tests and docs; completes a base .venv

test: $(FULL)  ## run every test, then build the docs with warnings as errors
	$(OFFLINE) OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q $(IN_PARALLEL) --shaped without
	$(OFFLINE) OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m pytest -q $(IN_PARALLEL) $(SHAPES)
	$(MAKE) --no-print-directory docs

test-laion: $(LAION)  ## compare the CLAP encoder with LAION's own code, in .venv-laion; takes minutes
	$(OFFLINE) $(LAION_VENV)/bin/python -m pytest -q -p no:cacheprovider tests/laion

check: $(FULL)  ## lint, format, types and the layers of the package
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright
	$(BIN)/lint-imports

docs: $(FULL)  ## build the documentation into site/
	$(OFFLINE) $(QUIET_DOCS) $(BIN)/mkdocs build --strict --quiet

bench: $(FULL)  ## print the benchmark tables
	@for script in benchmarks/[!_]*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

analyses: $(FULL)  ## answer the questions of analyses/ on real data and rewrite their results
	@for folder in analyses/[!_]*/; do echo "== $$folder"; $(BIN)/python "$$folder/analysis.py" --out "$$folder"; done

constraints: $(FULL)  ## resolve every dependency anew and rewrite constraints/ci.txt
	$(BIN)/uv pip compile --quiet --upgrade --python-version 3.11 --extra full --extra test --extra docs --no-annotate \
		--custom-compile-command 'make constraints' --output-file $(PINS) pyproject.toml constraints/held.in

scatter:  ## build the explorer's map of many points anew with npm, from dashboards/scatter
	rm -rf .scratch/scatter && mkdir -p .scratch && cp -r dashboards/scatter .scratch/scatter
	cd .scratch/scatter && npm ci --silent && npm run --silent build
	cp .scratch/scatter/scatter.js .scratch/scatter/LICENCES.txt dashboards/scatter/

clean:  ## remove what builds and checks left behind; .venv and the demo's report stay
	rm -rf site dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find alignkit tests benchmarks docs -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "no Python >= 3.11 was found: name one with make PYTHON=/path/to/python" >&2; exit 2; }
	@$(PYTHON) -c '$(NEW_ENOUGH)' || { echo "$(PYTHON) is older than 3.11: name another with make PYTHON=..." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

# an environment without a stamp that holds all that the base requires was made by hand: it is used as it is
COMPLETE := import re; from importlib.metadata import requires, version; \
	[version(re.split("[^a-zA-Z0-9_.-]", line)[0]) for line in requires("alignkit") if "extra ==" not in line]

$(BASE): pyproject.toml $(PINS) | $(VENV)/bin/python
	@if test ! -e $@ && $(BIN)/python -c '$(COMPLETE)' 2>/dev/null; then \
		echo "using $(VENV) as it is"; \
	else \
		echo "installing the base into $(VENV)"; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(PINS) -e .; \
	fi
	@touch $@

$(FULL): pyproject.toml $(PINS) | $(VENV)/bin/python
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(PINS) uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -c $(PINS) -e '.[full,test,docs]'
	@touch $(BASE) $@

$(LAION): pyproject.toml $(PINS) constraints/laion.in | $(FULL)
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $(LAION_VENV)
	$(BIN)/uv pip install --quiet --python $(LAION_VENV)/bin/python -c $(PINS) --override constraints/laion.in \
		-e '.[hub]' laion_clap==1.1.7 torchvision pytest
	@touch $@
