-- hand-written: a subquery for each row, for which PostgreSQL has an index
-- One row per run and analysed node. `tier` is what was known when its SQL was analysed: gold, silver or bronze.
-- `reason` explains why no columns were found. Key: run_id, node_id.
CREATE OR REPLACE VIEW recce_metadata.column_analysis AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id AS node_id,
  analysis.tier,
  analysis.reason,
  (
    SELECT COUNT(DISTINCT edge.column_name)
    FROM recce_metadata.store_column_edges AS edge
    WHERE edge.lineage_id = place.lineage_id
  ) AS column_count
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_column_parts AS part ON part.column_graph_id = runs.column_graph_id
JOIN recce_metadata.store_column_part_nodes AS place ON place.part_id = part.part_id
JOIN recce_metadata.store_column_analyses AS analysis ON analysis.lineage_id = place.lineage_id;
