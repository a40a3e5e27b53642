-- hand-written: there are no transactions, so only a run, which is written last, proves that its rows are complete
-- Analyses of a column graph that no recorded run has; their columns may be stored.
SELECT DISTINCT column_part_nodes.lineage_id
FROM recce_metadata.store_column_parts AS column_parts
JOIN recce_metadata.store_column_part_nodes AS column_part_nodes ON column_part_nodes.part_id = column_parts.part_id
WHERE
  column_parts.column_graph_id = :column_graph_id
  AND NOT EXISTS (
    SELECT 1
    FROM recce_metadata.store_column_part_nodes AS recorded
    JOIN recce_metadata.store_column_parts AS parts ON parts.part_id = recorded.part_id
    JOIN recce_metadata.store_runs AS runs ON runs.column_graph_id = parts.column_graph_id
    WHERE recorded.lineage_id = column_part_nodes.lineage_id
  );
