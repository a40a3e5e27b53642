-- Check results in a newline-separated list that are already stored.
SELECT
  check_result_id
FROM recce_metadata.store_check_results
WHERE
  check_result_id IN (
    SELECT
      wanted.check_result_id
    FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(  10))) AS wanted(check_result_id)
  );
