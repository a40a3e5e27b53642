-- What do the changes of the last production run reach?
-- Asked by: a reviewer who wants to know which owners to inform.
-- Answer: model.shop.orders (modified) | 12 models | 31 tests | 2 exposures | farthest 4 edges away
-- The view `impacted_nodes` lists the nodes; this query shows the traversal itself, for the last run only.
WITH RECURSIVE steps AS (
  SELECT step.run_id, step.previous_run_id, step.project_name, step.node_count
  FROM latest_runs AS run
  JOIN run_steps AS step ON step.run_id = run.run_id
  WHERE run.environment = 'base' -- edit: the environment
), changes AS (
  SELECT change.run_id, change.unique_id, change.status
  FROM steps
  JOIN node_changes AS change ON change.run_id = steps.run_id
  WHERE change.status NOT IN ('moved', 'rewritten')
), edges AS (
  SELECT edge.run_id, edge.node_id, edge.parent_id
  FROM steps
  JOIN lineage AS edge ON edge.run_id = steps.run_id
  UNION ALL
  SELECT steps.run_id, edge.node_id, edge.parent_id
  FROM steps
  JOIN changes ON changes.run_id = steps.run_id AND changes.status = 'removed'
  JOIN lineage AS edge ON edge.run_id = steps.previous_run_id AND edge.parent_id = changes.unique_id
), reached AS (
  SELECT changes.run_id, changes.unique_id AS changed_id, changes.status, changes.unique_id, 0 AS distance
  FROM changes
  UNION
  SELECT reached.run_id, reached.changed_id, reached.status, edges.node_id, reached.distance + 1
  FROM reached
  JOIN steps ON steps.run_id = reached.run_id
  JOIN edges ON edges.run_id = reached.run_id AND edges.parent_id = reached.unique_id
  WHERE edges.node_id <> reached.changed_id AND reached.distance < steps.node_count
), nearest AS (
  SELECT run_id, changed_id, status, unique_id, MIN(distance) AS distance
  FROM reached
  WHERE distance > 0
  GROUP BY run_id, changed_id, status, unique_id
)
SELECT
  steps.project_name,
  nearest.changed_id,
  nearest.status AS changed_status,
  COUNT(CASE WHEN STARTS_WITH(nearest.unique_id, 'model.') THEN 1 END) AS models,
  COUNT(CASE WHEN STARTS_WITH(nearest.unique_id, 'test.') THEN 1 END) AS tests,
  COUNT(CASE WHEN STARTS_WITH(nearest.unique_id, 'exposure.') THEN 1 END) AS exposures,
  COUNT(*) AS nodes_reached,
  MAX(nearest.distance) AS farthest
FROM nearest
JOIN steps ON steps.run_id = nearest.run_id
GROUP BY steps.project_name, nearest.changed_id, nearest.status
ORDER BY nodes_reached DESC, steps.project_name, nearest.changed_id;
