-- One row per saved value diff and column: compared columns first, then columns only in base, then only in current.
-- Written with the diff's own row.
CREATE TABLE IF NOT EXISTS store_column_diffs (
  diff_id TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  column_name TEXT NOT NULL,
  status TEXT NOT NULL,
  base_type TEXT,
  current_type TEXT,
  compared_as TEXT,
  matched INTEGER,
  mismatched INTEGER,
  null_to_value INTEGER,
  value_to_null INTEGER,
  mean_difference REAL,
  largest_difference REAL,
  reason TEXT,
  PRIMARY KEY (diff_id, ordinal)
);
