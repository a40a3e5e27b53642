-- hand-written: look up the previous result, because a window would read the results of all runs. CROSS
-- JOIN keeps the order of the tables: otherwise SQLite searches each part of a graph for each result
-- One row per run and node that dbt ran: the result with its run and node. Key: run_id, unique_id.
-- `previous_status` is that of the previous result of the node in the same project and environment, and outside `base` on
-- the same branch. `owner` is that of `node_owners`, in the latest run of the environment; everything else is that of the run.
-- Example: which models failed this week? SELECT * FROM result_history WHERE status = 'error' ORDER BY run_at
DROP VIEW IF EXISTS result_history;
CREATE VIEW result_history AS
SELECT
  result.run_id,
  runs.project_name,
  runs.environment,
  runs.branch,
  runs.pull_request,
  runs.git_sha,
  runs.run_at,
  result.unique_id,
  node.name,
  node.resource_type,
  node.package_name,
  place.schema_name,
  place.relation_name,
  node.materialized,
  owners.owner,
  node.tags,
  result.status,
  COALESCE(
    (
      SELECT before.status
      FROM store_run_results AS before
      WHERE before.run_id = step.previous_run_id AND before.unique_id = result.unique_id
    ),
    CASE
      WHEN step.previous_run_id IS NOT NULL
      THEN (
        SELECT
          earlier.status
        FROM store_runs AS one
        JOIN store_run_results AS earlier
          ON earlier.run_id = one.run_id AND earlier.unique_id = result.unique_id
        WHERE
          one.project_name = runs.project_name
          AND one.environment = runs.environment
          AND (
            runs.environment = 'base' OR one.branch IS runs.branch
          )
          AND MIN(COALESCE(one.run_at, one.recorded_at), COALESCE(one.recorded_at, one.run_at)) <= MIN(COALESCE(runs.run_at, runs.recorded_at), COALESCE(runs.recorded_at, runs.run_at))
          AND (
            MIN(COALESCE(one.run_at, one.recorded_at), COALESCE(one.recorded_at, one.run_at)) < MIN(COALESCE(runs.run_at, runs.recorded_at), COALESCE(runs.recorded_at, runs.run_at))
            OR one.recorded_at < runs.recorded_at
            OR (
              one.recorded_at = runs.recorded_at AND one.run_id > runs.run_id
            )
          )
        ORDER BY
          MIN(COALESCE(one.run_at, one.recorded_at), COALESCE(one.recorded_at, one.run_at)) DESC NULLS FIRST,
          one.recorded_at DESC NULLS FIRST,
          one.run_id NULLS LAST
        LIMIT 1
      )
    END
  ) AS previous_status,
  result.seconds,
  result.rows_affected,
  result.bytes_processed,
  result.failures,
  result.message,
  result.completed_at,
  runs.job ->> '$.job_id' AS job_id,
  runs.job ->> '$.job_run_url' AS job_run_url,
  runs.full_refresh,
  result.execute_started_at,
  result.execute_completed_at,
  result.thread_id,
  result.query_id,
  result.adapter_response,
  result.failed_rows
FROM store_runs AS runs
CROSS JOIN store_graph_parts AS part
  ON part.graph_id = runs.graph_id
CROSS JOIN store_part_nodes AS place
  ON place.part_id = part.part_id
CROSS JOIN run_results AS result
  ON result.run_id = runs.run_id AND result.unique_id = place.unique_id
CROSS JOIN store_node_versions AS node
  ON node.version_id = place.version_id
LEFT JOIN (
  SELECT
    project_name,
    environment,
    unique_id,
    MAX(owner) AS owner
  FROM node_owners
  GROUP BY
    project_name,
    environment,
    unique_id
) AS owners
  ON owners.project_name = runs.project_name
  AND owners.environment = runs.environment
  AND owners.unique_id = result.unique_id
LEFT JOIN (
  SELECT
    run_id,
    MAX(previous_run_id) AS previous_run_id
  FROM (
    SELECT
      run_id,
      LAG(run_id) OVER (
        PARTITION BY project_name, environment, CASE WHEN environment = 'base' THEN NULL ELSE branch END
        ORDER BY MIN(COALESCE(run_at, recorded_at), COALESCE(recorded_at, run_at)), recorded_at, run_id DESC
      ) AS previous_run_id
    FROM store_runs
  ) AS runs_in_time
  GROUP BY
    run_id
) AS step
  ON step.run_id = runs.run_id;

