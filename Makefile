# Osler: make demo, make test. See README.md.

PYTHON ?= python3
VENV   := .venv
STAMP  := $(VENV)/.made
BIN    := $(VENV)/bin
# Two test workers share two cores, so that each computes with one thread.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

.PHONY: demo test lint bench docs clean environment

demo: $(STAMP)  ## train on made-up patients, read real images, show the reports
	$(BIN)/osler demo --out demo

test: lint  ## lint, then every test but the benchmarks
	$(ONE_THREAD) $(BIN)/python -m pytest -n 2 -m "not benchmark"

lint: $(STAMP)  ## style, types, the import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)  ## the measurements kept under benchmarks/
	$(BIN)/python -m pytest -m benchmark

docs: $(STAMP)  ## write the generated pages of docs/reference again
	$(BIN)/python docs/generate.py

clean:  ## everything that can be made again
	rm -rf $(VENV) demo build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests docs benchmarks examples -name __pycache__ -prune -exec rm -rf {} +

environment: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Osler needs Python 3.11 or later; give one with: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "This Python cannot make environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Making the environment in $(VENV); this takes a few minutes the first time."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@if ! command -v nvidia-smi >/dev/null 2>&1 \
	  && $(BIN)/python -m pip list 2>/dev/null | grep -qiE '^(nvidia-|cuda-|triton )'; then \
	  echo "A torch with CUDA arrived on a machine without an NVIDIA card: gigabytes that nothing uses." >&2; \
	  echo "Offer pip a torch wheel without CUDA (PIP_INDEX_URL or PIP_FIND_LINKS), then: make clean $(MAKECMDGOALS)" >&2; \
	  exit 1; fi
	@touch $@
