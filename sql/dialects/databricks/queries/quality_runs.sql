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
    CAST(:quality_run_id AS STRING) IS NULL
    OR quality_run_id = CAST(:quality_run_id AS STRING)
  )
  AND (
    CAST(:id_prefix AS STRING) IS NULL
    OR STARTSWITH(quality_run_id, CAST(:id_prefix AS STRING))
  )
  AND (
    CAST(:run_id AS STRING) IS NULL OR run_id = CAST(:run_id AS STRING)
  )
  AND (
    CAST(:project AS STRING) IS NULL OR project_name = CAST(:project AS STRING)
  )
  AND (
    CAST(:environment AS STRING) IS NULL
    OR environment = CAST(:environment AS STRING)
  )
  AND (
    CAST(:status AS STRING) IS NULL OR status = CAST(:status AS STRING)
  )
  AND (
    CAST(:before AS TIMESTAMP) IS NULL OR started_at < CAST(:before AS TIMESTAMP)
  )
  AND (
    CAST(:ids AS STRING) IS NULL
    OR quality_run_id IN (
      SELECT
        measured.quality_run_id
      FROM recce_metadata.store_table_quality AS measured
      WHERE
        measured.unique_id IN (
          SELECT
            EXPLODE(SPLIT(CAST(:ids AS STRING), CHR(10)))
        )
    )
  )
ORDER BY
  started_at DESC NULLS FIRST,
  finished_at DESC NULLS FIRST,
  quality_run_id NULLS LAST
LIMIT CAST(LEAST(:most, 2147483647) AS INT);
