-- hand-written: DuckDB maintains its statistics itself
SELECT 1;
