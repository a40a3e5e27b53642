-- Those of a newline-separated list of pairs of codes that are compared already.
SELECT
  step_id
FROM recce_metadata.store_code_steps
WHERE
  step_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
