SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
# The port of the Dagster UI.
PORT ?= 3000
# More arguments for pytest, such as ARGS="-k stale".
ARGS ?=
# Some of the benchmarks' cases, such as CASES="memory load_time"; all without.
CASES ?=
# What `make materialize` materializes, and of which months: 2024-01 or 2024-01...2024-03.
export SELECT ?=
export MONTHS ?=
# How much `make faults` does: full takes an hour or more on two slow cores, small a seventh.
FAULTS ?= full
# Where `make faults` puts the landing zone (disk, s3) and the warehouse (file, ducklake, postgres).
STORE ?= disk
WAREHOUSE ?= file
# How long `make soak` goes on, and the seed of a plan to repeat.
MINUTES ?= 30
SEED ?=

.PHONY: help install demo dev materialize report query test stack browser faults soak scale bench docs schema reference check format test-embedded-elt clean

help: ## List the targets.
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name text; do \
		printf '%-18s %s\n' "$$name" "$$text"; done
	@echo 'Another Python: make install PYTHON=python3.12'

# Which extras of the project an environment has: those whose packages are all there.
define INSTALLED_EXTRAS
import re
from importlib import metadata

def has(package):
    try:
        return bool(metadata.version(package))
    except metadata.PackageNotFoundError:
        return False

if has("pipelines-project"):
    project = metadata.distribution("pipelines-project")
    wanted = [re.split(r"[ ;<>=~!\[]", each)[:1] + re.findall(r"extra == .([\w-]+)", each) for each in project.requires or []]
    for extra in project.metadata.get_all("Provides-Extra") or []:
        if all(has(package) for package, *extras in wanted if extra in extras):
            print(extra)
endef
export INSTALLED_EXTRAS

# An environment is brought up to date in place, because people install into it what they need: its
# Python, the extras that it has and what else is there stay. Only one whose first install was
# interrupted (.incomplete) begins again, from nothing. The stamps are written last, so an update
# that was interrupted is done again.
# setuptools goes in first: pip does not apply constraints to the environment it builds in, so the
# build uses this one. Doubly quiet leaves errors only.
define build_venv
@if [ -e $(1)/.incomplete ]; then rm -rf $(1); fi; \
if [ ! -e $(1) ]; then \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'Python 3.11 or newer is needed, and PYTHON=$(PYTHON) is not. Name one: make install PYTHON=python3.11' >&2; \
		exit 1; }; \
	echo 'Installing into $(1), which takes a minute or two …'; \
	mkdir $(1); \
	touch $(1)/.incomplete; \
	$(PYTHON) -m venv $(1); \
else \
	echo 'Bringing $(1) up to date, which may take a minute …'; \
fi; \
$(1)/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo '$(1)/bin/python is not there, does not start or is older than 3.11. To begin again, without what you installed into $(1): make clean install' >&2; \
	exit 1; }; \
$(1)/bin/python -m pip --version >/dev/null 2>&1 || $(1)/bin/python -m ensurepip >/dev/null; \
extras=$$($(1)/bin/python -c "$$INSTALLED_EXTRAS" | tr '\n' ','); \
$(1)/bin/python -m pip install -qq --disable-pip-version-check -c $(2) setuptools; \
$(1)/bin/python -m pip install -qq --disable-pip-version-check -c $(2) --no-build-isolation -e ".[$${extras}$(3)]"; \
rm -f $(1)/.incomplete; \
touch $@
endef

.venv/.installed: pyproject.toml constraints.txt
	$(call build_venv,.venv,constraints.txt,dev)

.venv-embedded-elt/.installed: pyproject.toml constraints-embedded-elt.txt
	$(call build_venv,.venv-embedded-elt,constraints-embedded-elt.txt,dev$(comma)embedded-elt)

comma := ,

install: .venv/.installed ## Build .venv.
	@:

# Dagster reads dagster.yaml only from an absolute DAGSTER_HOME.
demo dev materialize report: export DAGSTER_HOME := $(CURDIR)/data/dagster

# A daemon that cannot load the code, because an edit is half done or `dagster dev` was killed and left
# the daemon behind, waits with a backfill instead of failing it.
dev: export DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR := 1

demo: install ## Land, load and model made-up data of every source, and show what came of it.
	@.venv/bin/python -m pipelines_project.demo

