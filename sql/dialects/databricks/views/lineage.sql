-- One row per run and edge: `node_id` reads `parent_id`.
-- Key: run_id, node_id, parent_id (an environment is a label of its run).
-- `kind` is source or ref, and `confidence` is 1, for edges that dbt wrote. Both are NULL for other runs: unknown.
CREATE OR REPLACE VIEW recce_metadata.lineage AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id AS node_id,
  edge.parent_id,
  CASE
    WHEN runs.extractor <> 'dbt'
    THEN NULL
    WHEN STARTSWITH(edge.parent_id, 'source.')
    THEN 'source'
    ELSE 'ref'
  END AS kind,
  CASE WHEN runs.extractor = 'dbt' THEN CAST(1 AS DOUBLE) END AS confidence
FROM recce_metadata.runs
JOIN recce_metadata.graph_nodes AS place
  ON place.graph_id = runs.graph_id
JOIN recce_metadata.version_parents AS edge
  ON edge.version_id = place.version_id;
