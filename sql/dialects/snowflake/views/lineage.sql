-- One row per run and edge: `node_id` reads `parent_id`.
-- Key: run_id, node_id, parent_id (an environment is a label of its run).
-- `kind` is how the edge is known: ref or source (dbt's functions), catalog (dependencies that the scanned database
-- records) or sql (names in SQL). `confidence` is 1 if it is certain. Both are NULL if they were not recorded.
CREATE OR REPLACE VIEW recce_metadata.lineage AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id AS node_id,
  edge.parent_id,
  CASE
    WHEN edge.kind IS NOT NULL
    THEN edge.kind
    WHEN runs.extractor <> 'dbt'
    THEN NULL
    WHEN STARTSWITH(edge.parent_id, 'source.')
    THEN 'source'
    ELSE 'ref'
  END AS kind,
  CASE
    WHEN edge.kind IS NOT NULL
    THEN edge.confidence
    WHEN runs.extractor = 'dbt'
    THEN CAST(1 AS DOUBLE)
  END AS confidence
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_nodes AS place
  ON place.graph_id = runs.graph_id
JOIN recce_metadata.store_version_parents AS edge
  ON edge.version_id = place.version_id;
