-- One row per measurement, table and column, in the order of the relation. Values are lossless strings, numbers also
-- doubles; `value_kinds` has the type of each string. Figures are NULL if the column could not be measured; see
-- `reason`. Values are NULL if they are withheld.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_quality (
  quality_run_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR(65535) NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name VARCHAR(65535) NOT NULL,
  column_type VARCHAR(65535),
  row_count BIGINT,
  not_null_count BIGINT,
  distinct_count BIGINT,
  is_approximate BOOLEAN,
  min_value VARCHAR(65535),
  max_value VARCHAR(65535),
  average_value VARCHAR(65535),
  median_value VARCHAR(65535),
  min_number DOUBLE PRECISION,
  max_number DOUBLE PRECISION,
  average_number DOUBLE PRECISION,
  median_number DOUBLE PRECISION,
  value_kinds SUPER NOT NULL,
  true_count BIGINT,
  min_length BIGINT,
  max_length BIGINT,
  average_length DOUBLE PRECISION,
  blank_count BIGINT,
  is_declared_unique BOOLEAN NOT NULL,
  is_private BOOLEAN NOT NULL,
  score DOUBLE PRECISION,
  reason VARCHAR(65535)
);
