CREATE OR REPLACE VIEW recce_metadata.node_indexes (
  run_id COMMENT 'Id of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  unique_id COMMENT 'Unique id of the node',
  name COMMENT 'Name of the relation',
  ordinal COMMENT 'Position, starting at 1',
  index_name COMMENT 'Name of the index',
  is_unique COMMENT 'True if the index is unique',
  definition COMMENT 'Text of the index in the catalog',
  resource_type COMMENT 'Kind of the node (model, source, table, …)',
  version_id COMMENT 'Id of the content of the node; equal ids are equal content, in any run'
)
COMMENT 'One row per scanned run, relation and index, except indexes of constraints'
AS
