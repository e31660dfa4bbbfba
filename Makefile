# Everything sets itself up: git, make and Python 3.11 or newer with pip are enough. Packages come from wherever this
# machine's pip gets them, checked against the hashes in the lock files.

VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?=
FIXTURE := fixtures/incidents/story.tar.zst

# a foreign Python environment must not leak into ours
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
# a key set for other things is no order to use it: nothing here asks a model
export ROOTCAUSE_MODEL := off

# most tests wait for a clock or a socket; what a file's tests share is made once
SIDE_BY_SIDE := --numprocesses 4 --dist loadfile

INSTALL := $(BIN)/python -m pip install --quiet --no-deps
SOURCES := bot tests

.DEFAULT_GOAL := help
.PHONY: help demo report test test-all sanitize live check bench format fixture readme lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: report ## print the report of the incident in fixtures/, then open the bot's workspace in the browser
	@if [ -t 1 ] && [ -z "$$CI" ]; then \
		echo; echo "Now the same incident in a Slack-like workspace on this machine, to ask the bot about:"; \
		$(BIN)/rootcause demo; \
	else \
		echo "On a terminal the bot's workspace would open here; $(BIN)/rootcause demo starts it anywhere." >&2; \
	fi

report: $(VENV)/.runtime ## print the report of the incident in fixtures/
	@$(BIN)/rootcause analyze $(FIXTURE)

test: $(VENV)/.dev ## the quick tests
	$(BIN)/pytest $(SIDE_BY_SIDE) -m "not full and not bench"

test-all: $(VENV)/.dev ## every test, the long versions too
	$(BIN)/pytest -m "not bench"

sanitize: $(VENV)/.dev ## the compiled loops under AddressSanitizer and UBSan: a minute; needs gcc
	$(BIN)/python tests/sanitize.py

live: $(VENV)/.dev ## fetch what the page's tests compare and measure with: another Slack stand-in, and axe-core
	@sh tests/live/install_live.sh

check: $(VENV)/.dev ## every structural check: lint, format, types, dependencies, dead code, import contracts, lengths
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/deptry bot
	$(BIN)/vulture
	$(BIN)/lint-imports
	$(BIN)/pytest tests/test_structure.py

bench: $(VENV)/.bench ## every figure beside its limit, and 1 where one is missed; half an hour (SEEDS=…, ONLY=…)
	$(BIN)/python -m tests.bench $(if $(SEEDS),--seeds $(SEEDS)) $(if $(ONLY),--only $(ONLY))

format: $(VENV)/.dev ## put the code in shape
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

fixture: $(VENV)/.runtime ## simulate the demo's incident anew
	$(BIN)/python -m bot.evals.fixture $(dir $(FIXTURE))

readme: $(VENV)/.runtime ## put the demo's present output into README.md
	$(BIN)/python tests/readme.py

lock: $(VENV)/.runtime ## resolve the dependencies anew and write the lock files
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header \
		--group build pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header \
		--group dev pyproject.toml -o requirements-dev.lock -c requirements.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header \
		--group bench -o tests/bench/requirements.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header \
		--group clouds -o tests/live/clouds.lock

clean: ## remove the environment and every cache
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .cache dist build

$(BIN)/python:
	@python="$(PYTHON)"; \
	for each in python3 python3.14 python3.13 python3.12 python3.11 python; do \
		[ -n "$$python" ] && break; \
		"$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && python="$$each"; \
	done; \
	if [ -z "$$python" ]; then \
		echo "No Python 3.11 or newer found: install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; \
	fi; \
	echo "Setting up $(VENV) with $$("$$python" --version), once ..." >&2; \
	"$$python" -m venv $(VENV) >/dev/null 2>&1 && exit 0; \
	rm -rf $(VENV); \
	if "$$python" -m venv --without-pip $(VENV) >/dev/null 2>&1 && "$$python" -m pip --python $(BIN)/python install \
		--quiet --no-deps --require-hashes -r requirements.lock; then exit 0; fi; \
	rm -rf $(VENV); \
	echo "$$python cannot make a virtual environment: install its venv and pip modules" \
		"(Debian, Ubuntu: apt install python3-venv python3-pip), then run make again." >&2; exit 1

$(VENV)/.runtime: requirements.lock pyproject.toml bot/native/scan.c bot/native/filter.c bot/native/columns.c bot/native/bits.h bot/native/build_kernel.py | $(BIN)/python
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing the development tools, once ..." >&2
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.bench: tests/bench/requirements.lock $(VENV)/.dev
	@$(INSTALL) --require-hashes -r tests/bench/requirements.lock
	@touch $@
