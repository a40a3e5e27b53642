-- Stored nodes downstream of the changes of a pair of graphs.
SELECT
  changed_id,
  unique_id,
  changed_status,
  distance
FROM recce_metadata.store_graph_impacts
WHERE
  impacts_id = :impacts_id;
