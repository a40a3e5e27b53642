-- hand-written: without the primary key, whose index takes a quarter of the file and slows loading;
-- recorders write one at a time, and nothing that is stored already
-- One row per kept diff of values and column: those compared in the result's order, then those of base alone,
-- then those of current alone. Written with the diff's own row.
CREATE TABLE IF NOT EXISTS recce_metadata.column_diffs (
  diff_id TEXT(64) NOT NULL,
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
  mean_difference DOUBLE,
  largest_difference DOUBLE,
  reason TEXT
);
