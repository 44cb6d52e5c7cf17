# Two commands: 'make demo' runs a city, 'make test' runs everything that checks the code. Both work from nothing.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PACKAGES := simnet tests benchmarks experiments

.PHONY: help demo env test slow oldest lint figures validate bench clean

help:
	@echo "make demo   virtual environment, install, the city scenario"
	@echo "make test   virtual environment, install, lint, types, import rules, the whole suite"
	@echo "make slow   the long tests as well"
	@echo "make oldest  the suite with the oldest libraries that setup.cfg allows; downloads a CUDA build of torch"
	@echo "make lint   ruff, its format, mypy, import-linter"
	@echo "make figures  the figures of docs/, from fresh runs"
	@echo "make validate  theory as judge, the long run; the table of docs/validation.md"
	@echo "make bench  every benchmark, beside the libraries that it is measured against; docs/performance.md"
	@echo "make clean  delete the virtual environment and caches (never runs/)"

demo: $(READY)
	$(BIN)/python -m simnet run scenarios/city_iot.yaml
	@echo "Open the page named above in a browser; the figures and tables lie beside it."

env: $(READY)

# pyldpc has no wheel, and its build imports numpy without asking for it: it comes last, built in this environment.
$(READY): setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "simnet needs Python 3.11 or newer; got $$($(PYTHON) --version); try make PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation 'pyldpc>=0.7.9'
	touch $@

# One thread per process: torch's many small operators collapse when threads outnumber cores.
test slow oldest: export OMP_NUM_THREADS := 1

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile

slow: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "slow or not slow"

# Without the libraries that only serve as oracles: Sionna asks for a newer torch than simnet does.
oldest:
	rm -rf build/oldest && $(PYTHON) -m venv build/oldest
	build/oldest/bin/python -m pip install --quiet --disable-pip-version-check uv
	build/oldest/bin/uv pip install --quiet --python build/oldest/bin/python --resolution lowest-direct \
	    --editable '.[avif,hevc,cluster,tests]'
	build/oldest/bin/python -m pytest -n 2 --dist loadfile

lint: $(READY)
	$(BIN)/ruff check $(PACKAGES)
	$(BIN)/ruff format --check $(PACKAGES)
	$(BIN)/mypy
	$(BIN)/lint-imports --config setup.cfg

# The documents' figures and tables, made by nothing but the commands that the documents name.
figures: $(READY)
	rm -rf build/figures && mkdir -p build/figures docs/figures
	$(BIN)/python -m simnet run scenarios/city_iot.yaml --out build/figures
	$(BIN)/python -m simnet run scenarios/aesc_over_noise.yaml --out build/figures
	$(BIN)/python -m simnet report build/figures/city_iot-* | grep -v report.html > docs/figures/city_iot.txt
	cp build/figures/city_iot-*/figures/{traffic,break_even,ss_traffic,latency,city_map,hit_ratio}.png docs/figures/
	cp build/figures/aesc_over_noise-*/figures/over_snr.png docs/figures/
	cd build/figures && for run in "awgn 0:2.25:0.125" "rayleigh_fast 1.5:4.5:0.25" "rayleigh_block 0:30:2"; do \
	    set -- $$run; $(CURDIR)/$(BIN)/python -m simnet link bler --quiet --mcs "QPSK 1/2" --channel $$1 --esno-db $$2 \
	        --out $$1.csv; done
	$(BIN)/python -m simnet link plot build/figures/{awgn,rayleigh_fast,rayleigh_block}.csv --out build/figures/waterfalls.png
	$(BIN)/python -m simnet link throughput --quiet --out build/figures/goodput.csv
	$(BIN)/python -m simnet link plot build/figures/goodput.csv
	cd build/figures && $(CURDIR)/$(BIN)/python -m simnet link plot
	cp build/figures/{waterfalls,goodput,bler_ieee80216e}.png docs/figures/

validate: export OMP_NUM_THREADS := 1

validate: $(READY)
	$(BIN)/python -m simnet validate --long --markdown docs/validation.md

# Quiet machine needed; a quarter of an hour.
bench: $(READY)
	for each in phy decoders fidelity engine lsci_times scenarios sweep; do $(BIN)/python benchmarks/$$each.py; done
	$(BIN)/python benchmarks/page.py

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build ./*.egg-info
