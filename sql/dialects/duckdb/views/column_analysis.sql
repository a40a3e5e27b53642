-- One row per run and node whose columns were looked at: what was known when its SQL was read (`tier`: gold,
-- silver, bronze), how many columns were found, and the `reason` where none could be. Key: run_id, node_id.
CREATE OR REPLACE VIEW recce_metadata.column_analysis AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id AS node_id,
  analysis.tier,
  analysis.reason,
  analysis.column_count
FROM recce_metadata.runs
JOIN recce_metadata.column_parts AS part
  ON part.column_graph_id = runs.column_graph_id
JOIN recce_metadata.column_part_nodes AS place
  ON place.part_id = part.part_id
JOIN (
  /* once for each analysis, however many runs have it */
  SELECT
    found.lineage_id,
    found.tier,
    found.reason,
    COUNT(DISTINCT edge.column_name) AS column_count
  FROM recce_metadata.column_analyses AS found
  LEFT JOIN recce_metadata.column_edges AS edge
    ON edge.lineage_id = found.lineage_id
  GROUP BY
    found.lineage_id,
    found.tier,
    found.reason
) AS analysis
  ON analysis.lineage_id = place.lineage_id;
