-- hand-written: in DuckDB the second of two transactions that create the same thing fails at once and is tried again
SELECT 1;
