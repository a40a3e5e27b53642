-- Check results in a newline-separated list that are already stored.
SELECT
  check_result_id
FROM recce_metadata.store_check_results
WHERE
  check_result_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
