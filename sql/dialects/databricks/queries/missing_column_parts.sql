-- hand-written: there are no transactions, so only a run, which is written last, proves that its rows are complete
-- Parts of a column graph that no recorded run has; some of their nodes may be stored.
SELECT column_parts.part_id
FROM recce_metadata.store_column_parts AS column_parts
WHERE
  column_parts.column_graph_id = :column_graph_id
  AND NOT EXISTS (
    SELECT 1
    FROM recce_metadata.store_column_parts AS recorded
    JOIN recce_metadata.store_runs AS runs ON runs.column_graph_id = recorded.column_graph_id
    WHERE recorded.part_id = column_parts.part_id
  );
