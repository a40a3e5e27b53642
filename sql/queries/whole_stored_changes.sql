-- Stored changes of a pair of graphs, with all columns of the view `node_changes` that do not depend on a run.
SELECT
  unique_id,
  name,
  resource_type,
  status,
  code_changed,
  compiled_changed,
  config_changed,
  columns_changed,
  description_changed,
  contract_changed,
  place_changed,
  version_id,
  previous_version_id,
  relation_name,
  previous_relation_name
FROM store_graph_changes
WHERE
  previous_graph_id = :previous_graph_id
  AND graph_id = :graph_id
  AND same_dbt = CAST(:same_dbt AS BOOLEAN);
