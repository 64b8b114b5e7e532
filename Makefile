# Needs nothing but Python 3.11, 3.12 or 3.13 with its venv module; everything else lands in .venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
READY_TO_TEST := .venv/.ready-to-test

.PHONY: help demo test lint types imports unit proof fuzz bench guard clean
.DEFAULT_GOAL := help

help:  ## say what there is to make
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(READY)  ## crawl a small shop that this machine serves to itself
	$(BIN)/crawler demo

test: lint types imports unit  ## everything below, as CI runs it

lint: $(READY)  ## style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY_TO_TEST)  ## strict typing, of what extras are for, too
	$(BIN)/mypy

imports: $(READY)  ## imports point down only
	$(BIN)/lint-imports

unit: $(READY_TO_TEST)  ## all tests but the proofs
	$(BIN)/python -m pytest

proof: $(READY_TO_TEST)  ## kill, starve and damage crawls for some minutes: nothing may be lost or repeated
	$(BIN)/python -m pytest tests/proof

fuzz: $(READY)  ## look for bytes that break a parser, FUZZ_SECONDS (20) for each; what is found is kept in tests/fuzz/cases
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: \
		-r constraints-fuzz.txt || echo "atheris cannot be had here"
	$(BIN)/python -m tests.fuzz

bench: $(READY)  ## measure whole crawls beside other crawlers' (an hour), and the time to the first request
	$(BIN)/python -m benchmarks.crawl
	$(BIN)/python -m benchmarks.start

guard: $(READY)  ## has a crawl's work become dearer? counts instructions and records them
	$(BIN)/python -m benchmarks.guard

clean:  ## remove what make and the tools created, but no crawl
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist

$(READY): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; (3, 11) <= sys.version_info < (3, 14) or sys.exit("Python 3.11, 3.12 or 3.13 is needed, as constraints.txt has no others: make PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(READY_TO_TEST): $(READY) constraints-test.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r constraints-test.txt
	@touch $@
