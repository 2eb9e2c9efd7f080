# The tasks of a checkout. Each sets up what it needs; with nothing changed since, that takes no time.
# PYTHON=/path/to/python3 chooses the interpreter, ARGS="-k slurm" goes to pytest.
bin := .venv/bin

.NOTPARALLEL:
.PHONY: help setup consumers run test lint format golden bench lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s%s\n", $$1, $$2 }' Makefile

setup: ## .venv with the pinned requirements and this package
	@bash .ci/setup

consumers: setup ## the real programs that tests run on rendered files
	@$(bin)/python .ci/consumers.py

run: setup ## build stacks/superpod-h100 and stacks/colossus and print what they are
	$(bin)/topology build stacks/superpod-h100/cluster.yaml
	$(bin)/topology build stacks/colossus/cluster.yaml

test: consumers lint ## everything CI runs: lint, types, import contracts, tests with the real consumers
	$(bin)/pytest -n 3 $(ARGS)

lint: setup ## ruff, mypy and the import contracts
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/mypy
	$(bin)/lint-imports

format: setup ## rewrite the code in the project's form
	$(bin)/ruff check --fix-only
	$(bin)/ruff format

golden: setup ## write the files on record anew
	$(bin)/pytest -q --update-golden $$(grep -rl update_golden --include='test_*.py' tests)
	@git status --short -- tests
	@echo "review these changes before you commit them: git diff -- tests"

bench: setup ## time and memory against the budgets; ARGS=--strict fails when one is exceeded
	$(bin)/python tests/bench $(ARGS)

lock: setup ## pin the requirements of pyproject.toml anew; ARGS=--upgrade takes the newest
	@bash .ci/lock $(ARGS)

clean: ## remove what these tasks made; unpacked consumers stay in the user's cache
	rm -rf .venv dist build/colossus build/superpod-h100 .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find topology tests .ci -name __pycache__ -prune -exec rm -rf {} +
