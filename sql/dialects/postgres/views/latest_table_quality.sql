-- One row per table: its latest measurement in each project and environment.
-- Key: project_name, environment, unique_id. `sampled_rows` is NULL if all rows were measured. `reason` explains why
-- the table could not be measured.
CREATE OR REPLACE VIEW recce_metadata.latest_table_quality AS
SELECT
  project_name,
  environment,
  unique_id,
  name,
  relation,
  quality_run_id,
  run_id,
  measured_at,
  row_count,
  sampled_rows,
  column_count,
  score,
  reason,
  notes
FROM (
  SELECT
    run.project_name,
    run.environment,
    measured.unique_id,
    measured.name,
    measured.relation,
    run.quality_run_id,
    run.run_id,
    measured.measured_at,
    measured.row_count,
    measured.sampled_rows,
    measured.column_count,
    measured.score,
    measured.reason,
    measured.notes,
    ROW_NUMBER() OVER (
      PARTITION BY run.project_name, run.environment, measured.unique_id
      ORDER BY run.started_at DESC, run.finished_at DESC, run.quality_run_id
    ) AS age
  FROM recce_metadata.store_quality_runs AS run
  JOIN recce_metadata.store_table_quality AS measured
    ON measured.quality_run_id = run.quality_run_id
) AS aged_measurements
WHERE
  age = 1;
