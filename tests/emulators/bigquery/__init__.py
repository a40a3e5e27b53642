"""BigQuery's emulator: its REST interface over DuckDB."""
