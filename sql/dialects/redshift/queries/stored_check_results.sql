-- Which of the check results in a list of lines are stored already.
SELECT
  check_result_id
FROM recce_metadata.check_results
WHERE
  check_result_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
