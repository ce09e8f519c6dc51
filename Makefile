# Every verb works on a fresh machine that has Python 3.11 or later and make.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help env demo test test-domain test-rest test-slow bench mutation lint format up topology clean requirements

PYTHON ?= python3
BIN := .venv/bin
# Arguments for `make demo ARGS="--loans 5"`, `make up ARGS=...`, `make test ARGS="-k calendar"`.
ARGS ?=
WORKERS ?= 2

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

env: ## create or refresh .venv from the hash-pinned requirements
	@$(PYTHON) deploy/environment.py

demo: env ## run the main job: 25 loans, 12 months, a bank that misbehaves, an audit
	@$(BIN)/acquit demo $(ARGS)

up: env ## a live local stack with the Temporal UI, until Ctrl-C
	@exec $(BIN)/acquit up $(ARGS)

topology: ## the production topology without containers: a Temporal cluster on PostgreSQL, until Ctrl-C
	@$(PYTHON) deploy/environment.py --test-tools
	@exec $(BIN)/python -m sandbox.topology

test: ## all tests: first the pure domain with its coverage gate, then everything else
	@$(PYTHON) deploy/environment.py --test-tools
	@$(MAKE) --no-print-directory test-domain
	@$(MAKE) --no-print-directory test-rest

test-domain: env ## the domain alone, every branch covered
	$(BIN)/python -m pytest tests/domain -q --cov --cov-report=term -n $(WORKERS) $(ARGS)

test-rest: env ## everything outside the domain, on real servers
	@$(BIN)/python -m sandbox.serverbinary
	$(BIN)/python -m pytest tests --ignore=tests/domain -q -m "not slow" -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=10 $(ARGS)

test-slow: env ## the long journeys: repeated seeds, ten base dates, servers and banks killed in demos
	@$(PYTHON) deploy/environment.py --test-tools
	@$(BIN)/python -m sandbox.serverbinary
	$(BIN)/python -m pytest tests -q -m slow --durations=10 $(ARGS)

bench: env ## measure all, or one: ARGS="ledger --pairs 5", ARGS="lifecycle --quick"; docs/benchmarks.md
	@$(BIN)/python -m sandbox.serverbinary
	@$(BIN)/python -m benchmarks $(ARGS)

mutation: env ## what the tests of the domain would miss, by hours of mutmut: ARGS="domain/ledger/*.py"
	nice -n 19 $(BIN)/mutmut run --max-children 1 $(foreach file,$(wildcard $(ARGS)),'$(subst /,.,$(file:.py=)).*')
	$(BIN)/python -m tests.mutation.report

lint: env ## ruff, mypy and the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: env ## put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

requirements: env ## renew the pinned requirements after a change in pyproject.toml
	$(BIN)/uv lock
	$(BIN)/uv export -q --no-default-groups --group build --no-emit-project --no-header -o requirements/run.txt
	$(BIN)/uv export -q --only-group simulator --no-emit-project --no-header -o requirements/simulator.txt
	$(BIN)/uv export -q --all-groups --no-emit-project --no-header -o requirements/dev.txt

clean: ## remove the environment, local state and caches
	rm -rf .venv .acquit .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis mutants .coverage* htmlcov build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
