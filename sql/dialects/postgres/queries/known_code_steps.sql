-- Those of a newline-separated list of pairs of codes that are compared already.
SELECT
  step_id
FROM recce_metadata.store_code_steps
WHERE
  step_id IN (
    SELECT
      wanted.step_id
    FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(  10))) AS wanted(step_id)
  );
