-- Complete results of the saved data diffs in a newline-separated list.
SELECT
  diff_id,
  result AS result
FROM recce_metadata.store_data_diffs
WHERE
  diff_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
