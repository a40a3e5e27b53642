-- Which builds of production took longest?
-- Asked by: the owner of the warehouse costs, or a user who waits for the morning run.
-- Answer: 2026-11-16 06:00 | shop | 144.0 s | critical path 131.5 s | waiting 12.5 s | 404.5 s of all nodes | slowest 120.0 s
-- Topic: Builds
SELECT run_at, project_name, run_id, duration, critical_path, waiting, node_seconds, longest_seconds, build_status, job_run_url
FROM build_history
WHERE
  environment = 'base' -- edit: the environment
  AND duration IS NOT NULL
ORDER BY duration DESC, run_id
LIMIT 20; -- edit: number of builds
