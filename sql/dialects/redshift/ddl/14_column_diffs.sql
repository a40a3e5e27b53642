-- One row per saved value diff and column: compared columns first, then columns only in base, then only in current.
-- Written with the diff's own row.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_diffs (
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
