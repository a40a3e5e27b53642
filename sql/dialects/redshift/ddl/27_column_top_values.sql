-- One row per measurement, table, column and one of its most frequent values, the most frequent first. `value`
-- is a text that loses nothing, and `value_kind` the type that it stands for: both are NULL for NULL.
CREATE TABLE IF NOT EXISTS recce_metadata.column_top_values (
  quality_run_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR(65535) NOT NULL,
  ordinal BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name VARCHAR(65535) NOT NULL,
  value VARCHAR(65535),
  value_kind VARCHAR(65535),
  value_count BIGINT NOT NULL
);
