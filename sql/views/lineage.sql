-- One row per run and edge: `node_id` reads `parent_id`.
-- Key: run_id, node_id, parent_id (an environment is a label of its run).
-- `kind` is source or ref, and `confidence` is 1, for edges that dbt wrote. Both are NULL for other runs: unknown.
CREATE OR REPLACE VIEW lineage AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id AS node_id,
  edge.parent_id,
  CASE
    WHEN runs.extractor <> 'dbt' THEN NULL
    WHEN STARTS_WITH(edge.parent_id, 'source.') THEN 'source'
    ELSE 'ref'
  END AS kind,
  CASE WHEN runs.extractor = 'dbt' THEN CAST(1 AS DOUBLE PRECISION) END AS confidence
FROM runs
JOIN graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN version_parents AS edge ON edge.version_id = place.version_id;
