-- hand-written: a walk over arrays, because a recursive query has a row per path and needs a recent runtime
-- What depends on a source, and how far away is it?
-- Asked by: an engineer, when an upstream system is about to change its export.
-- Answer: source.shop.raw.orders | model.shop.stg_orders | model | view | distance 1
-- Topic: Columns and lineage
WITH params AS (
  SELECT
    run.run_id,
    run.node_count,
    MIN(place.unique_id) AS source_id -- edit: 'source.shop.raw.orders'; default: the first by name
  FROM recce_metadata.latest_runs AS run
  JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = run.graph_id
  WHERE run.environment = 'base' AND STARTSWITH(place.unique_id, 'source.') -- edit: the environment
  GROUP BY run.run_id, run.node_count
), edges AS (
  SELECT lineage.run_id, lineage.node_id, lineage.parent_id
  FROM params
  JOIN recce_metadata.lineage ON lineage.run_id = params.run_id
), children AS (
  SELECT run_id, parent_id, COLLECT_SET(node_id) AS node_ids
  FROM edges
  GROUP BY run_id, parent_id
), graphs AS (
  SELECT run_id, MAP_FROM_ENTRIES(COLLECT_LIST(STRUCT(parent_id, node_ids))) AS children
  FROM children
  GROUP BY run_id
), walks AS (
  SELECT
    params.run_id,
    params.source_id,
    AGGREGATE(
      SEQUENCE(CAST(1 AS BIGINT), LEAST(params.node_count, 1000)),
      CAST(STRUCT(ARRAY(params.source_id), ARRAY(params.source_id), ARRAY()) AS STRUCT<
        latest: ARRAY<STRING>, seen: ARRAY<STRING>, steps: ARRAY<ARRAY<STRING>>
      >),
      (walk, number) -> CASE
        WHEN SIZE(walk.latest) = 0 THEN walk
        ELSE TRANSFORM(
          ARRAY(ARRAY_EXCEPT(
            FLATTEN(TRANSFORM(walk.latest, id -> COALESCE(graphs.children[id], CAST(ARRAY() AS ARRAY<STRING>)))),
            walk.seen
          )),
          next -> CAST(STRUCT(next, CONCAT(walk.seen, next), CONCAT(walk.steps, ARRAY(next))) AS STRUCT<
            latest: ARRAY<STRING>, seen: ARRAY<STRING>, steps: ARRAY<ARRAY<STRING>>
          >)
        )[0]
      END,
      walk -> walk.steps
    ) AS steps
  FROM params
  JOIN graphs ON graphs.run_id = params.run_id
), nearest AS (
  SELECT walks.run_id, walks.source_id, reached.unique_id, step.number + 1 AS distance
  FROM walks
  LATERAL VIEW POSEXPLODE(walks.steps) step AS number, ids
  LATERAL VIEW EXPLODE(step.ids) reached AS unique_id
)
SELECT nearest.source_id, node.unique_id, node.resource_type, node.materialized, nearest.distance
FROM nearest
JOIN recce_metadata.nodes AS node ON node.run_id = nearest.run_id AND node.unique_id = nearest.unique_id
ORDER BY nearest.source_id, nearest.distance, node.unique_id;
