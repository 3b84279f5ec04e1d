# Each target sets up what it needs in .venv; all they ask for is Python 3.11 or later, make and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt

.PHONY: demo test test-thorough lint format docs tutorial bench clean

demo: $(VENV)/.demo  ## Evaluate a real encoder on the built-in collection.
	$(BIN)/xlbench run --model use-multilingual --task demo

test: $(VENV)/.dev  ## Run the tests, in two processes.
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(PYTEST_ARGS)

test-thorough: $(VENV)/.dev  ## Run the tests with many more examples of each property.
	$(MAKE) test PYTEST_ARGS="--hypothesis-profile thorough $(PYTEST_ARGS)"

lint: $(VENV)/.dev  ## Check style and types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev  ## Format the code.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.docs  ## Build the documentation's site in site/.
	$(BIN)/mkdocs build --strict --quiet

tutorial: $(VENV)/.docs  ## Run the notebook of the documentation.
	$(BIN)/python tools/run_notebook.py docs/tutorial.ipynb

bench: $(VENV)/.dev  ## Measure the engine and the start-up; needs the real data, in XLBENCH_DATA.
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/engine.py

$(VENV)/.docs: pyproject.toml constraints.txt | $(VENV)/.dev
	$(INSTALL) --editable '.[docs]'
	@touch $@

clean:  ## Remove the environment and what the tools leave behind.
	rm -rf $(VENV) build dist site .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "xlbench needs Python 3.11 or later; name one with: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python's venv module is missing; on Debian: apt install python3-venv"; exit 1; }

$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[use-multilingual]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[dev]'
	@touch $@ $(VENV)/.demo
