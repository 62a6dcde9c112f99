# The database: `make dev` brings it up to date first, `make start` has a server.
.PHONY: migrate migration
dev: migrate
start: also = --file docker/compose.database.yaml

migrate: setup ## Bring the database to the newest migration
	@$(UV) run my-app migrate

migration: setup ## Write a migration from the models: m="what it does"
	@$(UV) run my-app migration -m "$(or $(m),$(error what does it do? make migration m="…"))"
	@$(UV) run ruff format --quiet src/my_app/migrations
	@$(UV) run ruff check --quiet --fix src/my_app/migrations
