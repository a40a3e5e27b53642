-- Sums of the sizes of all relations in the latest scans of one project, environment and scope, newest first.
SELECT
  scan.run_id,
  scan.run_at,
  COUNT(fact.row_estimate) AS counted,
  CAST(SUM(fact.row_estimate) AS BIGINT) AS row_estimate,
  CAST(SUM(fact.bytes) AS BIGINT) AS bytes
FROM (
  SELECT
    run_id,
    LEAST(run_at, recorded_at) AS run_at
  FROM store_runs
  WHERE
    project_name = :project
    AND environment = :environment
    AND extractor = 'database'
    AND status = 'complete'
    AND COALESCE(command, 'scan') = :command
  ORDER BY LEAST(run_at, recorded_at) DESC
  LIMIT CAST(:most AS BIGINT)
) AS scan
JOIN store_fact_parts AS part ON part.run_id = scan.run_id
JOIN store_relation_facts AS fact ON fact.part_id = part.part_id
GROUP BY scan.run_id, scan.run_at
ORDER BY scan.run_at DESC;
