-- hand-written: in DuckDB the second of two transactions that create the same object fails immediately and is retried
SELECT 1;
