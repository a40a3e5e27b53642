-- Pairs of graphs with stored changes, of which the nodes downstream of the changes are not stored yet.
SELECT
  previous_graph_id,
  graph_id,
  same_dbt
FROM recce_metadata.store_graph_steps
WHERE
  impacts_id IS NULL
ORDER BY
  previous_graph_id,
  graph_id,
  same_dbt
LIMIT CAST(:most AS BIGINT);
