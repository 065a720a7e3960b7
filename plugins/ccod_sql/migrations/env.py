"""Run by Alembic: `ccod_sql.schema` hands over the connection and has begun the transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
context.run_migrations()
