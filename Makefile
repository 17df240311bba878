# Osler: make demo, make test. See README.md.

PYTHON ?= python3
VENV   := .venv
STAMP  := $(VENV)/.made
BIN    := $(VENV)/bin
# Two test workers share two cores, so that each computes with one thread.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

# Programs of others that some tests ask: what they need of Debian's is installed where that may be done.
SYSTEM := $(VENV)/.system
TOOLS  := dciodvfy Orthanc storescu dcm2niix
DEBIAN := dicom3tools orthanc orthanc-dicomweb dcmtk dcm2niix

.PHONY: demo test lint bench docs clean environment system

demo: $(STAMP)  ## train on made-up patients, read real images, show the reports
	$(BIN)/osler demo --out demo

test: lint system  ## lint, then every test but the benchmarks
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

system: $(SYSTEM)  ## DICOM validators and a PACS for the tests; without them those are skipped (none: make TOOLS= test)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Osler needs Python 3.11 or later; give one with: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "This Python cannot make environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Making the environment in $(VENV); this takes a few minutes the first time."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@$(BIN)/python -m compileall -q src  # else every command compiles it anew where PYTHONDONTWRITEBYTECODE is set
	@if ! command -v nvidia-smi >/dev/null 2>&1 \
	  && $(BIN)/python -m pip list 2>/dev/null | grep -qiE '^(nvidia-|cuda-|triton )'; then \
	  echo "A torch with CUDA arrived on a machine without an NVIDIA card: gigabytes that nothing uses." >&2; \
	  echo "Offer pip a torch wheel without CUDA (PIP_INDEX_URL or PIP_FIND_LINKS), then: make clean $(MAKECMDGOALS)" >&2; \
	  exit 1; fi
	@touch $@

# Never fails. While it installs, policy-rc.d keeps Orthanc's service from starting: the tests start their own.
$(SYSTEM): $(STAMP)
	@PATH="$$PATH:/usr/sbin:/sbin"; missing=; \
	for tool in $(TOOLS); do command -v $$tool >/dev/null 2>&1 || missing="$$missing $$tool"; done; \
	if [ -z "$$missing" ]; then touch $@; exit 0; fi; \
	echo "Not on this machine:$$missing. Tests that need them are skipped." >&2; \
	if ! command -v apt-get >/dev/null 2>&1; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then as=; elif sudo -n true 2>/dev/null; then as="sudo -n"; \
	else echo "To run them: apt-get install $(DEBIAN)" >&2; exit 0; fi; \
	echo "Installing $(DEBIAN)." >&2; \
	policy=/usr/sbin/policy-rc.d; \
	if [ -e $$policy ]; then policy=; \
	else printf '#!/bin/sh\nexit 101\n' | $$as tee $$policy >/dev/null && $$as chmod +x $$policy; fi; \
	apt-cache show $(DEBIAN) >/dev/null 2>&1 || $$as apt-get update -qq || true; \
	$$as env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $(DEBIAN) >/dev/null \
	  || echo "They could not be installed; to try again: rm $@" >&2; \
	if [ -n "$$policy" ]; then $$as rm -f $$policy; fi; \
	touch $@
