-- Complete results of the saved data diffs in a newline-separated list.
SELECT
  diff_id,
  result AS result
FROM store_data_diffs
WHERE
  diff_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
