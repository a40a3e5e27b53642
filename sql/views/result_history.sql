-- One row per run and node that dbt ran: the result with its run and node. Key: run_id, unique_id.
-- `previous_status` is that of the previous result of the node in the same project and environment, and outside `base` on
-- the same branch. `owner` is that of `node_owners`, in the latest run of the environment; everything else is that of the run.
-- Example: which models failed this week? SELECT * FROM result_history WHERE status = 'error' ORDER BY run_at
CREATE OR REPLACE VIEW result_history AS
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
  earlier.previous_status,
  result.seconds,
  result.rows_affected,
  result.bytes_processed,
  result.failures,
  result.message,
  result.completed_at,
  runs.job ->> 'job_id' AS job_id,
  runs.job ->> 'job_run_url' AS job_run_url,
  runs.full_refresh,
  result.execute_started_at,
  result.execute_completed_at,
  result.thread_id,
  result.query_id,
  result.adapter_response,
  result.failed_rows
FROM store_runs AS runs
JOIN run_results AS result ON result.run_id = runs.run_id
JOIN store_graph_nodes AS place ON place.graph_id = runs.graph_id AND place.unique_id = result.unique_id
JOIN store_node_versions AS node ON node.version_id = place.version_id
LEFT JOIN (
  -- one row each by grouping: PostgreSQL leaves the join out if no query needs it
  SELECT project_name, environment, unique_id, MAX(owner) AS owner
  FROM node_owners
  GROUP BY project_name, environment, unique_id
) AS owners
  ON owners.project_name = runs.project_name
  AND owners.environment = runs.environment
  AND owners.unique_id = result.unique_id
LEFT JOIN (
  SELECT run_id, unique_id, MAX(previous_status) AS previous_status
  FROM (
    SELECT
      result.run_id,
      result.unique_id,
      LAG(result.status) OVER (
        PARTITION BY
          runs.project_name,
          runs.environment,
          CASE WHEN runs.environment = 'base' THEN NULL ELSE runs.branch END,
          result.unique_id
        ORDER BY LEAST(runs.run_at, runs.recorded_at), runs.recorded_at, runs.run_id DESC
      ) AS previous_status
    FROM store_runs AS runs
    JOIN store_run_results AS result ON result.run_id = runs.run_id
  ) AS results_in_time
  GROUP BY run_id, unique_id
) AS earlier ON earlier.run_id = result.run_id AND earlier.unique_id = result.unique_id;
