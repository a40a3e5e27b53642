-- One row per run, node and column that affects the node's rows: in `filter`, `join`, `group` or `order`.
-- Its value may not be part of any output column. A column that the SQL names anywhere is `referenced`: the node fails
-- if the column is removed or renamed. Key: run_id, node_id, parent_id, parent_column, usage.
CREATE OR REPLACE VIEW recce_metadata.column_usage AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id AS node_id,
  edge.parent_id,
  edge.parent_column,
  edge.kind AS usage,
  edge.confidence,
  analysis.tier
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_column_parts AS part
  ON part.column_graph_id = runs.column_graph_id
JOIN recce_metadata.store_column_part_nodes AS place
  ON place.part_id = part.part_id
JOIN recce_metadata.store_column_analyses AS analysis
  ON analysis.lineage_id = place.lineage_id
JOIN recce_metadata.store_column_edges AS edge
  ON edge.lineage_id = place.lineage_id
WHERE
  edge.column_name IS NULL;
