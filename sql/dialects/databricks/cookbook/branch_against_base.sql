-- What does this branch or pull request change against production?
-- Asked by: the author or reviewer of a pull request whose run was recorded as `current`.
-- Answer: shop | model.shop.orders | modified | code_changed true | compiled_changed true | PR 812
-- Different versions of dbt write different config and compiled SQL for the same project. If the runs have different
-- versions, nodes of both runs are only compared by code, description and materialization.
WITH sides AS (
  SELECT
    current_run.project_name,
    current_run.run_id,
    current_run.graph_id,
    current_run.branch,
    current_run.pull_request,
    base_run.run_id AS base_run_id,
    base_run.graph_id AS base_graph_id,
    base_run.dbt_version IS NOT DISTINCT FROM current_run.dbt_version AS same_dbt
  FROM recce_metadata.latest_runs AS current_run
  JOIN recce_metadata.latest_runs AS base_run
    ON base_run.project_name = current_run.project_name
  WHERE
    current_run.environment = 'current' /* edit: the environment of the branch */
    AND base_run.environment = 'base' /* edit: the environment to compare with */
), stacked AS (
  SELECT
    sides.run_id,
    place.unique_id,
    place.version_id,
    NULL AS base_version_id
  FROM sides
  JOIN recce_metadata.store_graph_nodes AS place
    ON place.graph_id = sides.graph_id
  UNION ALL
  SELECT
    sides.run_id,
    place.unique_id,
    NULL,
    place.version_id
  FROM sides
  JOIN recce_metadata.store_graph_nodes AS place
    ON place.graph_id = sides.base_graph_id
), pairs AS (
  SELECT
    run_id,
    unique_id,
    MAX(version_id) AS version_id,
    MAX(base_version_id) AS base_version_id,
    COUNT(*) = 2 AS both_there
  FROM stacked
  GROUP BY
    run_id,
    unique_id
  HAVING
    MAX(stacked.version_id) IS DISTINCT FROM MAX(stacked.base_version_id)
)
SELECT
  sides.project_name,
  pairs.unique_id,
  CASE
    WHEN pairs.base_version_id IS NULL
    THEN 'added'
    WHEN pairs.version_id IS NULL
    THEN 'removed'
    ELSE 'modified'
  END AS status,
  CASE WHEN pairs.both_there THEN node.code_hash IS DISTINCT FROM base.code_hash END AS code_changed,
  CASE
    WHEN pairs.both_there
    THEN node.compiled_hash IS DISTINCT FROM base.compiled_hash
  END AS compiled_changed,
  CASE
    WHEN pairs.both_there AND sides.same_dbt
    THEN node.config IS DISTINCT FROM base.config
  END AS config_changed,
  sides.branch,
  sides.pull_request,
  sides.base_run_id,
  sides.run_id
FROM pairs
JOIN sides
  ON sides.run_id = pairs.run_id
LEFT JOIN recce_metadata.store_node_versions AS node
  ON node.version_id = pairs.version_id
LEFT JOIN recce_metadata.store_node_versions AS base
  ON base.version_id = pairs.base_version_id
WHERE
  NOT COALESCE(node.resource_type, base.resource_type) IN ('group', 'disabled')
  AND (
    sides.same_dbt
    OR NOT pairs.both_there
    OR (
      node.code_hash <> base.code_hash
      AND GET_JSON_OBJECT(node.properties, '$.test_metadata') IS NULL
    ) /* code that dbt generates */
    OR node.description <> base.description
    OR node.materialized IS DISTINCT FROM base.materialized
  )
ORDER BY
  sides.project_name NULLS LAST,
  status NULLS LAST,
  pairs.unique_id NULLS LAST;
