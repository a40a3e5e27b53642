-- How did a model's SQL look on a date?
-- Asked by: an analyst who has to explain last quarter's figures.
-- Answer: model.shop.orders | run of 2026-09-30 06:00 | 4be7d10 | select … | select … from "prod"."shop"."stg_orders"
WITH params AS (
  SELECT
    'base' AS environment, /* edit: the environment */
    CURRENT_TIMESTAMP AS moment, /* edit: CAST('2026-09-30 23:59:59+00' AS TIMESTAMPTZ) */
    (
      SELECT
        MIN(unique_id)
      FROM recce_metadata.node_versions
      WHERE
        resource_type = 'model'
    ) AS unique_id /* edit: 'model.shop.orders'; as it stands, the first model by name */
), run AS (
  SELECT
    runs.run_id,
    runs.git_sha,
    runs.branch,
    params.unique_id
  FROM params
  JOIN recce_metadata.runs
    ON runs.environment = params.environment AND runs.run_at <= params.moment
  JOIN recce_metadata.graph_nodes AS place
    ON place.graph_id = runs.graph_id AND place.unique_id = params.unique_id
  ORDER BY
    runs.run_at DESC,
    runs.recorded_at DESC,
    runs.run_id
  LIMIT 1
)
SELECT
  node.unique_id,
  node.run_at,
  node.run_id,
  run.git_sha,
  run.branch,
  node.raw_code,
  node.compiled_code
FROM run
JOIN recce_metadata.nodes AS node
  ON node.run_id = run.run_id AND node.unique_id = run.unique_id;
