-- One row per measurement and table. `sampled_rows` is NULL if all rows were measured. `reason` explains why a table
-- could not be measured. `notes` is an array of sentences.
CREATE OR REPLACE VIEW recce_metadata.table_quality AS
SELECT
  quality_run_id,
  unique_id,
  name,
  relation,
  measured_at,
  row_count,
  sampled_rows,
  column_count,
  score,
  reason,
  notes
FROM recce_metadata.store_table_quality;
