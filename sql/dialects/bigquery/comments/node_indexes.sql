CREATE OR REPLACE VIEW recce_metadata.node_indexes (
  run_id OPTIONS (description = 'Id of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  name OPTIONS (description = 'Name of the relation'),
  ordinal OPTIONS (description = 'Position, starting at 1'),
  index_name OPTIONS (description = 'Name of the index'),
  is_unique OPTIONS (description = 'True if the index is unique'),
  definition OPTIONS (description = 'Text of the index in the catalog'),
  resource_type OPTIONS (description = 'Kind of the node (model, source, table, …)'),
  version_id OPTIONS (description = 'Id of the content of the node; equal ids are equal content, in any run')
)
OPTIONS (description = 'One row per scanned run, relation and index, except indexes of constraints')
AS
