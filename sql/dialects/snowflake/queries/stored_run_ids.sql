-- Runs in a newline-separated list that are stored, with failed ones.
SELECT
  run_id
FROM recce_metadata.store_runs
WHERE
  run_id IN (
    SELECT
      CAST(line.value AS VARCHAR)
    FROM TABLE(FLATTEN(INPUT => SPLIT(:ids, CHR(10)))) AS line
  );
