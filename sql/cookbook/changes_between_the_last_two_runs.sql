-- What changed between the last two production runs?
-- Asked by: an on-call engineer, when a number looks different this morning.
-- Answer: shop | model.shop.orders | modified | code_changed true | config_changed false | 7c1e02a
-- Topic: Changes
SELECT
  change.project_name,
  change.unique_id,
  change.status,
  change.code_changed,
  change.compiled_changed,
  change.config_changed,
  change.columns_changed,
  change.description_changed,
  change.place_changed,
  run.git_sha,
  change.previous_run_id,
  change.run_id
FROM latest_runs AS run
JOIN node_changes AS change ON change.run_id = run.run_id
WHERE
  run.environment = 'base' -- edit: the environment
  AND change.status <> 'rewritten'
ORDER BY change.project_name, change.status, change.unique_id;
