-- hand-written: there are no transactions, so only a run, which is written last, proves that its rows are complete
-- Parts of a graph that no recorded run has; some of their nodes may be stored.
SELECT graph_parts.part_id
FROM recce_metadata.store_graph_parts AS graph_parts
WHERE
  graph_parts.graph_id = :graph_id
  AND NOT EXISTS (
    SELECT 1
    FROM recce_metadata.store_graph_parts AS recorded
    JOIN recce_metadata.store_runs AS runs ON runs.graph_id = recorded.graph_id
    WHERE recorded.part_id = graph_parts.part_id
  );
