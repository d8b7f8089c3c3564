# Every target sets up what it needs: a machine with Python 3.11 and make is enough.

PY := .venv/bin/python
RUNS ?= 1000
SEED ?= 1
KILLS ?= 0
PAYMENTS ?= 1000000
ROUNDS ?= 3

.PHONY: demo test check lint types imports sim bench requirements docs lock clean

demo: .venv/ready  ## a story: pay, cancel, decline, kill, recover (KEEP=1 leaves it running)
	@$(PY) examples/demo $(if $(KEEP),--keep)

test: .venv/ready .venv/browser  ## all tests
	@$(PY) -m pytest

check: lint types imports test  ## what CI runs before the demo
	@echo "checked: format, lint, types, import rules, tests"

lint: .venv/ready
	@echo "== format and lint" && .venv/bin/ruff format --check . && .venv/bin/ruff check .

types: .venv/ready
	@echo "== types" && .venv/bin/mypy

imports: .venv/ready
	@echo "== import rules" && .venv/bin/lint-imports --no-logo

sim: .venv/ready  ## seeded lives of engines and terminals (SEED, RUNS), then kill -9 of real processes (KILLS)
	@$(PY) -m tollbridge.testing.simulate --seed $(SEED) --runs $(RUNS)
	@$(PY) -m tests.simulation.terminals --seed $(SEED) --runs $(RUNS)
	@if [ $(KILLS) -gt 0 ]; then $(PY) -m tests.simulation.kills --kills $(KILLS) --seed $(SEED); fi

bench: .venv/ready  ## measure disk, layers and the whole, interleaved (PAYMENTS, ROUNDS)
	@$(PY) bench/run.py --payments $(PAYMENTS) --rounds $(ROUNDS)
	@$(PY) bench/within.py --rounds $(ROUNDS)
	@$(PY) bench/wpi.py --rounds $(ROUNDS)
	@$(PY) bench/web.py --rounds $(ROUNDS)
	@$(PY) bench/trades.py --rounds $(ROUNDS)
	@$(PY) bench/iotp.py --rounds $(ROUNDS)

requirements: .venv/ready  ## list the requirements of the standards that tests name
	@$(PY) -m pytest --collect-only -q --requirements -p no:randomly

docs: .venv/ready  ## write the generated reference pages
	@$(PY) tools/reference.py

lock:  ## pin what development uses, from a clean environment
	@tools/lock.sh

clean:
	rm -rf .venv .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist

.venv/ready: pyproject.toml requirements.lock
	@tools/venv.sh

.venv/browser: .venv/ready tools/browser.sh
	@tools/browser.sh
