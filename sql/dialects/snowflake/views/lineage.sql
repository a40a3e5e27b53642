-- One row per run and edge: `node_id` reads `parent_id`.
-- Key: run_id, node_id, parent_id (an environment is a label of its run).
CREATE OR REPLACE VIEW recce_metadata.lineage AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id AS node_id,
  edge.parent_id
FROM recce_metadata.runs
JOIN recce_metadata.graph_nodes AS place
  ON place.graph_id = runs.graph_id
JOIN recce_metadata.version_parents AS edge
  ON edge.version_id = place.version_id;
