# Every target sets up .venv by itself when it is missing or the requirements have changed.
PYTHON ?= python3
RUN = .venv/bin/
export HF_HUB_DISABLE_TELEMETRY = 1
export GRADIO_ANALYTICS_ENABLED = False

.PHONY: release test lint bench demo clean

release: .venv/ready
	$(RUN)conlipa release --out release

test: .venv/ready
	$(RUN)pytest -n 2

lint: .venv/ready
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy
	$(RUN)mypy conlipa.py

bench: .venv/ready
	$(RUN)python -m tests.benchmarks

demo: .venv/ready
	$(RUN)conlipa demo

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(RUN)pip install -q --upgrade pip
	$(RUN)pip install -q -c constraints.txt -e ".[dev]"
	touch $@

clean:
	rm -rf .venv release
