-- hand-written: a walk over arrays, because a recursive query has a row per path and needs a recent runtime
-- One row per run, changed node and downstream node. Key: run_id, changed_id, unique_id.
-- `distance` is the length of the shortest path. Readers of a removed node count as downstream.
-- Moved and rewritten nodes count as unchanged. Path length is limited by the number of nodes and by 1,000, so cycles
-- terminate.
CREATE OR REPLACE VIEW recce_metadata.impacted_nodes AS
WITH changes AS (
  SELECT
    step.run_id, step.previous_run_id, step.project_name, step.environment, step.run_at, step.node_count,
    change.unique_id AS changed_id, change.status AS changed_status
  FROM recce_metadata.run_steps AS step
  JOIN recce_metadata.node_changes AS change ON change.run_id = step.run_id
  WHERE change.status NOT IN ('moved', 'rewritten')
), edges AS (
  SELECT edge.run_id, edge.node_id, edge.parent_id
  FROM recce_metadata.lineage AS edge
  UNION ALL
  SELECT changes.run_id, edge.node_id, edge.parent_id
  FROM changes
  JOIN recce_metadata.lineage AS edge
    ON edge.run_id = changes.previous_run_id AND edge.parent_id = changes.changed_id
  WHERE changes.changed_status = 'removed'
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
    changes.*,
    AGGREGATE(
      SEQUENCE(CAST(1 AS BIGINT), LEAST(changes.node_count, 1000)),
      CAST(STRUCT(ARRAY(changes.changed_id), ARRAY(changes.changed_id), ARRAY()) AS STRUCT<
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
  FROM changes
  JOIN graphs ON graphs.run_id = changes.run_id
)
SELECT
  walks.run_id,
  walks.previous_run_id,
  walks.project_name,
  walks.environment,
  walks.run_at,
  walks.changed_id,
  walks.changed_status,
  reached.unique_id,
  step.number + 1 AS distance
FROM walks
LATERAL VIEW POSEXPLODE(walks.steps) step AS number, ids
LATERAL VIEW EXPLODE(step.ids) reached AS unique_id;
