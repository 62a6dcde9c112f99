# Each target sets up what it needs. All that it takes is Python 3.12, git and make:
# where uv is missing, it is put into .tools, from PyPI, and used from there.
.DEFAULT_GOAL := help
.PHONY: help setup dev migrate migration lint test test-all test-tool test-template bench-images watch check clean

# So that what uv runs finds it, too.
export PATH := $(PATH):$(CURDIR)/.tools/bin
UV := $(or $(shell command -v uv 2>/dev/null),.tools/bin/uv)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

setup: $(UV) ## Make the environment and install the git hooks
	@$(UV) sync --quiet
	@git rev-parse --git-dir >/dev/null 2>&1 && git config core.hooksPath .githooks || true

dev: migrate ## Serve at http://127.0.0.1:8000, again after each save
	@$(UV) run fastapi dev src/my_app/main.py

migrate: setup ## Bring the database to the newest migration
	@$(UV) run my-app migrate

migration: setup ## Write a migration to what the models say: m="what it does"
	@$(UV) run my-app migration -m "$(or $(m),$(error what does it do? make migration m="…"))"
	@$(UV) run ruff format --quiet src/my_app/migrations
	@$(UV) run ruff check --quiet --fix src/my_app/migrations

lint: setup ## Run the gates of CI's job "Lint"
	@$(UV) run trunkline check --job lint

test: setup ## Run the quick tests, with coverage
	@$(UV) run pytest

test-all: setup ## Run every test of the service on all cores, on PostgreSQL too
	@$(UV) run trunkline check --job test

test-tool: setup ## Run every test of the release tool, the slow ones too
	@$(UV) run pytest packages/trunkline/tests -n auto --dist worksteal -m 'slow or not slow'

test-template: setup ## Run the proofs of the template: loops, images, generation
	@$(UV) run pytest .template/tests -n auto --dist worksteal

bench-images: setup ## Measure the image beside others, quickly
	@$(UV) run --group bench python -m benchmarks --quick --only image-layers \
		--only image-transfer --only image-size --only container-start

watch: setup ## Run the quick tests, again after each save
	@$(UV) run ptw .

check: setup ## Run every gate that lets a change land
	@$(UV) run trunkline check

clean: ## Delete what the other targets made
	@git clean -dfqX

.tools/bin/uv:
	@.ci/get-uv .tools
