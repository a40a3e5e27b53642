-- hand-written: without the primary key, whose index takes a quarter of the file and slows loading;
-- recorders write one at a time, and nothing that is stored already
-- One row per measurement, table and column, in the order of the relation. Values are texts that lose nothing,
-- numbers also doubles; `value_kinds` says of each text which type it stands for. Figures are NULL where the
-- column could not be measured, which `reason` says; values are NULL where they are withheld.
CREATE TABLE IF NOT EXISTS recce_metadata.column_quality (
  quality_run_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name TEXT NOT NULL,
  column_type TEXT,
  row_count BIGINT,
  not_null_count BIGINT,
  distinct_count BIGINT,
  is_approximate BOOLEAN,
  min_value TEXT,
  max_value TEXT,
  average_value TEXT,
  median_value TEXT,
  min_number DOUBLE,
  max_number DOUBLE,
  average_number DOUBLE,
  median_number DOUBLE,
  value_kinds JSON NOT NULL,
  true_count BIGINT,
  min_length BIGINT,
  max_length BIGINT,
  average_length DOUBLE,
  blank_count BIGINT,
  is_declared_unique BOOLEAN NOT NULL,
  is_private BOOLEAN NOT NULL,
  score DOUBLE,
  reason TEXT
);
