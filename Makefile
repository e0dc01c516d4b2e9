# Needs python3 and make, nothing else: `make demo`, `make test`, `make lint`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The same project beside the oldest Airflow that is supported.
VENV2 := .venv-airflow2
COMPILE := $(BIN)/uv pip compile --universal --upgrade --python-version 3.10 --no-annotate --no-header \
	--no-emit-index-url --extra dev pyproject.toml

.PHONY: demo test test-airflow3 test-airflow2 test-airflow lint format constraints clean

demo: $(VENV)/.ready
	$(BIN)/python -m scripts.demo

test: test-airflow3 test-airflow2

test-airflow3: $(VENV)/.ready
	$(BIN)/python -m scripts.setup_browser
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

test-airflow2: $(VENV2)/.ready
	$(VENV2)/bin/python -m scripts.setup_browser
	$(VENV2)/bin/python -m pytest -n 2 --dist loadfile tests/hooks tests/operators tests/sensors tests/triggers \
		tests/e2e/test_form_airflow2.py $(ARGS)

# Another Airflow, with the newest of all else that it allows: `make test-airflow VERSION=3.1`. No part of `make test`.
test-airflow: $(VENV)/.ready
	echo 'apache-airflow==$(VERSION).*' > .venv-$(VERSION).in
	$(COMPILE) -q $(addprefix -c ,.venv-$(VERSION).in $(wildcard constraints-airflow$(VERSION).in)) -o .venv-$(VERSION).txt
	$(PYTHON) scripts/setup_env.py .venv-$(VERSION) .venv-$(VERSION).txt
	.venv-$(VERSION)/bin/python -m pytest -n 2 --dist loadfile tests/hooks tests/operators tests/sensors \
		tests/triggers $(ARGS)

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The versions everything is tested with. No addresses in them, so that any package index serves.
constraints: $(VENV)/.ready
	$(COMPILE) -o constraints.txt
	$(COMPILE) -c constraints-airflow2.in -o constraints-airflow2.txt

$(VENV)/.ready: pyproject.toml constraints.txt scripts/setup_env.py
	$(PYTHON) scripts/setup_env.py $(VENV) constraints.txt

$(VENV2)/.ready: pyproject.toml constraints-airflow2.txt scripts/setup_env.py
	$(PYTHON) scripts/setup_env.py $(VENV2) constraints-airflow2.txt

clean:
	rm -rf $(VENV) $(VENV2) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
