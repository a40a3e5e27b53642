-- One row where a recorded run has this graph: then all of it is stored.
SELECT
  1
FROM recce_metadata.runs
WHERE
  graph_id = :graph_id
LIMIT 1;
