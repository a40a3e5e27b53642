-- Measurements of quality, newest first; NULL disables a filter. `ids` is a newline-separated list of tables: only
-- measurements of one of these tables.
SELECT
  quality_run_id,
  run_id,
  project_name,
  environment,
  started_at,
  finished_at,
  target_name,
  sample_percent,
  sample_rows,
  sample_seed,
  keeps_values,
  table_count,
  failed_count,
  score,
  recorder_version,
  status,
  reason
FROM recce_metadata.store_quality_runs
WHERE
  (
    CAST(:quality_run_id AS VARCHAR) IS NULL
    OR quality_run_id = CAST(:quality_run_id AS VARCHAR)
  )
  AND (
    CAST(:id_prefix AS VARCHAR) IS NULL
    OR STARTSWITH(quality_run_id, CAST(:id_prefix AS VARCHAR))
  )
  AND (
    CAST(:run_id AS VARCHAR) IS NULL OR run_id = CAST(:run_id AS VARCHAR)
  )
  AND (
    CAST(:project AS VARCHAR) IS NULL OR project_name = CAST(:project AS VARCHAR)
  )
  AND (
    CAST(:environment AS VARCHAR) IS NULL
    OR environment = CAST(:environment AS VARCHAR)
  )
  AND (
    CAST(:status AS VARCHAR) IS NULL OR status = CAST(:status AS VARCHAR)
  )
  AND (
    CAST(:before AS TIMESTAMPTZ) IS NULL OR started_at < CAST(:before AS TIMESTAMPTZ)
  )
  AND (
    CAST(:ids AS VARCHAR) IS NULL
    OR quality_run_id IN (
      SELECT
        measured.quality_run_id
      FROM recce_metadata.store_table_quality AS measured
      WHERE
        measured.unique_id IN (
          SELECT
            CAST(line.value AS VARCHAR)
          FROM TABLE(FLATTEN(INPUT => SPLIT(CAST(:ids AS VARCHAR), CHR(10)))) AS line
        )
    )
  )
ORDER BY
  started_at DESC,
  finished_at DESC,
  quality_run_id
LIMIT :most;
