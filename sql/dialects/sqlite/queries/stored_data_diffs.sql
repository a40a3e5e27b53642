-- Data diffs in a newline-separated list that are already stored.
SELECT
  diff_id
FROM store_data_diffs
WHERE
  diff_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
