CREATE OR REPLACE VIEW recce_metadata.lineage (
  run_id OPTIONS (description = 'Id of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  node_id OPTIONS (description = 'Unique id of the node that reads the parent'),
  parent_id OPTIONS (description = 'Unique id of the node that is read'),
  kind OPTIONS (description = 'How the edge is known (ref, source, catalog or sql)'),
  confidence OPTIONS (description = 'Between 0 and 1, where 1 is certain')
)
OPTIONS (description = 'One row per run and edge: `node_id` reads `parent_id`')
AS
