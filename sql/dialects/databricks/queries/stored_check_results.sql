-- Check results in a newline-separated list that are already stored.
SELECT
  check_result_id
FROM recce_metadata.store_check_results
WHERE
  check_result_id IN (
    SELECT
      EXPLODE(SPLIT(:ids, CHR(10)))
  );
