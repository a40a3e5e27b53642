-- Delete runs, after the measurements of their nodes. Rows that only these runs refer to become garbage.
DELETE FROM store_quality_runs
WHERE
  run_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
DELETE FROM store_runs
WHERE
  run_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
