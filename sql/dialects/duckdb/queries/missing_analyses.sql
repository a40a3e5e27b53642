-- Analyses of a column graph that are not stored yet.
SELECT DISTINCT
  column_part_nodes.lineage_id
FROM recce_metadata.store_column_parts AS column_parts
JOIN recce_metadata.store_column_part_nodes AS column_part_nodes
  ON column_part_nodes.part_id = column_parts.part_id
WHERE
  column_parts.column_graph_id = :column_graph_id
  AND NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.store_column_analyses AS column_analyses
    WHERE
      column_analyses.lineage_id = column_part_nodes.lineage_id
  );
