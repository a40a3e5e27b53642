-- hand-written: an ordered subquery instead of an ordered aggregate
-- How did a model's SQL look on a date?
-- Asked by: an analyst who has to explain last quarter's figures.
-- Answer: model.shop.orders | run of 2026-09-30 06:00 | 4be7d10 | select … | select … from "prod"."shop"."stg_orders"
-- Topic: Changes
-- The view `nodes` shows this for every run; this query restores the relations of only one run in one string.
WITH params AS (
  SELECT
    'base' AS environment, -- edit: the environment
    STRFTIME('%Y-%m-%d %H:%M:%f', 'now') AS moment, -- edit: '2026-09-30 23:59:59'
    (
      SELECT MIN(unique_id) FROM store_node_versions WHERE resource_type = 'model'
    ) AS unique_id -- edit: 'model.shop.orders'; default: the first model by name
), run AS (
  SELECT runs.run_id, runs.run_at, runs.git_sha, runs.branch, runs.graph_id, params.unique_id, place.version_id
  FROM params
  JOIN runs ON runs.environment = params.environment AND MIN(runs.run_at, runs.recorded_at) <= params.moment
  JOIN store_graph_nodes AS place ON place.graph_id = runs.graph_id AND place.unique_id = params.unique_id
  ORDER BY MIN(runs.run_at, runs.recorded_at) DESC, runs.recorded_at DESC, runs.run_id
  LIMIT 1
), pieces AS (
  -- Every piece after the first begins with a node's id and ⟧, or only with ⟧ for a bracket of the code itself.
  SELECT
    piece.key + 1 AS number,
    piece.value AS text,
    SUBSTR(piece.value, 1, INSTR(piece.value, '⟧') - 1) AS unique_id,
    SUBSTR(piece.value, INSTR(piece.value, '⟧') + 1) AS rest
  FROM run
  JOIN store_node_versions AS node ON node.version_id = run.version_id
  JOIN JSON_EACH('[' || REPLACE(JSON_QUOTE(node.compiled_code), '⟦', '","') || ']') AS piece
), relations AS (
  SELECT place.unique_id, place.relation_name
  FROM run
  JOIN store_graph_nodes AS place ON place.graph_id = run.graph_id
), compiled AS (
  SELECT GROUP_CONCAT(code, '') AS code
  FROM (
    SELECT
      CASE
        WHEN pieces.number = 1 THEN pieces.text
        WHEN pieces.unique_id = '' AND INSTR(pieces.text, '⟧') > 0 THEN '⟦' || pieces.rest
        ELSE COALESCE(relations.relation_name || pieces.rest, '⟦' || pieces.text)
      END AS code
    FROM pieces
    LEFT JOIN relations ON relations.unique_id = pieces.unique_id AND pieces.number > 1
    ORDER BY pieces.number
  ) AS in_order
)
SELECT
  node.unique_id,
  run.run_at,
  run.run_id,
  run.git_sha,
  run.branch,
  node.raw_code,
  compiled.code AS compiled_code
FROM run
JOIN store_node_versions AS node ON node.version_id = run.version_id
CROSS JOIN compiled;
