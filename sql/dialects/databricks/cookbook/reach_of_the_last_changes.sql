-- hand-written: a walk over arrays, because a recursive query has a row per path and needs a recent runtime
-- What do the changes of the last production run reach?
-- Asked by: a reviewer who wants to know which owners to inform.
-- Answer: model.shop.orders (modified) | 12 models | 31 tests | 2 exposures | farthest 4 edges away
-- The view `impacted_nodes` lists the nodes; this query shows the traversal itself, for the last run only.
WITH steps AS (
  SELECT step.run_id, step.previous_run_id, step.project_name, step.node_count
  FROM recce_metadata.latest_runs AS run
  JOIN recce_metadata.run_steps AS step ON step.run_id = run.run_id
  WHERE run.environment = 'base' -- edit: the environment
), changes AS (
  SELECT change.run_id, steps.previous_run_id, steps.project_name, steps.node_count, change.unique_id, change.status
  FROM steps
  JOIN recce_metadata.node_changes AS change ON change.run_id = steps.run_id
  WHERE change.status NOT IN ('moved', 'rewritten')
), edges AS (
  SELECT edge.run_id, edge.node_id, edge.parent_id
  FROM steps
  JOIN recce_metadata.lineage AS edge ON edge.run_id = steps.run_id
  UNION ALL
  SELECT changes.run_id, edge.node_id, edge.parent_id
  FROM changes
  JOIN recce_metadata.lineage AS edge
    ON edge.run_id = changes.previous_run_id AND edge.parent_id = changes.unique_id
  WHERE changes.status = 'removed'
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
    changes.project_name,
    changes.unique_id AS changed_id,
    changes.status,
    AGGREGATE(
      SEQUENCE(CAST(1 AS BIGINT), LEAST(changes.node_count, 1000)),
      CAST(STRUCT(ARRAY(changes.unique_id), ARRAY(changes.unique_id), ARRAY()) AS STRUCT<
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
), nearest AS (
  SELECT walks.project_name, walks.changed_id, walks.status, reached.unique_id, step.number + 1 AS distance
  FROM walks
  LATERAL VIEW POSEXPLODE(walks.steps) step AS number, ids
  LATERAL VIEW EXPLODE(step.ids) reached AS unique_id
)
SELECT
  nearest.project_name,
  nearest.changed_id,
  nearest.status AS changed_status,
  COUNT(CASE WHEN STARTSWITH(nearest.unique_id, 'model.') THEN 1 END) AS models,
  COUNT(CASE WHEN STARTSWITH(nearest.unique_id, 'test.') THEN 1 END) AS tests,
  COUNT(CASE WHEN STARTSWITH(nearest.unique_id, 'exposure.') THEN 1 END) AS exposures,
  COUNT(*) AS nodes_reached,
  MAX(nearest.distance) AS farthest
FROM nearest
GROUP BY nearest.project_name, nearest.changed_id, nearest.status
ORDER BY nodes_reached DESC, nearest.project_name, nearest.changed_id;
