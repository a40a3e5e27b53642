CREATE OR REPLACE VIEW recce_metadata.column_changes (
  run_id COMMENT 'Id of the run',
  previous_run_id COMMENT 'Id of the previous run in the same project and environment',
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  run_at COMMENT 'Time of the run',
  unique_id COMMENT 'Unique id of the node',
  name COMMENT 'Name of the node',
  column_name COMMENT 'Name of the column',
  status COMMENT 'added, removed, retyped, altered or reordered',
  column_type COMMENT 'Type of the column in the warehouse',
  previous_column_type COMMENT 'Type of the column in the previous run',
  ordinal COMMENT 'Position of the column, starting at 1',
  previous_ordinal COMMENT 'Position of the column in the previous run',
  node_status COMMENT 'How the node itself differs'
)
COMMENT 'One row per run, node and column that differs from the previous run of the same project and environment'
AS
