-- Store the changes of runs' graphs since the graphs of the previous runs, as the view computes them.
INSERT INTO store_graph_changes (
  previous_graph_id,
  graph_id,
  same_dbt,
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
)
SELECT
  step.previous_graph_id,
  step.graph_id,
  step.dbt_version IS step.previous_dbt_version,
  change.unique_id,
  change.name,
  change.resource_type,
  change.status,
  change.code_changed,
  change.compiled_changed,
  change.config_changed,
  change.columns_changed,
  change.description_changed,
  change.contract_changed,
  change.place_changed,
  change.version_id,
  change.previous_version_id,
  change.relation_name,
  change.previous_relation_name
FROM run_steps AS step
JOIN node_changes AS change
  ON change.run_id = step.run_id
WHERE
  step.run_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
INSERT INTO store_graph_steps (
  previous_graph_id,
  graph_id,
  same_dbt
)
SELECT
  previous_graph_id,
  graph_id,
  dbt_version IS previous_dbt_version
FROM run_steps
WHERE
  run_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
