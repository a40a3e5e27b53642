CREATE OR REPLACE VIEW recce_metadata.latest_indexes (
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  run_id OPTIONS (description = 'Id of the run'),
  run_at OPTIONS (description = 'Time of the run'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  schema_name OPTIONS (description = 'Schema of the relation'),
  name OPTIONS (description = 'Name of the relation'),
  ordinal OPTIONS (description = 'Position, starting at 1'),
  index_name OPTIONS (description = 'Name of the index'),
  is_unique OPTIONS (description = 'True if the index is unique'),
  definition OPTIONS (description = 'Text of the index in the catalog')
)
OPTIONS (description = 'One row per index of the latest scan of each project and environment, except indexes of constraints')
AS
