-- Which sources are late, by their last freshness check?
-- Asked by: an on-call engineer.
-- Answer: shop | source.shop.raw.orders | warn | loaded 2026-11-16 04:00 | 26 hours old
-- Topic: Builds
SELECT
  project_name,
  unique_id,
  status,
  max_loaded_at,
  max_loaded_at_time_ago_in_s / 3600 AS hours_old,
  snapshotted_at
FROM latest_freshness
WHERE
  environment = 'base' -- edit: the environment
  AND status <> 'pass'
ORDER BY max_loaded_at, project_name, unique_id;
