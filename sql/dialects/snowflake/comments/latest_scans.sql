CREATE OR REPLACE VIEW recce_metadata.latest_scans (
  run_id COMMENT 'Id of the run',
  run_at COMMENT 'Time of the run',
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  adapter_type COMMENT 'Warehouse of the run (postgres, snowflake, …)',
  target_name COMMENT 'Name of the target in profiles.yml',
  target_database COMMENT 'Database of the target',
  command COMMENT 'Command of dbt, or the scope of a scan',
  node_count COMMENT 'Number of nodes of the run',
  edge_count COMMENT 'Number of edges of the run',
  recorded_at COMMENT 'Time when the run was recorded',
  recorder_version COMMENT 'Version of recce_meta that wrote the row',
  graph_id COMMENT 'Id of the graph of the run; equal graphs have equal ids',
  column_graph_id COMMENT 'Id of the column lineage of the run; NULL if it was recorded without columns'
)
COMMENT = 'One row per project and environment: its latest scan of a live database'
AS
