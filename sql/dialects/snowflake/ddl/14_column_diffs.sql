-- One row per kept diff of values and column: those compared in the result's order, then those of base alone,
-- then those of current alone. Written with the diff's own row.
CREATE TABLE IF NOT EXISTS recce_metadata.column_diffs (
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
