-- One row per run with results of dbt: how long it took, on which nodes and in which job. Key: run_id.
-- `duration` is the time from the first start to the last end of a node, NULL without them; `elapsed_time` is that of dbt.
-- `node_seconds` is the sum over all nodes: divided by `duration`, the number of nodes that ran concurrently on average.
-- `critical_path` is the longest chain of nodes that waited for each other, so the duration with any number of threads;
-- `waiting` is the rest of `duration`. Both are NULL for runs of the dbt package and of versions before 20.
-- Example: which builds took longest? SELECT run_id, duration FROM build_history ORDER BY duration DESC
CREATE OR REPLACE VIEW build_history AS
SELECT
  run.run_id,
  run.project_name,
  run.environment,
  run.branch,
  run.pull_request,
  run.git_sha,
  run.run_at,
  run.command,
  run.full_refresh,
  run.job ->> 'orchestrator' AS orchestrator,
  run.job ->> 'job_id' AS job_id,
  run.job ->> 'job_run_url' AS job_run_url,
  run.build_status,
  run.build_errors,
  run.build_failures,
  built.results,
  built.started_at,
  built.completed_at,
  EXTRACT(EPOCH FROM built.completed_at - built.started_at) AS duration,
  run.elapsed_time,
  built.node_seconds,
  built.longest_seconds,
  run.critical_path,
  EXTRACT(EPOCH FROM built.completed_at - built.started_at) - run.critical_path AS waiting
FROM store_runs AS run
JOIN (
  SELECT
    run_id,
    COUNT(*) AS results,
    MIN(COALESCE(compile_started_at, execute_started_at)) AS started_at,
    MAX(completed_at) AS completed_at,
    SUM(seconds) AS node_seconds,
    MAX(seconds) AS longest_seconds
  FROM run_results
  GROUP BY run_id
) AS built ON built.run_id = run.run_id;
