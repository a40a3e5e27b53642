-- Nodes of a run that differ from its previous run.
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
  relation_name,
  previous_relation_name
FROM node_changes
WHERE
  run_id = :run_id;
