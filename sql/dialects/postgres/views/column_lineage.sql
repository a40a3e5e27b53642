-- One row per run, node, output column and column that its value comes from; columns of constants, and of sources
-- and seeds, have one row without a parent. Key: run_id, node_id, column_name, parent_id, parent_column.
-- `expression` is SQL, NULL where the column is one as it is. `confidence` is 1 where nothing else is possible.
CREATE OR REPLACE VIEW recce_metadata.column_lineage AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id AS node_id,
  edge.column_name,
  edge.parent_id,
  edge.parent_column,
  edge.kind,
  edge.expression,
  edge.confidence,
  analysis.tier
FROM recce_metadata.runs
JOIN recce_metadata.column_parts AS part
  ON part.column_graph_id = runs.column_graph_id
JOIN recce_metadata.column_part_nodes AS place
  ON place.part_id = part.part_id
JOIN recce_metadata.column_analyses AS analysis
  ON analysis.lineage_id = place.lineage_id
JOIN recce_metadata.column_edges AS edge
  ON edge.lineage_id = place.lineage_id
WHERE
  edge.column_name IS NOT NULL;
