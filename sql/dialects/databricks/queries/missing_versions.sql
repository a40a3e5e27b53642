-- hand-written: there are no transactions, so that only a run, which is written last, says what is whole
-- The node versions of a graph that no recorded run has: their parents may be stored, or not.
SELECT DISTINCT part_nodes.version_id
FROM recce_metadata.graph_parts
JOIN recce_metadata.part_nodes ON part_nodes.part_id = graph_parts.part_id
WHERE
  graph_parts.graph_id = :graph_id
  AND NOT EXISTS (
    SELECT 1
    FROM recce_metadata.part_nodes AS recorded
    JOIN recce_metadata.graph_parts AS parts ON parts.part_id = recorded.part_id
    JOIN recce_metadata.runs ON runs.graph_id = parts.graph_id
    WHERE recorded.version_id = part_nodes.version_id
  );
