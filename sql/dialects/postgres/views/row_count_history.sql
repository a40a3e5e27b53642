-- hand-written: PostgreSQL looks up the neighbouring runs, because a window would read the counts of all runs. Further
-- runs are searched one by one only if a neighbour has no count of the node.
-- One row per run and node with a row count, with the previous count in the same project and environment.
-- Key: run_id, unique_id. `row_change` is a share of the previous count. `next_run_id` is the run with the next count,
-- NULL for the newest.
CREATE OR REPLACE VIEW recce_metadata.row_count_history AS
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
  CAST(row_count - previous_row_count AS DOUBLE PRECISION) / NULLIF(previous_row_count, 0) AS row_change,
  next_run_id
FROM (
  SELECT
    run.run_id,
    run.project_name,
    run.environment,
    run.run_at,
    run.git_sha,
    counted.unique_id,
    counted.row_count,
    counted.counted_at,
    -- without a length, as in existing stores: a replaced view must have the same types
    CAST(COALESCE(before.run_id, earlier.run_id) AS VARCHAR) AS previous_run_id,
    COALESCE(before.row_count, earlier.row_count) AS previous_row_count,
    -- subqueries: they are not computed if a query does not select the column
    CAST(COALESCE(
      (
        SELECT figure.run_id
        FROM recce_metadata.store_node_statistics AS figure
        WHERE figure.run_id = run.next_run_id AND figure.unique_id = counted.unique_id AND figure.row_count IS NOT NULL
      ),
      CASE
        WHEN run.next_run_id IS NOT NULL
        THEN (
          SELECT figure.run_id
          FROM recce_metadata.store_runs AS one
          JOIN recce_metadata.store_node_statistics AS figure
            ON figure.run_id = one.run_id AND figure.unique_id = counted.unique_id AND figure.row_count IS NOT NULL
          WHERE
            one.project_name = run.project_name
            AND one.environment = run.environment
            AND LEAST(one.run_at, one.recorded_at) >= LEAST(run.run_at, run.recorded_at)
            AND (
              LEAST(one.run_at, one.recorded_at) > LEAST(run.run_at, run.recorded_at)
              OR one.recorded_at > run.recorded_at
              OR (one.recorded_at = run.recorded_at AND one.run_id < run.run_id)
            )
          ORDER BY LEAST(one.run_at, one.recorded_at), one.recorded_at, one.run_id DESC
          LIMIT 1
        )
      END
    ) AS VARCHAR) AS next_run_id
  FROM recce_metadata.store_node_statistics AS counted
  JOIN (
    -- runs with counts, in order
    SELECT
      run_id,
      project_name,
      environment,
      run_at,
      recorded_at,
      git_sha,
      LAG(run_id) OVER in_time AS previous_run_id,
      LEAD(run_id) OVER in_time AS next_run_id
    FROM recce_metadata.store_runs AS runs
    WHERE EXISTS (
      SELECT 1
      FROM recce_metadata.store_node_statistics AS figure
      WHERE figure.run_id = runs.run_id AND figure.row_count IS NOT NULL
    )
    WINDOW in_time AS (PARTITION BY project_name, environment ORDER BY LEAST(run_at, recorded_at), recorded_at, run_id DESC)
  ) AS run ON run.run_id = counted.run_id
  -- LIMIT: without it a condition on the node would read the whole table for each join
  LEFT JOIN LATERAL (
    SELECT figure.run_id, figure.row_count
    FROM recce_metadata.store_node_statistics AS figure
    WHERE
      figure.run_id = run.previous_run_id AND figure.unique_id = counted.unique_id AND figure.row_count IS NOT NULL
    LIMIT 1
  ) AS before ON TRUE
  LEFT JOIN LATERAL (
    SELECT figure.run_id, figure.row_count
    FROM recce_metadata.store_runs AS one
    JOIN recce_metadata.store_node_statistics AS figure
      ON figure.run_id = one.run_id AND figure.unique_id = counted.unique_id AND figure.row_count IS NOT NULL
    WHERE
      before.run_id IS NULL
      AND run.previous_run_id IS NOT NULL
      AND one.project_name = run.project_name
      AND one.environment = run.environment
      AND LEAST(one.run_at, one.recorded_at) <= LEAST(run.run_at, run.recorded_at)
      AND (
        LEAST(one.run_at, one.recorded_at) < LEAST(run.run_at, run.recorded_at)
        OR one.recorded_at < run.recorded_at
        OR (one.recorded_at = run.recorded_at AND one.run_id > run.run_id)
      )
    ORDER BY LEAST(one.run_at, one.recorded_at) DESC, one.recorded_at DESC, one.run_id
    LIMIT 1
  ) AS earlier ON TRUE
  WHERE
    counted.row_count IS NOT NULL
    -- Always true: the planner then expects few counts, and does not compile the query, which takes longer than to run it.
    AND counted.unique_id || '' = counted.unique_id
) AS counts_in_time;
