# Thin: every target calls one tool. `make serve` and `make test` set up all they need.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# How much `make faults` does.
SIZE ?= ci

# What `make dev` and `make test-watch` look at.
WATCH ?= ccod plugins

.PHONY: help serve dev test test-watch test-integration coverage lint lint-fix type-check bench load faults corpus prices build wheel-test contrib-test replace-test first-five-minutes image fleet-image lock clean
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

# One stamp per set of pinned packages: a changed pin installs again, an unchanged one costs nothing.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "ccod needs Python 3.11 or newer: make PYTHON=python3.12 …" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/$(1).txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
endef

$(VENV)/run.stamp: requirements/run.txt pyproject.toml
	$(call install,run)

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml
	$(call install,dev)

serve: $(VENV)/run.stamp ## Set up and run the daemon
	$(BIN)/ccod serve

dev: $(VENV)/dev.stamp ## Run the daemon, again after each change of the sources; ARGS are options of `ccod serve`
	$(BIN)/watchfiles --sigint-timeout 15 "$(BIN)/ccod serve --set environment=development $(ARGS)" $(WATCH)

test: $(VENV)/dev.stamp ## Set up and run the tests, three files at a time: much of their time is waiting
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

test-watch: $(VENV)/dev.stamp ## Run tests again after each change: make test-watch ARGS=tests/core
	$(BIN)/watchfiles "$(BIN)/python -m pytest -q -x $(ARGS)" $(WATCH) tests

test-integration: $(VENV)/dev.stamp ## Run the tests of whole daemons, and the contracts that roles must keep
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder tests/e2e tests/plugins/*/test_*_contract.py tests/faults/test_contract.py $(ARGS)

# The core has to be tested whole; of the plugins, what is left is listed.
coverage: $(VENV)/dev.stamp ## Run the tests and show which lines and branches none of them reaches (takes long)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under 92
	$(BIN)/coverage report --fail-under 100 --include 'ccod/*'

lint: $(VENV)/dev.stamp type-check ## Check style, formatting, types and the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest -q tests/core/test_imports.py

lint-fix: $(VENV)/dev.stamp ## Format and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

type-check: $(VENV)/dev.stamp ## mypy --strict
	$(BIN)/mypy
	@for each in contrib/*/pyproject.toml; do \
		(cd "$$(dirname "$$each")" && MYPYPATH=$(CURDIR) $(abspath $(BIN))/mypy --config-file $(CURDIR)/pyproject.toml .) || exit 1; \
	done

bench: $(VENV)/dev.stamp ## Measure ingest and latency against floor programs in the same run
	$(BIN)/python -m tests.bench $(ARGS)

load: $(VENV)/dev.stamp ## A heavy user's day: sessions, clients, requests, a backfill; make load ARGS="--minutes 10"
	$(BIN)/python -m tests.bench.load $(ARGS)

faults: $(VENV)/dev.stamp ## Try to break it: kills, power cuts, clocks, requests, plugins (some 20 minutes; SIZE=smoke or nightly)
	$(BIN)/python -m tests.faults --size $(SIZE) $(ARGS)

corpus: $(VENV)/dev.stamp ## Generate a synthetic history: make corpus ARGS="DIR --size M"
	$(BIN)/python -m tests.bench.corpus $(ARGS)

build: $(VENV)/dev.stamp ## Build the wheel and the source archive into dist/
	$(BIN)/python -m build --no-isolation --outdir dist

wheel-test: build ## Run the tests against the built wheel in a clean environment, and contrib-test and replace-test --smoke in it
	contrib/wheel-test $(BIN)/python

contrib-test: build ## Test the distributions in contrib/ beside the built wheel
	contrib/clean-venv $(BIN)/python build/contrib
	contrib/contrib-test build/contrib/bin/python

replace-test: build ## Replace each built-in role in turn and run the end-to-end tests again (takes long; ARGS=--smoke)
	contrib/clean-venv $(BIN)/python build/replace
	contrib/contrib-wheels build/replace/bin/python
	contrib/replace-test build/replace/bin/python $(ARGS)

first-five-minutes: build ## Do what docs/first-five-minutes.md does, in a new home
	$(BIN)/python -m tests.e2e.first_five_minutes $$(ls -t dist/ccod-*.whl | head -n 1)

image: build ## Build a container image from the wheel, with podman or docker
	$$(command -v podman || command -v docker) build --tag ccod --file contrib/container/Containerfile .

fleet-image: build ## The same with the clients of PostgreSQL and Redis, for contrib/fleet
	$$(command -v podman || command -v docker) build --tag ccod-fleet --build-arg PACKAGES=fleet --file contrib/container/Containerfile .

prices: $(VENV)/dev.stamp ## Write the price table again from the genai-prices package
	$(BIN)/python contrib/make_prices.py > plugins/ccod_prices/prices.json.new
	mv plugins/ccod_prices/prices.json.new plugins/ccod_prices/prices.json

lock: ## Pin the packages again (needs uv)
	uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header --group build pyproject.toml -o requirements/run.txt
	uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header --group build --extra postgres --extra redis pyproject.toml -o requirements/fleet.txt
	uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header --group dev pyproject.toml -o requirements/dev.txt
	uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header --group peers -o requirements/peers.txt

clean: ## Remove what the targets above made
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*
