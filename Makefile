# Everything a fresh machine needs is Python 3.11 or newer and make. The environment comes from a hashed lock.
PYTHON ?= python3
DATA ?=
VENV := .venv
RUN := $(VENV)/bin/python
# One thread: LightGBM on a busy core loses more to a second thread than it wins.
export OMP_NUM_THREADS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Tests on real data run where WATTAHEAD_DATA points, and are skipped with a reason elsewhere.
ifneq ($(wildcard ../shared/data/zones_production),)
export WATTAHEAD_DATA ?= $(abspath ../shared/data)
endif

# A process of tests per core; each makes the worlds it needs once and takes a gigabyte. The rest of a slow one is shared.
SPREAD ?= --numprocesses auto --maxprocesses 4 --dist worksteal

TEMPLATES := template.yaml infra/training.yaml infra/grid.yaml infra/watching.yaml

# The simulator of grids pins a pandas of its own, so grids have an environment of their own.
GRID := $(VENV)-grid/bin/python

.PHONY: help demo grid test test-grid check runtime bench accuracy format lock clean

help:
	@echo "make demo [DATA=FOLDER]   the main job from nothing, on generated or on real zones"
	@echo "make grid                 grid actions from nothing: simulate, train, screen 24 hours, verify, query, draw"
	@echo "make test                 every test that needs no simulator of grids"
	@echo "make test-grid            the tests that need it"
	@echo "make check                static checks: ruff, mypy, import rules, templates, docs"
	@echo "make runtime              cold and warm starts under the real Lambda runtime"
	@echo "make bench                speed and memory as ratios"
	@echo "make accuracy DATA=FOLDER the README's accuracy table, from files to figures"

$(VENV)/ready: infra/locks/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "wattahead needs Python 3.11 or newer; set PYTHON=...")'
	@echo "setting up $(VENV) from infra/locks/dev.txt, once; about a minute"
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@$(RUN) -m pip install --quiet --require-hashes -r infra/locks/dev.txt
	@$(RUN) -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)-grid/ready: infra/locks/grid-dev.txt pyproject.toml
	@echo "setting up $(VENV)-grid from $<, once; about a minute"
	@test -x $(GRID) || $(PYTHON) -m venv $(VENV)-grid
	@$(GRID) -m pip install --quiet --require-hashes -r $<
	@$(GRID) -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# Tools that pin a botocore of their own get environments of their own. Their locks are whole, so nothing is resolved.
$(VENV)-%/ready: infra/locks/%.txt
	@echo "setting up $(VENV)-$* from $<, once; about a minute"
	@test -x $(VENV)-$*/bin/python || $(PYTHON) -m venv $(VENV)-$*
	@$(VENV)-$*/bin/python -m pip install --quiet --no-deps --require-hashes -r $<
	@touch $@

demo: $(VENV)/ready
	@rm -rf demo
	@$(RUN) -m infra.local.demo --to demo $(if $(DATA),--data $(DATA))

test: $(VENV)/ready
	@$(RUN) -m pytest $(SPREAD)

grid: $(VENV)-grid/ready
	@rm -rf demo-grid
	@$(GRID) -m infra.local.grid --to demo-grid

test-grid: $(VENV)-grid/ready
	@$(GRID) -m pytest -m grid $(SPREAD) tests/training/grid tests/perf/grid tests/infra/test_grids_under_rights.py

check: $(VENV)/ready $(VENV)-sam/ready $(VENV)-checkov/ready
	@$(RUN) -m ruff format --check .
	@$(RUN) -m ruff check .
	@$(RUN) -m mypy shared/wattahead functions training infra/local infra/runtime infra/cost tests
	@$(VENV)/bin/lint-imports --no-logo
	@$(VENV)/bin/cfn-lint $(TEMPLATES)
	@for one in $(TEMPLATES); do SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 $(VENV)-sam/bin/sam validate --lint --template $$one || exit 1; done
	@$(VENV)-checkov/bin/checkov --config-file infra/checkov.yaml --file $(TEMPLATES)
	@$(RUN) -m pytest -q tests/docs

runtime: $(VENV)/ready $(VENV)-sam/ready
	@$(RUN) -m infra.runtime

bench: $(VENV)/ready
	@$(RUN) -m tests.perf.bench

accuracy: $(VENV)/ready
	@test -n "$(DATA)" || { echo "say where zones_production is: make accuracy DATA=FOLDER"; exit 64; }
	@$(RUN) -m infra.local.accuracy --data $(DATA) --to accuracy

format: $(VENV)/ready
	@$(RUN) -m ruff check --fix --quiet . ; $(RUN) -m ruff format --quiet .

lock:
	@infra/locks/lock.sh

clean:
	@rm -rf $(VENV) $(VENV)-* demo demo-grid accuracy build .pytest_cache .mypy_cache .ruff_cache .hypothesis
