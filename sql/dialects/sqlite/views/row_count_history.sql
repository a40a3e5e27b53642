-- hand-written: look up the neighbouring counts, because a window would read the counts of all runs.
-- One row per run and node with a row count, with the previous count in the same project and environment.
-- Key: run_id, unique_id. `row_change` is a share of the previous count. `next_run_id` is the run with the next count,
-- NULL for the newest.
DROP VIEW IF EXISTS row_count_history;
CREATE VIEW row_count_history AS
SELECT
  run_id,
  project_name,
  environment,
  run_at,
  git_sha,
  unique_id,
  row_count,
  counted_at,
  previous_run_id,
  previous_row_count,
  row_count - previous_row_count AS row_delta,
  CAST(row_count - previous_row_count AS REAL) / NULLIF(previous_row_count, 0) AS row_change,
  next_run_id
FROM (
  SELECT
    neighbours.*,
    (
      SELECT figure.row_count
      FROM store_node_statistics AS figure
      WHERE figure.run_id = neighbours.previous_run_id AND figure.unique_id = neighbours.unique_id
    ) AS previous_row_count
  FROM (
    SELECT
      counted.run_id,
      run.project_name,
      run.environment,
      run.run_at,
      run.git_sha,
      counted.unique_id,
      counted.row_count,
      counted.counted_at,
      CASE
        WHEN EXISTS (
          SELECT 1
          FROM store_node_statistics AS figure
          WHERE
            figure.run_id = run.previous_run_id AND figure.unique_id = counted.unique_id AND figure.row_count IS NOT NULL
        )
        THEN run.previous_run_id
        WHEN run.previous_run_id IS NOT NULL
        THEN (
          SELECT one.run_id
          FROM store_runs AS one
          JOIN store_node_statistics AS figure
            ON figure.run_id = one.run_id AND figure.unique_id = counted.unique_id AND figure.row_count IS NOT NULL
          WHERE
            one.project_name = run.project_name
            AND one.environment = run.environment
            AND (
              MIN(COALESCE(one.run_at, one.recorded_at), COALESCE(one.recorded_at, one.run_at)) < run.counted_at
              OR (
                MIN(COALESCE(one.run_at, one.recorded_at), COALESCE(one.recorded_at, one.run_at)) = run.counted_at
                AND (
                  one.recorded_at < run.recorded_at
                  OR (one.recorded_at = run.recorded_at AND one.run_id > run.run_id)
                )
              )
            )
          ORDER BY MIN(COALESCE(one.run_at, one.recorded_at), COALESCE(one.recorded_at, one.run_at)) DESC NULLS FIRST, one.recorded_at DESC NULLS FIRST, one.run_id NULLS LAST
          LIMIT 1
        )
      END AS previous_run_id,
      CASE
        WHEN EXISTS (
          SELECT 1
          FROM store_node_statistics AS figure
          WHERE
            figure.run_id = run.next_run_id AND figure.unique_id = counted.unique_id AND figure.row_count IS NOT NULL
        )
        THEN run.next_run_id
        WHEN run.next_run_id IS NOT NULL
        THEN (
          SELECT one.run_id
          FROM store_runs AS one
          JOIN store_node_statistics AS figure
            ON figure.run_id = one.run_id AND figure.unique_id = counted.unique_id AND figure.row_count IS NOT NULL
          WHERE
            one.project_name = run.project_name
            AND one.environment = run.environment
            AND (
              MIN(COALESCE(one.run_at, one.recorded_at), COALESCE(one.recorded_at, one.run_at)) > run.counted_at
              OR (
                MIN(COALESCE(one.run_at, one.recorded_at), COALESCE(one.recorded_at, one.run_at)) = run.counted_at
                AND (
                  one.recorded_at > run.recorded_at
                  OR (one.recorded_at = run.recorded_at AND one.run_id < run.run_id)
                )
              )
            )
          ORDER BY MIN(COALESCE(one.run_at, one.recorded_at), COALESCE(one.recorded_at, one.run_at)) NULLS LAST, one.recorded_at NULLS LAST, one.run_id DESC NULLS FIRST
          LIMIT 1
        )
      END AS next_run_id
    FROM store_node_statistics AS counted
    JOIN (
      -- runs with counts, in order
      SELECT
        run_id,
        project_name,
        environment,
        run_at,
        recorded_at,
        git_sha,
        MIN(COALESCE(runs.run_at, runs.recorded_at), COALESCE(runs.recorded_at, runs.run_at)) AS counted_at,
        LAG(run_id) OVER in_time AS previous_run_id,
        LEAD(run_id) OVER in_time AS next_run_id
      FROM store_runs AS runs
      WHERE EXISTS (
        SELECT 1
        FROM store_node_statistics AS figure
        WHERE figure.run_id = runs.run_id AND figure.row_count IS NOT NULL
      )
      WINDOW in_time AS (
        PARTITION BY project_name, environment ORDER BY MIN(COALESCE(runs.run_at, runs.recorded_at), COALESCE(runs.recorded_at, runs.run_at)), recorded_at, run_id DESC
      )
    ) AS run ON run.run_id = counted.run_id
    WHERE counted.row_count IS NOT NULL
  ) AS neighbours
) AS counts_in_time;
