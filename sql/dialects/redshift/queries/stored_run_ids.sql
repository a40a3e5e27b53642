-- Runs in a newline-separated list that are stored, with failed ones.
SELECT
  run_id
FROM recce_metadata.store_runs
WHERE
  run_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
