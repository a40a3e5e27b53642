"""DuckDB: what sqlglot makes of PostgreSQL is right; what is not is written by hand."""

from recce_meta.store.rendering.base import Rendering


class DuckdbRendering(Rendering):
    """As PostgreSQL, in DuckDB's types."""

    dialect = "duckdb"
