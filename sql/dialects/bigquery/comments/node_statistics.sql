CREATE OR REPLACE VIEW recce_metadata.node_statistics (
  run_id OPTIONS (description = 'Id of the run'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  row_count OPTIONS (description = 'Number of rows'),
  counted_at OPTIONS (description = 'Time of the count'),
  reason OPTIONS (description = 'Why the rows were not counted'),
  profile_reason OPTIONS (description = 'Why the columns were not profiled')
)
OPTIONS (description = 'One row per run and counted node, from `record --stats`')
AS
