-- How did the database's schema change, scan by scan?
-- Asked by: an engineer who dates a change; `node_changes` and `column_changes` name what changed. Needs two scans.
-- Answer: 2026-11-18 06:00 | shop | table | 2 added | 0 removed | 1 modified | 212 unchanged
-- Topic: Changes
SELECT
  summary.run_at,
  summary.project_name,
  summary.object_type,
  summary.added,
  summary.removed,
  summary.modified,
  summary.unchanged,
  summary.run_id,
  summary.previous_run_id
FROM schema_diff_summary AS summary
WHERE
  summary.environment = 'current' -- edit: the environment
  AND summary.added + summary.removed + summary.modified > 0
ORDER BY summary.run_at DESC, summary.project_name, summary.object_type;
