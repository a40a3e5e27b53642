-- One row per scan and relation with sizes or times in the catalog, with those of the previous scan in the same project
-- and environment. Key: run_id, unique_id. Estimates come from the warehouse and may lag.
-- `next_run_id` is the next scan with such figures, NULL for the newest.
DROP VIEW IF EXISTS table_size_history;
CREATE VIEW table_size_history AS
SELECT
  run_id,
  project_name,
  environment,
  run_at,
  unique_id,
  row_estimate,
  previous_row_estimate,
  row_estimate - previous_row_estimate AS row_delta,
  bytes,
  previous_bytes,
  bytes - previous_bytes AS byte_delta,
  created_at,
  altered_at,
  previous_run_id,
  next_run_id
FROM (
  SELECT
    runs.run_id,
    runs.project_name,
    runs.environment,
    runs.run_at,
    fact.unique_id,
    fact.row_estimate,
    LAG(fact.row_estimate) OVER in_time AS previous_row_estimate,
    fact.bytes,
    LAG(fact.bytes) OVER in_time AS previous_bytes,
    fact.created_at,
    fact.altered_at,
    LAG(runs.run_id) OVER in_time AS previous_run_id,
    LEAD(runs.run_id) OVER in_time AS next_run_id
  FROM store_runs AS runs
  JOIN store_fact_parts AS part
    ON part.run_id = runs.run_id
  JOIN store_relation_facts AS fact
    ON fact.part_id = part.part_id
  WINDOW in_time AS (
    PARTITION BY runs.project_name, runs.environment, fact.unique_id
    ORDER BY MIN(COALESCE(runs.run_at, runs.recorded_at), COALESCE(runs.recorded_at, runs.run_at)), runs.recorded_at, runs.run_id DESC
  )
) AS sizes_in_time;
