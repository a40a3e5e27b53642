CREATE OR REPLACE VIEW recce_metadata.lineage_changes (
  run_id COMMENT 'Id of the run',
  previous_run_id COMMENT 'Id of the previous run in the same project and environment',
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  run_at COMMENT 'Time of the run',
  node_id COMMENT 'Unique id of the node that reads the parent',
  parent_id COMMENT 'Unique id of the node that is read',
  status COMMENT 'added or removed',
  node_status COMMENT 'How the node itself differs'
)
COMMENT 'One row per run and edge that differs from the previous run: added if only this run has it, removed if only the previous run has it'
AS
