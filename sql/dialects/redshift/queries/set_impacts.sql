-- Say of a pair of graphs that all nodes downstream of its changes are stored, or that they are too many.
UPDATE recce_metadata.store_graph_steps SET impacts_id = :impacts_id
WHERE
  previous_graph_id = :previous_graph_id
  AND graph_id = :graph_id
  AND same_dbt = CAST(:same_dbt AS BOOLEAN);
