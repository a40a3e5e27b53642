-- One row per measurement, table, column and frequent value, the most frequent first. `value` is a lossless string;
-- `value_kind` has the type of the string. Both are NULL for NULL.
CREATE TABLE IF NOT EXISTS store_column_top_values (
  quality_run_id TEXT NOT NULL,
  unique_id TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  place INTEGER NOT NULL,
  column_name TEXT NOT NULL,
  value TEXT,
  value_kind TEXT,
  value_count INTEGER NOT NULL,
  PRIMARY KEY (quality_run_id, unique_id, ordinal, place)
);
