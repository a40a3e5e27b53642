-- Which of the check results in a list of lines are stored already.
SELECT
  check_result_id
FROM recce_metadata.check_results
WHERE
  check_result_id IN (
    SELECT
      CAST(line.value AS VARCHAR)
    FROM TABLE(FLATTEN(INPUT => SPLIT(:ids, CHR(10)))) AS line
  );
