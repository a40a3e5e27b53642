-- One row if a recorded run has this graph: it is then stored completely.
SELECT
  1
FROM recce_metadata.store_runs
WHERE
  graph_id = :graph_id
LIMIT 1;
