-- hand-written: each part names its run, because DuckDB up to 1.4 mixes up runs in nested lateral joins. It reads the
-- run's graph instead of the view `lineage`, which DuckDB would compute for all runs.
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
  WITH RECURSIVE changes AS MATERIALIZED (
    SELECT step.run_id AS of_run, change.unique_id, change.status
    FROM recce_metadata.node_changes AS change
    WHERE change.run_id = step.run_id AND change.status NOT IN ('moved', 'rewritten')
  ), edges AS MATERIALIZED (
    SELECT step.run_id AS of_run, place.unique_id AS node_id, edge.parent_id
    FROM recce_metadata.store_graph_nodes AS place
    JOIN recce_metadata.store_version_parents AS edge ON edge.version_id = place.version_id
    WHERE place.graph_id = step.graph_id
    UNION ALL
    SELECT before.of_run, before.node_id, before.parent_id
    FROM (
      SELECT step.run_id AS of_run, place.unique_id AS node_id, edge.parent_id
      FROM recce_metadata.store_graph_nodes AS place
      JOIN recce_metadata.store_version_parents AS edge ON edge.version_id = place.version_id
      WHERE place.graph_id = step.previous_graph_id
    ) AS before
    JOIN changes
      ON changes.unique_id = before.parent_id AND changes.of_run = before.of_run AND changes.status = 'removed'
  ), reached AS (
    SELECT
      of_run, unique_id AS changed_id, status AS changed_status, unique_id, 0 AS distance
    FROM changes
    UNION
    SELECT reached.of_run, reached.changed_id, reached.changed_status, edges.node_id, reached.distance + 1
    FROM reached
    JOIN edges ON edges.parent_id = reached.unique_id AND edges.of_run = reached.of_run
    WHERE edges.node_id <> reached.changed_id AND reached.distance < step.node_count
  )
  SELECT of_run, changed_id, changed_status, unique_id, MIN(distance) AS distance
  FROM reached
  WHERE distance > 0 AND of_run = step.run_id
  GROUP BY of_run, changed_id, changed_status, unique_id
) AS impact;
