-- One row per saved value diff and column: compared columns first, then columns only in base, then only in current.
-- Written with the diff's own row.
CREATE TABLE IF NOT EXISTS store_column_diffs (
  diff_id VARCHAR(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name TEXT NOT NULL,
  status TEXT NOT NULL,
  base_type TEXT,
  current_type TEXT,
  compared_as TEXT,
  matched BIGINT,
  mismatched BIGINT,
  null_to_value BIGINT,
  value_to_null BIGINT,
  mean_difference DOUBLE PRECISION,
  largest_difference DOUBLE PRECISION,
  reason TEXT,
  PRIMARY KEY (diff_id, ordinal)
);
