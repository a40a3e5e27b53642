-- Runs in a newline-separated list that are stored, with failed ones.
SELECT
  run_id
FROM recce_metadata.store_runs
WHERE
  run_id IN (
    SELECT
      wanted.run_id
    FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS wanted(run_id)
  );
