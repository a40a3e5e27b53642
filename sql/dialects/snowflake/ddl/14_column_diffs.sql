-- One row per saved value diff and column: compared columns first, then columns only in base, then only in current.
-- Written with the diff's own row.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_diffs (
  diff_id VARCHAR(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name VARCHAR NOT NULL,
  status VARCHAR NOT NULL,
  base_type VARCHAR,
  current_type VARCHAR,
  compared_as VARCHAR,
  matched BIGINT,
  mismatched BIGINT,
  null_to_value BIGINT,
  value_to_null BIGINT,
  mean_difference DOUBLE,
  largest_difference DOUBLE,
  reason VARCHAR,
  PRIMARY KEY (diff_id, ordinal)
);
