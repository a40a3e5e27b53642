-- hand-written: DuckDB before 1.3 does not support UNNEST WITH ORDINALITY.
-- How did a model's SQL look on a date?
-- Asked by: an analyst who has to explain last quarter's figures.
-- Answer: model.shop.orders | run of 2026-09-30 06:00 | 4be7d10 | select … | select … from "prod"."shop"."stg_orders"
-- Topic: Changes
-- The view `nodes` shows this for every run; this query restores the relations of only one run in one string.
WITH params AS (
  SELECT
    'base' AS environment, -- edit: the environment
    CURRENT_TIMESTAMP AS moment, -- edit: CAST('2026-09-30 23:59:59+00' AS TIMESTAMPTZ)
    (
      SELECT MIN(unique_id) FROM recce_metadata.store_node_versions WHERE resource_type = 'model'
    ) AS unique_id -- edit: 'model.shop.orders'; default: the first model by name
), run AS (
  SELECT runs.run_id, runs.run_at, runs.git_sha, runs.branch, runs.graph_id, params.unique_id, place.version_id
  FROM params
  JOIN recce_metadata.runs ON runs.environment = params.environment AND LEAST(runs.run_at, runs.recorded_at) <= params.moment
  JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = runs.graph_id AND place.unique_id = params.unique_id
  ORDER BY LEAST(runs.run_at, runs.recorded_at) DESC, runs.recorded_at DESC, runs.run_id
  LIMIT 1
), texts AS (
  SELECT STRING_SPLIT(node.compiled_code, '⟦') AS texts
  FROM run
  JOIN recce_metadata.store_node_versions AS node ON node.version_id = run.version_id
), numbered AS (
  SELECT UNNEST(texts) AS text, GENERATE_SUBSCRIPTS(texts, 1) AS number
  FROM texts
), pieces AS (
  -- Every piece after the first begins with a node's id and ⟧, or only with ⟧ for a bracket of the code itself.
  SELECT
    number,
    text,
    SPLIT_PART(text, '⟧', 1) AS unique_id,
    SUBSTR(text, STRPOS(text, '⟧') + 1) AS rest
  FROM numbered
), relations AS (
  SELECT place.unique_id, place.relation_name
  FROM run
  JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = run.graph_id
), compiled AS (
  SELECT
    STRING_AGG(
      CASE
        WHEN pieces.number = 1 THEN pieces.text
        WHEN pieces.unique_id = '' THEN '⟦' || pieces.rest
        ELSE COALESCE(relations.relation_name || pieces.rest, '⟦' || pieces.text)
      END,
      '' ORDER BY pieces.number
    ) AS code
  FROM pieces
  LEFT JOIN relations ON relations.unique_id = pieces.unique_id AND pieces.number > 1
)
SELECT
  node.unique_id,
  run.run_at,
  run.run_id,
  run.git_sha,
  run.branch,
  node.raw_code,
  COALESCE(compiled.code, node.compiled_code) AS compiled_code -- PostgreSQL splits an empty string into no pieces
FROM run
JOIN recce_metadata.store_node_versions AS node ON node.version_id = run.version_id
CROSS JOIN compiled;
