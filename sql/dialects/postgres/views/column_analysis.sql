-- hand-written: a subquery for each row, for which PostgreSQL has an index
-- One row per run and node whose columns were looked at: what was known when its SQL was read (`tier`: gold,
-- silver, bronze), how many columns were found, and the `reason` where none could be. Key: run_id, node_id.
CREATE OR REPLACE VIEW recce_metadata.column_analysis AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id AS node_id,
  analysis.tier,
  analysis.reason,
  (
    SELECT COUNT(DISTINCT edge.column_name)
    FROM recce_metadata.column_edges AS edge
    WHERE edge.lineage_id = place.lineage_id
  ) AS column_count
FROM recce_metadata.runs
JOIN recce_metadata.column_parts AS part ON part.column_graph_id = runs.column_graph_id
JOIN recce_metadata.column_part_nodes AS place ON place.part_id = part.part_id
JOIN recce_metadata.column_analyses AS analysis ON analysis.lineage_id = place.lineage_id;
