# The two commands for a fresh machine: `make demo` and `make test`. Both need Python 3.11 or newer, make and git.
PYTHON ?= python3
VENV := .venv
PEERS := .venv-peers
BIN := $(VENV)/bin
DATA ?= data
# processes that run the tests, one thread each
JOBS ?= 2

.PHONY: install demo test tests lint bench-planted bench-photos bench-halves bench-clip bench-noisydiff bench-sae eval-mini clean

install: $(VENV)/.installed

$(BIN)/python:
	@echo "== making the environment in $(VENV) (some minutes the first time: PyTorch is large)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --progress-bar off --upgrade pip

# what the commands need, and what developers need as well
$(VENV)/.commands: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --progress-bar off --no-compile --editable .
	@touch $@

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --progress-bar off --no-compile --editable '.[dev]'
	@touch $(VENV)/.commands $@

demo: $(VENV)/.commands
	$(BIN)/python compare.py

# lint and tests beside each other
test: install
	$(MAKE) --jobs 2 lint tests

tests: install
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(JOBS) --dist worksteal

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench-planted: install
	$(BIN)/python -m benchmarks.planted

bench-photos: install
	$(BIN)/python -m benchmarks.photos --data $(DATA)

bench-halves: install
	$(BIN)/python -m benchmarks.halves

bench-clip: install
	$(BIN)/python -m benchmarks.clip_words --data $(DATA)

# what is answered already is not answered again: runs/noisydiff-*
bench-noisydiff: $(VENV)/.bench
	$(BIN)/python -m benchmarks.noisydiff --data $(DATA) processes=2

$(VENV)/.bench: install
	$(BIN)/python -m pip install --progress-bar off --editable '.[bench]'
	@touch $@

# beside the other tools that train sparse autoencoders, in an environment of their own; ROWS=embeddings.npy for all of it
bench-sae: $(PEERS)/.installed
	$(PEERS)/bin/python -m benchmarks.sae $(PARTS) $(if $(ROWS),--rows $(ROWS))

$(PEERS)/.installed: pyproject.toml benchmarks/peers.txt
	@echo "== making the environment in $(PEERS) (some minutes the first time)"
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --progress-bar off --upgrade pip
	$(PEERS)/bin/python -m pip install --progress-bar off --editable . --requirement benchmarks/peers.txt
	@touch $@

# SPLIT=all: every image of another folder of the same layout, not only the fifth that mini was not trained on
eval-mini: $(VENV)/.bench
	$(BIN)/python -m benchmarks.mini --data $(DATA) --split $(or $(SPLIT),held-out) $(if $(UNSEEN),--unseen $(UNSEEN))

clean:
	rm -rf $(VENV) $(PEERS) build dist *.egg-info
