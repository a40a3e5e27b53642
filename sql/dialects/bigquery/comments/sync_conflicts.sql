CREATE OR REPLACE VIEW recce_metadata.sync_conflicts (
  conflict_id OPTIONS (description = 'Hash of both objects'),
  detected_at OPTIONS (description = 'Time when the object arrived'),
  kind OPTIONS (description = 'Kind of object (run, statistics, …)'),
  object_id OPTIONS (description = 'Id that both objects have'),
  run_id OPTIONS (description = 'Run of the object; NULL for an annotation'),
  project_name OPTIONS (description = 'Project of the run'),
  peer OPTIONS (description = 'Address of the other store, without credentials'),
  stored_hash OPTIONS (description = 'Hash of the stored object'),
  arriving_hash OPTIONS (description = 'Hash of the object that arrived')
)
OPTIONS (description = 'One row per object that arrived under the id of a stored one with other contents')
AS
