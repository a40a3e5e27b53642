-- One row per run, changed node and downstream node. Key: run_id, changed_id, unique_id.
-- `distance` is the length of the shortest path. Readers of a removed node count as downstream.
-- Moved and rewritten nodes count as unchanged. Path length is limited by the number of nodes, so cycles terminate.
CREATE OR REPLACE VIEW recce_metadata.impacted_nodes AS
SELECT
  step.run_id,
  step.previous_run_id,
  step.project_name,
  step.environment,
  step.run_at,
  impact.changed_id,
  impact.changed_status,
  impact.unique_id,
  impact.distance
FROM recce_metadata.run_steps AS step
CROSS JOIN LATERAL (
  WITH RECURSIVE changes AS (
    SELECT
      change.unique_id,
      change.status
    FROM recce_metadata.node_changes AS change
    WHERE
      change.run_id = step.run_id AND NOT change.status IN ('moved', 'rewritten')
  ), edges AS (
    SELECT
      edge.node_id,
      edge.parent_id
    FROM recce_metadata.lineage AS edge
    WHERE
      edge.run_id = step.run_id
    UNION ALL
    SELECT
      edge.node_id,
      edge.parent_id
    FROM recce_metadata.lineage AS edge
    JOIN changes
      ON changes.unique_id = edge.parent_id AND changes.status = 'removed'
    WHERE
      edge.run_id = step.previous_run_id
  ), reached AS (
    SELECT
      changes.unique_id AS changed_id,
      changes.status AS changed_status,
      changes.unique_id,
      0 AS distance
    FROM changes
    UNION
    SELECT
      reached.changed_id,
      reached.changed_status,
      edges.node_id,
      reached.distance + 1
    FROM reached
    JOIN edges
      ON edges.parent_id = reached.unique_id
    WHERE
      edges.node_id <> reached.changed_id AND reached.distance < step.node_count
  )
  SELECT
    changed_id,
    changed_status,
    unique_id,
    MIN(distance) AS distance
  FROM reached
  WHERE
    distance > 0
  GROUP BY
    changed_id,
    changed_status,
    unique_id
) AS impact;
