-- One row per project, environment and node: the latest row count, its run, and the previous count.
-- Key: project_name, environment, unique_id.
DROP VIEW IF EXISTS latest_row_counts;
CREATE VIEW latest_row_counts AS
SELECT
  project_name,
  environment,
  unique_id,
  row_count,
  counted_at,
  run_id,
  run_at,
  git_sha,
  previous_run_id,
  previous_row_count,
  row_delta,
  row_change
FROM row_count_history
WHERE
  next_run_id IS NULL;
