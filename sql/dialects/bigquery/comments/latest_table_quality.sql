CREATE OR REPLACE VIEW recce_metadata.latest_table_quality (
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  name OPTIONS (description = 'Name of the table'),
  relation OPTIONS (description = 'Relation that was measured'),
  quality_run_id OPTIONS (description = 'Id of the measurement'),
  run_id OPTIONS (description = 'Id of the run'),
  measured_at OPTIONS (description = 'Time when the measurement of the table ended'),
  row_count OPTIONS (description = 'Number of rows'),
  sampled_rows OPTIONS (description = 'Rows of the sample; NULL if all rows were measured'),
  column_count OPTIONS (description = 'Number of columns'),
  score OPTIONS (description = 'Score from 0 to 100'),
  reason OPTIONS (description = 'Why the table could not be measured'),
  notes OPTIONS (description = 'JSON array of notes')
)
OPTIONS (description = 'One row per table: its latest measurement in each project and environment')
AS
