-- One row per measurement, table, column and frequent value, the most frequent first. `value` is a lossless string;
-- `value_kind` has the type of the string. Both are NULL for NULL.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_top_values (
  quality_run_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR NOT NULL,
  ordinal BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name VARCHAR NOT NULL,
  value VARCHAR,
  value_kind VARCHAR,
  value_count BIGINT NOT NULL,
  PRIMARY KEY (quality_run_id, unique_id, ordinal, place)
);
