-- One row per run and edge: `node_id` reads `parent_id`.
-- Key: run_id, node_id, parent_id (an environment is a label of its run).
CREATE OR REPLACE VIEW lineage AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id AS node_id,
  edge.parent_id
FROM runs
JOIN graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN version_parents AS edge ON edge.version_id = place.version_id;
