CREATE OR REPLACE VIEW recce_metadata.table_quality (
  quality_run_id OPTIONS (description = 'Id of the measurement'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  name OPTIONS (description = 'Name of the table'),
  relation OPTIONS (description = 'Relation that was measured'),
  measured_at OPTIONS (description = 'Time when the measurement of the table ended'),
  row_count OPTIONS (description = 'Number of rows'),
  sampled_rows OPTIONS (description = 'Rows of the sample; NULL if all rows were measured'),
  column_count OPTIONS (description = 'Number of columns'),
  score OPTIONS (description = 'Score from 0 to 100'),
  reason OPTIONS (description = 'Why the table could not be measured'),
  notes OPTIONS (description = 'JSON array of notes')
)
OPTIONS (description = 'One row per measurement and table')
AS
