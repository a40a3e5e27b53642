-- Complete results of the saved data diffs in a newline-separated list.
SELECT
  diff_id,
  TO_JSON(result) AS result
FROM recce_metadata.store_data_diffs
WHERE
  diff_id IN (
    SELECT
      CAST(line.value AS VARCHAR)
    FROM TABLE(FLATTEN(INPUT => SPLIT(:ids, CHR(10)))) AS line
  );
