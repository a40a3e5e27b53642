-- One row per run and analysed node. `tier` is what was known when its SQL was analysed: gold, silver or bronze.
-- `reason` explains why no columns were found. Key: run_id, node_id.
DROP VIEW IF EXISTS column_analysis;
CREATE VIEW column_analysis AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id AS node_id,
  analysis.tier,
  analysis.reason,
  analysis.column_count
FROM store_runs AS runs
JOIN store_column_parts AS part
  ON part.column_graph_id = runs.column_graph_id
JOIN store_column_part_nodes AS place
  ON place.part_id = part.part_id
JOIN (
  /* once per analysis, not per run */
  SELECT
    found.lineage_id,
    found.tier,
    found.reason,
    COUNT(DISTINCT edge.column_name) AS column_count
  FROM store_column_analyses AS found
  LEFT JOIN store_column_edges AS edge
    ON edge.lineage_id = found.lineage_id
  GROUP BY
    found.lineage_id,
    found.tier,
    found.reason
) AS analysis
  ON analysis.lineage_id = place.lineage_id;
