CREATE OR REPLACE VIEW recce_metadata.deleted_runs (
  run_id OPTIONS (description = 'Id of the run'),
  project_name OPTIONS (description = 'Project of the run'),
  deleted_at OPTIONS (description = 'Time of the deletion'),
  deleted_by OPTIONS (description = 'Who deleted the run; the name is not verified'),
  reason OPTIONS (description = 'Why the run was deleted')
)
OPTIONS (description = 'One row per deleted run, which is not recorded or received again')
AS
