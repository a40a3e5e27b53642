-- hand-written: there are no transactions, so that only a run, which is written last, says what is whole
-- The parts of a graph that no recorded run has: some of their nodes may be stored, others not.
SELECT graph_parts.part_id
FROM recce_metadata.graph_parts
WHERE
  graph_parts.graph_id = :graph_id
  AND NOT EXISTS (
    SELECT 1
    FROM recce_metadata.graph_parts AS recorded
    JOIN recce_metadata.runs ON runs.graph_id = recorded.graph_id
    WHERE recorded.part_id = graph_parts.part_id
  );
