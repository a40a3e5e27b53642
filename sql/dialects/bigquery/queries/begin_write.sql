-- The first statement of every writer: a second one waits here (PostgreSQL) or fails and is tried again (DuckDB).
UPDATE recce_metadata.store SET written_at = CURRENT_TIMESTAMP()
WHERE
  TRUE;
