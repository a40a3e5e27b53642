"""BigQuery's stand-in: its REST interface over DuckDB."""
