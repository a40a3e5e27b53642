CREATE OR REPLACE VIEW recce_metadata.table_quality (
  quality_run_id COMMENT 'Id of the measurement',
  unique_id COMMENT 'Unique id of the node',
  name COMMENT 'Name of the table',
  relation COMMENT 'Relation that was measured',
  measured_at COMMENT 'Time when the measurement of the table ended',
  row_count COMMENT 'Number of rows',
  sampled_rows COMMENT 'Rows of the sample; NULL if all rows were measured',
  column_count COMMENT 'Number of columns',
  score COMMENT 'Score from 0 to 100',
  reason COMMENT 'Why the table could not be measured',
  notes COMMENT 'JSON array of notes'
)
COMMENT 'One row per measurement and table'
AS
