# Needs python3 and make, nothing else: `make demo`, `make test`, `make lint`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test lint format constraints clean

demo: $(VENV)/.ready
	$(BIN)/python -m scripts.demo

test: $(VENV)/.ready
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The versions everything is tested with. No addresses in it, so that any package index serves.
constraints: $(VENV)/.ready
	$(BIN)/uv pip compile --universal --upgrade --python-version 3.10 --no-annotate --no-header \
		--no-emit-index-url --extra dev pyproject.toml -o constraints.txt

$(VENV)/.ready: pyproject.toml constraints.txt scripts/setup_env.py
	$(PYTHON) scripts/setup_env.py $(VENV)

clean:
	rm -rf $(VENV) .demo .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
