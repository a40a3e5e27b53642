-- hand-written: no subquery per row
-- Which macros changed in production, when, and which nodes call them?
-- Asked by: an engineer whose compiled SQL differs although no model was edited.
-- Answer: 2026-11-18 06:00 | macro.shop.cents_to_dollars | modified | 6 nodes call it | 7c1e02a
-- Topic: Changes
WITH sides AS (
  SELECT
    step.run_id, step.run_at, step.project_name, macro.unique_id, macro.version_id,
    CAST(NULL AS STRING) AS previous_version_id
  FROM recce_metadata.run_steps AS step
  JOIN recce_metadata.store_macro_sets AS held ON held.macro_set_id = step.macro_set_id
  JOIN recce_metadata.store_macros AS macro ON macro.version_id = held.version_id
  WHERE step.environment = 'base' AND step.macro_set_id <> step.previous_macro_set_id -- edit: the environment
  UNION ALL
  SELECT
    step.run_id, step.run_at, step.project_name, macro.unique_id, CAST(NULL AS STRING), macro.version_id
  FROM recce_metadata.run_steps AS step
  JOIN recce_metadata.store_macro_sets AS held ON held.macro_set_id = step.previous_macro_set_id
  JOIN recce_metadata.store_macros AS macro ON macro.version_id = held.version_id
  WHERE step.environment = 'base' AND step.macro_set_id <> step.previous_macro_set_id -- edit: the environment
), pairs AS (
  SELECT
    run_id, run_at, project_name, unique_id,
    MAX(version_id) AS version_id,
    MAX(previous_version_id) AS previous_version_id
  FROM sides
  GROUP BY run_id, run_at, project_name, unique_id
  HAVING MAX(sides.version_id) IS DISTINCT FROM MAX(sides.previous_version_id)
), calls AS (
  SELECT pairs.run_id, pairs.unique_id, COUNT(*) AS callers
  FROM pairs
  JOIN recce_metadata.runs ON runs.run_id = pairs.run_id
  JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = runs.graph_id
  JOIN recce_metadata.store_node_versions AS node ON node.version_id = place.version_id
  WHERE node.resource_type NOT IN ('group', 'disabled') AND LOCATE('"' || pairs.unique_id || '"', node.macros) > 0
  GROUP BY pairs.run_id, pairs.unique_id
)
SELECT
  pairs.run_at,
  pairs.project_name,
  pairs.unique_id,
  CASE
    WHEN pairs.previous_version_id IS NULL THEN 'added'
    WHEN pairs.version_id IS NULL THEN 'removed'
    ELSE 'modified'
  END AS status,
  COALESCE(calls.callers, 0) AS callers,
  run.git_sha,
  run.branch
FROM pairs
JOIN recce_metadata.runs AS run ON run.run_id = pairs.run_id
LEFT JOIN calls ON calls.run_id = pairs.run_id AND calls.unique_id = pairs.unique_id
ORDER BY pairs.run_at DESC, pairs.project_name, pairs.unique_id;
