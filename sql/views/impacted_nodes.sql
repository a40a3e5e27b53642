-- One row per run, changed node and downstream node. Key: run_id, changed_id, unique_id.
-- `distance` is the length of the shortest path. Readers of a removed node count as downstream.
-- Moved and rewritten nodes count as unchanged. Path length is limited by the number of nodes, so cycles terminate.
-- Impacts of the graph pairs with an `impacts_id` in `graph_steps` are stored in `graph_impacts`. One recursion computes
-- those of all other pairs: PostgreSQL would compile a lateral one for each query, even if it reads no run.
CREATE OR REPLACE VIEW impacted_nodes AS
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
FROM run_steps AS step
JOIN store_graph_steps AS stored
  ON stored.previous_graph_id = step.previous_graph_id
  AND stored.graph_id = step.graph_id
  AND stored.same_dbt = (step.dbt_version IS NOT DISTINCT FROM step.previous_dbt_version)
JOIN store_graph_impacts AS impact ON impact.impacts_id = stored.impacts_id
UNION ALL
SELECT
  run_id, previous_run_id, project_name, environment, run_at, changed_id, changed_status, unique_id, distance
FROM (
  WITH RECURSIVE steps AS MATERIALIZED (
    SELECT step.*
    FROM run_steps AS step
    WHERE
      step.graph_id <> step.previous_graph_id
      -- Always true, as below: PostgreSQL then expects few runs, and does not compile the query.
      AND step.graph_id || '' = step.graph_id
      AND NOT EXISTS (
        SELECT 1
        FROM store_graph_steps AS stored
        WHERE
          stored.previous_graph_id = step.previous_graph_id
          AND stored.graph_id = step.graph_id
          AND stored.same_dbt = (step.dbt_version IS NOT DISTINCT FROM step.previous_dbt_version)
          AND stored.impacts_id <> ''
      )
  ), changes AS MATERIALIZED (
    SELECT change.run_id, change.unique_id, change.status
    FROM steps
    JOIN node_changes AS change ON change.run_id = steps.run_id
    WHERE change.status NOT IN ('moved', 'rewritten') AND change.run_id || '' = change.run_id
  ), edges AS MATERIALIZED (
    SELECT steps.run_id, place.unique_id AS node_id, edge.parent_id
    FROM steps
    JOIN store_graph_nodes AS place ON place.graph_id = steps.graph_id
    JOIN store_version_parents AS edge ON edge.version_id = place.version_id
    UNION ALL
    SELECT steps.run_id, place.unique_id AS node_id, edge.parent_id
    FROM steps
    JOIN store_graph_nodes AS place ON place.graph_id = steps.previous_graph_id
    JOIN store_version_parents AS edge ON edge.version_id = place.version_id
    JOIN changes
      ON changes.run_id = steps.run_id AND changes.unique_id = edge.parent_id AND changes.status = 'removed'
  ), reached AS (
    SELECT
      changes.run_id,
      changes.unique_id AS changed_id,
      changes.status AS changed_status,
      changes.unique_id,
      0 AS distance,
      limits.most
    FROM changes
    JOIN (
      -- Paths may pass removed nodes as well.
      SELECT steps.run_id, MAX(steps.node_count) + COUNT(changes.unique_id) AS most
      FROM steps
      JOIN changes ON changes.run_id = steps.run_id
      GROUP BY steps.run_id
    ) AS limits ON limits.run_id = changes.run_id
    UNION
    SELECT
      reached.run_id,
      reached.changed_id,
      reached.changed_status,
      edges.node_id,
      reached.distance + 1,
      reached.most
    FROM reached
    JOIN edges ON edges.run_id = reached.run_id AND edges.parent_id = reached.unique_id
    WHERE edges.node_id <> reached.changed_id AND reached.distance < reached.most
  )
  SELECT
    steps.run_id,
    steps.previous_run_id,
    steps.project_name,
    steps.environment,
    steps.run_at,
    nearest.changed_id,
    nearest.changed_status,
    nearest.unique_id,
    nearest.distance
  FROM (
    SELECT run_id, changed_id, changed_status, unique_id, MIN(distance) AS distance
    FROM reached
    WHERE distance > 0
    GROUP BY run_id, changed_id, changed_status, unique_id
  ) AS nearest
  JOIN steps ON steps.run_id = nearest.run_id
) AS computed;
