-- One row per measurement and table. `sampled_rows` is NULL if all rows were measured. `reason` explains why a table
-- could not be measured. `notes` is an array of sentences.
DROP VIEW IF EXISTS table_quality;
CREATE VIEW table_quality AS
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
FROM store_table_quality;
