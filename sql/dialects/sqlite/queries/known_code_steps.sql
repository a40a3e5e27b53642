-- Those of a newline-separated list of pairs of codes that are compared already.
SELECT
  step_id
FROM store_code_steps
WHERE
  step_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
