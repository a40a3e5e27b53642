COMMENT ON VIEW recce_metadata.column_analysis IS 'One row per run and analysed node';
COMMENT ON COLUMN recce_metadata.column_analysis.run_id IS 'Id of the run';
COMMENT ON COLUMN recce_metadata.column_analysis.environment IS 'Environment of the run, by convention base for production and current for a branch';
COMMENT ON COLUMN recce_metadata.column_analysis.node_id IS 'Unique id of the node';
COMMENT ON COLUMN recce_metadata.column_analysis.tier IS 'Source of the SQL, gold (a manifest), silver (a dbt project without one) or bronze (SQL files)';
COMMENT ON COLUMN recce_metadata.column_analysis.reason IS 'Why the node has no column lineage';
COMMENT ON COLUMN recce_metadata.column_analysis.column_count IS 'Number of columns';
