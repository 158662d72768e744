# Every target sets up what it needs in .venv: a machine with Python 3.11+ is enough.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal
# What `make test` and `make long` run together.
HERE := not clusters and not faults and not traces and not remotes

# Pinned by itself: a range would let other packages choose a build of several gigabytes.
TORCH := torch==2.13.0

# The tests start Python many hundred times: compiled once, not each time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test long traces lint check extras clusters remotes faults bench pictures clean

$(STAMP): pyproject.toml
	@echo "Setting up .venv, which takes about a minute …"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(STAMP)

demo: $(STAMP) ## run a real pipeline twice, change a parameter, show where the model came from
	PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh

test: $(STAMP) ## the test suite
	$(PYTEST)

long: $(STAMP) ## the tests that take longest: several processes, machines, terminals
	$(PYTEST) -m 'long and $(HERE)'

traces: $(STAMP) ## what a hit of the cache depends on: each case in fresh processes
	$(PYTEST) -m traces

lint: $(STAMP) ## lint, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint ## lint, types, layers, tests with coverage
	$(PYTEST) -m '$(HERE)' --cov --cov-report=term:skip-covered

clusters: $(STAMP) ## steps on Dask and Ray, whose workers share nothing but a remote
	$(PYTEST) -m clusters

remotes: $(STAMP) ## the tests against real servers; installs these where they are not, by apt-get and npm
	$(BIN)/python -m tests.servers $(PYTEST) -m remotes

faults: $(STAMP) ## the long fault-injection tests: kills, full disks, power cuts
	$(PYTEST) -m faults

extras: $(STAMP) ## the tests that need heavy libraries: torch, boosting, notebooks, training frameworks
	$(BIN)/python -m pip install --quiet --disable-pip-version-check '$(TORCH)'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,heavy]'
	$(PYTEST) -m '$(HERE)' tests/pipeline/values tests/pipeline/traces/test_chance.py tests/reference

bench: $(STAMP) ## figures against peers, side by side in one run
	$(BIN)/python -m benchmarks

pictures: $(STAMP) ## the README's pictures anew; needs Chromium
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,pictures]'
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python examples/pictures.py

clean:
	rm -rf .venv
