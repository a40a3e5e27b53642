-- One row if a recorded run has this column graph: it is then stored completely.
SELECT
  1
FROM recce_metadata.store_runs
WHERE
  column_graph_id = :column_graph_id
LIMIT 1;
