-- Which columns have a larger share of NULLs than in the previous run?
-- Asked by: a data owner. Needs runs recorded with --stats profile.
-- Answer: shop | model.shop.orders | discount_code | 0.31 of the rows, 0.02 before | 2026-11-18
-- Topic: Data
WITH params AS (
  SELECT
    'base' AS environment, -- edit: the environment
    0.01 AS at_least -- edit: minimum increase of the share
), shares AS (
  SELECT
    profile.project_name,
    profile.unique_id,
    profile.column_name,
    profile.run_at,
    profile.run_id,
    1 - profile.not_null_share AS null_share,
    LAG(1 - profile.not_null_share) OVER in_time AS previous_null_share,
    LEAD(profile.run_id) OVER in_time AS next_run_id,
    LEAST(runs.run_at, runs.recorded_at) AS counted_at,
    MAX(LEAST(runs.run_at, runs.recorded_at)) OVER (PARTITION BY profile.project_name, profile.unique_id) AS last_counted_at
  FROM params
  JOIN column_profiles AS profile ON profile.environment = params.environment
  JOIN runs ON runs.run_id = profile.run_id
  WINDOW in_time AS (
    PARTITION BY profile.project_name, profile.unique_id, LOWER(profile.column_name)
    ORDER BY LEAST(runs.run_at, runs.recorded_at), profile.profiled_at, profile.run_id
  )
)
SELECT
  shares.project_name,
  shares.unique_id,
  shares.column_name,
  shares.null_share,
  shares.previous_null_share,
  shares.run_at,
  shares.run_id
FROM params
JOIN shares ON shares.null_share - shares.previous_null_share >= params.at_least
WHERE shares.next_run_id IS NULL AND shares.counted_at = shares.last_counted_at
ORDER BY shares.null_share - shares.previous_null_share DESC, shares.project_name, shares.unique_id, shares.column_name;
