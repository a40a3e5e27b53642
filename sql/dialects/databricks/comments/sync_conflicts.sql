CREATE OR REPLACE VIEW recce_metadata.sync_conflicts (
  conflict_id COMMENT 'Hash of both objects',
  detected_at COMMENT 'Time when the object arrived',
  kind COMMENT 'Kind of object (run, statistics, …)',
  object_id COMMENT 'Id that both objects have',
  run_id COMMENT 'Run of the object; NULL for an annotation',
  project_name COMMENT 'Project of the run',
  peer COMMENT 'Address of the other store, without credentials',
  stored_hash COMMENT 'Hash of the stored object',
  arriving_hash COMMENT 'Hash of the object that arrived'
)
COMMENT 'One row per object that arrived under the id of a stored one with other contents'
AS
