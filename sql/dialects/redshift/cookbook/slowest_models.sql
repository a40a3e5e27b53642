-- Which models take the longest in production, and are they getting slower?
-- Asked by: the owner of the warehouse costs, or a user who waits for the morning run.
-- Answer: shop | model.shop.orders | 412.0 s last | 350.1 s on average before (10 runs) | 1.18 times
WITH params AS (
  SELECT
    'base' AS environment, /* edit: the environment */
    10 AS runs_before, /* edit: number of earlier runs to compare with */
    20 AS models /* edit: number of models to show */
), timed AS (
  SELECT
    runs.project_name,
    result.unique_id,
    result.seconds,
    runs.run_at,
    ROW_NUMBER() OVER (
      PARTITION BY runs.project_name, result.unique_id
      ORDER BY LEAST(runs.run_at, runs.recorded_at) DESC, runs.recorded_at DESC, runs.run_id
    ) AS age
  FROM params
  JOIN recce_metadata.runs
    ON runs.environment = params.environment
  JOIN recce_metadata.run_results AS result
    ON result.run_id = runs.run_id
  WHERE
    result.status = 'success' AND LEFT(result.unique_id, LENGTH('model.')) = 'model.'
), trend AS (
  SELECT
    timed.project_name,
    timed.unique_id,
    MAX(CASE WHEN timed.age = 1 THEN timed.run_at END) AS last_run_at,
    MAX(CASE WHEN timed.age = 1 THEN timed.seconds END) AS last_seconds,
    AVG(CASE WHEN timed.age > 1 THEN timed.seconds END) AS average_seconds_before,
    COUNT(CASE WHEN timed.age > 1 THEN timed.seconds END) AS runs_before
  FROM params
  JOIN timed
    ON timed.age <= params.runs_before + 1
  GROUP BY
    timed.project_name,
    timed.unique_id
), ranked AS (
  SELECT
    trend.*,
    last_seconds / NULLIF(average_seconds_before, 0) AS times_as_long,
    ROW_NUMBER() OVER (ORDER BY last_seconds DESC NULLS LAST, project_name, unique_id) AS place
  FROM trend
)
SELECT
  ranked.place,
  ranked.project_name,
  ranked.unique_id,
  ranked.last_run_at,
  ranked.last_seconds,
  ranked.average_seconds_before,
  ranked.runs_before,
  ranked.times_as_long
FROM params
JOIN ranked
  ON ranked.place <= params.models
ORDER BY
  ranked.place;
