COMMENT ON VIEW recce_metadata.deleted_runs IS 'One row per deleted run, which is not recorded or received again';
COMMENT ON COLUMN recce_metadata.deleted_runs.run_id IS 'Id of the run';
COMMENT ON COLUMN recce_metadata.deleted_runs.project_name IS 'Project of the run';
COMMENT ON COLUMN recce_metadata.deleted_runs.deleted_at IS 'Time of the deletion';
COMMENT ON COLUMN recce_metadata.deleted_runs.deleted_by IS 'Who deleted the run; the name is not verified';
COMMENT ON COLUMN recce_metadata.deleted_runs.reason IS 'Why the run was deleted';
