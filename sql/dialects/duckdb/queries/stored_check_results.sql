-- Which of the check results in a list of lines are stored already.
SELECT
  check_result_id
FROM recce_metadata.check_results
WHERE
  check_result_id IN (
    SELECT
      wanted.check_result_id
    FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS wanted(check_result_id)
  );
