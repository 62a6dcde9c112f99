"""Run migrations over the connection that the desk has opened."""

from alembic import context

from trunkline_desk.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata
)
with context.begin_transaction():
    context.run_migrations()
