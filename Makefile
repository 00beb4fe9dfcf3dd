# Every target sets up as much of .venv as it needs first, when pyproject.toml, constraints.txt or what is installed
# there changed since.

SHELL := bash

PYTHON ?= python3
ARGS   ?=

VENV    := .venv
BIN     := $(VENV)/bin
COMPARE := $(VENV)/.set-up-to-compare
TEST    := $(VENV)/.set-up-to-test
ALL     := $(VENV)/.set-up
OLDER   := $(VENV)/older-numpy
OLDJAX  := $(VENV)/older-jax
BENCH   := $(VENV)/bench
PIP     := $(BIN)/python -m pip --disable-pip-version-check
SOURCES := $(wildcard conftest.py gradient_crosscheck.py reference/*.py adapters/*.py crosscheck/*.py crosscheck/*/*.py tools/*.py tools/*/*.py tests/*.py tests/*/*.py)

# A worker for each core, but no more than four: each has a child for every adapter, which computes while the
# worker waits. What shares a process stays with one worker.
WORKERS   = $(shell $(PYTHON) -c 'import os; print(min(4, os.cpu_count() or 1))')
PARALLEL ?= -n $(WORKERS) --dist loadgroup

# pytest rewrites the assertions of its plugins; without cached bytecode it does so again at every start (1 s).
unexport PYTHONDONTWRITEBYTECODE

