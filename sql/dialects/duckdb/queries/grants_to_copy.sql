-- hand-written: DuckDB has no grants

