CREATE OR REPLACE VIEW recce_metadata.column_analysis (
  run_id COMMENT 'Id of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  node_id COMMENT 'Unique id of the node',
  tier COMMENT 'Source of the SQL, gold (a manifest), silver (a dbt project without one) or bronze (SQL files)',
  reason COMMENT 'Why the node has no column lineage',
  column_count COMMENT 'Number of columns'
)
COMMENT 'One row per run and analysed node'
AS
