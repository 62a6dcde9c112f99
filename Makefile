# Each target sets up what it needs. The machine has to have git, make and Python 3.12;
# if it has no uv, that is installed from PyPI into .tools.
.DEFAULT_GOAL := help
.PHONY: help setup dev start lint test test-all test-tool test-template test-cluster desk test-desk bench-images watch check clean

# Programs that uv runs find it there as well.
export PATH := $(PATH):$(CURDIR)/.tools/bin
UV := $(or $(shell command -v uv 2>/dev/null),.tools/bin/uv)

# A team's own targets, and what has to happen before those below, go into such files.
include $(wildcard *.mk src/*/migrations/*.mk)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(UV) ## Make the environment and install the git hooks
	@$(UV) sync $(if $(wildcard .venv),--quiet) || { $(check-tool-source); exit 1; }
	@# Only hooks of a repository of its own, and never in place of others.
	@if [ "$$(git rev-parse --show-toplevel 2>/dev/null)" = "$(CURDIR)" ] && \
		! git config core.hooksPath >/dev/null; then git config core.hooksPath .githooks; fi

PORT = $(or $(APP_PORT),$(shell sed -n 's/^APP_PORT=//p' .env 2>/dev/null),8000)

dev: setup ## Serve at http://127.0.0.1:8000 (APP_PORT), reloading on save
	@$(UV) run fastapi dev src/my_app/main.py --port $(PORT)

start: ## Build the image and serve it at the same address
	@docker compose --file docker/compose.yaml $(also) up --build

lint: setup ## Run the gates of CI's job "Lint"
	@$(UV) run trunkline check --job lint

test: setup ## Run the quick tests on all cores, with coverage
	@$(UV) run pytest -n auto

test-all: setup ## Run every test of the service on all cores, slow ones too
	@$(UV) run trunkline check --job test

test-tool: setup ## Run every test of the release tool, slow ones too
	@$(UV) run pytest packages/trunkline/tests -n auto --dist worksteal -m 'slow or not slow' $(ONLY)

test-template: setup ## Run the proofs of the template: loops, images, generation
	@$(UV) run pytest .template/tests -n auto --dist worksteal $(ONLY)

test-cluster: setup ## Deploy to the cluster that TRUNKLINE_TEST_CONTEXT names
	@$(UV) run pytest packages/trunkline/tests/deploy/engines/test_kubernetes*.py -m slow $(ONLY)

desk: setup ## Open the page for deploys on the branches of this clone
	@$(UV) run --project packages/desk trunkline-desk laptop .

test-desk: setup ## Run every test of the desk, also in a browser
	@$(UV) run --directory packages/desk mypy
	@$(UV) run --directory packages/desk pytest -n 2 --dist loadfile -m 'slow or not slow' $(ONLY)

bench-images: setup ## Measure the image beside others, quickly
	@$(UV) run --group bench python -m benchmarks --quick --only image-layers \
		--only image-transfer --only image-size --only container-start

watch: setup ## Run the quick tests, again after each save
	@$(UV) run ptw .

check: setup ## Run every gate that a change has to pass
	@$(UV) run trunkline check

clean: ## Delete what the other targets made
	@git clean -dfqX --exclude='!*.env'

# The address that pyproject.toml names for trunkline, where it comes from git.
tool-source = $(shell sed -n 's/^trunkline = {.*git = "\([^"]*\)".*/\1/p' pyproject.toml)
tool-pin = $(shell sed -n 's/^trunkline = {.*\(tag\|rev\) = "\([^"]*\)".*/\2/p' pyproject.toml)

define check-tool-source
	[ -z "$(tool-source)" ] || \
	GIT_TERMINAL_PROMPT=0 git ls-remote --quiet "$(tool-source)" HEAD >/dev/null 2>&1 || { \
		echo "make setup: git cannot read $(tool-source)"; \
		echo "  expected:  access to the source of trunkline, which pyproject.toml names"; \
		echo "  type next: gh auth login && gh auth setup-git && make setup"; \
		echo "             (in CI: the secret TEMPLATE_TOKEN, see github/README.md)"; \
	} >&2
endef

# Moved into place when complete, so that an interrupted run leaves no broken uv behind.
.tools/bin/uv:
	@for python in python3.12 python3 python ""; do "$$python" -c "" 2>/dev/null && break; done; \
	[ -n "$$python" ] || { \
		echo "No Python found; expected Python 3.12 or later on the PATH." >&2; \
		echo "Install Python (https://www.python.org/downloads/) or uv, and retry." >&2; \
		exit 1; }; \
	echo "uv is missing; installing it from PyPI into .tools"; \
	rm -rf .tools/new && mkdir -p .tools/bin; \
	if "$$python" -m venv .tools/new >/dev/null 2>&1; then \
		.tools/new/bin/python -m pip install --quiet --disable-pip-version-check uv; \
	elif "$$python" -m pip --version >/dev/null 2>&1; then \
		"$$python" -m pip install --quiet --disable-pip-version-check --target .tools/new uv; \
	else \
		echo "$$python has neither venv nor pip; expected one of them." >&2; \
		echo "On Debian: apt install python3-venv. Or install uv itself." >&2; \
		false; \
	fi && mv .tools/new/bin/uvx .tools/new/bin/uv .tools/bin/ && rm -rf .tools/new
