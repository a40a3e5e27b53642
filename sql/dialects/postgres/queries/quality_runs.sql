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
    CAST(:quality_run_id AS TEXT) IS NULL
    OR quality_run_id = CAST(:quality_run_id AS TEXT)
  )
  AND (
    CAST(:id_prefix AS TEXT) IS NULL
    OR STARTS_WITH(quality_run_id, CAST(:id_prefix AS TEXT))
  )
  AND (
    CAST(:run_id AS TEXT) IS NULL OR run_id = CAST(:run_id AS TEXT)
  )
  AND (
    CAST(:project AS TEXT) IS NULL OR project_name = CAST(:project AS TEXT)
  )
  AND (
    CAST(:environment AS TEXT) IS NULL OR environment = CAST(:environment AS TEXT)
  )
  AND (
    CAST(:status AS TEXT) IS NULL OR status = CAST(:status AS TEXT)
  )
  AND (
    CAST(:before AS TIMESTAMPTZ) IS NULL OR started_at < CAST(:before AS TIMESTAMPTZ)
  )
  AND (
    CAST(:ids AS TEXT) IS NULL
    OR quality_run_id IN (
      SELECT
        measured.quality_run_id
      FROM recce_metadata.store_table_quality AS measured
      WHERE
        measured.unique_id IN (
          SELECT
            wanted.unique_id
          FROM UNNEST(STRING_TO_ARRAY(CAST(:ids AS TEXT), CHR(  10))) AS wanted(unique_id)
        )
    )
  )
ORDER BY
  started_at DESC,
  finished_at DESC,
  quality_run_id
LIMIT CAST(:most AS BIGINT);
