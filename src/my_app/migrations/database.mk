# The database: `make dev` brings it up to date first, `make start` that of its server.
.PHONY: migrate migration migrated-server
dev: migrate
start: also = --file docker/backing.yaml
start: export POSTGRES_PASSWORD = my_app
start: migrated-server

migrated-server:
	@docker compose --file docker/compose.yaml $(also) up --detach --wait database
	@docker compose --file docker/compose.yaml $(also) run --rm --build service my-app migrate

migrate: setup ## Bring the database to the newest migration
	@$(UV) run my-app migrate

migration: setup ## Write a migration from the models: m="what it does"
	@$(UV) run my-app migration -m "$(or $(m),$(error what does it do? make migration m="…"))"
	@$(UV) run ruff format --quiet src/my_app/migrations
	@$(UV) run ruff check --quiet --fix src/my_app/migrations
