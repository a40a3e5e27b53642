CREATE OR REPLACE VIEW recce_metadata.node_statistics (
  run_id COMMENT 'Id of the run',
  unique_id COMMENT 'Unique id of the node',
  row_count COMMENT 'Number of rows',
  counted_at COMMENT 'Time of the count',
  reason COMMENT 'Why the rows were not counted',
  profile_reason COMMENT 'Why the columns were not profiled'
)
COMMENT 'One row per run and counted node, from `record --stats`'
AS
