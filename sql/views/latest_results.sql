-- One row per project, environment and node of its latest run: the last result of the node in dbt, and its run.
-- Key: project_name, environment, unique_id. An earlier run counts if it has the target of the latest run and a
-- command; without one, its results are those of another invocation.
-- `is_current` is true if neither the code of the node nor that of an ancestor has changed since the result until the
-- latest run, and NULL if this is unknown.
CREATE OR REPLACE VIEW latest_results AS
SELECT
  run.project_name,
  run.environment,
  result.unique_id,
  result.status,
  result.seconds,
  result.rows_affected,
  result.bytes_processed,
  result.failures,
  result.message,
  result.completed_at,
  run.run_id,
  run.run_at,
  run.git_sha,
  CASE
    WHEN latest.extractor <> 'dbt' THEN CASE WHEN run.run_id = latest.run_id THEN TRUE END
    WHEN run.command LIKE '%--empty%' OR run.command LIKE '%--sample%' THEN FALSE
    WHEN run.run_id = latest.run_id THEN TRUE
    WHEN run.graph_id = latest.graph_id AND run.macro_set_id = latest.macro_set_id THEN TRUE
    WHEN step.step_id IS NULL THEN NULL
    WHEN change.unique_id IS NULL THEN TRUE
    WHEN change.is_certain THEN FALSE
  END AS is_current,
  run.branch,
  run.pull_request,
  node.name,
  node.resource_type,
  node.package_name,
  place.schema_name,
  place.relation_name,
  node.materialized,
  owners.owner,
  node.tags,
  run.job ->> 'job_id' AS job_id,
  run.job ->> 'job_run_url' AS job_run_url,
  run.full_refresh,
  result.execute_started_at,
  result.execute_completed_at,
  result.thread_id,
  result.query_id,
  result.adapter_response,
  result.failed_rows
FROM (
  SELECT aged.latest_run_id, measured.unique_id, MIN(aged.age) AS age
  FROM (
    SELECT
      latest.run_id AS latest_run_id,
      latest.graph_id AS latest_graph_id,
      runs.run_id,
      runs.run_at,
      runs.project_name,
      runs.environment,
      runs.git_sha,
      runs.command,
      runs.graph_id,
      runs.macro_set_id,
      ROW_NUMBER() OVER (
        PARTITION BY runs.project_name, runs.environment
        ORDER BY LEAST(runs.run_at, runs.recorded_at) DESC, runs.recorded_at DESC, runs.run_id
      ) AS age
    FROM latest_runs AS latest
    JOIN store_runs AS runs ON runs.project_name = latest.project_name AND runs.environment = latest.environment
    WHERE
      runs.run_id = latest.run_id
      OR (
        runs.command IS NOT NULL
        AND latest.extractor = 'dbt'
        AND runs.extractor = 'dbt'
        AND runs.target_database IS NOT DISTINCT FROM latest.target_database
        AND runs.target_schema IS NOT DISTINCT FROM latest.target_schema
      )
  ) AS aged
  JOIN store_run_results AS measured ON measured.run_id = aged.run_id
  GROUP BY aged.latest_run_id, measured.unique_id
) AS last_result
JOIN (
  SELECT
    latest.run_id AS latest_run_id,
    latest.graph_id AS latest_graph_id,
    runs.run_id,
    runs.run_at,
    runs.project_name,
    runs.environment,
    runs.git_sha,
    runs.branch,
    runs.pull_request,
    runs.job,
    runs.full_refresh,
    runs.command,
    runs.graph_id,
    runs.macro_set_id,
    ROW_NUMBER() OVER (
      PARTITION BY runs.project_name, runs.environment
      ORDER BY LEAST(runs.run_at, runs.recorded_at) DESC, runs.recorded_at DESC, runs.run_id
    ) AS age
  FROM latest_runs AS latest
  JOIN store_runs AS runs ON runs.project_name = latest.project_name AND runs.environment = latest.environment
  WHERE
    runs.run_id = latest.run_id
    OR (
      runs.command IS NOT NULL
      AND latest.extractor = 'dbt'
      AND runs.extractor = 'dbt'
      AND runs.target_database IS NOT DISTINCT FROM latest.target_database
      AND runs.target_schema IS NOT DISTINCT FROM latest.target_schema
    )
) AS run ON run.latest_run_id = last_result.latest_run_id AND run.age = last_result.age
JOIN run_results AS result ON result.run_id = run.run_id AND result.unique_id = last_result.unique_id
JOIN store_runs AS latest ON latest.run_id = run.latest_run_id
JOIN store_graph_nodes AS place ON place.graph_id = latest.graph_id AND place.unique_id = result.unique_id
JOIN store_node_versions AS node ON node.version_id = place.version_id
LEFT JOIN (
  SELECT project_name, environment, unique_id, MAX(owner) AS owner
  FROM node_owners
  GROUP BY project_name, environment, unique_id
) AS owners
  ON owners.project_name = run.project_name
  AND owners.environment = run.environment
  AND owners.unique_id = result.unique_id
LEFT JOIN store_code_steps AS step
  ON step.graph_id = latest.graph_id
  AND step.macro_set_id = latest.macro_set_id
  AND step.previous_graph_id = run.graph_id
  AND step.previous_macro_set_id = run.macro_set_id
LEFT JOIN store_code_changes AS change ON change.step_id = step.step_id AND change.unique_id = result.unique_id
-- Only in PostgreSQL, and as LIMIT in SQLite: they would otherwise compute the view for each row of a join.
ORDER BY result.unique_id || '';
