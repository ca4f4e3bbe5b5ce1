# Each command sets up what it needs in .venv, in this folder; `make clean` removes what they leave.
PYTHON ?= python3
BIN := .venv/bin
COMPILE = @$(BIN)/python -m compileall -q minitensor nets viz # so that the first import need not do it
OUT ?= out
ROOMS := minitensor nets viz tests
# the engine and the laws about it
ENGINE := minitensor $(filter-out tests/test_nets_% tests/test_viz_% tests/test_exercises%,$(wildcard tests/test_*.py)) tests/test_nets_program.py
# NumPy keeps to one thread: its own wait for each other by spinning, which burns the time of whatever else runs.
# minitensor then spreads long sums over the cores itself (minitensor/fast/cores.py).
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: help demo test test-exercises test-plain test-thorough coverage mutants check format bench bench-peers figures effort exercises book clean

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 20

demo: .venv/run ## train a network on real digits, check a gradient, draw the graphs; writes to out/
	$(BIN)/python -m viz demo --out $(OUT)

test: .venv/test ## run the tests of the engine, the networks and the pictures
	$(BIN)/python -m pytest -q -n auto --ignore-glob='*/test_exercises*.py'

book: .venv/book ## build the course, the annotated source and the reference as a site in out/book
	$(BIN)/python -m viz book --out $(OUT)/book

test-exercises: .venv/test ## run the tests of the exercises: every bug and mistake in them is graded
	$(BIN)/python -m pytest -q -n auto tests/test_exercises*.py tests/exercises

test-plain: .venv/test ## run the laws of the engine on its definitions alone, without minitensor/fast
	MINITENSOR_PLAIN=1 HYPOTHESIS_PROFILE=few $(BIN)/python -m pytest -q -n auto $(ENGINE)

test-thorough: .venv/test ## try the laws of the engine on ten times as many examples, new ones each time
	HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest -q -n auto $(ENGINE)

coverage: .venv/strength ## check that the laws of the engine reach its every line and branch
	$(BIN)/python -m pytest -q -n auto --cov --cov-report=term-missing $(ENGINE)

mutants: .venv/strength ## break the engine in some two thousand places, one at a time: is each break seen?  MODULE=... for one file
	$(BIN)/python -m tests.mutants $(MODULE) --out $(OUT)
	$(if $(MODULE),,$(BIN)/python -m tests.mutants --room nets --sample 100 --out $(OUT))
	$(if $(MODULE),,$(BIN)/python -m tests.mutants --room viz --sample 100 --out $(OUT))

check: .venv/dev ## formatting, lint, types
	$(BIN)/ruff format --check $(ROOMS)
	$(BIN)/ruff check $(ROOMS)
	$(BIN)/oxlint --deny-warnings viz/data
	$(BIN)/mypy
	$(BIN)/mypy --strict -p minitensor
	$(BIN)/python -m pytest -q tests/test_types.py

format: .venv/dev ## put the code into the form that check wants
	$(BIN)/ruff format $(ROOMS)
	$(BIN)/ruff check --fix $(ROOMS)

bench: .venv/run ## measure speed and memory, beside the peers that are installed
	$(BIN)/python -m tests.benchmarks --out $(OUT)

bench-peers: ## install the engines that bench compares with, in .venv-peers (several GB)
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --disable-pip-version-check -r tests/benchmarks/peers.txt --editable .

figures: .venv/run ## refresh the figures that the README shows
	$(BIN)/python -m viz figures

effort: .venv/run ## measure how many images, passes and seconds it takes to learn the digits: a table and a picture in out/
	$(BIN)/python -m nets effort --out $(OUT)

exercises: .venv/test ## begin the exercises: starters, and an empty engine to build, in exercises/
	$(BIN)/python -m tests.exercises start

clean: ## remove what the other commands made, but not your exercises
	rm -rf .venv .venv-peers build dist $(OUT) *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	find $(ROOMS) -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are newer than setup.cfg when what it asks for is installed.
.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "minitensor needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; try make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/run: .venv/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	$(COMPILE)
	@touch $@

.venv/test: .venv/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	$(COMPILE)
	@touch $@ .venv/run

.venv/strength: .venv/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,strength,book]'
	$(COMPILE)
	@touch $@ .venv/run .venv/test

.venv/book: .venv/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[book]'
	$(COMPILE)
	@touch $@ .venv/run

.venv/dev: .venv/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,dev]'
	$(COMPILE)
	@touch $@ .venv/run .venv/test
