-- hand-written: DuckDB joins neighbouring runs, because a window would read the counts of all runs. Only nodes without
-- a count in a run between two counts need the window.
-- One row per run and node with a row count, with the previous count in the same project and environment.
-- Key: run_id, unique_id. `row_change` is a share of the previous count. `next_run_id` is the run with the next count,
-- NULL for the newest.
CREATE OR REPLACE VIEW recce_metadata.row_count_history AS
WITH timeline AS (
  -- runs with counts, in order
  SELECT
    run_id,
    project_name,
    environment,
    run_at,
    git_sha,
    ROW_NUMBER() OVER in_time AS place,
    LAG(run_id) OVER in_time AS previous_run_id,
    LEAD(run_id) OVER in_time AS next_run_id
  FROM recce_metadata.store_runs
  WHERE run_id IN (SELECT run_id FROM recce_metadata.store_node_statistics WHERE row_count IS NOT NULL)
  WINDOW in_time AS (PARTITION BY project_name, environment ORDER BY LEAST(run_at, recorded_at), recorded_at, run_id DESC)
), gaps AS (
  -- nodes that were not counted in a run between two of their counts
  SELECT timeline.project_name, timeline.environment, counted.unique_id
  FROM recce_metadata.store_node_statistics AS counted
  JOIN timeline ON timeline.run_id = counted.run_id
  WHERE counted.row_count IS NOT NULL
  GROUP BY timeline.project_name, timeline.environment, counted.unique_id
  HAVING COUNT(*) <= MAX(timeline.place) - MIN(timeline.place)
)
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
    timeline.run_id,
    timeline.project_name,
    timeline.environment,
    timeline.run_at,
    timeline.git_sha,
    counted.unique_id,
    counted.row_count,
    counted.counted_at,
    previous.run_id AS previous_run_id,
    previous.row_count AS previous_row_count,
    next.run_id AS next_run_id
  FROM recce_metadata.store_node_statistics AS counted
  JOIN timeline ON timeline.run_id = counted.run_id
  LEFT JOIN recce_metadata.store_node_statistics AS previous
    ON previous.run_id = timeline.previous_run_id AND previous.unique_id = counted.unique_id
    AND previous.row_count IS NOT NULL
  LEFT JOIN recce_metadata.store_node_statistics AS next
    ON next.run_id = timeline.next_run_id AND next.unique_id = counted.unique_id AND next.row_count IS NOT NULL
  WHERE
    counted.row_count IS NOT NULL
    AND NOT EXISTS (
      SELECT 1
      FROM gaps
      WHERE
        gaps.project_name = timeline.project_name AND gaps.environment = timeline.environment
        AND gaps.unique_id = counted.unique_id
    )
  UNION ALL
  SELECT
    timeline.run_id,
    timeline.project_name,
    timeline.environment,
    timeline.run_at,
    timeline.git_sha,
    counted.unique_id,
    counted.row_count,
    counted.counted_at,
    LAG(timeline.run_id) OVER in_time,
    LAG(counted.row_count) OVER in_time,
    LEAD(timeline.run_id) OVER in_time
  FROM recce_metadata.store_node_statistics AS counted
  JOIN timeline ON timeline.run_id = counted.run_id
  JOIN gaps
    ON gaps.project_name = timeline.project_name AND gaps.environment = timeline.environment
    AND gaps.unique_id = counted.unique_id
  WHERE counted.row_count IS NOT NULL
  WINDOW in_time AS (
    PARTITION BY timeline.project_name, timeline.environment, counted.unique_id ORDER BY timeline.place
  )
) AS counts_in_time;
