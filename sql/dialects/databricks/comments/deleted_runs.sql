CREATE OR REPLACE VIEW recce_metadata.deleted_runs (
  run_id COMMENT 'Id of the run',
  project_name COMMENT 'Project of the run',
  deleted_at COMMENT 'Time of the deletion',
  deleted_by COMMENT 'Who deleted the run; the name is not verified',
  reason COMMENT 'Why the run was deleted'
)
COMMENT 'One row per deleted run, which is not recorded or received again'
AS
