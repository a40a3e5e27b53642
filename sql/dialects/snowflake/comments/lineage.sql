CREATE OR REPLACE VIEW recce_metadata.lineage (
  run_id COMMENT 'Id of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  node_id COMMENT 'Unique id of the node that reads the parent',
  parent_id COMMENT 'Unique id of the node that is read',
  kind COMMENT 'How the edge is known (ref, source, catalog or sql)',
  confidence COMMENT 'Between 0 and 1, where 1 is certain'
)
COMMENT = 'One row per run and edge: `node_id` reads `parent_id`'
AS