# A shell that starts this in the background has SIGINT ignored, and dagster would inherit that and
# then obey no signal at all, so it is put back first.
dev: install ## Start the Dagster UI and daemon (PORT=3000), until Ctrl-C.
	@exec .venv/bin/python -c 'import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])' \
		.venv/bin/dagster dev -w workspace.yaml -p $(PORT)

materialize: install ## Materialize months now (SELECT=group:chess MONTHS=2024-01...2024-03); exits 1 if one fails.
	@: "$${SELECT:?name assets, such as SELECT=group:chess}"
	@.venv/bin/python -m pipelines_project materialize --select "$$SELECT" $${MONTHS:+--months "$$MONTHS"}

report: install ## Write the report, one HTML page of what is landed, loaded and built.
	@.venv/bin/python -m pipelines_project materialize --select report

query: install ## Query what is landed and published in DuckDB's terminal, without any lock.
	@.venv/bin/python -m pipelines_project.query

# The tests start dozens of processes, which would compile the project each time anew.
test stack browser faults test-embedded-elt: export PYTHONDONTWRITEBYTECODE :=

test: install ## Run the tests (ARGS="-k stale" for some of them).
	@.venv/bin/python -m pytest $(ARGS)

# -rs says what was left out, because something that it needs is not on the machine.
stack: install ## Run the tests of whole programs, backfills and many processes; some need redis-server.
	@.venv/bin/python -m pytest -m stack -rs $(ARGS)

# One after another: they share one UI, whose daemon must get its turn.
browser: install ## Drive the UI in a browser (needs chromium).
	@.venv/bin/python -m pytest -m browser -rs -n 0 $(ARGS)

faults: install ## Try to lose a month: crashes, overlaps, hostile input (FAULTS=small is quicker).
	@FAULTS=$(FAULTS) STORE=$(STORE) WAREHOUSE=$(WAREHOUSE) .venv/bin/python -m pytest pipelines_project_tests/faults -m faults $(ARGS)

soak: install ## Run, kill and read at random for MINUTES=30, then reconcile; SEED=… repeats a plan.
	@.venv/bin/python -m pipelines_project_tests.faults.soak --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

scale: install ## Land three sources by 1, 2 and 4 Celery workers, killing some (needs redis-server; ARGS=--help).
	@.venv/bin/python -m pipelines_project_tests.deploy.scale $(ARGS)

# Only plots need more than the tests do.
.venv/.bench: .venv/.installed
	@.venv/bin/python -m pip install -qq --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[bench]'
	@touch $@

bench: .venv/.bench ## Measure speed and memory beside the plain way and the limit, half an hour (CASES="memory").
	@.venv/bin/python -m benchmarks $(CASES)

.venv/.docs: .venv/.installed
	@.venv/bin/python -m pip install -qq --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[docs]'
	@touch $@

docs: .venv/.docs ## Build the documents into build/site, open build/site/index.html; a dead link is an error.
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict

# Into another file first, so that one that is cut off is none.
schema: install ## Write the JSON schema of all component types to .schema/defs.json, for editors.
	@mkdir -p .schema
	@.venv/bin/python -m pipelines_project.components > .schema/defs.json.new
	@mv .schema/defs.json.new .schema/defs.json

reference: install ## Write docs/reference/components.md from the code of the component types.
	@mkdir -p build
	@.venv/bin/python -m pipelines_project.components reference > build/components.md
	@mv build/components.md docs/reference/components.md

format: install ## Format the code, and mend what the linter can.
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

check: install ## Check format, lint, types, imports and definitions, then run the tests.
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/basedpyright
	@.venv/bin/lint-imports
	@STRICT_DEFINITIONS=1 .venv/bin/dagster definitions validate -w workspace.yaml
	@$(MAKE) --no-print-directory test

test-embedded-elt: .venv-embedded-elt/.installed ## Run the tests with dagster-embedded-elt, in a venv of its own.
	@.venv-embedded-elt/bin/python -m pytest $(ARGS)

clean: ## Remove the environments and caches; data stays.
	@rm -rf .venv .venv-embedded-elt build *.egg-info .pytest_cache .ruff_cache .hypothesis
	@find . -type d -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
