-- Runs in a newline-separated list that are stored, with failed ones.
SELECT
  run_id
FROM store_runs
WHERE
  run_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
