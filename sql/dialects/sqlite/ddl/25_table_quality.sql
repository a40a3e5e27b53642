-- One row per measurement and table. `sampled_rows` is NULL if all rows were measured. `reason` explains why a table
-- could not be measured. `notes` is an array of sentences.
CREATE TABLE IF NOT EXISTS store_table_quality (
  quality_run_id TEXT NOT NULL,
  unique_id TEXT NOT NULL,
  name TEXT NOT NULL,
  relation TEXT NOT NULL,
  measured_at TIMESTAMPTZ NOT NULL,
  row_count INTEGER,
  sampled_rows INTEGER,
  column_count INTEGER NOT NULL,
  score REAL,
  reason TEXT,
  notes TEXT NOT NULL,
  PRIMARY KEY (quality_run_id, unique_id)
);
