"""PostgreSQL: the canonical files themselves, in the schema."""

from recce_meta.store.rendering.base import Rendering


class PostgresRendering(Rendering):
    """Nothing to translate."""

    dialect = "postgres"
