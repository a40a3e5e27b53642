CREATE OR REPLACE VIEW recce_metadata.latest_table_quality (
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  unique_id COMMENT 'Unique id of the node',
  name COMMENT 'Name of the table',
  relation COMMENT 'Relation that was measured',
  quality_run_id COMMENT 'Id of the measurement',
  run_id COMMENT 'Id of the run',
  measured_at COMMENT 'Time when the measurement of the table ended',
  row_count COMMENT 'Number of rows',
  sampled_rows COMMENT 'Rows of the sample; NULL if all rows were measured',
  column_count COMMENT 'Number of columns',
  score COMMENT 'Score from 0 to 100',
  reason COMMENT 'Why the table could not be measured',
  notes COMMENT 'JSON array of notes'
)
COMMENT = 'One row per table: its latest measurement in each project and environment'
AS
