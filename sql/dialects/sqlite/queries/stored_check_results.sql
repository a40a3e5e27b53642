-- Check results in a newline-separated list that are already stored.
SELECT
  check_result_id
FROM store_check_results
WHERE
  check_result_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
