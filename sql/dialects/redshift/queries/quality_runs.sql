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
    CAST(:quality_run_id AS VARCHAR(65535)) IS NULL
    OR quality_run_id = CAST(:quality_run_id AS VARCHAR(65535))
  )
  AND (
    CAST(:id_prefix AS VARCHAR(65535)) IS NULL
    OR LEFT(quality_run_id, LENGTH(CAST(:id_prefix AS VARCHAR(65535)))) = CAST(:id_prefix AS VARCHAR(65535))
  )
  AND (
    CAST(:run_id AS VARCHAR(65535)) IS NULL
    OR run_id = CAST(:run_id AS VARCHAR(65535))
  )
  AND (
    CAST(:project AS VARCHAR(65535)) IS NULL
    OR project_name = CAST(:project AS VARCHAR(65535))
  )
  AND (
    CAST(:environment AS VARCHAR(65535)) IS NULL
    OR environment = CAST(:environment AS VARCHAR(65535))
  )
  AND (
    CAST(:status AS VARCHAR(65535)) IS NULL
    OR status = CAST(:status AS VARCHAR(65535))
  )
  AND (
    CAST(:before AS TIMESTAMP WITH TIME ZONE) IS NULL
    OR started_at < CAST(:before AS TIMESTAMP WITH TIME ZONE)
  )
  AND (
    CAST(:ids AS VARCHAR(65535)) IS NULL
    OR quality_run_id IN (
      SELECT
        measured.quality_run_id
      FROM recce_metadata.store_table_quality AS measured
      WHERE
        measured.unique_id IN (
          SELECT
            CAST(line AS VARCHAR(65535))
          FROM (
            SELECT
              SPLIT_TO_ARRAY(CAST(:ids AS VARCHAR(65535)), CHR(10)) AS lines
          ) AS split, split.lines AS line
        )
    )
  )
ORDER BY
  started_at DESC,
  finished_at DESC,
  quality_run_id
LIMIT :most;
