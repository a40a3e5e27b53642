-- Which row counts differ by more than half from the previous count?
-- Asked by: an on-call engineer.
-- Answer: 2026-11-25 06:00 | model.shop.orders | 1,160 → 10 | -99 %
-- Topic: Data
SELECT run_at, project_name, unique_id, previous_row_count, row_count, row_change, run_id
FROM row_count_history
WHERE
  environment = 'base' -- edit: the environment
  AND ABS(row_change) > 0.5 -- edit: the share
ORDER BY run_at DESC, project_name, unique_id;
