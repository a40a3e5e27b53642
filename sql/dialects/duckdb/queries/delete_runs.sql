-- Delete runs, after the measurements of their nodes. Rows that only these runs refer to become garbage.
DELETE FROM recce_metadata.store_quality_runs
WHERE
  run_id IN (
    SELECT
      chosen.run_id
    FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(run_id)
  );
DELETE FROM recce_metadata.store_runs
WHERE
  run_id IN (
    SELECT
      chosen.run_id
    FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(run_id)
  );
