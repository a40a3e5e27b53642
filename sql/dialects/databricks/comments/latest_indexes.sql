CREATE OR REPLACE VIEW recce_metadata.latest_indexes (
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  run_id COMMENT 'Id of the run',
  run_at COMMENT 'Time of the run',
  unique_id COMMENT 'Unique id of the node',
  schema_name COMMENT 'Schema of the relation',
  name COMMENT 'Name of the relation',
  ordinal COMMENT 'Position, starting at 1',
  index_name COMMENT 'Name of the index',
  is_unique COMMENT 'True if the index is unique',
  definition COMMENT 'Text of the index in the catalog'
)
COMMENT 'One row per index of the latest scan of each project and environment, except indexes of constraints'
AS
