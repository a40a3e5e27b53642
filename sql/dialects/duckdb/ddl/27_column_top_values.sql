-- hand-written: without the primary key, whose index takes a quarter of the file and slows loading;
-- recorders write one at a time, and nothing that is stored already
-- One row per measurement, table, column and one of its most frequent values, the most frequent first. `value`
-- is a text that loses nothing, and `value_kind` the type that it stands for: both are NULL for NULL.
CREATE TABLE IF NOT EXISTS recce_metadata.column_top_values (
  quality_run_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name TEXT NOT NULL,
  value TEXT,
  value_kind TEXT,
  value_count BIGINT NOT NULL
);
