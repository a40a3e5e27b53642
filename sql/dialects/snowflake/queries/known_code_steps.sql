-- Those of a newline-separated list of pairs of codes that are compared already.
SELECT
  step_id
FROM recce_metadata.store_code_steps
WHERE
  step_id IN (
    SELECT
      CAST(line.value AS VARCHAR)
    FROM TABLE(FLATTEN(INPUT => SPLIT(:ids, CHR(10)))) AS line
  );
