-- hand-written: without the primary key, because its index takes a quarter of the file and slows loading. Recorders
-- write one at a time and skip stored rows.
-- One row per measurement, table, column and frequent value, the most frequent first. `value` is a lossless string;
-- `value_kind` has the type of the string. Both are NULL for NULL.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_top_values (
  quality_run_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name TEXT NOT NULL,
  value TEXT,
  value_kind TEXT,
  value_count BIGINT NOT NULL
);
