# Everything runs from a fresh clone with only Python and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: help demo test test-slow lint types wheel bench clean

help:
	@echo "make demo       install, then SFT against RL on the built-in policy: table and figure in runs/demo"
	@echo "make test       install, then the tests"
	@echo "make test-slow  the tests that take minutes"
	@echo "make lint types wheel   ruff, mypy, and a wheel used in a second clean environment"
	@echo "make bench      speed as ratios"

$(VENV)/installed-train: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e ".[train,cli]"
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed-train
	$(PIP) -e ".[train,cli,dev]"
	@touch $@

demo: $(VENV)/installed-train
	$(BIN)/python examples/study.py --out runs/demo

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest

test-slow: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/mypy

bench: $(VENV)/installed-dev
	$(BIN)/python benchmarks/generalpoints.py

clean:
	rm -rf $(VENV) dist build