# What pip says, as a line for each large download, with the seconds since it began.
define PROGRESS
while IFS= read -r line; do case $$line in \
  *Downloading*' MB)'*|*'Using cached'*' MB)'*|Building*) printf '%5d s  %s\n' $$SECONDS "$${line#"$${line%%[! ]*}"}" ;; \
  Installing*) printf '%5d s  Installing %d packages: no more lines until it is done\n' $$SECONDS "$$(wc -w <<< "$${line#*: }")" ;; \
esac; done
endef

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help setup compare test lint proof mutation older-numpy older-jax soak bench power format pins clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-20s%s\n", $$1, $$2 }'
	@echo
	@echo "  ARGS=...        goes to the command:  make compare ARGS='--only numpy,jax --dtype float32'"
	@echo "  PYTHON=...      makes .venv with it:  make setup PYTHON=python3.12"

setup: $(ALL) ## make .venv with everything that the suite was tested with

compare: $(COMPARE) ## compare the frameworks and print the table
	@$(BIN)/crosscheck compare $(ARGS)

test: $(TEST) ## run the tests
	@$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

lint: $(ALL) ## check style, types, import directions, workflows and coverage
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema -q --builtin-schema vendor.github-actions action.yml
	$(BIN)/check-jsonschema -q --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema -q --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/zizmor --offline --no-progress --quiet --pedantic --strict-collection .
	@$(MAKE) --no-print-directory .coverage
	$(BIN)/coverage report

proof: $(COMPARE) ## prove the bounds of the document's case by Gappa, which must be installed
	@$(BIN)/python -m tools.proof

mutation: $(TEST) $(BENCH)/.installed ## change reference/ and the judge, see which tests notice, write docs/mutation.md: hours
	@$(BENCH)/bin/python -m tools.mutation $(ARGS)

older-numpy: $(TEST) $(OLDER)/.installed ## compare the cases with those under another NumPy, byte for byte
	CROSSCHECK_OLD_NUMPY_PYTHON=$(CURDIR)/$(OLDER)/bin/python $(BIN)/python -m pytest -q tests/inputs/test_cases.py -k older_numpy

older-jax: $(TEST) $(OLDJAX)/.installed ## show the faults of JAX beside the release without them
	CROSSCHECK_OLD_JAX_PYTHON=$(CURDIR)/$(OLDJAX)/bin/python $(BIN)/python -m pytest -q -s --profile ci -k release \
	  tests/conformance/test_older_jax.py tests/script/test_script_command.py

soak: $(COMPARE) ## compare the frameworks on 10 million problems per dtype: 10 minutes
	@$(BIN)/crosscheck compare --dtype float64,float32 --problems 1000000 --seed $$(date +%s) $(ARGS)

bench: $(TEST) $(BENCH)/.installed ## measure, and write docs/benchmarks.md: 10 minutes
	@$(BENCH)/bin/python benchmarks/run.py $(ARGS)

power: $(TEST) $(BENCH)/.installed ## measure what is caught of planted faults, and write docs/power.md: up to two hours
	@$(BENCH)/bin/python benchmarks/power.py $(ARGS)

format: $(ALL) ## format the code with ruff
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

pins: $(ALL) $(BENCH)/.installed ## write the versions that this interpreter has to constraints.txt
	@$(BENCH)/bin/python tools/pins.py constraints.txt

clean: ## remove .venv and all caches
	rm -rf $(VENV) .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache *.egg-info mutants
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# `make test ARGS='--cov --profile ci'` leaves this file too, so that CI runs the tests once.
.coverage: $(ALL) $(SOURCES) pyproject.toml
	$(BIN)/python -m pytest $(PARALLEL) -q --cov --profile ci

# The oldest NumPy that pyproject.toml allows; its own environment, as no constraint can hold two.
$(OLDER)/.installed: | $(COMPARE)
	@$(PYTHON) -m venv --clear $(OLDER)
	@$(OLDER)/bin/python -m pip --disable-pip-version-check install -q numpy==2.1.3 ml_dtypes==0.6.0
	@touch $@

# The release before the pinned one, for a difference that came between them.
$(OLDJAX)/.installed: | $(COMPARE)
	@$(PYTHON) -m venv --clear $(OLDJAX)
	@$(OLDJAX)/bin/python -m pip --disable-pip-version-check install -q jax==0.10.1 numpy==2.4.0 ml_dtypes==0.6.0
	@touch $@

# The extras `bench` and `mutation` on top of .venv, whose packages it sees, but apart from it: pytest-benchmark takes part
# in every run of pytest where it is installed, and warns beside pytest-xdist. pip is .venv's.
$(BENCH)/.installed: $(TEST)
	@$(BIN)/python -m venv --clear --without-pip $(BENCH)
	@purelib='import sysconfig; print(sysconfig.get_path("purelib"))'; \
	  echo "import site; site.addsitedir('$$($(BIN)/python -c "$$purelib")')" \
	  > "$$($(BENCH)/bin/python -c "$$purelib")/above.pth"
	@$(BENCH)/bin/python -m pip --disable-pip-version-check install -q -c constraints.txt --no-build-isolation -e '.[bench,mutation]'
	@touch $@

# What each level holds; whoever has more has less as well.
$(COMPARE): EXTRAS := torch,jax,report,sweep
$(TEST):    EXTRAS := torch,jax,report,sweep,dask,test
$(ALL):     EXTRAS := all

# hatchling comes first and builds without isolation, so that the build uses the tested version as well. A set-up that
# was interrupted starts afresh, with what pip has downloaded; where pip itself gives up, it leaves all in order. The
# trap ends the shell after an interruption that pip answers by an ordinary failure. site-packages is newer than its
# stamps once others, such as uv or a user's pip, have been there.
$(COMPARE) $(TEST) $(ALL): pyproject.toml constraints.txt $(wildcard $(VENV)/lib/python*/site-packages)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  found=$$($(PYTHON) --version 2>/dev/null) || found="not installed"; \
	  echo "The suite needs Python 3.11 or newer; '$(PYTHON)' is $$found."; \
	  echo "Name another one, for example: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; } >&2
	@echo "Setting up $(VENV) with $(EXTRAS): some minutes the first time, seconds later."
	@[ ! -e $(VENV)/.unfinished ] && $(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@touch $(VENV)/.unfinished
	@$(PIP) install -q -c constraints.txt hatchling
	@set -o pipefail; trap 'exit 130' INT; \
	  $(PIP) install --progress-bar off -c constraints.txt --no-build-isolation -e '.[$(EXTRAS)]' | $(PROGRESS); \
	  ended=$$?; rm $(VENV)/.unfinished; [ $$ended = 0 ] && printf '%5d s  Done\n' $$SECONDS
	@touch $(if $(filter $(ALL),$@),$(COMPARE) $(TEST)) $(if $(filter $(TEST),$@),$(COMPARE)) $@
