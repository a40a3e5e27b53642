-- One row per project, environment and node: the latest row count, its run, and the previous count.
-- Key: project_name, environment, unique_id.
-- `is_current` is true if neither the code of the node nor that of an ancestor has changed from the build of the counted
-- rows to the latest run of the environment, and NULL if this is unknown or if a later run built the node again. A run
-- that did not build the node counted the rows of the build before it. The count of a view that an earlier run than
-- the latest took is not known to be current: each read of a view has the rows of what it reads.
CREATE OR REPLACE VIEW latest_row_counts AS
SELECT
  counted.project_name,
  counted.environment,
  counted.unique_id,
  counted.row_count,
  counted.counted_at,
  counted.run_id,
  counted.run_at,
  counted.git_sha,
  counted.previous_run_id,
  counted.previous_row_count,
  counted.row_delta,
  counted.row_change,
  CASE
    WHEN latest.extractor <> 'dbt' THEN CASE WHEN run.run_id = latest.run_id THEN TRUE END
    WHEN last_figure.is_node = 0 THEN FALSE
    WHEN LOWER(result.status) IN ('error', 'runtime error', 'fail', 'partial success', 'skipped') THEN NULL
    WHEN result.run_id IS NULL THEN NULL
    WHEN builder.command LIKE '%--empty%' OR builder.command LIKE '%--sample%' THEN FALSE
    WHEN builder.run_id = latest.run_id THEN TRUE
    WHEN change.is_certain THEN FALSE
    WHEN last_figure.is_stored = 0 AND run.run_id <> latest.run_id THEN NULL
    WHEN builder.graph_id = latest.graph_id AND builder.macro_set_id = latest.macro_set_id THEN TRUE
    WHEN step.step_id IS NULL THEN NULL
    WHEN change.unique_id IS NULL THEN TRUE
  END AS is_current
FROM (
  SELECT
    project_name,
    environment,
    unique_id,
    MIN(count_age) AS count_age,
    MIN(result_age) AS result_age,
    MAX(is_node) AS is_node,
    MAX(is_stored) AS is_stored
  FROM (
    SELECT
      run.project_name,
      run.environment,
      figure.unique_id,
      run.age AS count_age,
      CAST(NULL AS BIGINT) AS result_age,
      0 AS is_node,
      0 AS is_stored
    FROM (
      SELECT
        run_id,
        project_name,
        environment,
        ROW_NUMBER() OVER (
          PARTITION BY project_name, environment
          ORDER BY LEAST(run_at, recorded_at) DESC, recorded_at DESC, run_id
        ) AS age
      FROM store_runs
    ) AS run
    JOIN store_node_statistics AS figure ON figure.run_id = run.run_id
    WHERE figure.row_count IS NOT NULL
    UNION ALL
    SELECT
      run.project_name,
      run.environment,
      result.unique_id,
      CAST(NULL AS BIGINT) AS count_age,
      run.age AS result_age,
      0 AS is_node,
      0 AS is_stored
    FROM (
      SELECT
        run_id,
        project_name,
        environment,
        extractor,
        command,
        target_database,
        target_schema,
        ROW_NUMBER() OVER (
          PARTITION BY project_name, environment
          ORDER BY LEAST(run_at, recorded_at) DESC, recorded_at DESC, run_id
        ) AS age
      FROM store_runs
    ) AS run
    JOIN latest_runs AS latest
      ON latest.project_name = run.project_name
      AND latest.environment = run.environment
      AND latest.extractor = run.extractor
      AND latest.target_database IS NOT DISTINCT FROM run.target_database
      AND latest.target_schema IS NOT DISTINCT FROM run.target_schema
    JOIN store_run_results AS result ON result.run_id = run.run_id
    WHERE run.command IS NOT NULL OR run.run_id = latest.run_id
    UNION ALL
    SELECT
      latest.project_name,
      latest.environment,
      place.unique_id,
      CAST(NULL AS BIGINT) AS count_age,
      CAST(NULL AS BIGINT) AS result_age,
      1 AS is_node,
      CASE WHEN version.materialized IN ('incremental', 'seed', 'snapshot', 'table') THEN 1 ELSE 0 END AS is_stored
    FROM latest_runs AS latest
    JOIN store_graph_nodes AS place ON place.graph_id = latest.graph_id
    JOIN store_node_versions AS version ON version.version_id = place.version_id
  ) AS figures
  GROUP BY project_name, environment, unique_id
) AS last_figure
JOIN (
  SELECT
    run_id,
    project_name,
    environment,
    target_database,
    target_schema,
    ROW_NUMBER() OVER (
      PARTITION BY project_name, environment
      ORDER BY LEAST(run_at, recorded_at) DESC, recorded_at DESC, run_id
    ) AS age
  FROM store_runs
) AS run
  ON run.project_name = last_figure.project_name
  AND run.environment = last_figure.environment
  AND run.age = last_figure.count_age
JOIN row_count_history AS counted ON counted.run_id = run.run_id AND counted.unique_id = last_figure.unique_id
LEFT JOIN latest_runs AS latest
  ON latest.project_name = run.project_name AND latest.environment = run.environment
LEFT JOIN (
  SELECT
    run_id,
    project_name,
    environment,
    command,
    graph_id,
    macro_set_id,
    ROW_NUMBER() OVER (
      PARTITION BY project_name, environment
      ORDER BY LEAST(run_at, recorded_at) DESC, recorded_at DESC, run_id
    ) AS age
  FROM store_runs
) AS builder
  ON builder.project_name = run.project_name
  AND builder.environment = run.environment
  AND builder.age = CASE
    WHEN run.target_database IS DISTINCT FROM latest.target_database THEN NULL
    WHEN run.target_schema IS DISTINCT FROM latest.target_schema THEN NULL
    WHEN last_figure.result_age >= run.age THEN last_figure.result_age
  END
LEFT JOIN store_run_results AS result
  ON result.run_id = builder.run_id AND result.unique_id = last_figure.unique_id
LEFT JOIN store_code_steps AS step
  ON step.graph_id = latest.graph_id
  AND step.macro_set_id = latest.macro_set_id
  AND step.previous_graph_id = builder.graph_id
  AND step.previous_macro_set_id = builder.macro_set_id
LEFT JOIN store_code_changes AS change
  ON change.step_id = step.step_id AND change.unique_id = last_figure.unique_id
-- Only in PostgreSQL, and as LIMIT in SQLite: they would otherwise compute the view for each row of a join.
ORDER BY counted.unique_id || '';
