# Everything runs from a fresh clone with only Python (3.11 or later, with venv) and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

JOBS ?= 1
FUZZ_SHARE ?= 1
FUZZ_SEED ?= 0

.PHONY: help demo study study-full methods test test-slow fuzz mutations test-integrations test-lowest lint types wheel release bench gpu-check \
	starts golden gallery docs clean

help:
	@echo "make demo       install, then SFT against RL from one small start: the answer, tables and figures in runs/demo"
	@echo "make study      SFT against RL in words from three starts, two of which it builds, with four rates and two seeds, in runs/study"
	@echo "make study-full the main study, in words from ten starts and by sight from five: four rates, three seeds, 10 hours of one core"
	@echo "make methods    SFT, PPO, ReFT, GRPO, DPO and PPO on reward models from one start, in runs/methods"
	@echo "make test       install, then the tests"
	@echo "make test-slow  the tests that take minutes"
	@echo "make fuzz       hostile input of every kind; FUZZ_SHARE=0.1 FUZZ_SEED=1 for less of it, or other input"
	@echo "make mutations  flawed verifiers, and the share of them that check_verifier finds"
	@echo "make test-integrations  the tests of other libraries, each in an environment of its own under .venvs"
	@echo "make test-lowest  the lowest versions that pyproject.toml declares, in environments of their own under .venvs"
	@echo "make lint       ruff: rules and format"
	@echo "make types      mypy, strict"
	@echo "make wheel      a wheel, installed into a second clean environment and used there"
	@echo "make release    build, check and try a release on every Python that it claims; nothing is published"
	@echo "make bench      speed as ratios"
	@echo "make gpu-check  parity, speed and memory, the study's grid, training from scratch: on a GPU, about 30 minutes"
	@echo "make starts     small starts for studies, ten of each kind in words and five by sight, in runs/starts: 50 minutes of one core; JOBS=2 on two"
	@echo "make golden     write the pinned outputs anew, after a change that is meant"
	@echo "make gallery    draw docs/gallery.md anew"
	@echo "make docs       build the site in build/site/html; a warning is an error, nothing is fetched"
	@echo "make clean      remove the environment and what was built"

# The stamps are written last: an installation cut short is taken up again, a broken environment is made anew.
$(VENV)/installed-train: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "verienv needs Python 3.11 or later; name one with make PYTHON=python3.12 ..."; exit 1; }
	@$(BIN)/python -c 'import pip' 2>/dev/null || { echo "making $(VENV)"; $(PYTHON) -m venv --clear $(VENV); }
	@echo "installing (about 1.5 GB with torch, a minute or two) ..."
	@$(PIP) -e ".[train,cli]"
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed-train
	@echo "installing what the tests need ..."
	@$(PIP) -e ".[train,cli,dev]"
	@touch $@

$(VENV)/installed-preferences: $(VENV)/installed-train
	@echo "installing TRL ..."
	@$(PIP) -e ".[train,cli,preferences]"
	@touch $@

$(VENV)/installed-docs: $(VENV)/installed-train
	@echo "installing Sphinx ..."
	@$(PIP) -e ".[train,cli,docs]"
	@touch $@

demo: $(VENV)/installed-train
	$(BIN)/python examples/study.py demo

study: $(VENV)/installed-train
	$(BIN)/python tools/build_starts.py gp-arithmetic --seeds 1 2 --jobs $(JOBS)
	$(BIN)/python examples/study.py study

study-full: starts
	@echo "in words 240 runs, about 5 hours of one core (as 60 of them took); by sight 120 runs, about as long (as the"
	@echo "demonstration's 6 took); --jobs goes by the CPUs, and broken off, make study-full goes on"
	$(BIN)/python examples/study.py words
	$(BIN)/python examples/study.py sight

methods: $(VENV)/installed-preferences
	$(BIN)/python examples/methods.py

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n 2

test-slow: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m slow

fuzz: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m slow tests/fuzz --fuzz-share $(FUZZ_SHARE) --fuzz-seed $(FUZZ_SEED)

mutations: $(VENV)/installed-dev
	$(BIN)/python -m tests.testing.mutations

test-integrations: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m integrations tests/integrations

test-lowest: $(VENV)/installed-dev
	$(BIN)/python tools/check_lowest.py

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/mypy

wheel: $(VENV)/installed-dev
	$(BIN)/python tools/check_wheel.py

release: $(VENV)/installed-dev
	$(BIN)/python tools/release.py

bench: $(VENV)/installed-dev
	$(BIN)/python benchmarks/generalpoints.py --check
	$(BIN)/python benchmarks/drawing.py --check
	$(BIN)/python benchmarks/virl.py --check
	$(BIN)/python benchmarks/vectors.py --check
	$(BIN)/python benchmarks/street_view.py --check
	$(BIN)/python benchmarks/training.py --check
	$(BIN)/python benchmarks/studies.py --check
	$(BIN)/python benchmarks/memory.py --check

gpu-check: $(VENV)/installed-dev
	$(BIN)/python benchmarks/gpu_check.py --part all

starts: $(VENV)/installed-train
	$(BIN)/python tools/build_starts.py gp-arithmetic gp-rule --seeds 0 1 2 3 4 5 6 7 8 9 --jobs $(JOBS)
	$(BIN)/python tools/build_starts.py gp-sight --seeds 0 1 2 3 4 --jobs $(JOBS)

golden: $(VENV)/installed-dev
	$(BIN)/python tools/build_golden.py

gallery: $(VENV)/installed-dev
	$(BIN)/python tools/build_gallery.py

docs: $(VENV)/installed-docs
	$(BIN)/python tools/build_site.py

clean:
	rm -rf $(VENV) dist build
