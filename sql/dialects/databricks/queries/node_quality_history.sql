-- Figures of the columns of one table in the measurements of a project and environment, newest first.
SELECT
  run.quality_run_id,
  run.started_at,
  measured.column_name,
  measured.row_count,
  measured.not_null_count,
  measured.score
FROM recce_metadata.store_quality_runs AS run
JOIN recce_metadata.store_column_quality AS measured
  ON measured.quality_run_id = run.quality_run_id
WHERE
  run.project_name = :project
  AND run.environment = :environment
  AND measured.unique_id = :unique_id
  AND run.quality_run_id IN (
    SELECT
      EXPLODE(SPLIT(:run_ids, CHR(10)))
  )
ORDER BY
  run.started_at DESC NULLS FIRST,
  run.quality_run_id NULLS LAST,
  measured.ordinal NULLS LAST;
