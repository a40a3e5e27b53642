-- One row per measurement, table and column, in the order of the relation. Values are lossless strings, numbers also
-- doubles; `value_kinds` has the type of each string. Figures are NULL if the column could not be measured; see
-- `reason`. Values are NULL if they are withheld.
CREATE TABLE IF NOT EXISTS store_column_quality (
  quality_run_id TEXT NOT NULL,
  unique_id TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  column_name TEXT NOT NULL,
  column_type TEXT,
  row_count INTEGER,
  not_null_count INTEGER,
  distinct_count INTEGER,
  is_approximate BOOLEAN,
  min_value TEXT,
  max_value TEXT,
  average_value TEXT,
  median_value TEXT,
  min_number REAL,
  max_number REAL,
  average_number REAL,
  median_number REAL,
  value_kinds TEXT NOT NULL,
  true_count INTEGER,
  min_length INTEGER,
  max_length INTEGER,
  average_length REAL,
  blank_count INTEGER,
  is_declared_unique BOOLEAN NOT NULL,
  is_private BOOLEAN NOT NULL,
  score REAL,
  reason TEXT,
  PRIMARY KEY (quality_run_id, unique_id, ordinal)
);
