-- hand-written: one walk, level by level as JSON, instead of LATERAL
-- One row per run, changed node and downstream node. Key: run_id, changed_id, unique_id.
-- `distance` is the length of the shortest path. Readers of a removed node count as downstream.
-- Moved and rewritten nodes count as unchanged. Path length is limited by the number of nodes, so cycles terminate.
DROP VIEW IF EXISTS impacted_nodes;
CREATE VIEW impacted_nodes AS
SELECT
  step.run_id,
  step.previous_run_id,
  step.project_name,
  step.environment,
  step.run_at,
  impact.value ->> 0 AS changed_id,
  impact.value ->> 1 AS changed_status,
  impact.value ->> 2 AS unique_id,
  impact.value ->> 3 AS distance
FROM run_steps AS step
JOIN JSON_EACH((
  WITH RECURSIVE changes AS (
    SELECT change.unique_id, change.status
    FROM node_changes AS change
    WHERE change.run_id = step.run_id AND change.status NOT IN ('moved', 'rewritten')
  ), edges AS (
    SELECT edge.node_id, edge.parent_id
    FROM lineage AS edge
    WHERE edge.run_id = step.run_id
    UNION ALL
    SELECT edge.node_id, edge.parent_id
    FROM lineage AS edge
    JOIN changes ON changes.unique_id = edge.parent_id AND changes.status = 'removed'
    WHERE edge.run_id = step.previous_run_id
  ), levels(distance, places) AS (
    -- A level is one row: SQLite collects the edges again for each row of the recursion.
    SELECT 0, (SELECT JSON_GROUP_ARRAY(JSON_ARRAY(unique_id, status, unique_id)) FROM changes)
    UNION ALL
    SELECT
      levels.distance + 1,
      (
        SELECT JSON_GROUP_ARRAY(JSON(next.place))
        FROM (
          SELECT DISTINCT JSON_ARRAY(item.value ->> 0, item.value ->> 1, edges.node_id) AS place
          FROM JSON_EACH(levels.places) AS item
          JOIN edges ON edges.parent_id = item.value ->> 2
          WHERE edges.node_id <> item.value ->> 0
        ) AS next
      )
    FROM levels
    WHERE levels.distance < step.node_count AND levels.places <> '[]'
  )
  SELECT JSON_GROUP_ARRAY(JSON_ARRAY(changed_id, changed_status, unique_id, distance))
  FROM (
    SELECT
      item.value ->> 0 AS changed_id,
      item.value ->> 1 AS changed_status,
      item.value ->> 2 AS unique_id,
      MIN(levels.distance) AS distance
    FROM levels
    JOIN JSON_EACH(levels.places) AS item
    WHERE levels.distance > 0
    GROUP BY item.value ->> 0, item.value ->> 1, item.value ->> 2
  ) AS nearest
)) AS impact;
