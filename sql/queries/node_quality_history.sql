-- Figures of the columns of one table in the measurements of a project and environment, newest first.
SELECT
  run.quality_run_id,
  run.started_at,
  measured.column_name,
  measured.row_count,
  measured.not_null_count,
  measured.score
FROM store_quality_runs AS run
JOIN store_column_quality AS measured ON measured.quality_run_id = run.quality_run_id
WHERE
  run.project_name = :project
  AND run.environment = :environment
  AND measured.unique_id = :unique_id
  AND run.quality_run_id IN (SELECT wanted.run_id FROM UNNEST(STRING_TO_ARRAY(:run_ids, CHR(10))) AS wanted(run_id))
ORDER BY run.started_at DESC, run.quality_run_id, measured.ordinal;
