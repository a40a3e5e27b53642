-- One row per run, node, output column and source column of its value. A constant column has one row without a parent,
-- and so has a column of a source or seed. Key: run_id, node_id, column_name, parent_id, parent_column.
-- `expression` is SQL, NULL if the column is passed through. `confidence` is 1 if the edge is certain.
DROP VIEW IF EXISTS column_lineage;
CREATE VIEW column_lineage AS
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
FROM store_runs AS runs
JOIN store_column_parts AS part
  ON part.column_graph_id = runs.column_graph_id
JOIN store_column_part_nodes AS place
  ON place.part_id = part.part_id
JOIN store_column_analyses AS analysis
  ON analysis.lineage_id = place.lineage_id
JOIN store_column_edges AS edge
  ON edge.lineage_id = place.lineage_id
WHERE
  edge.column_name IS NOT NULL;
