-- Pairs of graphs with stored changes, of which the nodes downstream of the changes are not stored yet.
SELECT
  previous_graph_id,
  graph_id,
  same_dbt
FROM store_graph_steps
WHERE
  impacts_id IS NULL
ORDER BY
  previous_graph_id NULLS LAST,
  graph_id NULLS LAST,
  same_dbt NULLS LAST
LIMIT :most;
