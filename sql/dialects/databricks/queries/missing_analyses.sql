-- hand-written: there are no transactions, so that only a run, which is written last, says what is whole
-- The analyses of a column graph that no recorded run has: their columns may be stored, or not.
SELECT DISTINCT column_part_nodes.lineage_id
FROM recce_metadata.column_parts
JOIN recce_metadata.column_part_nodes ON column_part_nodes.part_id = column_parts.part_id
WHERE
  column_parts.column_graph_id = :column_graph_id
  AND NOT EXISTS (
    SELECT 1
    FROM recce_metadata.column_part_nodes AS recorded
    JOIN recce_metadata.column_parts AS parts ON parts.part_id = recorded.part_id
    JOIN recce_metadata.runs ON runs.column_graph_id = parts.column_graph_id
    WHERE recorded.lineage_id = column_part_nodes.lineage_id
  );
