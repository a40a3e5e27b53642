-- hand-written: no recursion within LATERAL, and only UNION ALL in recursion
-- One row per run, changed node and downstream node. Key: run_id, changed_id, unique_id.
-- `distance` is the length of the shortest path. Readers of a removed node count as downstream.
-- Moved and rewritten nodes count as unchanged. Path length is limited by the number of nodes, so cycles terminate.
CREATE OR REPLACE VIEW impacted_nodes AS
WITH RECURSIVE changes AS (
  SELECT
    step.run_id, step.previous_run_id, step.project_name, step.environment, step.run_at, step.node_count,
    change.unique_id, change.status
  FROM run_steps AS step
  JOIN node_changes AS change ON change.run_id = step.run_id
  WHERE change.status NOT IN ('moved', 'rewritten')
), edges AS (
  SELECT edge.run_id, edge.node_id, edge.parent_id
  FROM lineage AS edge
  UNION ALL
  SELECT changes.run_id, edge.node_id, edge.parent_id
  FROM changes
  JOIN lineage AS edge
    ON edge.run_id = changes.previous_run_id AND edge.parent_id = changes.unique_id
  WHERE changes.status = 'removed'
), reached (
  run_id, previous_run_id, project_name, environment, run_at, node_count, changed_id, changed_status, unique_id,
  distance
) AS (
  SELECT
    changes.run_id, changes.previous_run_id, changes.project_name, changes.environment, changes.run_at,
    changes.node_count, changes.unique_id AS changed_id, changes.status AS changed_status, changes.unique_id,
    CAST(0 AS BIGINT) AS distance
  FROM changes
  UNION ALL
  SELECT
    reached.run_id, reached.previous_run_id, reached.project_name, reached.environment, reached.run_at,
    reached.node_count, reached.changed_id, reached.changed_status, edges.node_id, reached.distance + 1
  FROM reached
  JOIN edges ON edges.run_id = reached.run_id AND edges.parent_id = reached.unique_id
  WHERE edges.node_id <> reached.changed_id AND reached.distance < reached.node_count
)
SELECT
  run_id, previous_run_id, project_name, environment, run_at, changed_id, changed_status, unique_id,
  MIN(distance) AS distance
FROM reached
WHERE distance > 0
GROUP BY run_id, previous_run_id, project_name, environment, run_at, changed_id, changed_status, unique_id;
