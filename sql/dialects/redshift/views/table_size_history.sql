-- One row per scan and relation with sizes or times in the catalog, with those of the previous scan in the same project
-- and environment. Key: run_id, unique_id. Estimates come from the warehouse and may lag.
-- `next_run_id` is the next scan with such figures, NULL for the newest.
CREATE OR REPLACE VIEW recce_metadata.table_size_history AS
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
    LAG(fact.row_estimate) OVER (
      PARTITION BY runs.project_name, runs.environment, fact.unique_id
      ORDER BY LEAST(runs.run_at, runs.recorded_at), runs.recorded_at, runs.run_id DESC
    ) AS previous_row_estimate,
    fact.bytes,
    LAG(fact.bytes) OVER (
      PARTITION BY runs.project_name, runs.environment, fact.unique_id
      ORDER BY LEAST(runs.run_at, runs.recorded_at), runs.recorded_at, runs.run_id DESC
    ) AS previous_bytes,
    fact.created_at,
    fact.altered_at,
    LAG(runs.run_id) OVER (
      PARTITION BY runs.project_name, runs.environment, fact.unique_id
      ORDER BY LEAST(runs.run_at, runs.recorded_at), runs.recorded_at, runs.run_id DESC
    ) AS previous_run_id,
    LEAD(runs.run_id) OVER (
      PARTITION BY runs.project_name, runs.environment, fact.unique_id
      ORDER BY LEAST(runs.run_at, runs.recorded_at), runs.recorded_at, runs.run_id DESC
    ) AS next_run_id
  FROM recce_metadata.store_runs AS runs
  JOIN recce_metadata.store_fact_parts AS part
    ON part.run_id = runs.run_id
  JOIN recce_metadata.store_relation_facts AS fact
    ON fact.part_id = part.part_id
) AS sizes_in_time;
