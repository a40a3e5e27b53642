-- One row per deleted run, which is not recorded or received again. Key: run_id.
CREATE OR REPLACE VIEW deleted_runs AS
SELECT
  run_id,
  project_name,
  deleted_at,
  deleted_by,
  reason
FROM store_tombstones;
