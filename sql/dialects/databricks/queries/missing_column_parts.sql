-- hand-written: there are no transactions, so that only a run, which is written last, says what is whole
-- The parts of a column graph that no recorded run has: some of their nodes may be stored, others not.
SELECT column_parts.part_id
FROM recce_metadata.column_parts
WHERE
  column_parts.column_graph_id = :column_graph_id
  AND NOT EXISTS (
    SELECT 1
    FROM recce_metadata.column_parts AS recorded
    JOIN recce_metadata.runs ON runs.column_graph_id = recorded.column_graph_id
    WHERE recorded.part_id = column_parts.part_id
  );
