-- How many builds failed on each day, by environment?
-- Asked by: a team lead before the weekly review.
-- Answer: shop | base | 2026-11-18 | 1 of 3 failed
-- Topic: Builds
SELECT
  project_name,
  environment,
  CAST(run_at AS DATE) AS day,
  COUNT(CASE WHEN build_status = 'failed' THEN 1 END) AS failed,
  COUNT(build_status) AS builds
FROM runs
GROUP BY project_name, environment, CAST(run_at AS DATE)
ORDER BY project_name, environment, day;
