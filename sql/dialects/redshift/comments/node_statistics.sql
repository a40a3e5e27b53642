COMMENT ON VIEW recce_metadata.node_statistics IS 'One row per run and counted node, from `record --stats`';
COMMENT ON COLUMN recce_metadata.node_statistics.run_id IS 'Id of the run';
COMMENT ON COLUMN recce_metadata.node_statistics.unique_id IS 'Unique id of the node';
COMMENT ON COLUMN recce_metadata.node_statistics.row_count IS 'Number of rows';
COMMENT ON COLUMN recce_metadata.node_statistics.counted_at IS 'Time of the count';
COMMENT ON COLUMN recce_metadata.node_statistics.reason IS 'Why the rows were not counted';
COMMENT ON COLUMN recce_metadata.node_statistics.profile_reason IS 'Why the columns were not profiled';
