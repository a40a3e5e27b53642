-- Which nodes took the seconds of the latest builds?
-- Asked by: a user who waits for the morning run.
-- Answer: 2026-11-16 06:00 | shop | model.shop.orders | 120.0 s of 404.5 s
-- Topic: Builds
SELECT run_at, project_name, run_id, unique_id, seconds, node_seconds
FROM (
  SELECT
    build.run_at,
    build.project_name,
    build.run_id,
    result.unique_id,
    result.seconds,
    SUM(result.seconds) OVER (PARTITION BY build.run_id) AS node_seconds,
    ROW_NUMBER() OVER (PARTITION BY build.run_id ORDER BY result.seconds DESC, result.unique_id) AS place
  FROM (
    SELECT run_id, run_at, project_name
    FROM build_history
    WHERE environment = 'base' -- edit: the environment
    ORDER BY run_at DESC, run_id
    LIMIT 30 -- edit: number of builds
  ) AS build
  JOIN run_results AS result ON result.run_id = build.run_id
  WHERE result.seconds > 0
) AS by_seconds
WHERE place <= 5 -- edit: number of nodes of each build
ORDER BY run_at DESC, run_id, place;
