COMMENT ON VIEW recce_metadata.lineage IS 'One row per run and edge: `node_id` reads `parent_id`';
COMMENT ON COLUMN recce_metadata.lineage.run_id IS 'Id of the run';
COMMENT ON COLUMN recce_metadata.lineage.environment IS 'Environment of the run, by convention base for production and current for a branch';
COMMENT ON COLUMN recce_metadata.lineage.node_id IS 'Unique id of the node that reads the parent';
COMMENT ON COLUMN recce_metadata.lineage.parent_id IS 'Unique id of the node that is read';
COMMENT ON COLUMN recce_metadata.lineage.kind IS 'How the edge is known (ref, source, catalog or sql)';
COMMENT ON COLUMN recce_metadata.lineage.confidence IS 'Between 0 and 1, where 1 is certain';
