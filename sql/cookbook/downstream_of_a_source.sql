-- What depends on a source, and how far away is it?
-- Asked by: an engineer, when an upstream system is about to change its export.
-- Answer: source.shop.raw.orders | model.shop.stg_orders | model | view | distance 1
-- Topic: Columns and lineage
WITH RECURSIVE params AS (
  SELECT
    run.run_id,
    run.node_count,
    MIN(place.unique_id) AS source_id -- edit: 'source.shop.raw.orders'; default: the first by name
  FROM latest_runs AS run
  JOIN store_graph_nodes AS place ON place.graph_id = run.graph_id
  WHERE run.environment = 'base' AND STARTS_WITH(place.unique_id, 'source.') -- edit: the environment
  GROUP BY run.run_id, run.node_count
), edges AS MATERIALIZED (
  SELECT lineage.run_id, lineage.node_id, lineage.parent_id
  FROM params
  JOIN lineage ON lineage.run_id = params.run_id
), reached AS (
  SELECT params.run_id, params.node_count, params.source_id, params.source_id AS unique_id, 0 AS distance
  FROM params
  UNION
  SELECT reached.run_id, reached.node_count, reached.source_id, edges.node_id, reached.distance + 1
  FROM reached
  JOIN edges ON edges.run_id = reached.run_id AND edges.parent_id = reached.unique_id
  WHERE reached.distance < reached.node_count
), nearest AS (
  SELECT run_id, source_id, unique_id, MIN(distance) AS distance
  FROM reached
  WHERE unique_id <> source_id
  GROUP BY run_id, source_id, unique_id
)
SELECT nearest.source_id, node.unique_id, node.resource_type, node.materialized, nearest.distance
FROM nearest
JOIN nodes AS node ON node.run_id = nearest.run_id AND node.unique_id = nearest.unique_id
ORDER BY nearest.source_id, nearest.distance, node.unique_id;
