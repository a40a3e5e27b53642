-- hand-written: DuckDB keeps its statistics by itself
SELECT 1;
