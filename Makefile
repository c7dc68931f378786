# One virtual environment, made once and reused; every target makes what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
RUNS ?= runs
UPGRADE ?= --upgrade

# Python starts a thousand times in a suite, and each start would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install lock demo demo-bad-upgrade demo-real test test-newest test-real unit explore check format generate docs bench clean

install: $(STAMP)

$(STAMP): pyproject.toml development.lock
	@$(PYTHON) -c 'import sys; sys.exit("coalmine needs Python 3.11 or later; set PYTHON=") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing coalmine into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r development.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib
	@touch $@

# What a user does not install: pyproject.toml says what each group is for.
GROUPS := --group build --group image --group test --group check --group docs
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

lock: $(STAMP)  ## Both locks, at the newest versions that the bounds allow; UPGRADE= keeps what stands and still fits.
	$(LOCK) $(UPGRADE) pyproject.toml $(GROUPS) -o development.lock
	$(LOCK) --group image -c development.lock -o orchestrator/lab/image.lock

demo: $(STAMP)  ## Rehearse examples/quickstart.yaml on a cluster of our own; CONTEXT=name takes yours.
	$(BIN)/coalmine run examples/quickstart.yaml --runs $(RUNS) $(if $(CONTEXT),--context $(CONTEXT))

demo-bad-upgrade: $(STAMP)  ## The same network with a runtime whose migration panics: ends FAILED, exit code 1.
	$(BIN)/coalmine run examples/bad-upgrade.yaml --runs $(RUNS) $(if $(CONTEXT),--context $(CONTEXT)); \
	  code=$$?; echo "exit code $$code"; exit $$code

# Real clients by image or by path of their programs, and a folder with the runtimes that the example names.
REAL ?= ../shared/real
POLKADOT ?= $(REAL)/polkadot-1.25.1-linux-amd64.tar.zst
OMNI_NODE ?= $(REAL)/polkadot-omni-node-0.24.0-linux-amd64.tar.zst
RUNTIMES ?= $(REAL)

demo-real: $(STAMP)  ## The quickstart with real clients; POLKADOT, OMNI_NODE (images or programs), RUNTIMES (a folder).
	@test -d $(RUNTIMES) || { echo "no folder $(RUNTIMES): RUNTIMES= names the one with the runtimes of examples/quickstart-real.yaml"; exit 2; }
	@mkdir -p build/demo-real/runtimes
	@cp examples/quickstart-real.yaml build/demo-real/
	@for file in $(abspath $(RUNTIMES))/*.wasm; do ln -sf $$file build/demo-real/runtimes/; done
	$(BIN)/coalmine run build/demo-real/quickstart-real.yaml --runs $(RUNS) --client polkadot=$(POLKADOT) \
	  --client polkadot-omni-node=$(OMNI_NODE) $(if $(CONTEXT),--context $(CONTEXT))

# Two workers have a lab each, and the third runs everything else meanwhile: tests/conftest.py says who runs where.
# The seconds of each test and fixture are kept in build/durations/.
SPREAD := --no-loadscope-reorder -n

test: $(STAMP)  ## Everything but long real networks; starts labs of its own.
	$(BIN)/python -m pytest tests $(SPREAD) 3 --keep-durations build/durations/test.json

test-newest: $(STAMP)  ## The suite on the newest versions that the bounds allow and not on the locked ones: drift is seen here first.
	$(BIN)/uv venv --quiet --clear --seed --python $(BIN)/python build/newest
	$(BIN)/uv pip install --quiet --python build/newest/bin/python --upgrade $(GROUPS) -e .
	@touch build/newest/.installed
	$(MAKE) test VENV=build/newest

test-real: $(STAMP)  ## Everything on real nodes, what `make test` leaves out for its length included: a release runs it.
	COALMINE_THOROUGH=1 $(BIN)/python -m pytest tests/real -m 'not cluster' $(SPREAD) 3
	COALMINE_THOROUGH=1 $(BIN)/python -m pytest tests/real -m cluster

unit: $(STAMP)  ## What needs no cluster, no container and no real node.
	$(BIN)/python -m pytest tests -m 'not cluster and not container and not real' $(SPREAD) 3 \
	  --keep-durations build/durations/unit.json

# How many times as many schedules `make explore` tries as `make unit`.
TIMES ?= 20

explore: $(STAMP)  ## `make unit` with more seeds, examples and malformed files.
	COALMINE_EXPLORE=$(TIMES) $(BIN)/python -m pytest tests -m 'not cluster and not container and not real' $(SPREAD) auto

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(STAMP)  ## dashboards/, docs/schema/ and docs/reference/, from the catalogue, the models and the verbs.
	$(BIN)/python -c "from pathlib import Path; from orchestrator.metrics.dashboards import generate; \
	  from orchestrator.cli import reference; from orchestrator.spec import explain; \
	  [Path(path).write_text(text) for path, text in (generate() | explain.published() | reference.published()).items()]"

docs: $(STAMP)  ## build/docs/index.html, the pages of docs/; a link that leads nowhere is an error.
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --nitpicky docs build/docs

bench: $(STAMP)  ## One line a figure, and build/bench.json; ONLY=name runs one.
	$(BIN)/python -m tests.bench $(ONLY)

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
