# Every target works from a path with spaces, as root and as an ordinary user. `make` lists them.

PORT ?= 8000
PYTHON ?= python3
OUT ?=
ONLY ?=
ARGS ?=

PY := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help up test check format bench faults screenshots practice-reset lock secrets clean tools

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

# `exec`: a signal to make must reach the system and not end at a shell in between.
up: .venv/embedded.lock ## Start the whole system (PORT=8000); Ctrl-C stops it
	@exec $(PY) -m cvdops.stack --port "$(PORT)"

# A file stays in one process, because some start a whole system for all of their tests.
test: .venv/dev.lock tools ## Run every test but the long faults (ARGS="-k word" for some of them)
	$(PY) -m pytest -n 2 --dist loadfile -m "not faults" $(ARGS)

check: .venv/dev.lock tools ## All that CI runs: format, lint, types, architecture, runbooks, tests
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m djlint --lint --quiet templates
	$(PY) -m mypy
	$(PY) .venv/bin/lint-imports
	$(PY) manage.py lint runbooks
	$(PY) -m pytest -n 2 --dist loadfile -m "not faults"

format: .venv/dev.lock ## Format Python, mend what the linter can mend
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

bench: .venv/dev.lock ## Measure the figures (OUT=file writes them as JSON too, ONLY="viewers ssh" some)
	@$(PY) -m benchmarks $(if $(OUT),--out "$(OUT)") $(if $(ONLY),--only $(ONLY))

faults: .venv/dev.lock tools ## The long faults: real processes, really killed, for a quarter of an hour
	$(PY) -m pytest -n 2 --dist loadfile -m faults --hypothesis-profile=search \
	  -o faulthandler_timeout=4000 $(ARGS)

screenshots: .venv/dev.lock tools ## Take pictures of every page
	$(PY) -m tests.screenshots

practice-reset: .venv/embedded.lock ## Put the practice CVD back to its first release
	@$(PY) -m cvdops.practice reset

lock: ## Choose dependencies anew and write the three lock files
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet --upgrade uv
	for extra in "" embedded dev; do \
	  build/lock/bin/python -m uv pip compile pyproject.toml $${extra:+--extra $$extra} \
	    --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --no-annotate --no-header --quiet \
	    -o "requirements$${extra:+-$$extra}.lock" || exit 1; \
	done

secrets: ## Write the passwords and keys of docker-compose.yml into secrets/, once
	@.ci/secrets

clean: ## Remove the environment and caches; the data in .data stays
	rm -rf .venv build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# An environment is as it should be while the copy of its lock file in it is the newest.
.venv/%.lock: requirements-%.lock
	@command -v git >/dev/null || { \
	  echo "git is missing: install it, on Debian with 'apt install git'." >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Python 3.11 or newer is missing: install it, or name one with PYTHON=/path/to/python3." >&2; \
	  exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "Python's venv module is missing: install it, on Debian with 'apt install python3-venv'." >&2; \
	  exit 2; }
	@test -x $(PY) || $(PYTHON) -m venv .venv || { rm -rf .venv; exit 2; }
	@echo "Installing the packages of $< (once; about a minute) …"
	@$(PY) -m pip install --disable-pip-version-check --no-warn-script-location \
	  --require-hashes --no-deps --progress-bar off -r "$<" || { \
	  echo "The packages could not be installed: is the package index reachable, the disk full?" >&2; \
	  exit 2; }
	@cp "$<" "$@"

tools:
	@.ci/tools
