# All targets share one virtual environment. It is made once, and every target makes what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
RUNS ?= runs
UPGRADE ?= --upgrade

# A run of the suite starts Python a thousand times. Without byte code on disk, each start would compile everything.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install lock demo demo-bad-upgrade demo-real test test-newest test-real unit explore mutants check format generate docs bench clean

install: $(STAMP)

$(STAMP): pyproject.toml development.lock
	@$(PYTHON) -c 'import sys; sys.exit("coalmine needs Python 3.11 or later; set PYTHON=") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing coalmine into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r development.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib
	@touch $@

# Dependencies for development only. pyproject.toml says what each group is for.
GROUPS := --group build --group image --group test --group check --group docs
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

lock: $(STAMP)  ## Write both locks with the newest versions within the bounds; UPGRADE= keeps versions that still fit.
	$(LOCK) $(UPGRADE) pyproject.toml $(GROUPS) -o development.lock
	$(LOCK) --group image -c development.lock -o orchestrator/lab/image.lock

demo: $(STAMP)  ## Rehearse examples/quickstart.yaml on a local cluster; CONTEXT=name uses yours.
	$(BIN)/coalmine run examples/quickstart.yaml --runs $(RUNS) $(if $(CONTEXT),--context $(CONTEXT))

demo-bad-upgrade: $(STAMP)  ## The same network with a runtime whose migration panics: ends FAILED, exit code 1.
	$(BIN)/coalmine run examples/bad-upgrade.yaml --runs $(RUNS) $(if $(CONTEXT),--context $(CONTEXT)); \
	  code=$$?; echo "exit code $$code"; exit $$code

# The real clients, as images or as paths of their programs, and a folder with the runtimes that the example names.
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

# Two workers have a lab each, and the third runs everything else meanwhile. tests/conftest.py assigns tests to workers.
# build/durations/ keeps the seconds of each test and fixture.
SPREAD := --no-loadscope-reorder -n

test: $(STAMP)  ## All tests except long real networks; starts its own labs.
	$(BIN)/python -m pytest tests $(SPREAD) 3 --keep-durations build/durations/test.json

test-newest: $(STAMP)  ## `make test` with the newest versions within the bounds, to see early what a new version breaks.
	$(BIN)/uv venv --quiet --clear --seed --python $(BIN)/python build/newest
	$(BIN)/uv pip install --quiet --python build/newest/bin/python --upgrade $(GROUPS) -e .
	@touch build/newest/.installed
	$(MAKE) test VENV=build/newest

test-real: $(STAMP)  ## All tests on real nodes, also the long ones that `make test` leaves out; run before a release.
	COALMINE_THOROUGH=1 $(BIN)/python -m pytest tests/real -m 'not cluster' $(SPREAD) 3
	COALMINE_THOROUGH=1 $(BIN)/python -m pytest tests/real -m cluster

unit: $(STAMP)  ## The tests that need nothing that runs: no cluster, no container, no node, no Prometheus.
	$(BIN)/python -m pytest tests -m 'not live and not cluster and not container and not real' $(SPREAD) 2 \
	  --keep-durations build/durations/unit.json

# `make explore` tries this many times as many schedules as `make unit`.
TIMES ?= 20

explore: $(STAMP)  ## `make unit` with more seeds, examples and malformed files.
	COALMINE_EXPLORE=$(TIMES) $(BIN)/python -m pytest tests -m 'not cluster and not container and not real' $(SPREAD) auto

# mutmut has a folder of its own, because nothing else needs it. A change takes about three seconds.
MUTMUT := mutmut==3.8.1

mutants: $(STAMP)  ## Change the code of gates, runs and plans in small ways and name what no test notices; ONLY=a.module.
	$(BIN)/uv pip install --quiet --target build/mutants/site -c development.lock $(MUTMUT)
	$(BIN)/python -m tests.mutants $(ONLY)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(STAMP)  ## Write dashboards/, docs/schema/ and docs/reference/ from the catalogue, the models and the verbs.
	$(BIN)/python -c "from pathlib import Path; from orchestrator.metrics.dashboards import generate; \
	  from orchestrator.cli import reference; from orchestrator.spec import explain; \
	  [Path(path).write_text(text) for path, text in (generate() | explain.published() | reference.published()).items()]"

docs: $(STAMP)  ## Build build/docs/index.html from the pages of docs/; a broken link is an error.
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --nitpicky docs build/docs

bench: $(STAMP)  ## Print one line for each figure and write build/bench.json; ONLY=name runs one.
	$(BIN)/python -m tests.bench $(ONLY)

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
