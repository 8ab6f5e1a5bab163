# calm_lab: the everyday commands. `make` or `make help` lists them.
# Everything is installed into .venv beside this file; nothing outside it changes but the corpus cache.

VENV = .venv
PY = $(VENV)/bin/python
PINS = constraints.txt
PIP = $(PY) -m pip install --disable-pip-version-check -c $(PINS)

# Options, given as `make app PORT=8000`. Plain assignments on purpose: a HOST or PORT that happens to be set in your
# shell must not open the app to the network.
PORT = 7860
HOST = 127.0.0.1
LAB_PORT = 8888
JOBS = 2
ONLY =
PYTHON = $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)

# One thread a process: two test processes share the two cores of a small machine without treading on each other.
PYTEST = OMP_NUM_THREADS=1 GRADIO_ANALYTICS_ENABLED=False $(PY) -m pytest -q
TORTURE = OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false GRADIO_ANALYTICS_ENABLED=False $(PY) -m tests.torture
LINTED = $(wildcard calm_lab tests benchmarks notebooks docs app.py)
NOTEBOOKS = $(wildcard notebooks/*.ipynb)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help app lab doctor test test-fast test-full oldest torture lint types unit faults notebooks notebooks-full browser
.PHONY: format bench handout cheatsheet screenshots pictures clean distclean

help: ## list these commands and options
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile
	@echo
	@echo "  options: PORT=$(PORT) HOST=$(HOST) (app), LAB_PORT=$(LAB_PORT) (lab), PYTHON=/path/to/python3 (first install),"
	@echo "           JOBS=$(JOBS) (test processes), ONLY=tests/model (unit tests of one folder or file)"

app: $(VENV)/.app $(VENV)/.andersen ## install if needed, then open the app on http://127.0.0.1:7860
	@$(VENV)/bin/calm-lab app --host "$(HOST)" --port "$(PORT)"

lab: $(VENV)/.notebooks $(VENV)/.andersen ## open the notebooks in JupyterLab
	@$(PY) -m jupyterlab --ServerApp.root_dir=notebooks --ServerApp.port="$(LAB_PORT)"

doctor: $(VENV)/.app ## say what is there, what is missing and what to do about it
	@$(VENV)/bin/calm-lab doctor

test: test-fast faults notebooks browser ## everything a change must pass: lint, types, unit tests, faults, notebooks, browser

test-fast: lint types unit ## lint, types and unit tests: under three minutes on two cores

test-full: lint types $(VENV)/.andersen notebooks-full ## make test and the slow tests as well, notebooks in full, twice, and from the wheel; the oldest versions
	$(PYTEST) -n $(JOBS) -m "not browser"
	$(PYTEST) -m browser tests
	$(MAKE) oldest

# The newest versions are those of constraints.txt, in .venv; the oldest live beside it.
oldest: ## unit tests with the oldest versions that pyproject.toml allows, in .venv-oldest
	$(MAKE) unit VENV=.venv-oldest PINS=constraints-oldest.txt

torture: $(VENV)/.dev ## kill trainings, damage files, send 50 visitors: docs/robustness.md, about half an hour
	$(TORTURE).kill --kills 50
	$(TORTURE).fuzz --inputs 100000
	$(TORTURE).load --sessions 50 --seconds 300 --pages 3 --json docs/load.json --plot docs/load.png

lint: $(VENV)/.dev
	$(PY) -m ruff check $(LINTED)
	$(PY) -m ruff format --check $(LINTED)

types: $(VENV)/.dev
	$(PY) -m mypy

unit: $(VENV)/.dev $(VENV)/.andersen
	$(PYTEST) -n $(JOBS) -m "not slow and not browser and not faults" $(ONLY)

faults: $(VENV)/.dev ## damaged files, killed trainings, absurd sizes: the short form of make torture, three minutes
	TOKENIZERS_PARALLELISM=false $(PYTEST) -n $(JOBS) -m "faults and not slow and not browser" tests/torture

notebooks: $(VENV)/.dev $(VENV)/.andersen ## run every notebook from top to bottom, with shortened loops
	$(if $(NOTEBOOKS),CALM_LAB_FAST=1 $(PYTEST) --nbmake --nbmake-timeout=900 --timeout=1200 $(NOTEBOOKS))

# Twice: whatever the first run leaves behind must not stop the second. The slow tests run them from the built wheel too.
notebooks-full: $(VENV)/.dev $(VENV)/.andersen ## run every notebook in full, trainings included, twice in a row
	$(if $(NOTEBOOKS),CALM_LAB_FAST= $(PYTEST) --nbmake --nbmake-timeout=1200 --timeout=1800 $(NOTEBOOKS))
	$(if $(NOTEBOOKS),CALM_LAB_FAST= $(PYTEST) --nbmake --nbmake-timeout=1200 --timeout=1800 $(NOTEBOOKS))

browser: $(VENV)/.dev ## drive the app in headless Chromium
	$(PYTEST) -m browser tests

format: $(VENV)/.dev ## let ruff rewrite what it can
	$(PY) -m ruff check --fix $(LINTED)
	$(PY) -m ruff format $(LINTED)

bench: $(VENV)/.dev ## measure speed and memory on this machine, write docs/speed.md; nothing is asserted
	OMP_NUM_THREADS=$(JOBS) $(PY) -m pytest -q -p no:xdist --benchmark-only benchmarks
	OMP_NUM_THREADS=$(JOBS) $(PY) -m benchmarks.bench
	OMP_NUM_THREADS=$(JOBS) $(PY) -m benchmarks.profile
	$(PY) -m benchmarks.growth
	$(PY) -m benchmarks.stream
	$(PY) -m benchmarks.latency
	$(PY) -m benchmarks.report

handout: $(VENV)/.dev ## notebooks for a class, exercises open and answers left out: handout/ and handout.zip
	$(PY) notebooks/handout.py handout

cheatsheet: $(VENV)/.app ## draw docs/cheatsheet.pdf, CALM's formulas on one page
	$(PY) -m calm_lab.lab.cheatsheet

screenshots: $(VENV)/.dev ## photograph every tab at 1280 and 390 pixels into screenshots/
	$(PY) docs/take_screenshots.py screenshots

pictures: $(VENV)/.dev ## photograph the few pictures of the READMEs into docs/pictures/
	$(PY) docs/take_screenshots.py docs/pictures --pictures

clean: ## remove caches and build products; keeps .venv and runs/
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks .coverage notebooks/.ipynb_checkpoints
	find . -path "./$(VENV)" -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## remove .venv and .venv-oldest too
	rm -rf "$(VENV)" .venv-oldest

# The environment. A stamp file is older than pyproject.toml or constraints.txt exactly when there is something to install,
# so a second `make app` starts at once.

$(PY):
	@test -n "$(PYTHON)" || { echo "calm_lab needs Python 3.11, 3.12 or 3.13; if you have one: make app PYTHON=/path/to/python3.12"; exit 1; }
	@"$(PYTHON)" -m venv "$(VENV)" || { rm -rf "$(VENV)"; echo "no virtual environment: on Debian or Ubuntu run 'sudo apt install python3-venv', then try again"; exit 1; }

$(VENV)/.app: pyproject.toml $(PINS) | $(PY)
	@echo "Installing calm_lab into $(VENV): a few minutes, once."
	@$(PIP) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml $(PINS) | $(PY)
	@echo "Installing calm_lab and its test tools into $(VENV): a few minutes, once."
	@$(PIP) -e ".[dev]"
	@touch $@ $(VENV)/.app

$(VENV)/.notebooks: pyproject.toml $(PINS) | $(PY)
	@echo "Installing calm_lab and JupyterLab into $(VENV): a few minutes, once."
	@$(PIP) -e ".[notebooks]"
	@touch $@ $(VENV)/.app

# Andersen's tales, fetched once so that all the rest runs offline. Without a network the app still opens on its models;
# continuous integration fails.
$(VENV)/.andersen: | $(VENV)/.app
	@if $(VENV)/bin/calm-lab corpora --fetch andersen; then touch $@; \
	elif [ -n "$$CI" ]; then exit 1; \
	else echo "warning: the corpus 'andersen' could not be fetched; go online and run: $(VENV)/bin/calm-lab corpora --fetch andersen"; fi
