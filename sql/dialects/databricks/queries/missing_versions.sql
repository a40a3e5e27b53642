-- hand-written: there are no transactions, so only a run, which is written last, proves that its rows are complete
-- Node versions of a graph that no recorded run has; their parents may be stored.
SELECT DISTINCT part_nodes.version_id
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes ON part_nodes.part_id = graph_parts.part_id
WHERE
  graph_parts.graph_id = :graph_id
  AND NOT EXISTS (
    SELECT 1
    FROM recce_metadata.store_part_nodes AS recorded
    JOIN recce_metadata.store_graph_parts AS parts ON parts.part_id = recorded.part_id
    JOIN recce_metadata.store_runs AS runs ON runs.graph_id = parts.graph_id
    WHERE recorded.version_id = part_nodes.version_id
  );
