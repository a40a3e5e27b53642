-- One row per kept diff of values and column: those compared in the result's order, then those of base alone,
-- then those of current alone. Written with the diff's own row.
CREATE TABLE IF NOT EXISTS recce_metadata.column_diffs (
  diff_id VARCHAR(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name VARCHAR(65535) NOT NULL,
  status VARCHAR(65535) NOT NULL,
  base_type VARCHAR(65535),
  current_type VARCHAR(65535),
  compared_as VARCHAR(65535),
  matched BIGINT,
  mismatched BIGINT,
  null_to_value BIGINT,
  value_to_null BIGINT,
  mean_difference DOUBLE PRECISION,
  largest_difference DOUBLE PRECISION,
  reason VARCHAR(65535)
);
