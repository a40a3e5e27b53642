-- hand-written: a file has no schemas
SELECT 1;
