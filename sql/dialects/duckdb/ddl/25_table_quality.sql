-- hand-written: without the primary key, because its index takes a quarter of the file and slows loading. Recorders
-- write one at a time and skip stored rows.
-- One row per measurement and table. `sampled_rows` is NULL if all rows were measured. `reason` explains why a table
-- could not be measured. `notes` is an array of sentences.
CREATE TABLE IF NOT EXISTS recce_metadata.store_table_quality (
  quality_run_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  name TEXT NOT NULL,
  relation TEXT NOT NULL,
  measured_at TIMESTAMPTZ NOT NULL,
  row_count BIGINT,
  sampled_rows BIGINT,
  column_count BIGINT NOT NULL,
  score DOUBLE,
  reason TEXT,
  notes JSON NOT NULL
);
